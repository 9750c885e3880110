//! A signed message without its content.

use der::asn1::ObjectIdentifier;
use gmkit_sm2::PublicKey;

use super::{
    Dialect,
    content::ContentHasher,
    kind,
    policy::{Policy, Trust},
    signer_info::SignerInfo,
};
use crate::{Certificate, Crl, Error};

/// Certificates that are tried for one signer. A message could name hundreds.
const MAX_CANDIDATES: usize = 8;

/// Keys that a content is hashed for: the content passes through a hash for each.
const MAX_KEYS: usize = 16;

/// The signers of a message, and what comes with them. See [`super::SignedReader`].
#[derive(Clone)]
pub struct SignedMessage {
    pub(super) dialect: Dialect,
    pub(super) content_type: ObjectIdentifier,
    pub(super) digests: Vec<ObjectIdentifier>,
    attached: bool,
    pub(super) certificates_der: Vec<Vec<u8>>,
    certificates: Vec<Certificate>,
    pub(super) crls_der: Vec<Vec<u8>>,
    pub(super) signers: Vec<SignerInfo>,
}

impl SignedMessage {
    pub(super) fn new(
        dialect: Dialect,
        (content_type, digests): (ObjectIdentifier, Vec<ObjectIdentifier>),
        attached: bool,
        (certificates_der, crls_der): (Vec<Vec<u8>>, Vec<Vec<u8>>),
        signers: Vec<SignerInfo>,
    ) -> Self {
        // Those that cannot be read, as attribute certificates, vouch for nobody here.
        let read = certificates_der.iter().filter_map(|der| Certificate::from_der(der).ok());
        let certificates = read.collect();
        Self {
            dialect,
            content_type,
            digests,
            attached,
            certificates_der,
            certificates,
            crls_der,
            signers,
        }
    }

    /// Which OIDs it uses.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether the content was in it.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.attached
    }

    /// The OID of the content's type, if it is not only bytes.
    #[must_use]
    pub fn special_content_type(&self) -> Option<String> {
        (!kind::is_data(self.content_type)).then(|| self.content_type.to_string())
    }

    /// How many have signed it, by what it says.
    #[must_use]
    pub fn signer_count(&self) -> usize {
        self.signers.len()
    }

    /// The certificates in it that can be read. Nobody has signed that they belong to it.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The revocation lists in it.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn crls(&self) -> Result<Vec<Crl>, Error> {
        self.crls_der.iter().map(|der| Crl::from_der(der)).collect()
    }

    /// How many revocation lists are in it.
    #[must_use]
    pub fn crl_count(&self) -> usize {
        self.crls_der.len()
    }

    /// The keys of those who have signed the content itself, without signed attributes, as far as their
    /// certificates are here or in the policy.
    #[must_use]
    pub fn keys_without_attributes(&self, policy: &Policy) -> Vec<PublicKey> {
        let mut keys = Vec::new();
        let given = match policy.trust() {
            Trust::Key(key) => Some(**key),
            _ => None,
        };
        for signer in self.signers.iter().filter(|signer| signer.attributes.is_none()) {
            let certified = self.candidates(signer, policy);
            let certified = certified.iter().filter_map(|c| c.public_key().ok().copied());
            keys.extend(given.into_iter().chain(certified));
        }
        let mut unique: Vec<PublicKey> = Vec::new();
        for key in keys {
            if unique.len() < MAX_KEYS && !unique.contains(&key) {
                unique.push(key);
            }
        }
        unique
    }

    /// Hashes a detached content for the signers of this message.
    #[must_use]
    pub fn hasher(&self, policy: &Policy) -> ContentHasher {
        ContentHasher::new(&self.keys_without_attributes(policy), policy.id())
    }

    /// Certificates that a signer may mean, each once.
    pub(super) fn candidates<'c>(
        &'c self,
        signer: &SignerInfo,
        policy: &'c Policy,
    ) -> Vec<&'c Certificate> {
        let mut found: Vec<&Certificate> = Vec::new();
        for certificate in policy.certificates().chain(&self.certificates) {
            if found.len() == MAX_CANDIDATES {
                break;
            }
            if signer.id.names(certificate) && !found.contains(&certificate) {
                found.push(certificate);
            }
        }
        found
    }
}

impl std::fmt::Debug for SignedMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedMessage({:?}, {} signers)", self.dialect, self.signers.len())
    }
}
