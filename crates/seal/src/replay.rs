//! Bodies that came before.

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
}

impl Seen {
    /// Remembers one until a time; it must not be there yet.
    pub(crate) fn first(&self, id: [u8; 16], now: u64, until: u64) -> Result<(), Error> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = &mut *memory;
        while let Some(oldest) = memory.until.first().copied().filter(|(until, _)| *until < now) {
            memory.until.remove(&oldest);
            memory.ids.remove(&oldest.1);
        }
        if memory.ids.contains(&id) {
            return Err(Error::Replayed);
        }
        if memory.ids.len() >= MOST {
            return Err(Error::Busy);
        }
        memory.ids.insert(id);
        memory.until.insert((until, id));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_long_as_its_time_is_right() {
        let seen = Seen::default();
        let id = |n: u32| std::array::from_fn(|at| n.to_be_bytes()[at % 4]);
        seen.first(id(1), 100, 200).unwrap();
        assert!(matches!(seen.first(id(1), 150, 250), Err(Error::Replayed)));
        assert!(matches!(seen.first(id(1), 200, 300), Err(Error::Replayed)));
        seen.first(id(1), 201, 300).unwrap();
        for n in 2..=MOST as u32 {
            seen.first(id(n), 201, 400).unwrap();
        }
        assert!(matches!(seen.first(id(0), 201, 400), Err(Error::Busy)), "nothing is forgotten");
        seen.first(id(0), 301, 400).unwrap();
    }
}
