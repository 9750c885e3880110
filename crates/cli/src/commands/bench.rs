//! `gmkit bench`: how fast each backend is on this machine.

mod measure;
mod sizes;
mod work;

use gmkit_vectors::Machine;

use crate::{args::Bench, failure::Failure, output::print};
use work::{Amount, CORES, Core, Work};

/// What was measured.
struct Row {
    core: &'static str,
    backend: &'static str,
    /// The backend that computes when nobody asks for one.
    chosen: bool,
    what: &'static str,
    amount: Amount,
    seconds: f64,
}

impl Row {
    /// Bytes, or operations, per second.
    fn rate(&self) -> f64 {
        let (Amount::Bytes(amount) | Amount::Operations(amount)) = self.amount;
        amount as f64 / self.seconds
    }

    fn shown(&self) -> String {
        match self.amount {
            Amount::Bytes(_) => format!("{:>10.1} MiB/s", self.rate() / f64::from(1 << 20)),
            Amount::Operations(_) => format!("{:>10.0} /s", self.rate()),
        }
    }
}

pub(crate) fn run(args: &Bench) -> Result<(), Failure> {
    if args.sizes {
        return sizes::run(args);
    }
    let machine = Machine::detect();
    if !args.json.json {
        print(&format!("CPU: {} ({})\n", machine.cpu, machine.arch))?;
    }
    let mut rows = Vec::new();
    for core in CORES {
        let chosen = (core.chosen)();
        for (backend, has) in (core.backends)() {
            if has {
                measure_backend(args, core, backend, backend == chosen, &mut rows)?;
            } else if !args.json.json {
                print(&format!(
                    "{} {backend}: NOT RUN, this CPU lacks what it needs\n",
                    core.name
                ))?;
            }
        }
    }
    if args.json.json {
        print(&report(&machine, &rows).to_string())?;
    }
    Ok(())
}

fn measure_backend(
    args: &Bench,
    core: &Core,
    backend: &'static str,
    chosen: bool,
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let _preferred = core.through(backend);
    if !args.json.json {
        let note = if chosen { ", which computes on this CPU" } else { "" };
        print(&format!("{} {backend}{note}", core.name))?;
    }
    for Work { what, amount, prepare } in core.works {
        let seconds = measure::best(&mut *prepare()?, args.quick);
        let row = Row { core: core.name, backend, chosen, what, amount: *amount, seconds };
        if !args.json.json {
            print(&format!("  {what:<28} {}", row.shown()))?;
        }
        rows.push(row);
    }
    if args.json.json { Ok(()) } else { print("") }
}

fn report(machine: &Machine, rows: &[Row]) -> serde_json::Value {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "core": row.core,
                "backend": row.backend,
                "chosen": row.chosen,
                "what": row.what,
                "unit": if matches!(row.amount, Amount::Bytes(_)) { "bytes/s" } else { "1/s" },
                "rate": row.rate(),
            })
        })
        .collect();
    serde_json::json!({ "cpu": machine.cpu, "arch": machine.arch, "rows": rows })
}
