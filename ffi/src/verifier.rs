//! Chains of certificates, checked.

use toolkit::pki::{Anchor, Crl, Purpose, Verifier, ocsp::Response};

use crate::{
    certificate::{gmkit_certificate, text},
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, Owned, Ref, RefMut, Slot},
    sm2_sign::read_id,
};

/// Nothing in particular: only who it is.
pub const GMKIT_PURPOSE_ANY: u32 = 0;
/// A server of TLS: digitalSignature, and serverAuth if there are extended key usages.
pub const GMKIT_PURPOSE_TLS_SERVER: u32 = 1;
/// A client of TLS: digitalSignature, and clientAuth if there are extended key usages.
pub const GMKIT_PURPOSE_TLS_CLIENT: u32 = 2;
/// Signing documents: digitalSignature or nonRepudiation; and if there are extended key usages, one of
/// documentSigning, emailProtection, codeSigning, anyExtendedKeyUsage.
pub const GMKIT_PURPOSE_SIGN: u32 = 3;
/// Being encrypted to: keyEncipherment, dataEncipherment or keyAgreement.
pub const GMKIT_PURPOSE_ENCRYPT: u32 = 4;
/// Signing OCSP responses: digitalSignature and OCSPSigning.
pub const GMKIT_PURPOSE_OCSP: u32 = 5;

handles! {
    /// What certificates are checked against. While it is added to, nothing else may use it; any number
    /// of threads may check with it at the same time.
    struct gmkit_verifier(Verifier);
}

fn purpose_of(number: u32) -> Result<Purpose, Fault> {
    Ok(match number {
        GMKIT_PURPOSE_ANY => Purpose::Any,
        GMKIT_PURPOSE_TLS_SERVER => Purpose::TlsServer,
        GMKIT_PURPOSE_TLS_CLIENT => Purpose::TlsClient,
        GMKIT_PURPOSE_SIGN => Purpose::Sign,
        GMKIT_PURPOSE_ENCRYPT => Purpose::Encrypt,
        GMKIT_PURPOSE_OCSP => Purpose::OcspSigning,
        _ => return Err(Fault::argument("unknown purpose")),
    })
}

/// Tells a verifier more. Copies share what is large.
fn tell(
    handle: RefMut<gmkit_verifier>,
    more: impl FnOnce(Verifier) -> Result<Verifier, Fault>,
) -> Result<(), Fault> {
    handle.with(|verifier| {
        *verifier = more(verifier.clone())?;
        Ok(())
    })
}

export! {
    /// A verifier that trusts nobody yet. Free it with `gmkit_verifier_free`.
    fn gmkit_verifier_new(verifier: Slot<gmkit_verifier>) {
        verifier.put(Verifier::new(Vec::new(), Purpose::Any))
    }

    /// Trusts an authority, and all below it that it vouches for. The ID, as in `gmkit_sm2_sign`, is the
    /// one that they sign certificates under: NULL with length 0 for the default one.
    fn gmkit_verifier_add_anchor(
        verifier: RefMut<gmkit_verifier>,
        certificate: Ref<gmkit_certificate>,
        id: In,
        id_len: usize,
    ) {
        let (certificate, id) = (certificate.get()?.clone(), read_id(&id, id_len)?);
        tell(verifier, |verifier| Ok(verifier.with_anchor(Anchor::new(certificate).with_id(id))))
    }

    /// Gives a certificate that may stand between. It is not trusted for being given.
    fn gmkit_verifier_add_intermediate(
        verifier: RefMut<gmkit_verifier>,
        certificate: Ref<gmkit_certificate>,
    ) {
        let certificate = certificate.get()?.clone();
        tell(verifier, |verifier| Ok(verifier.with_intermediates([certificate])))
    }

    /// Gives revocation lists: DER, or PEM with one or several. From then on the status of each
    /// certificate that is checked must be known from one.
    ///
    /// Errors: GMKIT_ERR_ENCODING, also for a delta or indirect list.
    fn gmkit_verifier_add_crls(verifier: RefMut<gmkit_verifier>, file: In, file_len: usize) {
        let crls = Crl::all_from_file_bytes(file.bytes(file_len)?)?;
        tell(verifier, |verifier| Ok(verifier.with_crls(crls)?))
    }

    /// Gives an OCSP response in DER. From then on one must say that the certificate is good.
    ///
    /// Errors: GMKIT_ERR_ENCODING.
    fn gmkit_verifier_add_ocsp(verifier: RefMut<gmkit_verifier>, response: In, response_len: usize) {
        let response = Response::from_der(response.bytes(response_len)?)?;
        tell(verifier, |verifier| Ok(verifier.with_ocsp([response])))
    }

    /// Asks for a revocation list for each certificate of a chain, not for the first one only.
    fn gmkit_verifier_check_all_revocation(verifier: RefMut<gmkit_verifier>) {
        tell(verifier, |verifier| Ok(verifier.with_all_revocation()))
    }

    /// Checks for a time, in seconds since 1970-01-01 UTC, instead of now.
    fn gmkit_verifier_set_time(verifier: RefMut<gmkit_verifier>, time: i64) {
        tell(verifier, |verifier| Ok(verifier.at(time)))
    }

    /// Checks a certificate and its chain for a purpose (GMKIT_PURPOSE_...). With a `host`, a name or an
    /// address in UTF-8, the certificate must be for it; it may be NULL with length 0.
    ///
    /// Errors: GMKIT_ERR_UNTRUSTED, with the reason in `gmkit_last_error_message`; GMKIT_ERR_ARGUMENT for
    /// an unknown purpose, or a host that is neither a name nor an address.
    fn gmkit_verifier_verify(
        verifier: Ref<gmkit_verifier>,
        certificate: Ref<gmkit_certificate>,
        purpose: u32,
        host: In,
        host_len: usize,
    ) {
        let (verifier, certificate) = (verifier.get()?, certificate.get()?);
        let mut verifier = verifier.clone().with_purpose(purpose_of(purpose)?);
        if let Some(host) = host.optional(host_len)? {
            verifier = verifier.named(text(host)?)?;
        }
        verifier.verify(certificate)?;
        Ok(())
    }

    /// Frees. NULL is allowed.
    fn gmkit_verifier_free(verifier: Owned<gmkit_verifier>) = void {
        verifier.free();
    }
}
