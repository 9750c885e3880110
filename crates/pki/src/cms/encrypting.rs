//! To whom a message is encrypted, and how.

use std::io::Write;

use gmkit_keys::selftest::{self, Algorithm};

use super::{
    Dialect, EncryptedWriter, Kind, Recipient,
    content_cipher::{ContentKey, Mode, fresh},
    encrypted_writer::Head,
    frame,
    signing::data_oid,
    source::SET,
};
use crate::Error;

/// A message that is to be encrypted: to whom, and how.
///
/// ```
/// use gmkit_keys::{PrivateKey, SoftwareKey};
/// use gmkit_pki::cms::{Dialect, EncryptedReader, Encrypting, Recipient};
///
/// let bob = SoftwareKey::generate()?;
/// let encrypting = Encrypting::new(Dialect::Rfc5652).with_recipient(Recipient::key(bob.public_key()));
/// let mut writer = encrypting.to(Vec::new())?;
/// writer.update(b"attack at dawn")?;
/// let message = writer.finish()?;
///
/// let mut reader = EncryptedReader::new(&message[..])?.open(&bob, None)?;
/// let (mut content, mut piece) = (Vec::new(), [0; 4096]);
/// while let n @ 1.. = reader.read_unverified(&mut piece)? {
///     content.extend_from_slice(&piece[..n]);
/// }
/// content.extend_from_slice(&reader.finish()?.rest); // only now is it known that nobody has changed it
/// assert_eq!(content, b"attack at dawn");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Encrypting {
    dialect: Dialect,
    recipients: Vec<Recipient>,
    authenticated: bool,
    exchange_oid: bool,
    len: Option<u64>,
}

impl Encrypting {
    /// A message with SM4-GCM (AuthEnvelopedData), and without recipients yet.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            recipients: Vec::new(),
            authenticated: true,
            exchange_oid: false,
            len: None,
        }
    }

    /// Adds somebody who can decrypt.
    #[must_use]
    pub fn with_recipient(mut self, recipient: Recipient) -> Self {
        self.recipients.push(recipient);
        self
    }

    /// SM4-CBC (EnvelopedData), for those who know nothing else. Nothing protects the content against
    /// changes then, and whoever tells strangers whether a message could be decrypted tells them what is in
    /// it.
    #[must_use]
    pub fn without_authentication(mut self) -> Self {
        self.authenticated = false;
        self
    }

    /// Names the encryption of keys 1.2.156.10197.1.301.2, as GmSSL 3.1 does and asks for, which is the key
    /// exchange to everybody else.
    #[must_use]
    pub fn with_exchange_oid(mut self) -> Self {
        self.exchange_oid = true;
        self
    }

    /// Says how long the content is, in bytes: the message is DER then, however long.
    #[must_use]
    pub fn with_len(mut self, len: u64) -> Self {
        self.len = Some(len);
        self
    }

    /// Starts a message, with a key of its own.
    ///
    /// # Errors
    /// [`Error::Request`] without recipients, and for SM4-GCM under the OIDs of GB/T 35275, which knows no
    /// protected messages; [`Error::Key`]; [`Error::Stream`].
    pub fn to<W: Write>(self, out: W) -> Result<EncryptedWriter<W>, Error> {
        if self.recipients.is_empty() {
            return Err(Error::Request { reason: "an encrypted message has a recipient" });
        }
        if self.authenticated && self.dialect == Dialect::Gmt0010 {
            return Err(Error::Request {
                reason: "GB/T 35275 has no message with SM4-GCM: take RFC 5652, or SM4-CBC",
            });
        }
        selftest::require(Algorithm::Sm4)?;
        let mode = Mode::fresh(self.authenticated)?;
        let key: ContentKey = fresh()?;
        let head = self.head(&key, &mode)?;
        EncryptedWriter::start(out, head, &mode, mode.encryptor(&key)?, self.len)
    }

    fn kind(&self) -> Kind {
        match self.authenticated {
            true => Kind::AuthEnvelopedData,
            false => Kind::EnvelopedData,
        }
    }

    /// What stands before the ciphertext.
    fn head(&self, key: &ContentKey, mode: &Mode) -> Result<Head, Error> {
        let written = self.recipients.iter();
        let written = written.map(|to| to.write(key, self.dialect, self.exchange_oid));
        let version = match (self.authenticated, self.dialect) {
            (true, _) => 0,
            (false, _) if self.recipients.iter().any(Recipient::has_key_id) => 2,
            (false, Dialect::Rfc5652) => 0,
            (false, Dialect::Gmt0010) => 1,
        };
        let recipients = frame::set_of(SET, written.collect::<Result<_, _>>()?);
        Ok(Head {
            oid: self.dialect.oid(self.kind()),
            recipients: [&[2, 1, version], &recipients[..]].concat(),
            algorithm: [data_oid(self.dialect), mode.write()].concat(),
        })
    }
}
