//! Session tickets, sealed with SM4-GCM under keys that change.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use gmkit_keys::{SecretKey, SoftwareSecret, SysRng};
use gmkit_sm2::rand_core::TryRng;
use rustls::{Error, crypto::GetRandomFailed, server::ProducesTickets, ticketer::TicketRotator};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How long a key seals tickets, in seconds; it opens them for as long again.
const ROTATION: u32 = 6 * 60 * 60;

/// Bytes that name a key.
const NAME: usize = 16;

/// How long a ticket is good, in seconds.
const LIFETIME: u32 = 2 * ROTATION;

/// Tickets that this process alone can open: SM4-GCM under a random key, which is replaced after six
/// hours. A ticket is good for twelve, whenever the keys were last replaced.
///
/// A session that is resumed is not checked again: what the first handshake said of the other side's
/// certificate stands. Each resumption gives new tickets.
///
/// # Errors
/// Without random numbers.
pub fn ticketer() -> Result<Arc<dyn ProducesTickets>, Error> {
    Ok(Arc::new(TicketRotator::new(ROTATION, || Ok(Box::new(Sealer::new()?)))?))
}

/// name(16) ‖ nonce(12) ‖ ciphertext ‖ tag(16); the name is authenticated. The plaintext begins with
/// the time, in seconds since 1970, as 8 bytes.
struct Sealer {
    key: SoftwareSecret,
    name: [u8; NAME],
    /// The longest one that was made: a longer one was not, and is not tried.
    longest: AtomicUsize,
}

impl Sealer {
    fn new() -> Result<Self, GetRandomFailed> {
        let (mut key, mut name) = (Zeroizing::new([0; 16]), [0; NAME]);
        SysRng.try_fill_bytes(&mut *key).map_err(|_| GetRandomFailed)?;
        SysRng.try_fill_bytes(&mut name).map_err(|_| GetRandomFailed)?;
        let key = SoftwareSecret::sm4(&*key).map_err(|_| GetRandomFailed)?;
        Ok(Self { key, name, longest: AtomicUsize::new(0) })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(SM4-GCM)")
    }
}

impl ProducesTickets for Sealer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        LIFETIME
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seal(plain, now()?)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.open(ticket, now()?)
    }
}

fn now() -> Option<u64> {
    Some(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs())
}

impl Sealer {
    fn seal(&self, plain: &[u8], now: u64) -> Option<Vec<u8>> {
        let dated = Zeroizing::new([&now.to_be_bytes(), plain].concat());
        let sealed = self.key.seal(&self.name, &dated).ok()?;
        let ticket = [&self.name, &sealed[..]].concat();
        self.longest.fetch_max(ticket.len(), Ordering::Relaxed);
        Some(ticket)
    }

    fn open(&self, ticket: &[u8], now: u64) -> Option<Vec<u8>> {
        if ticket.len() > self.longest.load(Ordering::Relaxed) {
            return None;
        }
        let (name, sealed) = ticket.split_first_chunk::<NAME>()?;
        if !bool::from(name.ct_eq(&self.name)) {
            return None;
        }
        let dated = Zeroizing::new(self.key.open(&self.name, sealed).ok()?);
        let (made, plain) = dated.split_first_chunk()?;
        let age = now.checked_sub(u64::from_be_bytes(*made))?;
        (age <= u64::from(LIFETIME)).then(|| plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_of_this_key_only() {
        let (ours, other) = (Sealer::new().unwrap(), Sealer::new().unwrap());
        let ticket = ours.encrypt(b"session").unwrap();
        other.encrypt(b"session").unwrap();
        assert_eq!(ours.decrypt(&ticket).unwrap(), b"session");
        assert_eq!(other.decrypt(&ticket), None);
        for n in 0..ticket.len() {
            let mut forged = ticket.clone();
            forged[n] ^= 1;
            assert_eq!(ours.decrypt(&forged), None);
            assert_eq!(ours.decrypt(&ticket[..n]), None);
        }
        assert_eq!(ours.decrypt(&[&ticket[..], &[0]].concat()), None);
    }

    /// However long the keys were not replaced.
    #[test]
    fn tickets_grow_old() {
        let sealer = Sealer::new().unwrap();
        let ticket = sealer.seal(b"session", 1000).unwrap();
        let end = 1000 + u64::from(LIFETIME);
        assert_eq!(sealer.open(&ticket, 1000).unwrap(), b"session");
        assert_eq!(sealer.open(&ticket, end).unwrap(), b"session");
        assert_eq!(sealer.open(&ticket, end + 1), None);
        assert_eq!(sealer.open(&ticket, 999), None, "of the future");
    }
}
