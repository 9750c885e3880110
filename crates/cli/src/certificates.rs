//! Files with certificates.

use std::path::Path;

use gmkit::pki::{Certificate, Crl};

use crate::{
    failure::{Context, Failure},
    input::Input,
    output::{Access, Content, Output},
};

/// Room for a bundle of every authority there is, in bytes.
pub(crate) const MAX_BUNDLE: usize = 16 << 20;

/// Room for the longest revocation list that is read, in PEM, in bytes.
pub(crate) const MAX_CRL: usize = 24 << 20;

/// All certificates of a file.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let bytes = Input::open(path)?.read_all(MAX_BUNDLE)?;
    Certificate::all_from_file_bytes(&bytes).about(path)
}

/// The first certificate of a file: those that follow are its chain.
pub(crate) fn certificate(path: &Path) -> Result<Certificate, Failure> {
    certificates(path).map(|mut all| all.swap_remove(0))
}

/// All revocation lists of a file.
pub(crate) fn crls(path: &Path) -> Result<Vec<Crl>, Failure> {
    let bytes = Input::open(path)?.read_all(MAX_CRL)?;
    Crl::all_from_file_bytes(&bytes).about(path)
}

pub(crate) fn write_pem(path: Option<&Path>, certificate: &Certificate) -> Result<(), Failure> {
    write_text(path, &certificate.to_pem())
}

pub(crate) fn write_text(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    let mut output = Output::create(path, Content::Text, Access::Public)?;
    output.write(text.as_bytes())?;
    output.commit()
}
