//! Keys and their certificates in one file under a password: PKCS#12 (RFC 7292).

mod bags;
mod mac;
#[cfg(test)]
mod tests;

use std::fmt;

use gmkit_keys::{KeyFormat, Passphrase, PrivateKey, SoftwareKey};
use gmkit_sm2::PublicKey;

use self::bags::Contents;
use crate::{Certificate, Error, Form, parts, strict};

/// Largest file that is read, in bytes.
const MAX: usize = 16 << 20;

/// Private keys and certificates in one file, as OpenSSL, Tongsuo and Java keep them.
///
/// ```
/// # use gmkit_keys::{Passphrase, PrivateKey, SoftwareKey};
/// # use gmkit_pki::{Issuer, Pkcs12, Profile, subject};
/// # let ca_key = std::sync::Arc::new(SoftwareKey::generate()?);
/// # let ca = Issuer::self_signed(Profile::Ca.params(subject("CN=CA")?, 365)?, ca_key)?;
/// let key = SoftwareKey::generate()?;
/// let certificate = ca.issue(Profile::Sign.params(subject("CN=Alice")?, 90)?, key.public_key())?;
/// let chain = vec![certificate, ca.certificate().clone()];
///
/// let password = Passphrase::new("correct horse");
/// let file = Pkcs12::new(key, chain)?.named("Alice").write(&password, Default::default())?;
///
/// let read = Pkcs12::read(&file, &password)?;
/// assert_eq!(read.chain()?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pkcs12 {
    keys: Vec<SoftwareKey>,
    certificates: Vec<Certificate>,
    unread: usize,
    name: Option<String>,
}

impl Pkcs12 {
    /// Joins a key with its certificate, which comes first, and those of its authorities.
    ///
    /// # Errors
    /// [`Error::Key`] when the first certificate is not the key's; [`Error::NotSm2`].
    pub fn new(key: SoftwareKey, chain: Vec<Certificate>) -> Result<Self, Error> {
        let mismatch = gmkit_keys::Error::CertificateMismatch;
        let Some(leaf) = chain.first() else { return Err(mismatch.into()) };
        match leaf.public_key()? == key.public_key() {
            true => Ok(Self { keys: vec![key], certificates: chain, unread: 0, name: None }),
            false => Err(mismatch.into()),
        }
    }

    /// The name that programs show (friendlyName).
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Reads a file. Only such as are protected by a MAC (the one of PKCS#12 with SHA-1, SHA-2 or SM3, or
    /// PBMAC1 of RFC 9579) and encrypted with PBES2, or not at all, are read: the ciphers of before 2017
    /// (RC2, and 3DES under a KDF of its own) are refused.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::Key`] with `WrongPassphrase`, with `Encryption` for what is not
    /// supported or beyond the limits, or for a key that is not of SM2.
    pub fn read(file: &[u8], password: &Passphrase) -> Result<Self, Error> {
        let fault = Form::Pkcs12.fault();
        if file.len() > MAX {
            return Err(fault("longer than 16 MiB"));
        }
        strict::check(file).map_err(&fault)?;
        let (safe, mac) = match *parts::members(file).map_err(&fault)? {
            [[2, 1, 3], safe, mac] => (safe, mac),
            [[2, 1, 3], _] => return Err(fault("not protected by a MAC")),
            _ => return Err(fault("not of version 3")),
        };
        let safe = bags::data(safe).map_err(&fault)?;
        mac::check(mac, safe, password)?;
        let mut contents = Contents::default();
        contents.read_safe(safe, password)?;
        let Contents { keys, certificates, unread, name } = contents;
        Ok(Self { keys, certificates, unread, name })
    }

    /// Writes the file: key and certificates encrypted with SM4 (PBES2), all under a MAC with SM3. OpenSSL 3
    /// and 4 and Tongsuo read it in either format; Java knows neither SM4 nor SM3.
    ///
    /// # Errors
    /// [`Error::Request`] for [`KeyFormat::GmSsl`], as GmSSL has no PKCS#12, and without exactly one key;
    /// [`Error::Key`].
    pub fn write(&self, password: &Passphrase, format: KeyFormat) -> Result<Vec<u8>, Error> {
        let [key] = &self.keys[..] else {
            return Err(Error::Request { reason: "a PKCS#12 file that is written has one key" });
        };
        if format == KeyFormat::GmSsl {
            return Err(Error::Request { reason: "GmSSL has no PKCS#12" });
        }
        let safe = bags::write(key, &self.certificates, self.name.as_deref(), (password, format))?;
        let mac = mac::make(&safe, password)?;
        Ok(parts::sequence(&[&[2, 1, 3], &bags::write_data(&safe), &mac]))
    }

    /// The private keys, in the order of the file.
    #[must_use]
    pub fn keys(&self) -> &[SoftwareKey] {
        &self.keys
    }

    /// Takes the only private key.
    ///
    /// # Errors
    /// [`Error::Malformed`] when there is none, or there are several.
    pub fn into_key(self) -> Result<SoftwareKey, Error> {
        let one: Result<[SoftwareKey; 1], _> = self.keys.try_into();
        match one {
            Ok([key]) => Ok(key),
            Err(_) => Err(Form::Pkcs12.fault()("there is not exactly one private key in it")),
        }
    }

    /// The certificates that can be read, in the order of the file.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// How many certificates cannot be read here.
    #[must_use]
    pub fn unread_certificates(&self) -> usize {
        self.unread
    }

    /// The name of the key, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The certificates of the only key: its own first, then those of its authorities as far as they are
    /// there.
    ///
    /// # Errors
    /// [`Error::Malformed`] without exactly one key that has a certificate.
    pub fn chain(&self) -> Result<Vec<&Certificate>, Error> {
        let none = "there is no certificate in it for the key";
        let [key] = &self.keys[..] else {
            return Err(Form::Pkcs12.fault()("there is not exactly one private key in it"));
        };
        let of_key = |key: &PublicKey| {
            self.certificates.iter().find(|found| found.public_key().is_ok_and(|k| k == key))
        };
        let leaf = of_key(key.public_key()).ok_or_else(|| Form::Pkcs12.fault()(none))?;
        let mut chain = vec![leaf];
        while let Some(last) = chain.last().filter(|last| !last.is_self_issued()) {
            let issuer = self.certificates.iter().find(|found| found.subject() == last.issuer());
            match issuer {
                Some(issuer) if !chain.contains(&issuer) => chain.push(issuer),
                _ => break,
            }
        }
        Ok(chain)
    }
}

impl fmt::Debug for Pkcs12 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (keys, certificates) = (self.keys.len(), self.certificates.len());
        write!(f, "Pkcs12({keys} keys, {certificates} certificates)")
    }
}
