//! One module per command.

mod audit;
mod bench;
mod cert;
mod cipher;
mod cipher_ff1;
mod cipher_raw;
mod cipher_whole;
mod decrypt;
mod decrypt_cms;
mod doctor;
mod encrypt;
mod encrypt_cms;
mod envelope;
mod generated;
mod hash;
mod hsm;
mod kdf;
mod keygen;
mod mac;
mod mask;
mod pkcs12;
mod pubkey;
mod quickstart;
mod random;
mod selftest;
mod sign;
mod sign_cms;
mod tls;
mod token;
mod vectors;
mod verify;
mod verify_cms;
mod verify_cms_report;
mod verify_der;

use gmkit::keys::selftest::{Algorithm, require};

use zeroize::Zeroizing;

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
        Command::Kdf(args) => kdf::run(&args),
        Command::Random(args) => random::run(&args),
        Command::Envelope(args) => envelope::run(&args),
        Command::Cert(args) => cert::run(&args),
        Command::Pkcs12(args) => pkcs12::run(&args),
        Command::Hsm(args) => hsm::run(&args),
        Command::Tls(args) => tls::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Mask(args) => mask::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Bench(args) => bench::run(&args),
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

/// Hexadecimal digits of a secret, without a table.
fn hex_of_secret(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(base16ct::lower::encode_string(bytes))
}

/// The bytes of an argument in hexadecimal.
fn parse_hex(name: &str, digits: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = hex::decode(digits).map(Zeroizing::new);
    bytes.map_err(|_| Failure::input(format!("--{name} is not hexadecimal")))
}
