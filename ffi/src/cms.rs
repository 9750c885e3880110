//! Signed and encrypted messages (CMS), of any size.

use std::io::{Read, Write};

use toolkit::{
    keys::Credential,
    pki::{
        Certificate, Error, Purpose,
        cms::{
            ContentReader, Dialect, EncryptedReader, Encrypting, Policy, Recipient, Refusal,
            Report, SignedMessage, SignedReader, Signing,
        },
    },
};
use zeroize::Zeroizing;

use crate::{
    certificate::{GMKIT_NO_TIME, gmkit_certificate},
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{In, Owned, Ref, Slot},
    private_key::gmkit_private_key,
    stream::{Context, Reader, Source, Writer},
    verifier::gmkit_verifier,
};

/// Content types of RFC 5652: what OpenSSL, Tongsuo and Java read.
pub const GMKIT_CMS_RFC5652: u32 = 0;
/// Content types of GB/T 35275 (GM/T 0010).
pub const GMKIT_CMS_GMT0010: u32 = 1;

/// What `gmkit_cms_encrypt` takes for a length that is not known.
pub const GMKIT_CMS_UNKNOWN_LENGTH: u64 = u64::MAX;

/// Bytes that are passed on at once.
const PIECE: usize = 1 << 16;

handles! {
    /// The signers of a message, and the verdict on each. Any number of threads may use it at the same
    /// time.
    struct gmkit_cms_report(Report);
}

fn dialect_of(number: u32) -> Result<Dialect, Fault> {
    match number {
        GMKIT_CMS_RFC5652 => Ok(Dialect::Rfc5652),
        GMKIT_CMS_GMT0010 => Ok(Dialect::Gmt0010),
        _ => Err(Fault::argument("unknown dialect")),
    }
}

/// Hands over what a stream has, in pieces.
fn each(
    source: &mut impl Read,
    mut take: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Fault> {
    let mut buffer = Zeroizing::new(vec![0; PIECE]);
    loop {
        match source.read(&mut buffer).map_err(Error::Stream)? {
            0 => return Ok(()),
            n => take(&buffer[..n])?,
        }
    }
}

/// The content of a message, to whoever wants it.
fn pass_on(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Error>,
    mut out: Option<&mut impl Write>,
) -> Result<(), Fault> {
    let mut buffer = Zeroizing::new(vec![0; PIECE]);
    loop {
        let n = read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        if let Some(out) = &mut out {
            out.write_all(&buffer[..n]).map_err(Error::Stream)?;
        }
    }
}

fn checked(
    message: SignedReader<Source<'_>>,
    content: Option<Source<'_>>,
    out: Option<&mut impl Write>,
    policy: &Policy,
) -> Result<Report, Fault> {
    let mut reader = message;
    match (reader.is_attached(), content) {
        (true, None) => {
            pass_on(|buffer| reader.read(buffer), out)?;
            let (message, digest) = reader.finish()?;
            Ok(message.verify(&digest, policy))
        }
        (false, Some(mut content)) => {
            let (message, _): (SignedMessage, _) = reader.finish()?;
            let mut hasher = message.hasher(policy);
            each(&mut content, |piece| {
                hasher.update(piece);
                Ok(())
            })?;
            Ok(message.verify(&hasher.finish(), policy))
        }
        (true, Some(_)) => Err(Fault::argument("the message holds its content")),
        (false, None) => Err(Fault::argument("the message does not hold its content")),
    }
}

fn code_of(refusal: &Refusal) -> gmkit_error {
    match refusal {
        Refusal::Untrusted(_) => gmkit_error::GMKIT_ERR_UNTRUSTED,
        _ => gmkit_error::GMKIT_ERR_REJECTED,
    }
}

/// The first thing that is wrong.
fn verdict(report: &Report) -> Result<(), Fault> {
    if report.is_good() {
        return Ok(());
    }
    match report.signers.iter().find_map(|signer| signer.verdict.as_ref().err()) {
        Some(refusal) => Err(Fault::new(code_of(refusal), refusal.to_string())),
        None => Err(Fault::new(gmkit_error::GMKIT_ERR_REJECTED, "nobody has signed it")),
    }
}

fn decrypted(mut reader: ContentReader<Source<'_>>, out: &mut impl Write) -> Result<(), Fault> {
    pass_on(|buffer| reader.read_unverified(buffer), Some(&mut *out))?;
    let opened = reader.finish()?;
    Ok(out.write_all(&opened.rest).map_err(Error::Stream)?)
}

export! {
    /// Signs what `read` gives, and writes the message. `chain` is the signer's certificate, in PEM or
    /// DER, and in PEM those that may help to trust it; all go into the message. `attached` is not 0 for
    /// a message that holds the content. `dialect` is GMKIT_CMS_RFC5652 or GMKIT_CMS_GMT0010.
    ///
    /// Errors: GMKIT_ERR_ENCODING; GMKIT_ERR_KEY when the certificate is not the key's;
    /// GMKIT_ERR_UNTRUSTED when it says that its key does not sign documents, or not now; GMKIT_ERR_IO
    /// when one of the functions fails; GMKIT_ERR_RANDOM.
    fn gmkit_cms_sign(
        key: Ref<gmkit_private_key>,
        chain: In,
        chain_len: usize,
        dialect: u32,
        attached: u32,
        read: Reader,
        read_context: Context,
        write: Writer,
        write_context: Context,
    ) {
        let chain = Certificate::all_from_file_bytes(chain.bytes(chain_len)?)?;
        let chain = chain.iter().map(|certificate| certificate.as_der().to_vec()).collect();
        let signer = Credential::new(chain, key.get()?.key().clone())?;
        let signing = Signing::new(dialect_of(dialect)?).with_signer(&signer)?;
        let (mut content, mut out) = (read.with(&read_context)?, write.with(&write_context)?);
        if attached == 0 {
            let mut signer = signing.detached();
            each(&mut content, |piece| {
                signer.update(piece);
                Ok(())
            })?;
            return Ok(out.write_all(&signer.finish()?).map_err(Error::Stream)?);
        }
        let mut writer = signing.attached(out);
        each(&mut content, |piece| writer.update(piece))?;
        writer.finish()?;
        Ok(())
    }

    /// Checks a signed message. `content` reads what was signed where the message does not hold it, and
    /// is NULL where it does; `write_unverified` then gets the content and may be NULL. WHAT IT GETS IS
    /// NOT TO BE USED BEFORE THE FUNCTION HAS RETURNED GMKIT_OK. Only GMKIT_OK means that everybody who
    /// has signed is trusted by `verifier`, as for GMKIT_PURPOSE_SIGN, and that all signatures are good.
    ///
    /// `report` is put out, and is to be freed with `gmkit_cms_report_free`, when the function returns
    /// GMKIT_OK, GMKIT_ERR_REJECTED or GMKIT_ERR_UNTRUSTED, and is untouched otherwise.
    ///
    /// Errors: GMKIT_ERR_REJECTED; GMKIT_ERR_UNTRUSTED; GMKIT_ERR_ENCODING; GMKIT_ERR_IO when one of the
    /// functions fails; GMKIT_ERR_ARGUMENT when there is content twice, or none.
    fn gmkit_cms_verify(
        verifier: Ref<gmkit_verifier>,
        message: Reader,
        message_context: Context,
        content: Reader,
        content_context: Context,
        write_unverified: Writer,
        write_context: Context,
        report: Slot<gmkit_cms_report>,
    ) {
        report.check()?;
        let policy = Policy::chain(verifier.get()?.clone().with_purpose(Purpose::Sign));
        let reader = SignedReader::new(message.with(&message_context)?)?;
        let content = content.optional(&content_context);
        let mut out = write_unverified.optional(&write_context);
        let checked = checked(reader, content, out.as_mut(), &policy)?;
        let verdict = verdict(&checked);
        report.put(checked)?;
        verdict
    }

    /// How many signers the message has; 0 for a bad handle.
    fn gmkit_cms_report_count(report: Ref<gmkit_cms_report>) -> usize = 0 {
        report.get().map_or(0, |report| report.signers.len())
    }

    /// The verdict on a signer, counted from 0: GMKIT_OK, GMKIT_ERR_REJECTED or GMKIT_ERR_UNTRUSTED, with
    /// the reason in `gmkit_last_error_message`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT when there are not so many.
    fn gmkit_cms_report_verdict(report: Ref<gmkit_cms_report>, index: usize) {
        let signer = report.get()?.signers.get(index);
        match &signer.ok_or_else(|| Fault::argument("there are not so many signers"))?.verdict {
            Ok(_) => Ok(()),
            Err(refusal) => Err(Fault::new(code_of(refusal), refusal.to_string())),
        }
    }

    /// Gives the certificate that a signer's signature was checked with. Free it with
    /// `gmkit_certificate_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT when there are not so many signers, or there is no certificate.
    fn gmkit_cms_report_certificate(
        report: Ref<gmkit_cms_report>,
        index: usize,
        certificate: Slot<gmkit_certificate>,
    ) {
        let signer = report.get()?.signers.get(index);
        let found = signer.and_then(|signer| signer.certificate.clone());
        certificate.put(found.ok_or_else(|| Fault::argument("there is no certificate"))?)
    }

    /// When a signer says to have signed, in seconds since 1970-01-01 UTC. GMKIT_NO_TIME when the signer
    /// does not say, or for a bad handle or index.
    fn gmkit_cms_report_time(report: Ref<gmkit_cms_report>, index: usize) -> i64 = GMKIT_NO_TIME {
        let time = |report: &Report| report.signers.get(index)?.claimed_time;
        report.get().ok().and_then(time).unwrap_or(GMKIT_NO_TIME)
    }

    /// Frees. NULL is allowed.
    fn gmkit_cms_report_free(report: Owned<gmkit_cms_report>) = void {
        report.free();
    }

    /// Encrypts what `read` gives, and writes the message. `recipients` are certificates in PEM or DER:
    /// everybody who has one of the keys can decrypt. `protect` is not 0 for SM4-GCM (AuthEnvelopedData),
    /// which notices changes, and 0 for SM4-CBC (EnvelopedData), which does not; GB/T 35275 knows only the
    /// latter. `content_len` is the number of bytes that `read` will give, so that the message can be DER,
    /// or GMKIT_CMS_UNKNOWN_LENGTH.
    ///
    /// Errors: GMKIT_ERR_ENCODING; GMKIT_ERR_UNTRUSTED when a certificate says that its key does not
    /// encrypt, or not now; GMKIT_ERR_ARGUMENT for another length than was said; GMKIT_ERR_TOO_LONG beyond
    /// 64 GiB with SM4-GCM; GMKIT_ERR_IO when one of the functions fails; GMKIT_ERR_RANDOM.
    fn gmkit_cms_encrypt(
        recipients: In,
        recipients_len: usize,
        dialect: u32,
        protect: u32,
        content_len: u64,
        read: Reader,
        read_context: Context,
        write: Writer,
        write_context: Context,
    ) {
        let mut encrypting = Encrypting::new(dialect_of(dialect)?);
        for certificate in Certificate::all_from_file_bytes(recipients.bytes(recipients_len)?)? {
            encrypting = encrypting.with_recipient(Recipient::certificate(&certificate)?);
        }
        if protect == 0 {
            encrypting = encrypting.without_authentication();
        }
        if content_len != GMKIT_CMS_UNKNOWN_LENGTH {
            encrypting = encrypting.with_len(content_len);
        }
        let mut content = read.with(&read_context)?;
        let mut writer = encrypting.to(write.with(&write_context)?)?;
        each(&mut content, |piece| writer.update(piece))?;
        writer.finish()?;
        Ok(())
    }

    /// Decrypts a message to this key. `write_unverified` gets the content, WHICH IS NOT TO BE USED, NOR
    /// SHOWN TO ANYBODY, BEFORE THE FUNCTION HAS RETURNED GMKIT_OK. Messages with SM4-CBC, which nothing
    /// protects against changes, are refused unless `allow_unprotected` is not 0. Messages that are signed
    /// and enveloped in one structure are not decrypted here.
    ///
    /// Errors: GMKIT_ERR_REJECTED, deliberately not more precise; GMKIT_ERR_ENCODING;
    /// GMKIT_ERR_UNSUPPORTED for a message that is not to be decrypted so; GMKIT_ERR_IO when one of the
    /// functions fails.
    fn gmkit_cms_decrypt(
        key: Ref<gmkit_private_key>,
        allow_unprotected: u32,
        read: Reader,
        read_context: Context,
        write_unverified: Writer,
        write_context: Context,
    ) {
        let (key, mut out) = (key.get()?.key(), write_unverified.with(&write_context)?);
        let reader = EncryptedReader::new(read.with(&read_context)?)?;
        let unsupported = |reason| Err(Fault::new(gmkit_error::GMKIT_ERR_UNSUPPORTED, reason));
        if reader.kind() == toolkit::pki::cms::Kind::SignedAndEnvelopedData {
            return unsupported("signed and enveloped in one");
        }
        if !reader.is_authenticated() && allow_unprotected == 0 {
            return unsupported("nothing protects the message against changes");
        }
        decrypted(reader.open(&**key, None)?, &mut out)
    }
}
