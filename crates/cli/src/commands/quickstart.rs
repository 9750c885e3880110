//! `gmkit quickstart`: the tour, on real files.
//!
//! Each step is a command line that is printed and then run as it stands, so that what is shown
//! is what happened and can be typed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Parser;
use gmkit::{keys::SysRng, sm2::rand_core::TryRng};
use zeroize::Zeroizing;

use crate::{
    args::{Cli, Quickstart},
    commands,
    failure::{Context, Failure},
    output::{Access, Content, Output, print},
};

const CONTRACT: &str = "合同 / Contract\n\nAlice sells her boat to Bob for 100 yuan.\n";

pub(crate) fn run(args: &Quickstart) -> Result<(), Failure> {
    let binary =
        std::env::current_exe().map_or("gmkit".to_owned(), |path| path.display().to_string());
    let dir = fresh_folder(args.dir.as_deref())?;
    std::env::set_current_dir(&dir).about(&dir)?;
    let shown = fs::canonicalize(".").about(&dir)?;
    print(&format!("In {}; gmkit is {binary}\n", shown.display()))?;

    print("A file to sign, and a passphrase for the keys:")?;
    write(Path::new("contract.txt"), CONTRACT.as_bytes(), Access::Public)?;
    write(Path::new("keys.pass"), random_passphrase()?.as_bytes(), Access::Secret)?;
    print("  contract.txt  keys.pass\n")?;

    print("1. Make an SM2 key, encrypted under the passphrase:")?;
    step("gmkit keygen -o signer.pem -p signer.pub.pem --passphrase-file keys.pass")?;

    print("\n2. Make a certificate for it, from an authority of its own:")?;
    step("gmkit keygen -o ca.pem --passphrase-file keys.pass")?;
    step(
        "gmkit cert ca -k ca.pem --passphrase-file keys.pass --subject CN=Tour-CA,C=CN -o ca.crt",
    )?;
    step(
        "gmkit cert csr -k signer.pem --passphrase-file keys.pass --subject CN=Alice,C=CN -o signer.csr",
    )?;
    step(
        "gmkit cert issue --ca ca.crt -k ca.pem --passphrase-file keys.pass --db ca.db --profile sign \
         --csr signer.csr -o signer.crt",
    )?;

    print("\n3. Sign the file, and verify the signature:")?;
    step("gmkit sign -k signer.pem --passphrase-file keys.pass -o contract.sig contract.txt")?;
    step("gmkit verify -c signer.crt --ca ca.crt -s contract.sig contract.txt")?;

    print(
        "\n4. A CMS message holds the certificate and the time with the signature, and the file too:",
    )?;
    step(
        "gmkit sign -k signer.pem --passphrase-file keys.pass -c signer.crt --attach -o contract.p7m contract.txt",
    )?;
    step("gmkit verify --ca ca.crt -s contract.p7m -o received.txt")?;

    print("\n5. A copy in which the price has changed is refused:")?;
    print("$ sed 's/100 yuan/999 yuan/' contract.txt > tampered.txt")?;
    let tampered = CONTRACT.replace("100 yuan", "999 yuan");
    write(Path::new("tampered.txt"), tampered.as_bytes(), Access::Public)?;
    refused("gmkit verify -c signer.crt --ca ca.crt -s contract.sig tampered.txt")?;

    print("\n6. Somebody else's software agrees (OpenSSL 3 or 4, not run here):")?;
    print(
        "$ openssl pkeyutl -verify -pubin -inkey signer.pub.pem -rawin -digest sm3 \\\n    \
         -pkeyopt distid:1234567812345678 -in contract.txt -sigfile contract.sig\n\
         $ openssl verify -CAfile ca.crt signer.crt      # OpenSSL 4\n\
         $ openssl cms -verify -binary -inform DER -in contract.p7m -CAfile ca.crt      # OpenSSL 4",
    )
}

/// The folder that was asked for, which must be new or empty; without a wish, the first free one of
/// gmkit-quickstart, gmkit-quickstart-2 and so on. The tour never touches what is there already.
fn fresh_folder(wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(dir) = wanted {
        fs::create_dir_all(dir).about(dir)?;
        if fs::read_dir(dir).about(dir)?.next().is_some() {
            let reason = Failure::input("is not empty: the tour wants a folder of its own");
            return Err(Failure::about(dir.display(), reason));
        }
        return Ok(dir.to_owned());
    }
    let names = (1..).map(|n| match n {
        1 => PathBuf::from("gmkit-quickstart"),
        n => PathBuf::from(format!("gmkit-quickstart-{n}")),
    });
    for dir in names {
        match fs::create_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.about(&dir).map(|()| dir),
        }
    }
    unreachable!("there is no end to the names")
}

/// Prints a command line and runs it.
fn step(line: &str) -> Result<(), Failure> {
    print(&format!("$ {line}"))?;
    commands::run(parse(line)?)
}

/// Prints a command line that must end with exit code 1, and runs it.
fn refused(line: &str) -> Result<(), Failure> {
    match step(line) {
        Err(failure) if failure.is_failed_check() => {
            print(&format!("gmkit: {failure}\n(exit code 1)"))
        }
        Err(failure) => Err(failure),
        Ok(()) => Err(Failure::check("the tampered copy was NOT refused: do not use this build")),
    }
}

fn parse(line: &str) -> Result<crate::args::Command, Failure> {
    let cli = Cli::try_parse_from(line.split(' '));
    Ok(cli.map_err(|error| Failure::input(error.to_string()))?.command)
}

fn write(path: &Path, content: &[u8], access: Access) -> Result<(), Failure> {
    let mut output = Output::create(Some(path), Content::Text, access)?;
    output.write(content)?;
    output.commit()
}

fn random_passphrase() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new([0; 16]);
    SysRng.try_fill_bytes(&mut *bytes).map_err(|_| gmkit::keys::Error::Rng)?;
    Ok(Zeroizing::new(hex::encode(bytes.as_slice()) + "\n"))
}
