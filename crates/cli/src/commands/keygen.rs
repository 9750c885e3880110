//! `gmkit keygen`.

use gmkit::keys::{PrivateKey, SoftwareKey, public_key_to_pem};
use zeroize::Zeroizing;

use crate::{
    args::{Format, Keygen},
    failure::Failure,
    keys::{fingerprint, new_passphrase},
    output::{Access, Content, Output, print},
};

pub(crate) fn run(args: &Keygen) -> Result<(), Failure> {
    if !args.force && args.output.is_file() {
        let reason = Failure::input("exists already: a key is not replaced without --force");
        return Err(Failure::about(args.output.display(), reason));
    }
    if args.no_passphrase && matches!(args.key_format, Format::Gmssl) {
        return Err(Failure::input("GmSSL reads encrypted keys only: it needs a passphrase"));
    }
    // All that can fail for the user's sake comes before the key is made and written.
    let mut private = Output::create(Some(&args.output), Content::Text, Access::Secret)?;
    let public = args.public.as_deref();
    let public = public.map(|path| Output::create(Some(path), Content::Text, Access::Public));
    let public = public.transpose()?;

    let passphrase = if args.no_passphrase {
        None
    } else {
        Some(new_passphrase(args.passphrase_file.as_deref())?)
    };
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
        public.commit()?;
    }
    report(args, &fingerprint(key.public_key()))
}

fn report(args: &Keygen, fingerprint: &str) -> Result<(), Failure> {
    if args.json.json {
        return print(
            &serde_json::json!({
                "private_key": args.output,
                "public_key": args.public,
                "encrypted": !args.no_passphrase,
                "fingerprint_sm3": fingerprint,
            })
            .to_string(),
        );
    }
    if args.output.as_os_str() == "-" {
        return Ok(()); // the key itself is on standard output
    }
    let encrypted = if args.no_passphrase { "NOT encrypted" } else { "encrypted" };
    print(&format!("{}: SM2 private key, {encrypted}", args.output.display()))?;
    if let Some(public) = &args.public {
        print(&format!("{}: SM2 public key", public.display()))?;
    }
    print(&format!("fingerprint (SM3): {fingerprint}"))
}
