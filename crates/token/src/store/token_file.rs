//! `token.der`: what a token is called, and its keys under two PINs.

use std::num::NonZeroU32;

use cryptoki_sys::{
    CKR_PIN_INCORRECT, CKR_PIN_LEN_RANGE, CKR_PIN_LOCKED, CKR_TOKEN_NOT_RECOGNIZED,
    CKR_USER_PIN_NOT_INITIALIZED,
};
use der::{Decode, Encode, Sequence, asn1::OctetString};
use gmkit_keys::SysRng;
use gmkit_sm2::{PublicKey, SecretKey};
use gmkit_sm4::gcm::Gcm;
use zeroize::Zeroizing;

use super::random;
use crate::{
    pins::{self, Policy},
    rv::{Result, Rv, ensure, fail},
};

const VERSION: u8 = 1;

/// Whose PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Officer,
    User,
}

/// The keys of a token: what a PIN unlocks.
pub(crate) struct StoreKeys {
    /// Seals private objects.
    pub(super) seal: Zeroizing<[u8; 16]>,
    /// Signs public ones, which are read before anybody has logged in.
    pub(super) sign: SecretKey,
}

impl StoreKeys {
    fn generate() -> Result<Self> {
        Ok(Self { seal: Zeroizing::new(random()?), sign: SecretKey::generate(&mut SysRng)? })
    }

    fn to_bytes(&self) -> Zeroizing<[u8; 48]> {
        let mut bytes = Zeroizing::new([0; 48]);
        bytes[..16].copy_from_slice(&*self.seal);
        bytes[16..].copy_from_slice(&*self.sign.to_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seal, sign) = bytes.split_first_chunk()?;
        let sign = SecretKey::from_bytes(sign.try_into().ok()?).ok()?;
        Some(Self { seal: Zeroizing::new(*seal), sign })
    }
}

/// The content of `token.der`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(crate) struct TokenFile {
    version: u8,
    serial: OctetString,
    label: OctetString,
    /// Public key of what signs public objects: X9.62, uncompressed.
    signer: OctetString,
    officer: PinSlot,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    user: Option<PinSlot>,
}

/// The token's keys under one PIN, and how often that PIN was tried in vain.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct PinSlot {
    salt: OctetString,
    iterations: u32,
    /// nonce(12) ‖ SM4-GCM of the keys ‖ tag(16).
    sealed: OctetString,
    limit: u8,
    failures: u8,
}

impl TokenFile {
    /// A new token with new keys; its user has no PIN yet.
    pub(crate) fn create(label: [u8; 32], officer_pin: &[u8], policy: Policy) -> Result<Self> {
        let keys = StoreKeys::generate()?;
        let mut token = Self {
            version: VERSION,
            serial: octets(&random::<8>()?)?,
            label: octets(&label)?,
            signer: octets(&keys.sign.public_key().to_sec1_bytes())?,
            officer: PinSlot::empty(policy)?,
            user: None,
        };
        token.officer = token.wrap(Role::Officer, &keys, officer_pin, policy)?;
        Ok(token)
    }

    pub(super) fn from_der(bytes: &[u8]) -> Result<Self> {
        let token = <Self as Decode>::from_der(bytes)?;
        let slots = [Some(&token.officer), token.user.as_ref()];
        let fine = token.version == VERSION
            && token.serial.as_bytes().len() == 8
            && token.label.as_bytes().len() == 32
            && PublicKey::from_sec1_bytes(token.signer.as_bytes()).is_ok()
            && slots.into_iter().flatten().all(PinSlot::is_sound);
        ensure(fine, CKR_TOKEN_NOT_RECOGNIZED)?;
        Ok(token)
    }

    pub(super) fn to_der(&self) -> Result<Vec<u8>> {
        Ok(Encode::to_der(self)?)
    }

    pub(crate) fn label(&self) -> &[u8] {
        self.label.as_bytes()
    }

    pub(crate) fn serial(&self) -> &[u8] {
        self.serial.as_bytes()
    }

    /// 16 hexadecimal digits.
    pub(crate) fn serial_hex(&self) -> String {
        hex::encode(self.serial())
    }

    pub(super) fn signer(&self) -> Result<PublicKey> {
        PublicKey::from_sec1_bytes(self.signer.as_bytes()).map_err(|_| Rv(CKR_TOKEN_NOT_RECOGNIZED))
    }

    /// Tries made in vain and tries allowed; `None` where the PIN is not set.
    pub(crate) fn tries(&self, role: Role) -> Option<(u8, u8)> {
        self.slot(role).map(|slot| (slot.failures, slot.limit))
    }

    fn slot(&self, role: Role) -> Option<&PinSlot> {
        match role {
            Role::Officer => Some(&self.officer),
            Role::User => self.user.as_ref(),
        }
    }

    /// The policy that the token was made with.
    pub(crate) fn policy(&self) -> Result<Policy> {
        Ok(Policy { iterations: self.officer.iterations()?, tries: self.officer.limit })
    }

    /// Counts a try, before it is made: who stops the process in between gains nothing.
    pub(crate) fn begin_try(&mut self, role: Role) -> Result {
        let slot = match role {
            Role::Officer => &mut self.officer,
            Role::User => self.user.as_mut().ok_or(Rv(CKR_USER_PIN_NOT_INITIALIZED))?,
        };
        ensure(slot.failures < slot.limit, CKR_PIN_LOCKED)?;
        slot.failures += 1;
        Ok(())
    }

    /// The tries of a PIN that turned out right do not count.
    pub(crate) fn forgive(&mut self, role: Role) {
        match role {
            Role::Officer => self.officer.failures = 0,
            Role::User => {
                if let Some(slot) = &mut self.user {
                    slot.failures = 0;
                }
            }
        }
    }

    /// The keys, if the PIN is right.
    pub(crate) fn unlock(&self, role: Role, pin: &[u8]) -> Result<StoreKeys> {
        let slot = self.slot(role).ok_or(Rv(CKR_USER_PIN_NOT_INITIALIZED))?;
        let salt = slot.salt.as_bytes().try_into().map_err(|_| Rv(CKR_TOKEN_NOT_RECOGNIZED))?;
        let gcm = Gcm::new(&pins::derive(pin, salt, slot.iterations()?));
        let sealed = slot.sealed.as_bytes();
        let (nonce, rest) = sealed.split_at(12);
        let (ciphertext, tag) = rest.split_at(48);
        let mut keys = Zeroizing::new(ciphertext.to_vec());
        gcm.open(nonce, &self.bound(role), &mut keys, tag).map_err(|_| Rv(CKR_PIN_INCORRECT))?;
        let keys = StoreKeys::from_bytes(&keys).ok_or(Rv(CKR_PIN_INCORRECT))?;
        // The signer was bound to the keys; that it fits says so once more.
        ensure(*keys.sign.public_key() == self.signer()?, CKR_TOKEN_NOT_RECOGNIZED)?;
        Ok(keys)
    }

    /// Puts the keys under a PIN, whose count begins anew.
    pub(crate) fn set_pin(&mut self, role: Role, keys: &StoreKeys, pin: &[u8]) -> Result {
        let slot = self.wrap(role, keys, pin, self.policy()?)?;
        match role {
            Role::Officer => self.officer = slot,
            Role::User => self.user = Some(slot),
        }
        Ok(())
    }

    fn wrap(&self, role: Role, keys: &StoreKeys, pin: &[u8], policy: Policy) -> Result<PinSlot> {
        ensure(pins::has_length(pin), CKR_PIN_LEN_RANGE)?;
        let salt = random()?;
        let gcm = Gcm::new(&pins::derive(pin, &salt, policy.iterations));
        let nonce = random::<12>()?;
        let mut body = keys.to_bytes();
        let tag = gcm.seal(&nonce, &self.bound(role), &mut *body).or(fail(CKR_PIN_INCORRECT))?;
        let sealed = octets(&[&nonce[..], &*body, &tag].concat())?;
        Ok(PinSlot { salt: octets(&salt)?, sealed, ..PinSlot::empty(policy)? })
    }

    /// What the wrapped keys are bound to: neither can be moved to another token or PIN, and no
    /// other signer be put beside them.
    fn bound(&self, role: Role) -> Vec<u8> {
        let role = match role {
            Role::Officer => b'S',
            Role::User => b'U',
        };
        [b"gmkit-token keys v1\0", &[role][..], self.serial(), self.signer.as_bytes()].concat()
    }
}

impl PinSlot {
    fn empty(policy: Policy) -> Result<Self> {
        Ok(Self {
            salt: octets(&[])?,
            iterations: policy.iterations.get(),
            sealed: octets(&[])?,
            limit: policy.tries,
            failures: 0,
        })
    }

    fn is_sound(&self) -> bool {
        self.salt.as_bytes().len() == 16
            && self.sealed.as_bytes().len() == 12 + 48 + 16
            && (pins::MIN_ITERATIONS..=pins::MAX_ITERATIONS).contains(&self.iterations)
            && self.limit > 0
    }

    fn iterations(&self) -> Result<NonZeroU32> {
        NonZeroU32::new(self.iterations).ok_or(Rv(CKR_TOKEN_NOT_RECOGNIZED))
    }
}

fn octets(bytes: &[u8]) -> Result<OctetString> {
    Ok(OctetString::new(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: Policy = Policy { iterations: NonZeroU32::new(3).unwrap(), tries: 2 };

    #[test]
    fn two_pins_unlock_the_same_keys_and_nothing_else_does() {
        let mut token = TokenFile::create([b' '; 32], b"officer", FEW).unwrap();
        let keys = token.unlock(Role::Officer, b"officer").unwrap();
        assert_eq!(token.unlock(Role::User, b"user").err(), Some(Rv(CKR_USER_PIN_NOT_INITIALIZED)));
        token.set_pin(Role::User, &keys, b"user").unwrap();
        let again = TokenFile::from_der(&token.to_der().unwrap()).unwrap();
        assert_eq!(again, token);
        assert_eq!(again.unlock(Role::User, b"user").unwrap().to_bytes(), keys.to_bytes());
        assert_eq!(again.unlock(Role::User, b"officer").err(), Some(Rv(CKR_PIN_INCORRECT)));
        assert!(keys.to_bytes().iter().any(|byte| *byte != 0));

        let mut swapped = token.clone();
        swapped.officer = token.user.clone().unwrap();
        assert_eq!(swapped.unlock(Role::Officer, b"user").err(), Some(Rv(CKR_PIN_INCORRECT)));
        let other = TokenFile::create([b' '; 32], b"officer", FEW).unwrap();
        let mut other_signer = token.clone();
        other_signer.signer = other.signer;
        assert_eq!(other_signer.unlock(Role::User, b"user").err(), Some(Rv(CKR_PIN_INCORRECT)));
    }

    #[test]
    fn tries_are_counted_before_they_are_made() {
        let mut token = TokenFile::create([b' '; 32], b"officer", FEW).unwrap();
        for _ in 0..2 {
            assert_eq!(token.begin_try(Role::Officer), Ok(()));
        }
        assert_eq!(token.begin_try(Role::Officer), fail(CKR_PIN_LOCKED));
        token.forgive(Role::Officer);
        assert_eq!(token.begin_try(Role::Officer), Ok(()));
        assert_eq!(token.begin_try(Role::User), fail(CKR_USER_PIN_NOT_INITIALIZED));
    }

    #[test]
    fn damaged_files_are_not_recognised() {
        let token = TokenFile::create([b' '; 32], b"officer", FEW).unwrap().to_der().unwrap();
        for cut in 0..token.len() {
            assert!(TokenFile::from_der(&token[..cut]).is_err());
        }
        assert_eq!(TokenFile::create([b' '; 32], b"123", FEW).err(), Some(Rv(CKR_PIN_LEN_RANGE)));
    }
}
