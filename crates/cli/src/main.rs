//! The `gmkit` command. `args` says what can be typed, `commands` does it, `failure` maps every
//! error to an exit code: 0 done and true, 1 a check failed, 2 usage or bad input, 3 a device or
//! the network refused.

mod args;
mod certificates;
mod commands;
mod failure;
mod input;
mod integrity;
mod keys;
mod message;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;

fn main() -> ExitCode {
    // clap exits with 2 on a usage error, and with 0 on --help and --version.
    let cli = Cli::parse();
    if cli.verbose {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(std::io::stderr)
            .with_ansi(output::colours(&std::io::stderr()))
            .init();
    }
    match commands::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_broken_pipe() {
                output::complain(&failure);
            }
            failure.exit_code()
        }
    }
}
