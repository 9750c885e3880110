//! Whether a handshake was national.

use std::fmt;

use gmkit_pki::Certificate;
use rustls::{CommonState, ProtocolVersion};

use crate::{CURVE_SM2, CURVE_SM2_MLKEM768, TLS_SM4_CCM_SM3, TLS_SM4_GCM_SM3};

/// What of a handshake RFC 8998 does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotNational {
    /// It is not finished.
    Unfinished,
    /// Another version than TLS 1.3.
    Version,
    /// A suite without SM4 and SM3.
    Suite,
    /// A key exchange on another curve.
    Group,
    /// A certificate of the peer with another key than SM2, or signed otherwise.
    Certificate,
}

impl fmt::Display for NotNational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unfinished => "the handshake is not finished",
            Self::Version => "not TLS 1.3",
            Self::Suite => "a suite without SM4 and SM3",
            Self::Group => "a key exchange without curveSM2",
            Self::Certificate => "a certificate without SM2",
        })
    }
}

impl std::error::Error for NotNational {}

/// The suite of a finished handshake, by the standard's name.
#[must_use]
pub fn suite_name(connection: &CommonState) -> &'static str {
    match connection.negotiated_cipher_suite().map(|suite| suite.suite()) {
        Some(TLS_SM4_GCM_SM3) => "TLS_SM4_GCM_SM3",
        Some(TLS_SM4_CCM_SM3) => "TLS_SM4_CCM_SM3",
        _ => "another suite",
    }
}

/// The group of a finished handshake, by the standard's name.
#[must_use]
pub fn group_name(connection: &CommonState) -> &'static str {
    match connection.negotiated_key_exchange_group().map(|group| group.name()) {
        Some(CURVE_SM2) => "curveSM2",
        Some(CURVE_SM2_MLKEM768) => "curveSM2MLKEM768",
        _ => "another group",
    }
}

/// Whether a connection is what RFC 8998 wants: TLS 1.3, an SM4 suite, curveSM2 (also as the half of
/// [`CURVE_SM2_MLKEM768`], which is agreed on only where both sides ask for it), and certificates of
/// the peer that are national throughout. The scheme of signatures follows from the certificate: a
/// key on this curve signs with no other.
///
/// With configurations of [`crate::Server`] and [`crate::Client`] it is, or there is no connection; this
/// is for whoever builds configurations of their own, and for records of it. It sees the other side's
/// certificates, not one's own. A resumed connection is
/// one whose first handshake had a key exchange of its own, too (psk_dhe_ke, the only mode of rustls).
///
/// # Errors
/// What is not.
pub fn national(connection: &CommonState) -> Result<(), NotNational> {
    if connection.is_handshaking() {
        return Err(NotNational::Unfinished);
    }
    if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return Err(NotNational::Version);
    }
    let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
    if !suite.is_some_and(|suite| [TLS_SM4_GCM_SM3, TLS_SM4_CCM_SM3].contains(&suite)) {
        return Err(NotNational::Suite);
    }
    let group = connection.negotiated_key_exchange_group().map(|group| group.name());
    if !group.is_some_and(|group| [CURVE_SM2, CURVE_SM2_MLKEM768].contains(&group)) {
        return Err(NotNational::Group);
    }
    for certificate in connection.peer_certificates().unwrap_or_default() {
        let certificate =
            Certificate::from_der(certificate).map_err(|_| NotNational::Certificate)?;
        if !certificate.is_national() {
            return Err(NotNational::Certificate);
        }
    }
    Ok(())
}
