//! The two suites: SM4-GCM and SM4-CCM as TLS 1.3 uses an AEAD (RFC 8446, 5.2).

use gmkit_sm4::{ccm::Ccm, gcm::Gcm};
use rustls::{
    CipherSuiteCommon, ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion,
    SupportedCipherSuite, Tls13CipherSuite,
    crypto::cipher::{
        AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter,
        Nonce, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls13AeadAlgorithm,
        UnsupportedOperationError, make_tls13_aad,
    },
};

use crate::{TLS_SM4_CCM_SM3, TLS_SM4_GCM_SM3, hash::Sm3Hash, hmac::HkdfSm3};

const TAG: usize = 16;

/// Records of one key until a new one must be agreed on.
///
/// SM4 has blocks of 128 bits, as AES has; so what RFC 8446, 5.5 and
/// draft-irtf-cfrg-aead-limits-08, 5.2.1 derive for AES holds for it: with records of 2^10 blocks, an
/// adversary's advantage against confidentiality after q records is about (q · 2^10)^2 / 2^129. With
/// q = 2^24, which rustls has for AES-GCM, that is 2^-61. CCM calls the cipher twice per block:
/// (q · 2^11)^2 / 2^129 is as much with q = 2^23.
const GCM_LIMIT: u64 = 1 << 24;
const CCM_LIMIT: u64 = 1 << 23;

/// `TLS_SM4_GCM_SM3`.
pub(crate) static SM4_GCM_SM3: SupportedCipherSuite =
    SupportedCipherSuite::Tls13(&Tls13CipherSuite {
        common: CipherSuiteCommon {
            suite: TLS_SM4_GCM_SM3,
            hash_provider: &Sm3Hash,
            confidentiality_limit: GCM_LIMIT,
        },
        hkdf_provider: &HkdfSm3,
        aead_alg: &Sm4(|key| Box::new(Gcm::new(key))),
        quic: None,
    });

/// `TLS_SM4_CCM_SM3`.
pub(crate) static SM4_CCM_SM3: SupportedCipherSuite =
    SupportedCipherSuite::Tls13(&Tls13CipherSuite {
        common: CipherSuiteCommon {
            suite: TLS_SM4_CCM_SM3,
            hash_provider: &Sm3Hash,
            confidentiality_limit: CCM_LIMIT,
        },
        hkdf_provider: &HkdfSm3,
        aead_alg: &Sm4(|key| Box::new(Ccm::new(key))),
        quic: None,
    });

/// One of the AEADs, in place, with a tag of 16 bytes.
trait Aead: Send + Sync {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], data: &mut [u8]) -> Option<[u8; TAG]>;
    fn open(&self, nonce: &[u8; 12], aad: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Option<()>;
}

impl Aead for Gcm {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], data: &mut [u8]) -> Option<[u8; TAG]> {
        Self::seal(self, nonce, aad, data).ok()
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
        Self::open(self, nonce, aad, data, tag).ok()
    }
}

impl Aead for Ccm {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], data: &mut [u8]) -> Option<[u8; TAG]> {
        Self::seal(self, nonce, aad, data).ok()?.as_bytes().try_into().ok()
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], data: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
        Self::open(self, nonce, aad, data, tag).ok()
    }
}

/// SM4 in a mode that this makes from a key.
struct Sm4(fn(&[u8; 16]) -> Box<dyn Aead>);

impl Sm4 {
    fn keyed(&self, key: &AeadKey, iv: Iv) -> Box<Keyed> {
        let key = key.as_ref().try_into().expect("as long as key_len() says");
        Box::new(Keyed { aead: (self.0)(key), iv })
    }
}

impl Tls13AeadAlgorithm for Sm4 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        self.keyed(&key, iv)
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.keyed(&key, iv)
    }

    fn key_len(&self) -> usize {
        16
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        // rustls 0.23 has no name for secrets of SM4.
        Err(UnsupportedOperationError)
    }
}

/// The records of one direction, under one key.
struct Keyed {
    aead: Box<dyn Aead>,
    iv: Iv,
}

impl MessageEncrypter for Keyed {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let total = self.encrypted_payload_len(message.payload.len());
        let mut payload = PrefixedPayload::with_capacity(total);
        payload.extend_from_chunks(&message.payload);
        payload.extend_from_slice(&message.typ.to_array());
        let nonce = Nonce::new(&self.iv, seq).0;
        let tag = self.aead.seal(&nonce, &make_tls13_aad(total), payload.as_mut());
        payload.extend_from_slice(&tag.ok_or(Error::EncryptError)?);
        // Records say TLS 1.2 (RFC 8446, 5.1).
        let (kind, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
        Ok(OutboundOpaqueMessage::new(kind, version, payload))
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        payload_len + 1 + TAG
    }
}

impl MessageDecrypter for Keyed {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let payload = &mut message.payload;
        let plain = payload.len().checked_sub(TAG).ok_or(Error::DecryptError)?;
        let aad = make_tls13_aad(payload.len());
        let (data, tag) = payload.split_at_mut(plain);
        let tag = (&*tag).try_into().map_err(|_| Error::DecryptError)?;
        let nonce = Nonce::new(&self.iv, seq).0;
        self.aead.open(&nonce, &aad, data, tag).ok_or(Error::DecryptError)?;
        payload.truncate(plain);
        message.into_tls13_unpadded_message()
    }
}
