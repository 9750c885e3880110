//! Running a program instruction by instruction.

use std::{
    collections::HashMap,
    io::Read,
    path::Path,
    process::{Command, Stdio},
};

use iced_x86::{Decoder, DecoderOptions, Instruction, InstructionInfoFactory, OpAccess, Register};
use nix::{
    libc::user_regs_struct,
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::{
        ptrace,
        signal::Signal,
        wait::{WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::symbol;

pub(crate) type Result<T> = std::result::Result<T, String>;

/// One executed instruction: where it is, and a digest of the addresses that it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) address: u64,
    pub(crate) memory: u64,
}

/// What a run did between its marks.
pub(crate) struct Trace {
    pub(crate) steps: Vec<Step>,
    /// The mappings of the process, to name addresses.
    pub(crate) maps: String,
    /// What it printed.
    pub(crate) output: String,
}

/// Runs `harness` with `args` and records what it does between its two marks. A mark is a SIGSTOP
/// that it sends itself; the first of all says that it is ready to be traced. Addresses are the
/// same in every run: `setarch -R` switches their randomisation off.
pub(crate) fn record(harness: &Path, args: &[&str], cpu: usize) -> Result<Trace> {
    stay_on(cpu)?;
    let mut child = Command::new("setarch")
        .arg("-R")
        .arg(harness)
        .args(args)
        .env("LD_BIND_NOW", "1")
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("setarch: {error}"))?;
    let pid = Pid::from_raw(child.id() as i32);
    let recorded = between_marks(pid);
    if recorded.is_err() {
        let _ = child.kill();
    }
    let mut output = String::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_string(&mut output).map_err(|error| error.to_string())?;
    }
    let _ = child.wait();
    let (steps, maps) = recorded?;
    Ok(Trace { steps, maps, output })
}

/// The CPUs that this thread may run on.
pub(crate) fn cpus() -> Result<Vec<usize>> {
    let allowed =
        sched_getaffinity(Pid::from_raw(0)).map_err(|error| format!("affinity: {error}"))?;
    Ok((0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false)).collect())
}

/// Tracer and traced take turns: on one CPU they do so several times as fast.
fn stay_on(cpu: usize) -> Result<()> {
    let text = |error: nix::Error| format!("affinity: {error}");
    let mut one = CpuSet::new();
    one.set(cpu).map_err(text)?;
    sched_setaffinity(Pid::from_raw(0), &one).map_err(text)
}

fn between_marks(pid: Pid) -> Result<(Vec<Step>, String)> {
    let text = |error: nix::Error| format!("ptrace: {error}");
    wait_for_mark(pid)?;
    ptrace::cont(pid, None).map_err(text)?;
    wait_for_mark(pid)?;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"));
    let maps = maps.map_err(|error| format!("maps: {error}"))?;
    let mut decoder = Steps { decoded: HashMap::new(), info: InstructionInfoFactory::new() };
    let vdso = symbol::range(&maps, "[vdso]").unwrap_or_default();
    let mut steps = Vec::new();
    loop {
        ptrace::step(pid, None).map_err(text)?;
        match waitpid(pid, None).map_err(text)? {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {
                let registers = ptrace::getregs(pid).map_err(text)?;
                // The kernel's own code in the process reads the clock, and tries again when that
                // has just ticked.
                if !vdso.contains(&registers.rip) {
                    steps.push(decoder.step(pid, &registers)?);
                }
            }
            WaitStatus::Stopped(_, Signal::SIGSTOP) => break,
            status => return Err(format!("the harness ended while traced: {status:?}")),
        }
    }
    ptrace::cont(pid, None).map_err(text)?;
    match waitpid(pid, None).map_err(text)? {
        WaitStatus::Exited(_, 0) => Ok((steps, maps)),
        status => Err(format!("the harness failed: {status:?}")),
    }
}

/// Waits until the harness stops itself.
fn wait_for_mark(pid: Pid) -> Result<()> {
    match waitpid(pid, None) {
        Ok(WaitStatus::Stopped(_, Signal::SIGSTOP)) => Ok(()),
        status => Err(format!("the harness did not stop to be traced: {status:?}")),
    }
}

/// Decoded instructions by address, and what their operands touch.
struct Steps {
    decoded: HashMap<u64, Instruction>,
    info: InstructionInfoFactory,
}

impl Steps {
    fn step(&mut self, pid: Pid, registers: &user_regs_struct) -> Result<Step> {
        let address = registers.rip;
        let instruction = match self.decoded.get(&address) {
            Some(instruction) => *instruction,
            None => {
                let instruction = decode(pid, address)?;
                self.decoded.insert(address, instruction);
                instruction
            }
        };
        let mut memory = 0xcbf2_9ce4_8422_2325_u64;
        for used in self.info.info(&instruction).used_memory() {
            // lea and long nops name an address without touching it.
            if matches!(used.access(), OpAccess::None | OpAccess::NoMemAccess) {
                continue;
            }
            let touched = used.virtual_address(0, |register, _, _| value(registers, register));
            let touched = touched.ok_or_else(|| {
                format!("cannot tell what {instruction:?} at {address:#x} touches")
            })?;
            memory = (memory ^ touched).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(Step { address, memory })
    }
}

fn decode(pid: Pid, address: u64) -> Result<Instruction> {
    let word = |at: u64| ptrace::read(pid, at as ptrace::AddressType).map(i64::to_le_bytes);
    let mut bytes = [0; 16];
    let read = word(address).map_err(|error| format!("cannot read {address:#x}: {error}"))?;
    bytes[..8].copy_from_slice(&read);
    // This one may lie behind the end of the code.
    bytes[8..].copy_from_slice(&word(address + 8).unwrap_or_default());
    let instruction = Decoder::with_ip(64, &bytes, address, DecoderOptions::NONE).decode();
    if instruction.is_invalid() {
        return Err(format!("no instruction at {address:#x}"));
    }
    Ok(instruction)
}

fn value(r: &user_regs_struct, register: Register) -> Option<u64> {
    let full = match register.full_register() {
        Register::RAX => r.rax,
        Register::RBX => r.rbx,
        Register::RCX => r.rcx,
        Register::RDX => r.rdx,
        Register::RSI => r.rsi,
        Register::RDI => r.rdi,
        Register::RBP => r.rbp,
        Register::RSP => r.rsp,
        Register::R8 => r.r8,
        Register::R9 => r.r9,
        Register::R10 => r.r10,
        Register::R11 => r.r11,
        Register::R12 => r.r12,
        Register::R13 => r.r13,
        Register::R14 => r.r14,
        Register::R15 => r.r15,
        Register::FS => return Some(r.fs_base),
        Register::GS => return Some(r.gs_base),
        Register::ES | Register::CS | Register::SS | Register::DS => return Some(0),
        _ => return None,
    };
    Some(if register.size() == 4 { full & 0xffff_ffff } else { full })
}
