//! The folder with the keys of persons.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use gmkit_keys::{SecretKey, SoftwareSecret, SysRng};
use gmkit_sm2::rand_core::TryRng;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Subject;
use crate::{Error, disk};

/// Longest file, in bytes: a nonce, what is sealed, and the tag.
const LEN: usize = 12 + 32 + 16;

/// What the files are sealed with besides their names, so that none stands for another.
const LOOKUP: &str = "gmkit.org/audit-lookup";
const SUBJECT: &str = "gmkit.org/audit-subject ";

#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    master: Arc<dyn SecretKey>,
    /// Makes of a person's name that of the file.
    lookup: SoftwareSecret,
}

impl Store {
    pub(super) fn open(dir: &Path, master: Arc<dyn SecretKey>) -> Result<Self, Error> {
        if dir.join("segments").exists() {
            return Err(Error::Options { reason: "the folder of a log is none for keys" });
        }
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::io(dir))?;
        let _lock = lock(dir)?;
        let path = dir.join("lookup");
        let key = match path.try_exists().map_err(Error::io(&path))? {
            true => unseal(&path, &*master, LOOKUP)?,
            false if keys(dir)?.next().is_some() => {
                let reason = "it is gone, and the names of the keys with it";
                return Err(Error::Damaged { path, reason });
            }
            false => {
                let key = random()?;
                disk::replace_secret(&path, &master.seal(LOOKUP.as_bytes(), &*key)?)?;
                key
            }
        };
        let lookup = SoftwareSecret::hmac_sm3(&*key)?;
        Ok(Self { dir: dir.to_owned(), master, lookup })
    }

    /// Where the key of a person of this name is.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, Error> {
        let mut mac = self.lookup.start_mac()?;
        mac.update(name.as_bytes())?;
        Ok(self.dir.join(format!("{}.key", hex::encode(&mac.finish()?[..16]))))
    }

    /// Reads a key, if it is there.
    pub(super) fn read(&self, path: &Path) -> Result<Option<Subject>, Error> {
        match unseal(path, &*self.master, &label(path)) {
            Ok(bytes) => Subject::new(&bytes).map(Some),
            Err(error) if disk::is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a key, or makes it; it is on the disk before anything is sealed with it.
    pub(super) fn read_or_make(&self, path: &Path) -> Result<Subject, Error> {
        if let Some(subject) = self.read(path)? {
            return Ok(subject);
        }
        let _lock = lock(&self.dir)?;
        if let Some(subject) = self.read(path)? {
            return Ok(subject);
        }
        let bytes = random()?;
        disk::replace_secret(path, &self.master.seal(label(path).as_bytes(), &*bytes)?)?;
        Subject::new(&bytes)
    }

    /// Puts a key where nobody finds it by a name any more; whether there was one.
    pub(super) fn put_aside(&self, path: &Path) -> Result<bool, Error> {
        let _lock = lock(&self.dir)?;
        let Some(subject) = self.read(path)? else { return Ok(false) };
        let aside = self.dir.join(format!("{ASIDE}{}-{}", stem(path), subject.id));
        fs::rename(path, &aside).map_err(Error::io(path))?;
        disk::sync_folder(&self.dir)?;
        Ok(true)
    }

    /// The keys that were put aside.
    pub(super) fn aside(&self) -> Result<Vec<Aside>, Error> {
        let parse = |name: String| {
            let (stem, id) = name.strip_prefix(ASIDE)?.split_once('-')?;
            let (stem, id) = (stem.to_owned(), id.parse().ok()?);
            Some(Aside { path: self.dir.join(&name), stem, id })
        };
        Ok(names(&self.dir)?.filter_map(parse).collect())
    }

    /// Overwrites and removes a key that was put aside.
    pub(super) fn destroy(&self, aside: &Aside) -> Result<(), Error> {
        let destroy = || {
            let mut file = OpenOptions::new().write(true).open(&aside.path)?;
            file.write_all(&[0; LEN])?;
            file.sync_all()?;
            fs::remove_file(&aside.path)
        };
        match destroy().map_err(Error::io(&aside.path)) {
            // Somebody else has finished it.
            Err(error) if disk::is_missing(&error) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => disk::sync_folder(&self.dir),
        }
    }
}

/// A key that is to be destroyed.
#[derive(Debug)]
pub(super) struct Aside {
    path: PathBuf,
    stem: String,
    id: Uuid,
}

impl Aside {
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Whether it was the key at this place.
    pub(super) fn is_of(&self, path: &Path) -> bool {
        self.stem == stem(path)
    }
}

/// Tells one file from another one that has taken its place.
#[derive(Debug, PartialEq)]
pub(super) struct Stamp {
    inode: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// `None` where there is no file.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, Error> {
        match fs::metadata(path).map_err(Error::io(path)) {
            Ok(file) => {
                let changed = (file.ctime(), file.ctime_nsec());
                Ok(Some(Self { inode: file.ino(), changed }))
            }
            Err(error) if disk::is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

const ASIDE: &str = "erasing-";

/// Who makes or moves a key has this, in whatever process.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("subjects.lock");
    let lock = || {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(Error::io(&path))
}

fn names(dir: &Path) -> Result<impl Iterator<Item = String> + use<>, Error> {
    let entries = fs::read_dir(dir).map_err(Error::io(dir))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()))
}

fn keys(dir: &Path) -> Result<impl Iterator<Item = String> + use<>, Error> {
    Ok(names(dir)?.filter(|name| name.ends_with(".key")))
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}

fn label(path: &Path) -> String {
    format!("{SUBJECT}{}", stem(path))
}

fn random() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(&mut *bytes).map_err(|_| gmkit_keys::Error::Rng)?;
    Ok(bytes)
}

fn unseal(path: &Path, master: &dyn SecretKey, label: &str) -> Result<Zeroizing<[u8; 32]>, Error> {
    let sealed = disk::read(path, LEN)?;
    let opened = match master.open(label.as_bytes(), &sealed) {
        Ok(opened) => Zeroizing::new(opened),
        Err(gmkit_keys::Error::Rejected) => {
            let reason = "not sealed under this key, or changed";
            return Err(Error::Damaged { path: path.to_owned(), reason });
        }
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Zeroizing::new([0; 32]);
    if opened.len() != bytes.len() {
        let reason = "not as long as a key";
        return Err(Error::Damaged { path: path.to_owned(), reason });
    }
    bytes.copy_from_slice(&opened);
    Ok(bytes)
}
