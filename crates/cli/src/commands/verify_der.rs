//! `gmkit verify`, for a signature that is nothing but r and s.

use std::{io::Read, path::Path};

use gmkit::{
    pki::{Anchor, Certificate, Purpose, Verifier, now},
    sm2::{Id, PublicKey, Signature},
};

use crate::{
    args::Verify,
    certificates::{certificates, crls},
    failure::{Context, Failure},
    input::Input,
    keys::{fingerprint, read_public},
    output::print,
};

/// More than any DER signature, so that trailing bytes are seen and named.
const MAX_SIGNATURE: u64 = 1 << 20;

pub(crate) fn run(args: &Verify, signature: impl Read) -> Result<(), Failure> {
    let Some(file) = &args.file else {
        return Err(Failure::input("name the signed file: the signature does not hold it"));
    };
    for (given, option) in [
        (args.output.is_some(), "-o"),
        (args.crl_inside, "--crl-inside"),
        (args.tsa_ca.is_some(), "--tsa-ca"),
        (args.allow_bare, "--allow-bare"),
    ] {
        if given {
            let reason = format!("{option} is for CMS messages, and the signature is not in one");
            return Err(Failure::input(reason));
        }
    }
    let id = Id::new(args.id.id.as_bytes())?;
    let signer = Signer::read(args)?;
    let mut bytes = Vec::new();
    signature.take(MAX_SIGNATURE + 1).read_to_end(&mut bytes).about(&args.signature)?;
    if bytes.len() as u64 > MAX_SIGNATURE {
        let reason = Failure::input("is larger than 1 MiB: no signature");
        return Err(Failure::about(args.signature.display(), reason));
    }
    let signature = Signature::from_der(&bytes).about(&args.signature)?;

    let mut verifier = signer.key.verifier(id);
    Input::open(file)?.for_each(|piece| {
        verifier.update(piece);
        Ok(())
    })?;
    let good = verifier.verify(&signature).is_ok();
    report(args, file, &signer, good)
}

/// Whose key it is, and why that is believed.
struct Signer {
    key: PublicKey,
    name: Option<String>,
    trust: String,
}

impl Signer {
    fn read(args: &Verify) -> Result<Self, Failure> {
        match (&args.public, &args.certificate) {
            (Some(path), _) => {
                let trust = format!(
                    "you gave this key ({}); it says nothing of when, or of whose key it is",
                    path.display()
                );
                Ok(Self { key: read_public(path)?, name: None, trust })
            }
            (None, Some(path)) => Self::certified(args, path),
            (None, None) => {
                let reason = "the signature does not say whose it is: give the signer's key (-p) or certificate (-c)";
                Err(Failure::input(reason))
            }
        }
    }

    fn certified(args: &Verify, path: &Path) -> Result<Self, Failure> {
        let mut given = certificates(path)?;
        let leaf = given.remove(0);
        let key = *leaf.public_key().about(path)?;
        let trust = match &args.ca {
            Some(ca) => {
                let anchor = anchor(args, ca, &leaf, given).about(path)?;
                let revoked = match args.crl.is_empty() {
                    true => "; whether the certificate was revoked was not looked at (--crl)",
                    false => "",
                };
                format!(
                    "{anchor} ({}) vouches for the signer; it says nothing of when{revoked}",
                    ca.display()
                )
            }
            None => {
                Purpose::Sign.check(&leaf, now()).map_err(gmkit::pki::Error::from).about(path)?;
                format!(
                    "you gave this certificate ({}); it says nothing of when, and nobody vouched for it (--ca)",
                    path.display()
                )
            }
        };
        Ok(Self { key, name: Some(leaf.subject().to_string()), trust })
    }
}

/// The name of the authority that vouches for a certificate that signs documents.
fn anchor(
    args: &Verify,
    ca: &Path,
    leaf: &Certificate,
    between: Vec<Certificate>,
) -> Result<String, Failure> {
    let anchors = certificates(ca)?.into_iter().map(Anchor::new).collect();
    let mut verifier = Verifier::new(anchors, Purpose::Sign).with_intermediates(between);
    for path in &args.crl {
        verifier = verifier.with_crls(crls(path)?).about(path)?;
    }
    let chain = verifier.verify(leaf).map_err(gmkit::pki::Error::from)?;
    Ok(chain.anchor().subject().to_string())
}

fn report(args: &Verify, file: &Path, signer: &Signer, good: bool) -> Result<(), Failure> {
    let (path, file, fingerprint) = (file, file.display(), fingerprint(&signer.key));
    if args.json.json {
        print(
            &serde_json::json!({
                "file": path.to_string_lossy(),
                "verified": good,
                "signer": signer.name.as_ref().filter(|_| good),
                "signer_fingerprint_sm3": fingerprint,
                "id": args.id.id,
                "trust": good.then_some(&signer.trust),
            })
            .to_string(),
        )?;
    } else if good {
        print(&format!("{file}: good signature"))?;
        let by = match &signer.name {
            Some(name) => format!("{name}, with "),
            None => String::new(),
        };
        let id = &args.id.id;
        print(&format!("  signed by {by}the SM2 key {fingerprint} (SM3) under the ID \"{id}\""))?;
        print(&format!("  trusted because {}", signer.trust))?;
    }
    if good {
        Ok(())
    } else {
        Err(Failure::check(format!(
            "{file}: BAD signature: the file, the signature, the key or the ID is not the one it was made with"
        )))
    }
}
