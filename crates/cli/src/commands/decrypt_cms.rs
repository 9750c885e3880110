//! `gmkit decrypt`, for a CMS message.

use std::io::Read;

use gmkit::{
    keys::PrivateKey,
    pki::{
        self, Anchor, Certificate, Purpose, Verifier,
        cms::{ContentDigest, EncryptedReader, Policy, Refusal, Report, SignedMessage},
    },
    sm2::{Id, PublicKey},
};
use zeroize::Zeroizing;

use crate::{
    args::Decrypt,
    certificates::{certificate, certificates},
    failure::{Context, Failure},
    input::{CHUNK, Input},
    keys::open_private,
    output::{Access, Content, Output, complain},
};

const UNPROTECTED: &str =
    "note: nothing protects this message (SM4-CBC) against changes on its way";

/// A content that was decrypted, not shown yet, and who has signed it.
type Decrypted = (Output, Option<(SignedMessage, ContentDigest)>);

pub(crate) fn run(args: &Decrypt, message: impl Read) -> Result<(), Failure> {
    let reader = EncryptedReader::new(message).about(&args.file)?;
    let authenticated = reader.is_authenticated();
    let certificate = args.certificate.as_deref().map(certificate).transpose()?;
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    let (mut output, signed) = decrypt(args, reader, &*key, certificate.as_ref(), &[])?;
    if let Some((message, digest)) = signed {
        let policy = policy(args)?;
        let mut report = message.verify(&digest, &policy);
        let signers = message.keys_without_attributes(&policy);
        if report.must_read_again() {
            (output, report) = again(args, &*key, certificate.as_ref(), &signers, &policy)?;
        }
        check_signers(args, &report)?;
        if !authenticated && args.ca.is_none() {
            complain(&UNPROTECTED);
        }
    } else if args.ca.is_some() {
        let reason = Failure::check("nobody has signed it, as --ca asks for");
        return Err(Failure::about(args.file.display(), reason));
    } else if !authenticated {
        complain(&UNPROTECTED);
    }
    output.commit()
}

fn decrypt(
    args: &Decrypt,
    reader: EncryptedReader<impl Read>,
    key: &dyn PrivateKey,
    certificate: Option<&Certificate>,
    signers: &[PublicKey],
) -> Result<Decrypted, Failure> {
    let opened = reader.open_with_keys(key, certificate, signers, Id::DEFAULT);
    let mut content = opened.about(&args.file)?;
    let mut output = Output::create(args.output.as_deref(), Content::Unverified, Access::Secret)?;
    let mut buffer = Zeroizing::new(vec![0; CHUNK]);
    loop {
        match content.read_unverified(&mut buffer).about(&args.file)? {
            0 => break,
            n => output.write(&buffer[..n])?,
        }
    }
    let opened = content.finish().about(&args.file)?;
    output.write(&opened.rest)?;
    Ok((output, opened.signed))
}

/// Reads the message once more, now that the signers are known.
fn again(
    args: &Decrypt,
    key: &dyn PrivateKey,
    certificate: Option<&Certificate>,
    signers: &[PublicKey],
    policy: &Policy,
) -> Result<(Output, Report), Failure> {
    if args.file.as_os_str() == "-" {
        let reason = "the signer signs the content alone and comes behind it: name a file, which can be read twice";
        return Err(Failure::input(reason));
    }
    let reader = EncryptedReader::new(Input::open(&args.file)?.into_read()).about(&args.file)?;
    match decrypt(args, reader, key, certificate, signers)? {
        (output, Some((message, digest))) => Ok((output, message.verify(&digest, policy))),
        (_, None) => Err(Failure::input("the file has changed while it was read")),
    }
}

fn policy(args: &Decrypt) -> Result<Policy, Failure> {
    let anchors = args.ca.as_deref().map(certificates).transpose()?.unwrap_or_default();
    let anchors = anchors.into_iter().map(Anchor::new).collect();
    Ok(Policy::chain(Verifier::new(anchors, Purpose::Sign)))
}

/// With authorities, all signers must be good. Without, a signature that is bad is still one.
fn check_signers(args: &Decrypt, report: &Report) -> Result<(), Failure> {
    let bad = |reason: &Refusal| {
        Err(Failure::about(args.file.display(), Failure::check(reason.to_string())))
    };
    for signer in &report.signers {
        let name = match &signer.certificate {
            Some(certificate) => certificate.subject().to_string(),
            None => signer.id.to_string(),
        };
        match &signer.verdict {
            Ok(_) => complain(&format!("note: signed by {name}, for whom {} vouches", ca(args))),
            Err(Refusal::Untrusted(_) | Refusal::NoCertificate) if args.ca.is_none() => {
                complain(&format!(
                    "note: says to be signed by {name}, for whom nobody vouched (--ca)"
                ));
            }
            // The same words as for a wrong padding: which of the two it is would tell about the content.
            Err(Refusal::Rejected) => {
                return Err(pki::Error::NotDecrypted).about(&args.file);
            }
            Err(reason) => return bad(reason),
        }
    }
    match report.is_good() || args.ca.is_none() {
        true => Ok(()),
        false => {
            let reason = Failure::check("nobody has signed it, as --ca asks for");
            Err(Failure::about(args.file.display(), reason))
        }
    }
}

fn ca(args: &Decrypt) -> String {
    args.ca.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
}
