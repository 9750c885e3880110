//! `gmkit keygen`.

use std::path::Path;

use gmkit::keys::{PrivateKey, SoftwareKey, public_key_to_pem};
use zeroize::Zeroizing;

use crate::{
    args::{Format, Keygen},
    failure::Failure,
    keys::{fingerprint, new_passphrase},
    output::{Access, Content, Output, print, same_file, spare_key},
};

pub(crate) fn run(args: &Keygen) -> Result<(), Failure> {
    check(args)?;
    let passphrase = match args.no_passphrase {
        true => None,
        false => Some(new_passphrase(args.passphrase_file.as_deref(), "--passphrase-file")?),
    };
    let mut private = output(args, &args.output, Access::Secret)?;
    let public = args.public.as_deref();
    let public = public.map(|path| output(args, path, Access::Public)).transpose()?;

    let key = SoftwareKey::generate()?;
    let pem = match &passphrase {
        None => key.to_pem(),
        Some(passphrase) => {
            Zeroizing::new(key.to_encrypted_pem(passphrase, args.key_format.into())?)
        }
    };
    private.write(pem.as_bytes())?;
    private.commit()?;
    if let Some(mut public) = public {
        public.write(public_key_to_pem(key.public_key()).as_bytes())?;
        public.commit().map_err(|failure| {
            let hint =
                format!("(the private key is written: gmkit pubkey -k {})", args.output.display());
            Failure::about(hint, failure)
        })?;
    }
    report(args, &fingerprint(key.public_key()))
}

/// What can be refused before anything is made.
fn check(args: &Keygen) -> Result<(), Failure> {
    let targets = || [Some(&args.output), args.public.as_ref()].into_iter().flatten();
    if let (false, Some(path)) = (args.force, targets().find(|path| path.is_file())) {
        let reason = Failure::input("exists already: a key is not replaced without --force");
        return Err(Failure::about(path.display(), reason));
    }
    if args.public.as_ref().is_some_and(|public| same_file(public, &args.output)) {
        return Err(Failure::input("-o and -p name the same file"));
    }
    if let Some(file) = &args.passphrase_file {
        targets().try_for_each(|path| spare_key(Some(path), file))?;
    }
    if args.json.json && targets().any(|path| path.as_os_str() == "-") {
        return Err(Failure::input("--json and a key cannot both go to standard output"));
    }
    if args.no_passphrase && matches!(args.key_format, Format::Gmssl) {
        return Err(Failure::input("GmSSL reads encrypted keys only: it needs a passphrase"));
    }
    Ok(())
}

fn output(args: &Keygen, path: &Path, access: Access) -> Result<Output, Failure> {
    let output = Output::create(Some(path), Content::Text, access)?;
    Ok(if args.force { output } else { output.without_replacing() })
}

fn report(args: &Keygen, fingerprint: &str) -> Result<(), Failure> {
    if args.json.json {
        return print(
            &serde_json::json!({
                "private_key": args.output.to_string_lossy(),
                "public_key": args.public.as_ref().map(|path| path.to_string_lossy()),
                "encrypted": !args.no_passphrase,
                "fingerprint_sm3": fingerprint,
            })
            .to_string(),
        );
    }
    if [Some(&args.output), args.public.as_ref()].iter().flatten().any(|p| p.as_os_str() == "-") {
        return Ok(()); // a key is on standard output
    }
    let encrypted = if args.no_passphrase { "NOT encrypted" } else { "encrypted" };
    print(&format!("{}: SM2 private key, {encrypted}", args.output.display()))?;
    if let Some(public) = &args.public {
        print(&format!("{}: SM2 public key", public.display()))?;
    }
    print(&format!("fingerprint (SM3): {fingerprint}"))
}
