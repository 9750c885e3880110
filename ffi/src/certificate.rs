//! Certificates that are read, and requests for them.

use std::str;

use toolkit::pki::{Certificate, Request, rcgen::CertificateParams, san, subject};

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, Len, Out, OutArray, Output, Owned, Ref, Slot, Text},
    private_key::gmkit_private_key,
    public_key::gmkit_public_key,
};

/// What `gmkit_certificate_not_before` and `_not_after` return for a bad handle.
pub const GMKIT_NO_TIME: i64 = i64::MIN;

handles! {
    /// An X.509 certificate. Any number of threads may use it at the same time.
    struct gmkit_certificate(Certificate);

    /// A certification request (PKCS#10) whose signature is good. Any number of threads may use it at
    /// the same time.
    struct gmkit_request(Request);
}

/// Room that any request written by this library fits into, in bytes.
pub const GMKIT_REQUEST_MAX: usize = 16_384;

/// Bytes that are text.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(bytes).map_err(|_| Fault::argument("a text is not UTF-8"))
}

/// An output whose size is known before it is written: whether it was, and not only asked for.
pub(crate) fn give(mut out: Out, out_len: &Len, bytes: &[u8]) -> Result<bool, Fault> {
    match Output::new(&mut out, out_len, bytes.len())? {
        Some(out) => out.write(bytes).map(|()| true),
        None => Ok(false),
    }
}

export! {
    /// Reads a certificate of a file: DER, or PEM with one certificate or several, of which `index`
    /// counts from 0. Free it with `gmkit_certificate_free`. That it can be read says nothing about who
    /// has signed it: see `gmkit_verifier_verify`.
    ///
    /// Errors: GMKIT_ERR_ENCODING; GMKIT_ERR_ARGUMENT when the file has not so many.
    fn gmkit_certificate_read(
        file: In,
        file_len: usize,
        index: usize,
        certificate: Slot<gmkit_certificate>,
    ) {
        certificate.check()?;
        let all = Certificate::all_from_file_bytes(file.bytes(file_len)?)?;
        let one = all.into_iter().nth(index);
        certificate.put(one.ok_or_else(|| Fault::argument("the file has not so many certificates"))?)
    }

    /// Writes the certificate in DER.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_certificate_to_der(certificate: Ref<gmkit_certificate>, out: Out, out_len: Len) {
        give(out, &out_len, certificate.get()?.as_der()).map(drop)
    }

    /// Writes the subject's name as text, in UTF-8 without a NUL byte: `CN=a.example, O=Example, C=CN`,
    /// with the escapes of RFC 4514.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_certificate_subject(certificate: Ref<gmkit_certificate>, out: Out, out_len: Len) {
        give(out, &out_len, certificate.get()?.subject().to_string().as_bytes()).map(drop)
    }

    /// Writes the issuer's name as text, as `gmkit_certificate_subject` does.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_certificate_issuer(certificate: Ref<gmkit_certificate>, out: Out, out_len: Len) {
        give(out, &out_len, certificate.get()?.issuer().to_string().as_bytes()).map(drop)
    }

    /// Writes the serial number as big-endian bytes, at most 20.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_certificate_serial(certificate: Ref<gmkit_certificate>, out: Out, out_len: Len) {
        give(out, &out_len, certificate.get()?.serial().as_bytes()).map(drop)
    }

    /// Gives the SM2 key. Free it with `gmkit_public_key_free`.
    ///
    /// Errors: GMKIT_ERR_KEY when it is a key of another kind.
    fn gmkit_certificate_public_key(
        certificate: Ref<gmkit_certificate>,
        public_key: Slot<gmkit_public_key>,
    ) {
        public_key.put(*certificate.get()?.public_key()?)
    }

    /// Writes SM3 over the DER.
    fn gmkit_certificate_fingerprint_sm3(
        certificate: Ref<gmkit_certificate>,
        fingerprint: OutArray<32>,
    ) {
        fingerprint.write(&certificate.get()?.fingerprint_sm3())
    }

    /// The first second in which the certificate may be used, since 1970-01-01 UTC; GMKIT_NO_TIME for a
    /// bad handle.
    fn gmkit_certificate_not_before(certificate: Ref<gmkit_certificate>) -> i64 = GMKIT_NO_TIME {
        certificate.get().map_or(GMKIT_NO_TIME, |certificate| certificate.validity().not_before)
    }

    /// The last second in which the certificate may be used, since 1970-01-01 UTC; GMKIT_NO_TIME for a
    /// bad handle.
    fn gmkit_certificate_not_after(certificate: Ref<gmkit_certificate>) -> i64 = GMKIT_NO_TIME {
        certificate.get().map_or(GMKIT_NO_TIME, |certificate| certificate.validity().not_after)
    }

    /// Frees. NULL is allowed.
    fn gmkit_certificate_free(certificate: Owned<gmkit_certificate>) = void {
        certificate.free();
    }

    /// Makes a certification request in PEM, without a NUL byte at its end, signed with `key`. `subject`
    /// is as in `CN=a.example,O=Example,C=CN`; `san` as in `DNS:a.example,IP:127.0.0.1`, in UTF-8, and may
    /// be NULL with length 0. `out` needs room for GMKIT_REQUEST_MAX bytes.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT when one of the texts is not understood, GMKIT_ERR_BUFFER_TOO_SMALL,
    /// GMKIT_ERR_RANDOM.
    fn gmkit_request_make(
        key: Ref<gmkit_private_key>,
        subject_text: Text,
        san_text: In,
        san_len: usize,
        out: Out,
        out_len: Len,
    ) {
        let key = key.get()?.key();
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(subject_text.get()?)?;
        if let Some(bytes) = san_text.optional(san_len)? {
            params.subject_alt_names = san(text(bytes)?)?;
        }
        let Some(out) = Output::new(&mut out, &out_len, GMKIT_REQUEST_MAX)? else {
            return Ok(());
        };
        let request = Request::make(&params, &**key)?.to_pem();
        if request.len() > GMKIT_REQUEST_MAX {
            return Err(Fault::argument("the request is too long"));
        }
        out.write(request.as_bytes())
    }

    /// Reads a request, in PEM or DER, and checks its signature: whoever made it has the key. Free it
    /// with `gmkit_request_free`.
    ///
    /// Errors: GMKIT_ERR_ENCODING, GMKIT_ERR_KEY, GMKIT_ERR_REJECTED.
    fn gmkit_request_read(file: In, file_len: usize, request: Slot<gmkit_request>) {
        request.check()?;
        request.put(Request::from_file_bytes(file.bytes(file_len)?)?)
    }

    /// Writes the subject's name as text, as `gmkit_certificate_subject` does.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_request_subject(request: Ref<gmkit_request>, out: Out, out_len: Len) {
        give(out, &out_len, request.get()?.subject().to_string().as_bytes()).map(drop)
    }

    /// Gives the key to be certified. Free it with `gmkit_public_key_free`.
    fn gmkit_request_public_key(request: Ref<gmkit_request>, public_key: Slot<gmkit_public_key>) {
        public_key.put(*request.get()?.public_key())
    }

    /// Frees. NULL is allowed.
    fn gmkit_request_free(request: Owned<gmkit_request>) = void {
        request.free();
    }
}
