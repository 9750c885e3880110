//! `gmkit-vectors`: every vector through every backend, in one file that needs nothing else. Copy it
//! to the target machine and run it.
//!
//! Exit codes: 0 all passed; 1 a vector failed; 2 usage or bad input.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use gmkit::{
    keys::{FileOpener, Passphrase, PrivateKey, SoftwareKey},
    sm2::Id,
};
use gmkit_vectors::{Report, Selection, run};

/// Proves SM2, SM3 and SM4 on this machine: runs every embedded test vector through every backend
/// that the CPU offers.
#[derive(Parser)]
#[command(version, after_help = "Example:\n  gmkit-vectors -o report.json --sign key.pem")]
struct Args {
    /// Only this suite
    #[arg(long)]
    suite: Option<String>,
    /// Only this backend
    #[arg(long)]
    backend: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report as JSON into a file
    #[arg(short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Sign the file given with -o; the signature goes to FILE.sig, for `gmkit verify`
    #[arg(long, value_name = "KEY", requires = "output")]
    sign: Option<PathBuf>,
    /// File whose first line is the key's passphrase
    #[arg(long, value_name = "F", requires = "sign")]
    passphrase_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    match report(&Args::parse()) {
        Ok(report) if report.failed == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("gmkit-vectors: {error}\n").as_bytes(),
            );
            ExitCode::from(2)
        }
    }
}

fn report(args: &Args) -> Result<Report, Box<dyn Error>> {
    // A key that cannot be used is found before the work is done.
    let key = args.sign.as_deref().map(|path| open(path, args.passphrase_file.as_deref()));
    let key = key.transpose()?;
    if let (Some(key), Some(output)) = (&args.sign, &args.output)
        && matches!((fs::canonicalize(key), fs::canonicalize(output)), (Ok(a), Ok(b)) if a == b)
    {
        return Err("-o would replace the key".into());
    }
    let selection = Selection { suite: args.suite.clone(), backend: args.backend.clone() };
    let report = run(&selection)?;
    if let Some(path) = &args.junit {
        write(path, report.to_junit().as_bytes())?;
    }
    if let Some(path) = &args.output {
        let json = report.to_json();
        write(path, json.as_bytes())?;
        if let Some(key) = key {
            let signature = key.sign(Id::DEFAULT, json.as_bytes())?;
            let mut name = path.clone().into_os_string();
            name.push(".sig");
            write(Path::new(&name), signature.to_der().as_bytes())?;
        }
    }
    let text = if args.json { report.to_json() + "\n" } else { report.to_string() };
    match std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(report),
    }
}

fn open(path: &Path, passphrase_file: Option<&Path>) -> Result<SoftwareKey, Box<dyn Error>> {
    let bytes = FileOpener::read(path)?;
    let passphrase = || match passphrase_file {
        Some(file) => Ok(Passphrase::from_file_bytes(&FileOpener::read(file)?)),
        None => Err(gmkit::keys::Error::PassphraseNeeded),
    };
    Ok(SoftwareKey::from_file_bytes(&bytes, passphrase)?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    // Beside its place, then renamed: a full disk leaves no half report under its name.
    let mut part = path.to_owned().into_os_string();
    part.push(".part");
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&part);
        format!("{}: {error}", path.display()).into()
    })
}
