//! Messages of all sizes through each backend: no backend may be slower than the portable one.

use super::{
    measure,
    work::{CORES, Core, Sized},
};
use crate::{args::Bench, failure::Failure, output::print};

/// In bytes.
const SIZES: [usize; 7] = [16, 64, 256, 1024, 4096, 16384, 1 << 20];

/// What one backend does on each of the sizes, in bytes per second.
struct Line {
    core: &'static str,
    what: &'static str,
    backend: &'static str,
    rates: [f64; SIZES.len()],
}

pub(super) fn run(args: &Bench) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for core in CORES {
        for sized in core.sized {
            for (backend, has) in (core.backends)() {
                if has {
                    lines.push(measured(args, core, sized, backend)?);
                }
            }
        }
    }
    if args.json.json { print(&report(&lines).to_string()) } else { show(&lines) }
}

fn measured(
    args: &Bench,
    core: &'static Core,
    sized: &Sized,
    backend: &'static str,
) -> Result<Line, Failure> {
    let _preferred = core.through(backend);
    let mut rates = [0.0; SIZES.len()];
    for (rate, size) in rates.iter_mut().zip(SIZES) {
        *rate = size as f64 / measure::best(&mut *(sized.prepare)(size)?, args.quick);
    }
    Ok(Line { core: core.name, what: sized.what, backend, rates })
}

fn show(lines: &[Line]) -> Result<(), Failure> {
    let head: String = SIZES.iter().map(|size| format!("{size:>10}")).collect();
    print(&format!("{:<32}{head}  bytes; MiB/s", ""))?;
    for Line { core, what, backend, rates } in lines {
        let rates: String =
            rates.iter().map(|rate| format!("{:>10.1}", rate / f64::from(1 << 20))).collect();
        print(&format!("{:<32}{rates}", format!("{core} {what}, {backend}")))?;
    }
    Ok(())
}

fn report(lines: &[Line]) -> serde_json::Value {
    let row = |line: &Line| {
        serde_json::json!({
            "core": line.core,
            "what": line.what,
            "backend": line.backend,
            "rates": line.rates,
        })
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    serde_json::json!({ "sizes": SIZES, "unit": "bytes/s", "rows": rows })
}
