//! PINs: how long they are, how often they may be tried, and how a key comes from one.

use std::num::NonZeroU32;

use gmkit_sm3::kdfs::pbkdf2;
use zeroize::Zeroizing;

/// Shortest and longest PIN, in bytes.
pub(crate) const MIN_LEN: usize = 4;
pub(crate) const MAX_LEN: usize = 255;

/// Iterations of PBKDF2-HMAC-SM3 in a new token: about a fifth of a second per try on a server core.
pub(crate) const ITERATIONS: u32 = 600_000;

/// Fewest iterations that are read: a token's file must not talk a PIN's owner into a cheap one. The
/// tests of this crate and fuzzers have no time.
pub(crate) const MIN_ITERATIONS: u32 = if cfg!(any(test, fuzzing)) { 1 } else { ITERATIONS };

/// Most iterations that are read: more would be a day of work, by mistake or malice.
pub(crate) const MAX_ITERATIONS: u32 = 100_000_000;

/// Wrong tries in a row until a PIN is locked, in a new token.
pub(crate) const TRIES: u8 = 10;

/// What a new token is made with: the environment of the process that initialises it, as PKCS#11
/// has no parameter for either. A token that is initialised anew keeps its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) iterations: NonZeroU32,
    pub(crate) tries: u8,
}

impl Policy {
    /// Reads `GMKIT_TOKEN_PIN_ITERATIONS`, never below [`ITERATIONS`], and `GMKIT_TOKEN_PIN_TRIES`.
    /// `None` where one is set and makes no sense: a wish that is not followed must be heard of.
    pub(crate) fn from_environment() -> Option<Self> {
        let iterations = read("GMKIT_TOKEN_PIN_ITERATIONS", ITERATIONS)?;
        let tries = read("GMKIT_TOKEN_PIN_TRIES", u32::from(TRIES))?;
        let least = if cfg!(fuzzing) { MIN_ITERATIONS } else { ITERATIONS };
        (least..=MAX_ITERATIONS).contains(&iterations).then_some(())?;
        Some(Self {
            iterations: NonZeroU32::new(iterations)?,
            tries: u8::try_from(tries).ok().filter(|tries| *tries > 0)?,
        })
    }
}

/// Whether a PIN can be one at all. One that cannot is refused without counting as a try: an empty
/// line, or a client that hopes for a PIN pad.
pub(crate) fn has_length(pin: &[u8]) -> bool {
    (MIN_LEN..=MAX_LEN).contains(&pin.len())
}

fn read(name: &str, default: u32) -> Option<u32> {
    match std::env::var_os(name) {
        None => Some(default),
        Some(text) => text.to_str()?.parse().ok(),
    }
}

/// The key that wraps the token's keys: PBKDF2-HMAC-SM3.
pub(crate) fn derive(pin: &[u8], salt: &[u8; 16], iterations: NonZeroU32) -> Zeroizing<[u8; 16]> {
    let mut key = Zeroizing::new([0; 16]);
    pbkdf2(pin, salt, iterations, &mut *key);
    key
}
