//! Proofs for somebody who has not got the log (C2SP tlog-proof, profiled for SM2 and SM3).

use std::{fmt::Write as _, path::Path};

use base64ct::{Base64, Encoding};
use gmkit_sm2::PublicKey;

use crate::{
    Auditor, Checkpoint, Error, Hash,
    checkpoint::{decimal, decode_hash},
    disk,
    layout::Layout,
    leaf_hash,
    merkle::{consistency, inclusion},
    note::MAX_NOTE,
    tiles::Tiles,
    verify_inclusion,
};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// Longest proof, in bytes: a record, its path and a checkpoint.
const MAX: usize = 1 << 18;

/// A record, with the proof that it is in a log.
///
/// Its text is a C2SP tlog-proof with SM3 for SHA-256, whose extra data are the record.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// use std::sync::Arc;
/// use gmkit_audit::{Event, Log, Options, Outcome, Proof};
/// use gmkit_keys::{PrivateKey, SoftwareKey};
///
/// let key = Arc::new(SoftwareKey::generate()?);
/// let log = Log::open(dir, Options::new("bank.example/payments")?, key.clone())?;
/// let index = log.append(&Event::new("login", Outcome::allowed()).by("alice", None, None))?;
/// log.close()?;
///
/// let text = Proof::make(dir, index)?.to_string();
/// // Somewhere else, without the log:
/// let (proof, checkpoint) = Proof::verify(text.as_bytes(), key.public_key())?;
/// assert!(proof.record().starts_with(br#"{"v":1,"#) && checkpoint.size > index);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    record: Vec<u8>,
    index: u64,
    path: Vec<Hash>,
    note: String,
}

impl Proof {
    /// Makes the proof for a record of a log, under its latest checkpoint. Whose checkpoint that is, is for
    /// whoever gets the proof to check.
    ///
    /// # Errors
    /// [`Error::Options`] for a record that the checkpoint does not cover, [`Error::Pruned`] for one that is not
    /// there any more, [`Error::Io`], [`Error::Malformed`], and [`Error::Rejected`]: a proof that does not hold is not made.
    pub fn make(dir: &Path, index: u64) -> Result<Self, Error> {
        let layout = Layout::new(dir);
        Self::with(&layout, &mut Tiles::new(&layout, 0), index)
    }

    fn with(layout: &Layout, tiles: &mut Tiles, index: u64) -> Result<Self, Error> {
        let note = read_checkpoint(layout)?;
        let checkpoint = Checkpoint::unchecked(note.as_bytes())?;
        if index >= checkpoint.size {
            return Err(Error::Options { reason: "no checkpoint covers that record" });
        }
        let Some(record) = Auditor::covered_record(layout, index, &checkpoint)? else {
            let first = Auditor::first(layout.dir())?;
            let reason = "a record is not there that the checkpoint covers";
            return Err(match index < first {
                true => Error::Pruned { first },
                false => Error::Damaged { path: layout.segments(), reason },
            });
        };
        tiles.grown(checkpoint.size);
        let path = inclusion(tiles, index, checkpoint.size)?;
        let proof = Self { record, index, path, note };
        proof.check(&checkpoint)?;
        Ok(proof)
    }

    /// Reads a proof and checks it: that the record is in the log whose key this is.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Rejected`].
    pub fn verify(text: &[u8], key: &PublicKey) -> Result<(Self, Checkpoint), Error> {
        let malformed = Error::Malformed { reason: "not a proof of a record" };
        let proof = Self::parse(text).ok_or(malformed)?;
        let checkpoint = Checkpoint::open(proof.note.as_bytes(), key)?;
        proof.check(&checkpoint)?;
        Ok((proof, checkpoint))
    }

    fn check(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let leaf = leaf_hash(&self.record);
        verify_inclusion(&leaf, self.index, checkpoint.size, &checkpoint.root, &self.path)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX)?;
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        (lines.next()? == FIRST_LINE).then_some(())?;
        let record = Base64::decode_vec(lines.next()?.strip_prefix("extra ")?).ok()?;
        let index = decimal(lines.next()?.strip_prefix("index ")?)?;
        // A tree of 2^64 leaves has no longer paths.
        let path: Vec<_> = lines.map(decode_hash).take(65).collect::<Option<_>>()?;
        Some(Self { record, index, path, note: note.to_owned() })
    }

    /// The record, one line of JSON.
    #[must_use]
    pub fn record(&self) -> &[u8] {
        &self.record
    }

    /// Its index in the log.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The hashes from the record to the root.
    #[must_use]
    pub fn path(&self) -> &[Hash] {
        &self.path
    }
}

/// Makes many proofs of one log: what it has read of the tree it does not read again.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// # use std::sync::Arc;
/// # use gmkit_audit::{Event, Log, Options, Outcome, Proof, Prover};
/// # use gmkit_keys::{PrivateKey, SoftwareKey};
/// # let key = Arc::new(SoftwareKey::generate()?);
/// # let log = Log::open(dir, Options::new("bank.example/payments")?, key.clone())?;
/// # log.append(&Event::new("login", Outcome::allowed()))?;
/// # log.close()?;
/// let mut prover = Prover::new(dir);
/// for index in 0..2 {
///     Proof::verify(prover.prove(index)?.to_string().as_bytes(), key.public_key())?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Prover {
    layout: Layout,
    tiles: Tiles,
}

impl Prover {
    /// For the log in a folder, also while it is written.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        let layout = Layout::new(dir);
        Self { tiles: Tiles::new(&layout, 0), layout }
    }

    /// As [`Proof::make`].
    ///
    /// # Errors
    /// The same.
    pub fn prove(&mut self, index: u64) -> Result<Proof, Error> {
        Proof::with(&self.layout, &mut self.tiles, index).or_else(|_| {
            // The files may have been exchanged.
            self.tiles = Tiles::new(&self.layout, 0);
            Proof::with(&self.layout, &mut self.tiles, index)
        })
    }
}

impl std::fmt::Display for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = format!("{FIRST_LINE}\nextra {}\n", Base64::encode_string(&self.record));
        writeln!(text, "index {}", self.index)?;
        for hash in &self.path {
            writeln!(text, "{}", Base64::encode_string(hash))?;
        }
        write!(f, "{text}\n{}", self.note)
    }
}

fn read_checkpoint(layout: &Layout) -> Result<String, Error> {
    let note = disk::read(&layout.checkpoint(), MAX_NOTE)?;
    String::from_utf8(note).map_err(|_| Error::Malformed { reason: "the note is not UTF-8" })
}

/// Proves that a log has grown from a size, and not been changed below it: the note of its latest checkpoint,
/// what that says, and the proof for [`crate::verify_consistency`]. A witness asks for it before it signs.
///
/// # Errors
/// [`Error::Damaged`] when the log has fewer records, [`Error::Pruned`] when the last of those that it had were
/// pruned since, [`Error::Io`], [`Error::Malformed`], [`Error::Rejected`].
pub fn growth(
    dir: &Path,
    from: u64,
    key: &PublicKey,
) -> Result<(String, Checkpoint, Vec<Hash>), Error> {
    let layout = Layout::new(dir);
    let note = read_checkpoint(&layout)?;
    let checkpoint = Checkpoint::open(note.as_bytes(), key)?;
    if from > checkpoint.size {
        let reason = "it covers fewer records than were there before";
        return Err(Error::Damaged { path: layout.checkpoint(), reason });
    }
    let mut tiles = Tiles::new(&layout, checkpoint.size);
    let proof = consistency(&mut tiles, from, checkpoint.size);
    let first = Auditor::first(dir)?;
    match proof {
        Err(error) if disk::is_missing(&error) && from < first => Err(Error::Pruned { first }),
        proof => Ok((note, checkpoint, proof?)),
    }
}
