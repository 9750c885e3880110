//! The generator: one of the two mechanisms, its entropy source, and what watches over both.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, Instant},
};

use getrandom::SysRng;
use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::{Error, ctr::CtrState, hash::HashState, health::HealthTests};

/// Which of the standard's mechanisms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// On SM3, 32 bytes per step.
    Sm3,
    /// On SM4 in counter mode, 16 bytes per step.
    Sm4,
}

/// The security level of the module (GM/T 0028), which decides how often it is reseeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// After 2^20 steps or 600 seconds.
    One,
    /// After 2^10 steps or 60 seconds.
    Two,
}

impl Level {
    const fn limits(self) -> (u64, Duration) {
        match self {
            Self::One => (1 << 20, Duration::from_secs(600)),
            Self::Two => (1 << 10, Duration::from_secs(60)),
        }
    }
}

/// What is claimed of the entropy source, in bits per byte. The operating system's generator gives
/// eight; half of it is claimed, so that health tests hardly ever raise a false alarm.
const MIN_ENTROPY: f64 = 4.0;

/// Longest personalization and additional input, in bytes.
pub const MAX_INPUT: usize = 1 << 16;

/// 256 bits of entropy, and 128 for the nonce.
const ENTROPY: usize = 64;
const NONCE: usize = 32;

/// Samples that are tested, and thrown away, before the first are used.
const START_UP: usize = 1024;

/// The working state of either mechanism.
pub(crate) enum State {
    Hash(HashState),
    Ctr(CtrState),
}

impl State {
    pub(crate) fn instantiate(
        mechanism: Mechanism,
        entropy: &[u8],
        nonce: &[u8],
        personalization: &[u8],
    ) -> Self {
        match mechanism {
            Mechanism::Sm3 => Self::Hash(HashState::instantiate(entropy, nonce, personalization)),
            Mechanism::Sm4 => Self::Ctr(CtrState::instantiate(entropy, nonce, personalization)),
        }
    }

    pub(crate) fn reseed(&mut self, entropy: &[u8], additional: &[u8]) {
        match self {
            Self::Hash(state) => state.reseed(entropy, additional),
            Self::Ctr(state) => state.reseed(entropy, additional),
        }
    }

    /// Most bytes of one step.
    pub(crate) const fn step(&self) -> usize {
        match self {
            Self::Hash(_) => HashState::MAX_REQUEST,
            Self::Ctr(_) => CtrState::MAX_REQUEST,
        }
    }

    /// Fills `out`, of at most [`State::step`] bytes.
    pub(crate) fn generate(&mut self, additional: &[u8], out: &mut [u8]) {
        match self {
            Self::Hash(state) => state.generate(additional, out),
            Self::Ctr(state) => state.generate(additional, out),
        }
    }
}

/// A random number generator of GM/T 0105-2021 over an entropy source, by default the operating
/// system's.
///
/// It runs a known-answer test before the first output, health tests on all entropy, reseeds itself
/// at the limits of its [`Level`] and in a forked child, and is zeroized on drop. After an error of
/// its source it is out of service.
///
/// A fork is noticed by the process ID. What keeps that (a copy of a virtual machine, a child in a
/// PID namespace of its own whose parent is process 1 too) has a copy that goes on alike: reseed
/// there. The operating system's generator has no such copies.
///
/// ```
/// use gmkit_rng::{Drng, Level, Mechanism};
/// use rand_core::TryRng;
///
/// let mut rng = Drng::new(Mechanism::Sm3, Level::Two, b"payment service, node 7")?;
/// let mut key = [0; 16];
/// rng.try_fill_bytes(&mut key)?;
/// # assert_ne!(key, [0; 16]);
/// # Ok::<(), gmkit_rng::Error>(())
/// ```
pub struct Drng<S = SysRng> {
    /// `None` once there was an error.
    state: Option<State>,
    source: S,
    health: HealthTests,
    level: Level,
    steps: u64,
    seeded: Instant,
    process: u32,
}

impl Drng {
    /// A generator over the operating system's. `personalization` tells generators apart; it may be
    /// public or empty.
    ///
    /// # Errors
    /// [`Error::Entropy`], [`Error::Health`], [`Error::SelfTest`]; [`Error::TooLong`] for more than
    /// [`MAX_INPUT`] bytes.
    pub fn new(mechanism: Mechanism, level: Level, personalization: &[u8]) -> Result<Self, Error> {
        Self::with_source(SysRng, mechanism, level, personalization)
    }
}

impl<S: TryCryptoRng> Drng<S> {
    /// A generator over another source, which must give at least four bits of entropy per byte.
    ///
    /// # Errors
    /// As [`Drng::new`].
    pub fn with_source(
        source: S,
        mechanism: Mechanism,
        level: Level,
        personalization: &[u8],
    ) -> Result<Self, Error> {
        known_answers()?;
        check_input(personalization)?;
        let mut rng = Self {
            state: None,
            source,
            health: HealthTests::new(MIN_ENTROPY),
            level,
            steps: 0,
            seeded: Instant::now(),
            process: std::process::id(),
        };
        rng.entropy::<START_UP>()?;
        let (entropy, nonce) = (rng.entropy::<ENTROPY>()?, rng.entropy::<NONCE>()?);
        rng.state = Some(State::instantiate(mechanism, &*entropy, &*nonce, personalization));
        Ok(rng)
    }

    /// Takes fresh entropy in now, with `additional` input, which may be empty.
    ///
    /// # Errors
    /// [`Error::Entropy`], [`Error::Health`], [`Error::OutOfService`]; [`Error::TooLong`], after
    /// which it goes on as before.
    pub fn reseed(&mut self, additional: &[u8]) -> Result<(), Error> {
        check_input(additional)?;
        if self.state.is_none() {
            return Err(Error::OutOfService);
        }
        let entropy = self.entropy::<ENTROPY>();
        match (&mut self.state, entropy) {
            (Some(state), Ok(entropy)) => state.reseed(&*entropy, additional),
            (_, failed) => {
                // Dropped where it is, and so wiped.
                self.state = None;
                failed?;
            }
        }
        (self.steps, self.seeded, self.process) = (0, Instant::now(), std::process::id());
        Ok(())
    }

    /// Fills `out`, with `additional` input to each step, which may be empty.
    ///
    /// # Errors
    /// As [`Drng::reseed`]; `out` is then zeroed, but for [`Error::TooLong`].
    pub fn fill(&mut self, additional: &[u8], out: &mut [u8]) -> Result<(), Error> {
        check_input(additional)?;
        let filled = self.try_fill(additional, out);
        if filled.is_err() {
            out.fill(0);
        }
        filled
    }

    fn try_fill(&mut self, additional: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let step = self.state.as_ref().ok_or(Error::OutOfService)?.step();
        for chunk in out.chunks_mut(step) {
            if self.is_stale() {
                self.reseed(b"")?;
            }
            self.state.as_mut().ok_or(Error::OutOfService)?.generate(additional, chunk);
            self.steps += 1;
        }
        Ok(())
    }

    /// Whether it is time for fresh entropy. In a child that has come to a copy of the state by
    /// `fork` it is, as long as the child has another process ID.
    fn is_stale(&self) -> bool {
        let (steps, age) = self.level.limits();
        self.steps >= steps || self.seeded.elapsed() >= age || self.process != std::process::id()
    }

    fn entropy<const N: usize>(&mut self) -> Result<Zeroizing<[u8; N]>, Error> {
        let mut bytes = Zeroizing::new([0; N]);
        self.source.try_fill_bytes(&mut *bytes).map_err(|_| Error::Entropy)?;
        if self.health.check(&*bytes) { Ok(bytes) } else { Err(Error::Health) }
    }
}

impl<S: TryCryptoRng> TryRng for Drng<S> {
    type Error = Error;

    fn try_next_u32(&mut self) -> Result<u32, Error> {
        let mut bytes = Zeroizing::new([0; 4]);
        self.fill(b"", &mut *bytes)?;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Error> {
        let mut bytes = Zeroizing::new([0; 8]);
        self.fill(b"", &mut *bytes)?;
        Ok(u64::from_le_bytes(*bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.fill(b"", out)
    }
}

impl<S: TryCryptoRng> TryCryptoRng for Drng<S> {}

impl<S> fmt::Debug for Drng<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drng").field("level", &self.level).finish_non_exhaustive()
    }
}

fn check_input(input: &[u8]) -> Result<(), Error> {
    if input.len() > MAX_INPUT { Err(Error::TooLong) } else { Ok(()) }
}

/// Runs both mechanisms' known-answer tests now (GM/T 0105-2021, 5.6.6); they also run before the
/// first generator of a process is made.
#[must_use]
pub fn selftest() -> bool {
    answers_are(&SM3_ANSWER, &SM4_ANSWER)
}

fn known_answers() -> Result<(), Error> {
    static PASSED: OnceLock<bool> = OnceLock::new();
    if *PASSED.get_or_init(selftest) { Ok(()) } else { Err(Error::SelfTest) }
}

/// The inputs are bytes in a row.
fn answers_are(sm3: &[u8; 32], sm4: &[u8; 16]) -> bool {
    let input: [u8; 112] = std::array::from_fn(|i| i as u8);
    let (entropy, rest) = input.split_at(32);
    let (nonce, more) = rest.split_at(16);
    let answer = |mechanism, out: &mut [u8]| {
        let mut state = State::instantiate(mechanism, entropy, nonce, b"");
        state.reseed(more, b"");
        state.generate(b"more", out);
    };
    let (mut long, mut short) = ([0; 32], [0; 16]);
    answer(Mechanism::Sm3, &mut long);
    answer(Mechanism::Sm4, &mut short);
    long == *sm3 && short == *sm4
}

const SM3_ANSWER: [u8; 32] = *b"\x69\xbe\xaa\x95\xb2\x34\x1a\x62\x44\x90\x2c\x38\x8c\x44\x69\xd9\
      \x47\x5a\xd5\x51\x95\x72\xaf\x6d\x93\xec\x94\xb5\x10\x25\x6c\xb6";
const SM4_ANSWER: [u8; 16] = *b"\x6a\x64\xea\x37\xb0\xc2\x43\xf4\x9f\xc8\x6b\x57\xcf\x13\xe3\x27";

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what it is told to, and fails when that has run out.
    struct Script {
        bytes: Box<dyn Iterator<Item = u8>>,
        taken: usize,
    }

    impl TryRng for &mut Script {
        type Error = Error;

        fn try_next_u32(&mut self) -> Result<u32, Error> {
            Err(Error::Entropy)
        }

        fn try_next_u64(&mut self) -> Result<u64, Error> {
            Err(Error::Entropy)
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
            for byte in out {
                *byte = self.bytes.next().ok_or(Error::Entropy)?;
                self.taken += 1;
            }
            Ok(())
        }
    }

    impl TryCryptoRng for &mut Script {}

    /// Passes the health tests, and is anything but random.
    fn counting(len: usize) -> Script {
        Script { bytes: Box::new((0..len).map(|i| (i * 7 + i / 256) as u8)), taken: 0 }
    }

    const MECHANISMS: [Mechanism; 2] = [Mechanism::Sm3, Mechanism::Sm4];
    const SEEDING: usize = START_UP + ENTROPY + NONCE;

    #[test]
    fn over_the_system_outputs_differ() {
        for mechanism in MECHANISMS {
            let mut one = Drng::new(mechanism, Level::One, b"").unwrap();
            let mut two = Drng::new(mechanism, Level::One, b"").unwrap();
            let mut outputs = [[0; 100]; 4];
            for (i, out) in outputs.iter_mut().enumerate() {
                if i % 2 == 0 { &mut one } else { &mut two }.try_fill_bytes(out).unwrap();
            }
            for (i, out) in outputs.iter().enumerate() {
                assert!(!outputs[..i].contains(out));
            }
        }
    }

    #[test]
    fn reseeds_at_the_limit_of_its_level() {
        for (mechanism, step) in MECHANISMS.into_iter().zip([32, 16]) {
            let mut script = counting(10_000);
            let mut rng = Drng::with_source(&mut script, mechanism, Level::Two, b"").unwrap();
            let mut out = vec![0; 1024 * step];
            rng.fill(b"", &mut out).unwrap();
            assert_eq!(rng.source.taken, SEEDING);
            rng.fill(b"", &mut out[..1]).unwrap();
            assert_eq!(rng.source.taken, SEEDING + ENTROPY);
        }
    }

    #[test]
    fn reseeds_after_time_and_in_a_child() {
        let mut script = counting(10_000);
        let mut rng = Drng::with_source(&mut script, Mechanism::Sm3, Level::One, b"").unwrap();
        rng.seeded = Instant::now().checked_sub(Duration::from_secs(600)).unwrap();
        rng.fill(b"", &mut [0; 8]).unwrap();
        assert_eq!(rng.source.taken, SEEDING + ENTROPY);
        rng.process ^= 1; // as if it were the parent's
        rng.fill(b"", &mut [0; 8]).unwrap();
        assert_eq!(rng.source.taken, SEEDING + 2 * ENTROPY);
    }

    #[test]
    fn a_source_that_fails_puts_out_of_service() {
        for mechanism in MECHANISMS {
            let mut script = counting(SEEDING - 1);
            let short = Drng::with_source(&mut script, mechanism, Level::One, b"");
            assert_eq!(short.err(), Some(Error::Entropy));

            let mut script = counting(SEEDING + ENTROPY - 1);
            let mut rng = Drng::with_source(&mut script, mechanism, Level::One, b"").unwrap();
            assert_eq!(rng.reseed(b""), Err(Error::Entropy));
            let mut out = [7; 40];
            assert_eq!(rng.fill(b"", &mut out), Err(Error::OutOfService));
            assert_eq!(out, [0; 40]);
            assert_eq!(rng.reseed(b""), Err(Error::OutOfService));
        }
    }

    #[test]
    fn a_stuck_source_is_noticed_at_start_and_later() {
        let mut stuck = Script { bytes: Box::new(std::iter::repeat(5)), taken: 0 };
        let started = Drng::with_source(&mut stuck, Mechanism::Sm4, Level::One, b"");
        assert_eq!(started.err(), Some(Error::Health));

        let later = counting(SEEDING).bytes.chain(std::iter::repeat(5));
        let mut script = Script { bytes: Box::new(later), taken: 0 };
        let mut rng = Drng::with_source(&mut script, Mechanism::Sm3, Level::One, b"").unwrap();
        assert_eq!(rng.reseed(b""), Err(Error::Health));
        assert_eq!(rng.fill(b"", &mut [0; 1]), Err(Error::OutOfService));
    }

    #[test]
    fn another_answer_fails_the_self_test() {
        assert!(selftest());
        let (mut long, mut short) = (SM3_ANSWER, SM4_ANSWER);
        long[31] ^= 1;
        assert!(!answers_are(&long, &short));
        short[0] ^= 0x80;
        assert!(!answers_are(&SM3_ANSWER, &short));
    }

    #[test]
    fn inputs_have_a_limit_that_leaves_it_in_service() {
        let long = vec![0; MAX_INPUT + 1];
        let refused = Drng::new(Mechanism::Sm3, Level::One, &long);
        assert_eq!(refused.err(), Some(Error::TooLong));
        let mut rng = Drng::new(Mechanism::Sm4, Level::One, &long[1..]).unwrap();
        let mut out = [7; 40];
        assert_eq!(rng.fill(&long, &mut out), Err(Error::TooLong));
        assert_eq!(out, [7; 40]);
        assert_eq!(rng.reseed(&long), Err(Error::TooLong));
        rng.fill(b"", &mut out).unwrap();
    }

    #[test]
    fn personalization_and_additional_input_count() {
        let output = |personalization: &[u8], additional: &[u8]| {
            let mut script = counting(SEEDING);
            let mut out = [0; 64];
            let rng = Drng::with_source(&mut script, Mechanism::Sm4, Level::One, personalization);
            rng.unwrap().fill(additional, &mut out).unwrap();
            out
        };
        assert_eq!(output(b"", b""), output(b"", b""));
        assert_ne!(output(b"", b""), output(b"a", b""));
        assert_ne!(output(b"", b""), output(b"", b"a"));
    }
}
