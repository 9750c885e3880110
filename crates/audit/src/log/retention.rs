//! How long records are kept, and the segments that go.

use std::{fs, path::Path};

use gmkit_sm2::PublicKey;
use time::{Duration, OffsetDateTime};

use super::{own_record::OwnRecord, recovery::segments};
use crate::{
    Checkpoint, Error, Event, Proof, ReadBack,
    auditor::{signed_roots, upper_tiles_hold},
    disk,
    layout::Layout,
    merkle::WIDTH,
    note::MAX_NOTE,
    sink::check_copy,
};

/// Records below one full tile of level 1.
const UNDER_TILE: u64 = (WIDTH * WIDTH) as u64;

/// How long records are kept, in days.
///
/// ```
/// use gmkit_audit::Retention;
///
/// assert_eq!(Retention::default().days(), 190);
/// assert!(Retention::new(30).is_err());
/// assert_eq!(Retention::shorter_than_the_law_wants(30).days(), 30);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    days: u32,
}

impl Retention {
    /// The least that [`Retention::new`] takes: six months and a few days (网络安全法, article 21, wants six
    /// months at least).
    pub const LEAST: u32 = 190;

    /// So many days.
    ///
    /// # Errors
    /// [`Error::Options`] for fewer than [`Retention::LEAST`].
    pub fn new(days: u32) -> Result<Self, Error> {
        match days < Self::LEAST {
            true => Err(Error::Options { reason: "records are to be kept for 190 days at least" }),
            false => Ok(Self { days }),
        }
    }

    /// So many days, whatever the law says: for logs that are not the only copy, and for tests.
    #[must_use]
    pub fn shorter_than_the_law_wants(days: u32) -> Self {
        Self { days }
    }

    /// How many days.
    #[must_use]
    pub fn days(self) -> u64 {
        self.days.into()
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: Self::LEAST }
    }
}

/// What pruning has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// The first record that is still there.
    pub first: u64,
    /// How many records went.
    pub records: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// What will go.
#[derive(Debug)]
pub(super) struct Plan {
    /// The first indices of segments that stay or go, in their order.
    segments: Vec<u64>,
    /// How many of them go. The last never does.
    go: usize,
}

impl Plan {
    /// A segment goes when the next one was begun so long ago: then all of its own records are older. That the
    /// log itself has begun it then is proven, as names and contents of files are anybody's.
    pub(super) fn new(
        layout: &Layout,
        retention: Retention,
        key: &PublicKey,
    ) -> Result<Self, Error> {
        let segments = segments(layout)?;
        let age = Duration::days(retention.days().cast_signed());
        let Some(before) = OffsetDateTime::now_utc().checked_sub(age) else {
            return Ok(Self { segments, go: 0 });
        };
        let mut go = 0;
        // A clock that went back makes nothing older.
        let mut latest: Option<OffsetDateTime> = None;
        for (i, segment) in segments.iter().enumerate() {
            let Some(time) = begun(layout, *segment, key)? else { break };
            latest = latest.max(Some(time));
            if latest.is_some_and(|latest| latest > before) {
                break;
            }
            go = i;
        }
        if go > 0 {
            check_proofs(layout, key)?;
        }
        Ok(Self { segments, go })
    }

    /// The first record that stays, if any go.
    pub(super) fn first(&self) -> Option<u64> {
        (self.go > 0).then(|| self.segments[self.go])
    }

    /// What is read back of a copy makes the signed root, for all that goes.
    pub(super) fn check_copy(
        &self,
        layout: &Layout,
        key: &PublicKey,
        sink: &mut dyn ReadBack,
    ) -> Result<(), Error> {
        match (self.first(), self.segments.first()) {
            (Some(end), Some(begin)) => {
                // Tiles at the right edge may be gone when they are looked for, and then there is a newer checkpoint.
                let roots = || signed_roots(layout, &checkpoint(layout, key)?);
                let roots = (0..8).find_map(|_| roots().ok()).map_or_else(roots, Ok)?;
                check_copy(&roots, *begin..end, sink)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn carry_out(&self, layout: &Layout) -> Result<Pruned, Error> {
        let begin = self.segments.first().copied().unwrap_or(0);
        let first = self.segments.get(self.go).copied().unwrap_or(0);
        let mut pruned = Pruned { first, records: first - begin, bytes: 0 };
        for segment in &self.segments[..self.go] {
            pruned.bytes += remove(&layout.segment(*segment))?;
            // If the system goes down now, what is left still follows each other.
            disk::sync_folder(&layout.segments())?;
        }
        if self.go > 0 {
            pruned.bytes += remove_leaves(layout, begin, first)?;
        }
        Ok(pruned)
    }
}

/// When a segment was begun, as its first record says, which is proven; `None` for one that is not signed yet.
fn begun(layout: &Layout, first: u64, key: &PublicKey) -> Result<Option<OffsetDateTime>, Error> {
    if first >= checkpoint(layout, key)?.size {
        return Ok(None);
    }
    let proof = match Proof::make(layout.dir(), first) {
        // Tiles at the right edge may be gone when they are looked for: another time.
        Err(error) if disk::is_missing(&error) => return Ok(None),
        proof => proof?,
    };
    let text = proof.to_string();
    let (proof, _) = Proof::verify(text.as_bytes(), key)?;
    let event = Event::from_json(proof.record())?;
    match OwnRecord::of(&event) {
        Some(OwnRecord::Segment(_)) if proof.index() == first => Ok(Some(event.time)),
        _ => {
            let reason = "not a segment that the log has begun";
            Err(Error::Damaged { path: layout.segment(first), reason })
        }
    }
}

fn checkpoint(layout: &Layout, key: &PublicKey) -> Result<Checkpoint, Error> {
    Checkpoint::open(&disk::read(&layout.checkpoint(), MAX_NOTE)?, key)
}

/// The tiles that will be all that is left of what goes make the signed root.
fn check_proofs(layout: &Layout, key: &PublicKey) -> Result<(), Error> {
    // Those at the right edge may be gone when they are looked for, and then there is a newer checkpoint.
    for _ in 0..8 {
        if upper_tiles_hold(layout, &checkpoint(layout, key)?) {
            return Ok(());
        }
    }
    let reason = "not the tiles of what was signed";
    Err(Error::Damaged { path: layout.dir().join("tile"), reason })
}

/// Removes the tiles of leaves of records before `first`, where `begin` is the first that was there before.
///
/// The full tile above proves what they did. Where there is none yet they stay: whoever opens the log makes
/// its edge of them.
fn remove_leaves(layout: &Layout, begin: u64, first: u64) -> Result<u64, Error> {
    let under_full = |record: u64| record / UNDER_TILE * WIDTH as u64;
    let mut from = under_full(begin);
    // Those that were left when it was interrupted.
    while from > 0 && layout.tile(0, from - 1).exists() {
        from -= 1;
    }
    let mut bytes = 0;
    for tile in from..under_full(first) {
        let path = layout.tile(0, tile);
        bytes += remove(&path)?;
        // Of folders only those go that are empty.
        let folder = path.parent().filter(|_| (tile + 1).is_multiple_of(1000));
        folder.map_or(Ok(()), fs::remove_dir).or_else(|error| match error.kind() {
            std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(Error::io(&path)(error)),
        })?;
    }
    Ok(bytes)
}

/// Its length. It may be gone already.
fn remove(path: &Path) -> Result<u64, Error> {
    let remove = || {
        let bytes = fs::metadata(path)?.len();
        fs::remove_file(path)?;
        Ok(bytes)
    };
    match remove().map_err(Error::io(path)) {
        Err(error) if disk::is_missing(&error) => Ok(0),
        removed => removed,
    }
}
