//! SM2 private keys: generated, from bytes, from files and URIs.

use std::sync::Arc;

use toolkit::{
    hsm::Opener,
    keys::{
        self, FileOpener, KeyFormat, KeyRegistry, KeyUri, Origin, Passphrase, PrivateKey,
        SoftwareKey,
    },
    sm2::SecretKey,
};

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{In, InArray, Len, Out, Output, Owned, Ref, Slot, Text},
    public_key::gmkit_public_key,
};

/// Encrypted key file that every OpenSSL reads: PBKDF2 with HMAC-SHA256, SM4-CBC.
pub const GMKIT_KEY_FORMAT_COMPAT: u32 = 0;
/// Encrypted key file as OpenSSL 4 can write it: PBKDF2 with HMAC-SM3, SM4-CBC.
pub const GMKIT_KEY_FORMAT_OPENSSL4: u32 = 1;
/// Encrypted key file as GmSSL reads it: PBKDF2 with HMAC-SM3, SM4-CBC, its own identifiers.
pub const GMKIT_KEY_FORMAT_GMSSL: u32 = 2;

/// Room that any key file written by this library fits into, in bytes.
pub const GMKIT_PEM_MAX: usize = 1024;

/// A private key. What is in this process's memory can be written out; what was opened by URI may
/// sit in a device.
pub struct AnyPrivateKey {
    key: Arc<dyn PrivateKey>,
    software: Option<Arc<SoftwareKey>>,
}

impl AnyPrivateKey {
    pub(crate) fn key(&self) -> &Arc<dyn PrivateKey> {
        &self.key
    }

    pub(crate) fn exportable(&self) -> Result<&SoftwareKey, Fault> {
        self.software.as_deref().ok_or_else(|| {
            Fault::new(gmkit_error::GMKIT_ERR_UNSUPPORTED, "a key opened by URI is not exported")
        })
    }
}

impl From<SoftwareKey> for AnyPrivateKey {
    fn from(key: SoftwareKey) -> Self {
        let key = Arc::new(key);
        Self { key: Arc::clone(&key) as _, software: Some(key) }
    }
}

handles! {
    /// An SM2 private key. Any number of threads may use it at the same time.
    struct gmkit_private_key(AnyPrivateKey);
}

fn key_format(number: u32) -> Result<KeyFormat, Fault> {
    match number {
        GMKIT_KEY_FORMAT_COMPAT => Ok(KeyFormat::Compat),
        GMKIT_KEY_FORMAT_OPENSSL4 => Ok(KeyFormat::OpenSsl4),
        GMKIT_KEY_FORMAT_GMSSL => Ok(KeyFormat::GmSsl),
        _ => Err(Fault::argument("unknown key format")),
    }
}

pub(crate) fn given(passphrase: Option<&[u8]>) -> Result<Passphrase, keys::Error> {
    passphrase.map(Passphrase::new).ok_or(keys::Error::PassphraseNeeded)
}

export! {
    /// Makes a key with the operating system's generator and tests it. Free it with
    /// `gmkit_private_key_free`.
    ///
    /// Errors: GMKIT_ERR_RANDOM, GMKIT_ERR_SELF_TEST.
    fn gmkit_private_key_generate(key: Slot<gmkit_private_key>) {
        key.check()?;
        key.put(SoftwareKey::generate()?.into())
    }

    /// Takes d, 32 big-endian bytes in [1, n-2].
    ///
    /// Errors: GMKIT_ERR_KEY.
    fn gmkit_private_key_from_bytes(d: InArray<32>, key: Slot<gmkit_private_key>) {
        keys::selftest::require(keys::selftest::Algorithm::Sm2Signature)?;
        key.put(SoftwareKey::from(SecretKey::from_bytes(d.get()?)?).into())
    }

    /// Reads the content of a key file: PKCS#8, encrypted PKCS#8 or SEC1, in PEM or DER.
    /// `passphrase` may be NULL with length 0 when the key is not encrypted.
    ///
    /// Errors: GMKIT_ERR_KEY, GMKIT_ERR_PASSPHRASE_NEEDED, GMKIT_ERR_PASSPHRASE_WRONG,
    /// GMKIT_ERR_KEY_ENCRYPTION.
    fn gmkit_private_key_read(
        file: In,
        file_len: usize,
        passphrase: In,
        passphrase_len: usize,
        key: Slot<gmkit_private_key>,
    ) {
        let (file, passphrase) = (file.bytes(file_len)?, passphrase.optional(passphrase_len)?);
        key.put(SoftwareKey::from_file_bytes(file, || given(passphrase))?.into())
    }

    /// Opens the key that a URI names: `file:ca.key.pem`, a plain path, or
    /// `pkcs11:token=prod;object=ca?module-path=/opt/hsm/libpkcs11.so` (RFC 7512) for a key in a
    /// device, whose PIN is the passphrase, or in the file of `pin-source=file:...`. The URI must
    /// come from whoever runs the program, never from a network message or a certificate: it names
    /// files, and loads code. `passphrase` may be NULL with length 0 when none is needed.
    ///
    /// Errors: GMKIT_ERR_URI, GMKIT_ERR_IO, GMKIT_ERR_DEVICE, and those of `gmkit_private_key_read`.
    fn gmkit_private_key_open(
        uri: Text,
        passphrase: In,
        passphrase_len: usize,
        key: Slot<gmkit_private_key>,
    ) {
        let uri = KeyUri::parse(uri.get()?, Origin::Operator)?;
        let passphrase = passphrase.optional(passphrase_len)?;
        let opened = KeyRegistry::new()
            .with(FileOpener)
            .with(Opener::new())
            .open_private(&uri, &|_: &str| given(passphrase))?;
        key.put(AnyPrivateKey { key: opened, software: None })
    }

    /// Gives the public key. Free it with `gmkit_public_key_free`.
    fn gmkit_private_key_public_key(
        key: Ref<gmkit_private_key>,
        public_key: Slot<gmkit_public_key>,
    ) {
        public_key.put(*key.get()?.key.public_key())
    }

    /// Writes encrypted PKCS#8 in PEM, without a NUL byte at its end. `out` needs room for
    /// GMKIT_PEM_MAX bytes. `format` is GMKIT_KEY_FORMAT_COMPAT, _OPENSSL4 or _GMSSL. The
    /// passphrase has at least one byte.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_RANDOM;
    /// GMKIT_ERR_UNSUPPORTED for a key that was opened by URI.
    fn gmkit_private_key_to_encrypted_pem(
        key: Ref<gmkit_private_key>,
        format: u32,
        passphrase: In,
        passphrase_len: usize,
        out: Out,
        out_len: Len,
    ) {
        let (key, format) = (key.get()?.exportable()?, key_format(format)?);
        let passphrase = passphrase.bytes(passphrase_len)?;
        if passphrase.is_empty() {
            return Err(Fault::argument("the passphrase is empty"));
        }
        let Some(out) = Output::new(&mut out, &out_len, GMKIT_PEM_MAX)? else {
            return Ok(());
        };
        out.write(key.to_encrypted_pem(&Passphrase::new(passphrase), format)?.as_bytes())
    }

    /// Writes PKCS#8 in PEM, NOT ENCRYPTED, without a NUL byte at its end. `out` needs room for
    /// GMKIT_PEM_MAX bytes. Wipe it after use.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL; GMKIT_ERR_UNSUPPORTED for a key that was opened by URI.
    fn gmkit_private_key_to_plain_pem(
        key: Ref<gmkit_private_key>,
        out: Out,
        out_len: Len,
    ) {
        let key = key.get()?.exportable()?;
        let Some(out) = Output::new(&mut out, &out_len, GMKIT_PEM_MAX)? else {
            return Ok(());
        };
        out.write(key.to_pem().as_bytes())
    }

    /// Wipes and frees. Signers made from the key keep what they need. NULL is allowed.
    fn gmkit_private_key_free(key: Owned<gmkit_private_key>) = void {
        key.free();
    }
}
