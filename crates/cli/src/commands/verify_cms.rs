//! `gmkit verify`, for a CMS message.

use std::{io::Read, path::Path};

use gmkit::{
    pki::{
        Anchor, Purpose, Verifier,
        cms::{ContentDigest, Policy, SignedMessage, SignedReader},
    },
    sm2::{Id, PublicKey},
};

use super::verify_cms_report::report;
use crate::{
    args::Verify,
    certificates::{certificates, crls},
    failure::{Context, Failure},
    input::{CHUNK, Input},
    keys::read_public,
    output::{Access, Content, Output},
};

pub(crate) fn run(args: &Verify, message: impl Read) -> Result<(), Failure> {
    let mut policy = policy(args)?;
    let mut reader = SignedReader::new(message).about(&args.signature)?;
    if !reader.is_attached() {
        return detached(args, reader, policy);
    }
    if args.file.is_some() {
        let reason = "the message holds what was signed: leave the file out (-o writes it)";
        return Err(Failure::about(args.signature.display(), Failure::input(reason)));
    }
    let mut output = content_output(args)?;
    read_content(args, &mut reader, output.as_mut())?;
    let (mut message, mut digest) = reader.finish().about(&args.signature)?;
    policy = with_crls_inside(args, policy, &message)?;
    let mut checked = message.verify(&digest, &policy);
    if checked.must_read_again() {
        let keys = message.keys_without_attributes(&policy);
        output = content_output(args)?;
        (message, digest) = again(args, &keys, policy.id(), output.as_mut())?;
        checked = message.verify(&digest, &policy);
    }
    report(args, &message, &checked)?;
    output.map_or(Ok(()), Output::commit)
}

fn detached(args: &Verify, reader: SignedReader<impl Read>, policy: Policy) -> Result<(), Failure> {
    let Some(file) = &args.file else {
        let reason = "the message does not hold what was signed: name the file";
        return Err(Failure::about(args.signature.display(), Failure::input(reason)));
    };
    if args.output.is_some() {
        return Err(Failure::input("-o writes the content of a message, and there is none in it"));
    }
    let (message, _) = reader.finish().about(&args.signature)?;
    let policy = with_crls_inside(args, policy, &message)?;
    let mut hasher = message.hasher(&policy);
    Input::open(file)?.for_each(|piece| {
        hasher.update(piece);
        Ok(())
    })?;
    report(args, &message, &message.verify(&hasher.finish(), &policy))
}

fn content_output(args: &Verify) -> Result<Option<Output>, Failure> {
    let create = |path| Output::create(Some(path), Content::Unverified, Access::Public);
    args.output.as_deref().map(create).transpose()
}

fn read_content(
    args: &Verify,
    reader: &mut SignedReader<impl Read>,
    mut output: Option<&mut Output>,
) -> Result<(), Failure> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match reader.read(&mut buffer).about(&args.signature)? {
            0 => return Ok(()),
            n => output.as_mut().map_or(Ok(()), |output| output.write(&buffer[..n]))?,
        }
    }
}

/// Reads the message once more, now that the signers are known.
fn again(
    args: &Verify,
    keys: &[PublicKey],
    id: Id<'_>,
    output: Option<&mut Output>,
) -> Result<(SignedMessage, ContentDigest), Failure> {
    if args.signature.as_os_str() == "-" {
        let reason = "the signer signs the content alone and comes behind it: name a file, which can be read twice";
        return Err(Failure::input(reason));
    }
    let input = Input::open(&args.signature)?.into_read();
    let mut reader = SignedReader::with_keys(input, keys, id).about(&args.signature)?;
    read_content(args, &mut reader, output)?;
    reader.finish().about(&args.signature)
}

fn policy(args: &Verify) -> Result<Policy, Failure> {
    let id = Id::new(args.id.id.as_bytes())?;
    let given = args.certificate.as_deref().map(certificates).transpose()?.unwrap_or_default();
    let mut policy = match (&args.public, &args.ca, given.first()) {
        (Some(path), _, _) => Policy::key(read_public(path)?),
        (None, Some(path), signer) => {
            let policy = Policy::chain(verifier(path, Purpose::Sign)?);
            // Authorities and a certificate: that one must have signed.
            signer.map_or(policy.clone(), |signer| policy.only(signer.clone()))
        }
        (None, None, Some(certificate)) => Policy::certificate(certificate.clone()),
        (None, None, None) => {
            return Err(Failure::input(
                "give a key (-p), a certificate (-c) or authorities (--ca)",
            ));
        }
    };
    policy = policy.with_id(id).with_certificates(given);
    for path in &args.crl {
        policy = policy.with_crls(crls(path)?).about(path)?;
    }
    if let Some(path) = &args.tsa_ca {
        let mut authorities = verifier(path, Purpose::TimeStamping)?;
        for path in &args.tsa_crl {
            authorities = authorities.with_crls(crls(path)?).about(path)?;
        }
        policy = policy.with_time_stamps(authorities);
    }
    Ok(if args.allow_bare { policy.with_bare_signatures() } else { policy })
}

fn verifier(path: &Path, purpose: Purpose) -> Result<Verifier, Failure> {
    Ok(Verifier::new(certificates(path)?.into_iter().map(Anchor::new).collect(), purpose))
}

fn with_crls_inside(
    args: &Verify,
    policy: Policy,
    message: &SignedMessage,
) -> Result<Policy, Failure> {
    if !args.crl_inside {
        return Ok(policy);
    }
    let crls = message.crls().about(&args.signature)?;
    policy.with_crls(crls).about(&args.signature)
}
