//! TLS 1.3 with SM2, SM3 and SM4 (RFC 8998) for rustls: suites `TLS_SM4_GCM_SM3` and
//! `TLS_SM4_CCM_SM3`, group `curveSM2`, signatures `sm2sig_sm3`, and certificates that are checked by
//! [`gmkit_pki::Verifier`].
//!
//! ```
//! use std::sync::Arc;
//! use gmkit_keys::SoftwareKey;
//! use gmkit_pki::{Anchor, Issuer, Profile, Purpose, Verifier, san, subject};
//! use gmkit_tls::{Client, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let root_key = Arc::new(SoftwareKey::generate()?);
//! let root = Issuer::self_signed(Profile::Ca.params(subject("CN=Root,C=CN")?, 365)?, root_key)?;
//! let key = Arc::new(SoftwareKey::generate()?);
//! let mut params = Profile::TlsServer.params(subject("CN=server,C=CN")?, 90)?;
//! params.subject_alt_names = san("DNS:a.example")?;
//! let certificate = root.issue(params, gmkit_keys::PrivateKey::public_key(&*key))?;
//!
//! let server: Arc<rustls::ServerConfig> = Server::new(vec![certificate], key)?.config()?;
//! let trust = Verifier::new(vec![Anchor::new(root.certificate().clone())], Purpose::TlsServer);
//! let client: Arc<rustls::ClientConfig> = Client::new(trust).config()?;
//! # let _ = (server, client);
//! # Ok(())
//! # }
//! ```
//!
//! rustls picks suite, group and certificate each for itself, so a provider that mixes both worlds
//! would run SM4 over X25519, or an SM2 certificate under AES. [`provider()`] therefore has nothing but
//! the national algorithms: what it agrees on is national or nothing. A port for both worlds has two
//! configurations and a [`Router`] in front, which looks at each ClientHello. [`national()`] says of a
//! finished handshake whether it is what RFC 8998 wants.
//!
//! This is RFC 8998, and **not GB/T 38636 (TLCP)**, which has its own record layer, two certificates,
//! and is what assessments usually ask for.

#[cfg(feature = "tokio")]
mod acceptor;
mod blocking;
mod check;
mod client;
mod client_verifier;
mod error;
mod handshake_error;
mod hash;
mod hmac;
mod kx;
mod kx_hybrid;
#[cfg(feature = "tokio")]
mod listener;
mod router;
mod server;
mod server_verifier;
mod sign;
mod ticketer;
mod tls13;
#[cfg(feature = "tokio")]
mod transport;
mod verify;

use std::sync::{Arc, LazyLock};

use gmkit_keys::SysRng;
use gmkit_sm2::rand_core::TryRng;
use rustls::{
    CipherSuite, NamedGroup, SignatureScheme,
    crypto::{CryptoProvider, GetRandomFailed, SecureRandom},
};

#[cfg(feature = "tokio")]
pub use acceptor::GmAcceptor;
pub use blocking::{accept, connect};
pub use check::{NotNational, group_name, national, suite_name};
pub use client::Client;
pub use error::Error;
pub use handshake_error::HandshakeError;
#[cfg(feature = "tokio")]
pub use listener::{GmListener, GmStream};
pub use router::Router;
pub use server::{Clients, Server};
pub use sign::NationalSigningKey;
pub use ticketer::ticketer;
#[cfg(feature = "tokio")]
pub use transport::Transport;

/// The rustls that this is for.
pub use rustls;

/// `TLS_SM4_GCM_SM3` (RFC 8998, 2).
pub const TLS_SM4_GCM_SM3: CipherSuite = CipherSuite::Unknown(0x00c6);
/// `TLS_SM4_CCM_SM3` (RFC 8998, 2).
pub const TLS_SM4_CCM_SM3: CipherSuite = CipherSuite::Unknown(0x00c7);
/// `curveSM2` (RFC 8998, 3.1).
pub const CURVE_SM2: NamedGroup = NamedGroup::Unknown(0x0029);
/// `curveSM2MLKEM768`, not in RFC 8998: see [`provider_hybrid()`].
pub const CURVE_SM2_MLKEM768: NamedGroup = NamedGroup::Unknown(0x11ee);
/// `sm2sig_sm3` (RFC 8998, 3.1).
pub const SM2SIG_SM3: SignatureScheme = SignatureScheme::Unknown(0x0708);

/// The national algorithms, and nothing else.
#[must_use]
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![tls13::SM4_GCM_SM3, tls13::SM4_CCM_SM3],
        kx_groups: vec![&kx::CurveSm2],
        signature_verification_algorithms: verify::ALGORITHMS,
        secure_random: &Random,
        key_provider: &sign::Keys,
    }
}

/// The national algorithms, and before curveSM2 the group [`CURVE_SM2_MLKEM768`], which joins it to
/// ML-KEM-768 against whoever records today and has a quantum computer later; OpenSSL 4 and Tongsuo
/// speak it. **RFC 8998 does not have it**, nor is ML-KEM a national algorithm: where only those count,
/// this is not for you.
#[must_use]
pub fn provider_hybrid() -> CryptoProvider {
    CryptoProvider { kx_groups: vec![&kx_hybrid::CurveSm2MlKem768, &kx::CurveSm2], ..provider() }
}

/// The providers of all configurations that are made here.
fn shared_provider(hybrid: bool) -> Arc<CryptoProvider> {
    static PLAIN: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(provider()));
    static HYBRID: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(provider_hybrid()));
    Arc::clone(if hybrid { &HYBRID } else { &PLAIN })
}

/// The operating system's generator.
#[derive(Debug)]
struct Random;

impl SecureRandom for Random {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        SysRng.try_fill_bytes(bytes).map_err(|_| GetRandomFailed)
    }
}
