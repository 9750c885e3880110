//! Requests that came before.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Mutex, PoisonError},
};

use crate::Error;

/// How many are remembered.
const MOST: usize = 1 << 20;

/// Those of which the time is still right, by their random identifiers.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    ids: HashSet<[u8; 16]>,
    /// The first one to be forgotten comes first.
    until: BTreeSet<(u64, [u8; 16])>,
    /// Up to when those were right that were forgotten: of that time nobody can tell any more what came. It never goes
    /// back, whatever the clock does.
    forgotten: u64,
}

/// When a body was sealed, and what is allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed {
    pub(crate) id: [u8; 16],
    pub(crate) time: u64,
    pub(crate) skew: u64,
    /// When this process began to remember.
    pub(crate) start: u64,
}

impl Seen {
    /// Remembers one; it must not be there yet, and its time must be right now. (It was right when its head came, but
    /// whoever sends it may have waited since.)
    pub(crate) fn first(&self, sealed: &Sealed, now: impl Fn() -> u64) -> Result<(), Error> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = &mut *memory;
        let (now, until) = (now(), sealed.time.saturating_add(sealed.skew));
        while let Some(oldest) = memory.until.first().copied().filter(|(until, _)| *until < now) {
            memory.until.remove(&oldest);
            memory.ids.remove(&oldest.1);
            memory.forgotten = memory.forgotten.max(oldest.0);
        }
        let too_old = until <= memory.forgotten || sealed.time < sealed.start;
        if too_old || now.abs_diff(sealed.time) > sealed.skew {
            return Err(Error::Time);
        }
        if memory.ids.contains(&sealed.id) {
            return Err(Error::Replayed);
        }
        if memory.ids.len() >= MOST {
            return Err(Error::Busy);
        }
        memory.ids.insert(sealed.id);
        memory.until.insert((until, sealed.id));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> [u8; 16] {
        std::array::from_fn(|at| n.to_be_bytes()[at % 4])
    }

    fn first(seen: &Seen, n: u32, time: u64, now: u64) -> Result<(), Error> {
        seen.first(&Sealed { id: id(n), time, skew: 100, start: 50 }, || now)
    }

    #[test]
    fn as_long_as_its_time_is_right() {
        let seen = Seen::default();
        first(&seen, 1, 150, 100).unwrap();
        assert!(matches!(first(&seen, 1, 150, 150), Err(Error::Replayed)));
        assert!(matches!(first(&seen, 1, 150, 250), Err(Error::Replayed)));
        assert!(matches!(first(&seen, 1, 150, 251), Err(Error::Time)), "it was held back");
        assert!(matches!(first(&seen, 2, 350, 249), Err(Error::Time)), "it is not time yet");
        // The clock goes back: what was forgotten is not taken anew, nor is anything else of that time.
        assert!(matches!(first(&seen, 1, 150, 200), Err(Error::Time)));
        assert!(matches!(first(&seen, 3, 149, 200), Err(Error::Time)));
        first(&seen, 4, 151, 200).unwrap();
        assert!(matches!(first(&seen, 5, 49, 60), Err(Error::Time)), "before this process began");
        let seen = Seen::default();
        for n in 1..=MOST as u32 {
            first(&seen, n, 100, 100).unwrap();
        }
        assert!(matches!(first(&seen, 0, 100, 100), Err(Error::Busy)), "nothing is forgotten");
        first(&seen, 0, 201, 201).unwrap();
    }
}
