//! One module per command.

mod cipher;
mod cipher_raw;
mod decrypt;
mod encrypt;
mod generated;
mod hash;
mod keygen;
mod mac;
mod pubkey;
mod quickstart;
mod selftest;
mod sign;
mod vectors;
mod verify;

use gmkit::keys::selftest::{Algorithm, require};

use crate::{args::Command, failure::Failure};

/// Runs one command.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Quickstart(args) => quickstart::run(&args),
        Command::Keygen(args) => keygen::run(&args),
        Command::Pubkey(args) => pubkey::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Encrypt(args) => encrypt::run(&args),
        Command::Decrypt(args) => decrypt::run(&args),
        Command::Hash(args) => hash::run(&args),
        Command::Mac(args) => mac::run(&args),
        Command::Cipher(args) => cipher::run(&args),
        Command::Vectors(args) => vectors::run(&args),
        Command::Selftest(args) => selftest::run(&args),
        Command::Completions { shell } => generated::completions(shell),
        Command::Man { output } => generated::man(output.as_deref()),
    }
}

/// The known-answer test of an algorithm that a command uses without going through a key.
fn tested(algorithm: Algorithm) -> Result<(), Failure> {
    Ok(require(algorithm)?)
}
