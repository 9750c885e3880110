//! `gmkit verify`.

use gmkit::{
    keys::selftest::Algorithm,
    sm2::{Id, Signature},
};

use super::tested;
use crate::{
    args::Verify,
    failure::{Context, Failure},
    input::Input,
    keys::{fingerprint, read_public},
    output::print,
};

/// More than any DER signature, so that trailing bytes are seen and named.
const MAX_SIGNATURE: usize = 1 << 20;

pub(crate) fn run(args: &Verify) -> Result<(), Failure> {
    tested(Algorithm::Sm2Signature)?;
    let id = Id::new(args.id.id.as_bytes())?;
    let public = read_public(&args.public)?;
    let signature = Input::open(&args.signature)?.read_all(MAX_SIGNATURE)?;
    let signature = Signature::from_der(&signature).about(&args.signature)?;

    let mut verifier = public.verifier(id);
    Input::open(&args.file)?.for_each(|piece| {
        verifier.update(piece);
        Ok(())
    })?;
    let good = verifier.verify(&signature).is_ok();
    report(args, &fingerprint(&public), good)
}

fn report(args: &Verify, fingerprint: &str, good: bool) -> Result<(), Failure> {
    let file = args.file.display();
    if args.json.json {
        print(
            &serde_json::json!({
                "file": args.file.to_string_lossy(),
                "verified": good,
                "signer_fingerprint_sm3": fingerprint,
                "id": args.id.id,
                "trust": "public key given by the caller",
            })
            .to_string(),
        )?;
    } else if good {
        print(&format!("{file}: good signature"))?;
        print(&format!(
            "  signed by the SM2 key {fingerprint} (SM3) under the ID \"{}\"",
            args.id.id
        ))?;
        print(&format!(
            "  trusted because you gave this key ({}); it says nothing of when, or of whose key it is",
            args.public.display()
        ))?;
    }
    if good {
        Ok(())
    } else {
        Err(Failure::check(format!(
            "{file}: BAD signature: the file, the signature, the key or the ID is not the one it was made with"
        )))
    }
}
