//! What the extensions of a certificate say.

use std::{collections::HashSet, fmt};

use x509_parser::{
    extensions::{
        AccessDescription, DistributionPointName, ExtendedKeyUsage as ParsedUsage,
        GeneralName as ParsedName, ParsedExtension, X509Extension,
    },
    oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_OCSP,
};

use crate::{
    GeneralName, KeyUsage,
    strict::{self, Fault},
};

/// The extensions of a certificate, or those that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extensions {
    /// basicConstraints.
    pub basic_constraints: Option<BasicConstraints>,
    /// keyUsage.
    pub key_usage: Option<KeyUsage>,
    /// extKeyUsage.
    pub extended_key_usage: Option<Vec<ExtendedKeyUsage>>,
    /// subjectAltName.
    pub subject_alt_names: Vec<GeneralName>,
    /// subjectKeyIdentifier.
    pub subject_key_id: Option<Vec<u8>>,
    /// The identifier in authorityKeyIdentifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// nameConstraints: what is permitted.
    pub permitted: Vec<GeneralName>,
    /// nameConstraints: what is excluded.
    pub excluded: Vec<GeneralName>,
    /// Where revocation lists are published.
    pub crl_urls: Vec<String>,
    /// Where OCSP is spoken.
    pub ocsp_urls: Vec<String>,
    /// Extensions that are not read, by OID, and whether they are critical.
    pub others: Vec<(String, bool)>,
}

/// Whether a certificate is an authority's, and how many authorities may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the key may sign certificates.
    pub ca: bool,
    /// How many intermediate certificates may stand between this one and the end entity's.
    pub path_len: Option<u32>,
}

/// A purpose of RFC 5280, 4.2.1.12.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtendedKeyUsage {
    /// anyExtendedKeyUsage.
    Any,
    /// serverAuth.
    ServerAuth,
    /// clientAuth.
    ClientAuth,
    /// codeSigning.
    CodeSigning,
    /// emailProtection.
    EmailProtection,
    /// timeStamping.
    TimeStamping,
    /// OCSPSigning.
    OcspSigning,
    /// Another, by its OID.
    Other(String),
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::ServerAuth => "serverAuth",
            Self::ClientAuth => "clientAuth",
            Self::CodeSigning => "codeSigning",
            Self::EmailProtection => "emailProtection",
            Self::TimeStamping => "timeStamping",
            Self::OcspSigning => "OCSPSigning",
            Self::Other(oid) => oid,
        })
    }
}

impl Extensions {
    /// Reads a list. One that is there twice, or that does not have the form of its kind, is an error.
    pub(crate) fn read(list: &[X509Extension<'_>]) -> Result<Self, Fault> {
        let mut seen = HashSet::new();
        let mut extensions = Self::default();
        for extension in list {
            if !seen.insert(extension.oid.clone()) {
                return Err("an extension that is there twice");
            }
            if !extension.parsed_extension().unsupported() {
                strict::check(extension.value)?;
            }
            extensions.remember(extension)?;
        }
        Ok(extensions)
    }

    /// Critical extensions that are not understood: such a certificate must not be used.
    pub fn unknown_critical(&self) -> impl Iterator<Item = &str> {
        self.others.iter().filter(|(_, critical)| *critical).map(|(oid, _)| oid.as_str())
    }

    /// Whether the certificate is an authority's.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    fn remember(&mut self, extension: &X509Extension<'_>) -> Result<(), Fault> {
        use ParsedExtension as E;
        match extension.parsed_extension() {
            E::ParseError { .. } => return Err("an extension that is not readable"),
            E::BasicConstraints(constraints) => {
                self.basic_constraints = Some(BasicConstraints {
                    ca: constraints.ca,
                    path_len: constraints.path_len_constraint,
                });
            }
            E::KeyUsage(usage) if usage.flags == 0 => return Err("a key usage without any bit"),
            E::KeyUsage(usage) => self.key_usage = Some(KeyUsage::from_bits(usage.flags)),
            E::ExtendedKeyUsage(usage) => self.extended_key_usage = Some(purposes(usage)?),
            E::SubjectAlternativeName(names) => {
                self.subject_alt_names = general_names(&names.general_names)?;
            }
            E::SubjectKeyIdentifier(id) => self.subject_key_id = Some(id.0.to_vec()),
            E::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            E::NameConstraints(constraints) => {
                let subtrees = |list: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
                    let list = list.iter().flatten();
                    list.map(|subtree| GeneralName::read_subtree(&subtree.base))
                        .collect::<Result<Vec<_>, _>>()
                };
                self.permitted = subtrees(&constraints.permitted_subtrees)?;
                self.excluded = subtrees(&constraints.excluded_subtrees)?;
            }
            E::CRLDistributionPoints(points) => {
                for point in &points.points {
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point
                    {
                        self.crl_urls.extend(names.iter().filter_map(url));
                    }
                }
            }
            E::AuthorityInfoAccess(access) => {
                let ocsp = |at: &&AccessDescription<'_>| {
                    at.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP
                };
                self.ocsp_urls =
                    access.iter().filter(ocsp).filter_map(|at| url(&at.access_location)).collect();
            }
            _ => self.others.push((extension.oid.to_id_string(), extension.critical)),
        }
        Ok(())
    }
}

fn general_names(names: &[ParsedName<'_>]) -> Result<Vec<GeneralName>, Fault> {
    names.iter().map(GeneralName::read).collect()
}

fn url(name: &ParsedName<'_>) -> Option<String> {
    match GeneralName::read(name) {
        Ok(GeneralName::Uri(url)) => Some(url),
        _ => None,
    }
}

fn purposes(usage: &ParsedUsage<'_>) -> Result<Vec<ExtendedKeyUsage>, Fault> {
    use ExtendedKeyUsage as U;
    let known = [
        (usage.any, U::Any),
        (usage.server_auth, U::ServerAuth),
        (usage.client_auth, U::ClientAuth),
        (usage.code_signing, U::CodeSigning),
        (usage.email_protection, U::EmailProtection),
        (usage.time_stamping, U::TimeStamping),
        (usage.ocsp_signing, U::OcspSigning),
    ];
    let known = known.into_iter().filter(|(set, _)| *set).map(|(_, purpose)| purpose);
    let purposes: Vec<_> =
        known.chain(usage.other.iter().map(|oid| U::Other(oid.to_id_string()))).collect();
    match purposes.is_empty() {
        true => Err("an extended key usage without any purpose"),
        false => Ok(purposes),
    }
}
