//! `gmkit pkcs12`.

use std::path::Path;

use gmkit::{
    keys::{KeyFormat, Passphrase, PrivateKey, SoftwareKey},
    pki::{Certificate, Error, Pkcs12, read_cfca},
};
use zeroize::Zeroizing;

use crate::{
    args::{self, Pkcs12Export, Pkcs12Format, Pkcs12Import},
    certificates::{MAX_BUNDLE, certificates, write_text},
    failure::{Context, Failure},
    input::Input,
    keys::{existing_password, fingerprint, new_passphrase, open_software},
    output::{Access, Content, Output, print, same_file, spare_private_key},
};

pub(crate) fn run(args: &args::Pkcs12) -> Result<(), Failure> {
    match args {
        args::Pkcs12::Export(args) => export(args),
        args::Pkcs12::Import(args) => import(args),
    }
}

fn export(args: &Pkcs12Export) -> Result<(), Failure> {
    spare_private_key(Some(&args.output), &args.key)?;
    let chain = certificates(&args.certificate)?;
    let key = open_software(&args.key.key, args.key.passphrase_file.as_deref())?;
    let mut file = Pkcs12::new(key, chain).about(&args.certificate)?;
    if let Some(name) = &args.name {
        file = file.named(name);
    }
    let password = match &args.password_file {
        Some(_) => existing_password(args.password_file.as_deref(), &args.output)?,
        None => new_passphrase(None, "--password-file")?,
    };
    if password.is_empty() {
        return Err(Failure::input("the password is empty"));
    }
    let format = match args.format {
        Pkcs12Format::Compat => KeyFormat::Compat,
        Pkcs12Format::Openssl4 => KeyFormat::OpenSsl4,
    };
    let output = Output::create(Some(&args.output), Content::Binary, Access::Secret)?;
    let mut output = output.without_replacing();
    output.write(&file.write(&password, format)?)?;
    output.commit()
}

fn import(args: &Pkcs12Import) -> Result<(), Failure> {
    for other in [Some(&args.file), args.certificates.as_ref()].into_iter().flatten() {
        if same_file(&args.output, other) {
            let reason = Failure::input("is named twice");
            return Err(Failure::about(args.output.display(), reason));
        }
    }
    let bytes = Input::open(&args.file)?.read_all(MAX_BUNDLE)?;
    let password = existing_password(args.password_file.as_deref(), &args.file)?;
    let (key, chain) = read(&bytes, &password).about(&args.file)?;
    let pem = match args.no_passphrase {
        true => key.to_pem(),
        false => {
            let file = args.new_passphrase_file.as_deref();
            let passphrase = new_passphrase(file, "--new-passphrase-file")?;
            Zeroizing::new(key.to_encrypted_pem(&passphrase, KeyFormat::Compat)?)
        }
    };
    let output = Output::create(Some(&args.output), Content::Text, Access::Secret)?;
    let mut output = output.without_replacing();
    output.write(pem.as_bytes())?;
    if let Some(path) = &args.certificates {
        write_text(Some(path), &chain.iter().map(Certificate::to_pem).collect::<String>())?;
    }
    output.commit()?;
    report(args, &key, &chain)
}

/// Key and certificates, of whichever kind of file.
fn read(bytes: &[u8], password: &Passphrase) -> Result<(SoftwareKey, Vec<Certificate>), Error> {
    // A PKCS#12 file begins with version 3, a .sm2 file with 1, or is text.
    let is_pkcs12 = bytes.first() == Some(&0x30)
        && bytes[..bytes.len().min(12)].windows(3).any(|v| v == [2, 1, 3]);
    if !is_pkcs12 {
        return read_cfca(bytes, password).map(|(key, certificate)| (key, vec![certificate]));
    }
    let file = Pkcs12::read(bytes, password)?;
    let chain = match file.certificates().is_empty() {
        true => Vec::new(),
        false => file.chain()?.into_iter().cloned().collect(),
    };
    Ok((file.into_key()?, chain))
}

fn report(args: &Pkcs12Import, key: &SoftwareKey, chain: &[Certificate]) -> Result<(), Failure> {
    let fingerprint = fingerprint(key.public_key());
    let names = chain.iter().map(|certificate| certificate.subject().to_string());
    let names: Vec<_> = names.collect();
    if Path::new("-") == args.output {
        return Ok(());
    }
    if args.json.json {
        let json = serde_json::json!({ "fingerprint_sm3": fingerprint, "certificates": names });
        return print(&json.to_string());
    }
    print(&format!("fingerprint (SM3): {fingerprint}"))?;
    names.iter().try_for_each(|name| print(&format!("certificate: {name}")))
}
