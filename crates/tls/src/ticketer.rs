//! Session tickets, sealed with SM4-GCM under keys that change.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
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

/// Tickets that this process alone can open: SM4-GCM under a random key, which is replaced every six
/// hours and forgotten after twelve.
///
/// # Errors
/// Without random numbers.
pub fn ticketer() -> Result<Arc<dyn ProducesTickets>, Error> {
    Ok(Arc::new(TicketRotator::new(ROTATION, || Ok(Box::new(Sealer::new()?)))?))
}

/// name(16) ‖ nonce(12) ‖ ciphertext ‖ tag(16); the name is authenticated.
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
        2 * ROTATION
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let sealed = self.key.seal(&self.name, plain).ok()?;
        let ticket = [&self.name, &sealed[..]].concat();
        self.longest.fetch_max(ticket.len(), Ordering::Relaxed);
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > self.longest.load(Ordering::Relaxed) {
            return None;
        }
        let (name, sealed) = ticket.split_first_chunk::<NAME>()?;
        if !bool::from(name.ct_eq(&self.name)) {
            return None;
        }
        self.key.open(&self.name, sealed).ok()
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
}
