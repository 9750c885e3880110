//! The classic TLS of servers that keep copies.

use std::{fmt, io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::Error;

/// Who may have certified the server: who stands in a file, in PEM, or else whom the system trusts. `identity` is the
/// client's own certificate and its key.
///
/// With a provider that is named: which one a program has by default is not known here, and there may be none.
pub(super) fn client_config(
    ca: Option<&Path>,
    identity: Option<(&Path, &Path)>,
) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(ca) => {
            for certificate in certificates(ca)? {
                roots.add(certificate).map_err(unusable(ca))?;
            }
        }
        None => {
            let own = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(own.certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::Options { reason: "TLS cannot be used" })?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some((chain, key)) => {
            let der = PrivateKeyDer::from_pem_file(key).map_err(unusable(key))?;
            config.with_client_auth_cert(certificates(chain)?, der).map_err(unusable(key))?
        }
        None => config.with_no_client_auth(),
    };
    // OpenSSL where it asks for certificates fails when somebody comes back, unless it is told not to.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(unusable(file))?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(unusable(file))?;
    match certificates.is_empty() {
        true => Err(unusable(file)("there is no certificate in it")),
        false => Ok(certificates),
    }
}

fn unusable<E: fmt::Display>(file: &Path) -> impl Fn(E) -> Error {
    move |reason| {
        let reason = io::Error::new(io::ErrorKind::InvalidData, reason.to_string());
        Error::io(file)(reason)
    }
}
