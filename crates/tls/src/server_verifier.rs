//! What a client checks of a server.

use std::{fmt, sync::Arc};

use gmkit_pki::{Certificate, Untrusted, Verifier, ocsp};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, PeerIncompatible, PeerMisbehaved,
    SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{SM2SIG_SM3, verify::handshake_signature};

/// Most certificates of a peer between the end entity and the anchor.
const MOST: usize = 8;

/// Checks servers with the verifier of `pki`: chain, names, validity, key usages, revocation.
pub(crate) struct NationalServers {
    pub(crate) verifier: Verifier,
    /// Whether a server must staple an OCSP response.
    pub(crate) must_staple: bool,
}

impl fmt::Debug for NationalServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NationalServers({:?})", self.verifier)
    }
}

impl ServerCertVerifier for NationalServers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.verifier.clone().named(&server_name.to_str());
        let verifier = verifier.map_err(|_| CertificateError::NotValidForName)?;
        let verifier = match (ocsp_response, self.must_staple) {
            ([], false) => verifier,
            ([], true) => return Err(CertificateError::UnknownRevocationStatus.into()),
            (der, must_staple) => {
                let response = ocsp::Response::from_der(der);
                let response = [response.map_err(|_| CertificateError::InvalidOcspResponse)?];
                // What must be stapled is about this certificate, whatever else is known of it.
                match must_staple {
                    true => verifier.with_only_ocsp(response),
                    false => verifier.with_ocsp(response),
                }
            }
        };
        verify(&verifier, end_entity, intermediates, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SM2SIG_SM3]
    }
}

/// Checks a chain at a time.
pub(crate) fn verify(
    verifier: &Verifier,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    now: UnixTime,
) -> Result<(), Error> {
    if intermediates.len() > MOST {
        let many = std::io::Error::other("more certificates than a chain has");
        return Err(CertificateError::Other(OtherError(Arc::new(many))).into());
    }
    let leaf = parse(end_entity)?;
    let between: Result<Vec<_>, _> = intermediates.iter().map(parse).collect();
    let time = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    // Nobody has checked these yet: the anchors' own are kept, and no work is done for the others.
    let chain = verifier.clone().at(time).with_shown(&between?).verify(&leaf);
    let chain = chain.map_err(|reason| Error::InvalidCertificate(untrusted(reason)))?;
    // A verifier may let others stand; TLS of RFC 8998 does not.
    match chain.certificates.iter().find(|one| !one.is_national()) {
        None => Ok(()),
        Some(one) => {
            let reason = Untrusted::NotNational { subject: one.subject().to_string() };
            Err(Error::InvalidCertificate(untrusted(reason)))
        }
    }
}

fn parse(der: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(der).map_err(|_| CertificateError::BadEncoding.into())
}

/// The reason, by rustls's name where it has one: the alert follows from it.
fn untrusted(reason: Untrusted) -> CertificateError {
    match reason {
        Untrusted::Expired { .. } => CertificateError::Expired,
        Untrusted::NotYetValid { .. } => CertificateError::NotValidYet,
        Untrusted::Revoked => CertificateError::Revoked,
        Untrusted::RevocationUnknown => CertificateError::UnknownRevocationStatus,
        Untrusted::UnknownIssuer { .. } => CertificateError::UnknownIssuer,
        Untrusted::BadSignature => CertificateError::BadSignature,
        Untrusted::WrongName { wanted, found } => match ServerName::try_from(wanted) {
            Ok(expected) => CertificateError::NotValidForNameContext { expected, presented: found },
            Err(_) => CertificateError::NotValidForName,
        },
        other => CertificateError::Other(OtherError(Arc::new(other))),
    }
}

/// Verifies CertificateVerify: no other scheme than SM2's, and the ID of TLS.
pub(crate) fn verify_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    if signature.scheme != SM2SIG_SM3 {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    }
    // The rest of it was read with the chain.
    let key = Certificate::public_key_in(certificate);
    let key = key.map_err(|_| CertificateError::BadEncoding)?;
    handshake_signature(&key, message, signature.signature())
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadSignature))?;
    Ok(HandshakeSignatureValid::assertion())
}
