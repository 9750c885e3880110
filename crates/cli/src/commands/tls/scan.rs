//! `gmkit tls scan`: what a server offers of the national suites, seen without trusting it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use gmkit::{
    pki::{Certificate, Purpose, now, rfc3339},
    tls::{
        self, HandshakeError,
        rustls::{
            self, CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
            client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
            crypto::CryptoProvider,
            pki_types::{CertificateDer, ServerName, UnixTime},
        },
    },
};
use serde_json::json;

use super::{dial, host};
use crate::{args::TlsScan, failure::Failure, output::print};

pub(crate) fn run(args: &TlsScan) -> Result<(), Failure> {
    let name = args.name.as_deref().map_or_else(|| host(&args.address), Ok)?;
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| Failure::input(format!("{name} is neither a host name nor an address")))?;
    let mut chain = Vec::new();
    let mut offers = Vec::new();
    for (what, provider) in providers() {
        let (offered, said, shown) = look(args, &server, provider)?;
        offers.push((what, offered, said));
        if chain.is_empty() {
            chain = shown;
        }
    }
    report(args, &offers, &chain)
}

/// What is looked for, and a provider that has nothing else: both suites, each with curveSM2, and the
/// hybrid group with either.
fn providers() -> [(&'static str, CryptoProvider); 3] {
    let suite = |name, suite| {
        let mut provider = tls::provider();
        provider.cipher_suites.retain(|offer| offer.suite() == suite);
        (name, provider)
    };
    let mut hybrid = tls::provider_hybrid();
    hybrid.kx_groups.retain(|group| group.name() == tls::CURVE_SM2_MLKEM768);
    [
        suite("TLS_SM4_GCM_SM3", tls::TLS_SM4_GCM_SM3),
        suite("TLS_SM4_CCM_SM3", tls::TLS_SM4_CCM_SM3),
        ("curveSM2MLKEM768", hybrid),
    ]
}

/// A handshake up to the server's certificate, where it ends.
fn look(
    args: &TlsScan,
    server: &ServerName<'static>,
    provider: CryptoProvider,
) -> Result<(bool, String, Vec<Certificate>), Failure> {
    let witness = Arc::new(Witness::default());
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| Failure::input(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as _)
        .with_no_client_auth();
    let mut socket = dial(&args.address)?;
    let ended = tls::connect(Arc::new(config), server.clone(), &mut socket);
    let shown = std::mem::take(&mut *witness.0.lock().unwrap_or_else(PoisonError::into_inner));
    let said = match &ended {
        Err(HandshakeError::Io(error)) => format!("no TLS: {error}"),
        Err(error) => error.to_string(),
        Ok(_) => String::new(),
    };
    // Up to the first one that cannot be read: what comes behind it is not the server's.
    let chain = shown.iter().map_while(|der| Certificate::from_der(der).ok()).collect();
    Ok((!shown.is_empty(), said, chain))
}

/// Keeps what a server shows, and trusts nobody: every handshake ends there.
#[derive(Default)]
struct Witness(Mutex<Vec<Vec<u8>>>);

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            all.map(|one| one.to_vec()).collect();
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![tls::SM2SIG_SM3]
    }
}

fn report(
    args: &TlsScan,
    offers: &[(&str, bool, String)],
    chain: &[Certificate],
) -> Result<(), Failure> {
    let shown = offers.iter().any(|(_, offered, _)| *offered);
    let unread =
        (shown && chain.is_empty()).then(|| "a certificate that cannot be read".to_owned());
    let fit = chain.first().map(|leaf| match Purpose::TlsServer.check(leaf, now()) {
        Ok(()) => "can authenticate a server, by what it says itself".to_owned(),
        Err(reason) => reason.to_string(),
    });
    let fit = fit.or(unread);
    if args.json.json {
        let (suites, groups) = offers.split_at(2);
        let listed = |offers: &[(&str, bool, String)], kind: &str| -> serde_json::Value {
            let one = |(name, offered, said): &(&str, bool, String)| json!({ kind: name, "offered": offered, "ended": said });
            offers.iter().map(one).collect()
        };
        let chain: serde_json::Value = chain
            .iter()
            .map(|one| {
                json!({
                    "subject": one.subject().to_string(), "issuer": one.issuer().to_string(),
                    "not_after": rfc3339(one.validity().not_after), "national": one.is_national(),
                })
            })
            .collect();
        let all = json!({
            "address": args.address, "suites": listed(suites, "suite"),
            "groups": listed(groups, "group"), "certificates": chain, "server": fit,
        });
        print(&all.to_string())?;
    } else {
        for (at, (what, offered, said)) in offers.iter().enumerate() {
            let with = if at < 2 { "curveSM2" } else { "either suite" };
            match offered {
                true => print(&format!("{what:16} offered, with {with}"))?,
                false => print(&format!("{what:16} not offered: {}", said.escape_debug()))?,
            }
        }
        for one in chain {
            let (subject, issuer) = (one.subject().to_string(), one.issuer().to_string());
            let national = if one.is_national() { "SM2" } else { "not SM2" };
            let until = rfc3339(one.validity().not_after);
            print(&format!(
                "certificate      {}, {national}, until {until}, issued by {}",
                subject.escape_debug(),
                issuer.escape_debug()
            ))?;
        }
        if let Some(fit) = fit {
            print(&format!("                 {fit}; not checked against any authority"))?;
        }
    }
    match shown {
        true => Ok(()),
        false => Err(Failure::device(format!("{}: no national suite", args.address))),
    }
}
