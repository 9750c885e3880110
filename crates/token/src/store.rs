//! A token on disk: one directory.
//!
//! ```text
//! DIR/lock                       locked by whoever changes something
//! DIR/pin.lock                   locked by whoever tries or sets a PIN, before `lock`
//! DIR/token.der                  label, serial, and the token's keys wrapped under each PIN
//! DIR/change                     random bytes, new with every change: tells others to look again
//! DIR/objects-SERIAL/NAME.der    one object each
//! ```
//!
//! Every file is written beside its place, synced and renamed. A token that is initialised anew has
//! a new serial, so that the objects of the old one are out of use from the moment `token.der` is
//! replaced, whenever a crash comes.

mod folder;
mod object_file;
mod token_file;

use std::{
    collections::HashMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use cryptoki_sys::{
    CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_OBJECT_HANDLE_INVALID, CKR_TOKEN_NOT_RECOGNIZED,
};
use gmkit_keys::SysRng;
use gmkit_sm2::rand_core::TryRng;

pub(crate) use self::{
    folder::{Guard, Stamp},
    token_file::{Role, StoreKeys, TokenFile},
};
use crate::{
    attributes::Attributes,
    rv::{Result, Rv, ensure},
};

/// Most objects of a token.
const MAX_OBJECTS: usize = 10_000;

/// Largest object file, in bytes.
const MAX_OBJECT: u64 = 1 << 20;

/// Largest of the other files, in bytes.
const MAX_FILE: u64 = 4096;

/// The name of an object's file, random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name([u8; 16]);

impl Name {
    pub(crate) fn random() -> Result<Self> {
        random().map(Self)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut name = [0; 16];
        hex::decode_to_slice(text, &mut name).ok()?;
        (hex::encode(name) == text).then_some(Self(name))
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| Rv(cryptoki_sys::CKR_RANDOM_NO_RNG))?;
    Ok(bytes)
}

/// The directory of a token.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
}

impl Store {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// What is written about the token; `None` where there is none yet.
    pub(crate) fn token(&self) -> Result<Option<TokenFile>> {
        if !folder::is_private_folder(&self.dir)? {
            return Ok(None);
        }
        match folder::read(&self.dir.join("token.der"), MAX_FILE)? {
            None => Ok(None),
            Some(bytes) => {
                TokenFile::from_der(&bytes).map(Some).map_err(|_| Rv(CKR_TOKEN_NOT_RECOGNIZED))
            }
        }
    }

    /// Locks the directory against every other writer, in this process or another.
    pub(crate) fn lock(&self) -> Result<Guard> {
        ensure(folder::is_private_folder(&self.dir)?, CKR_DEVICE_ERROR)?;
        folder::lock(&self.dir.join("lock"))
    }

    /// Locks the PINs: tries come one after the other, so that many who have the right one do not
    /// lock each other out, while objects can be read and written all the time.
    pub(crate) fn lock_pins(&self) -> Result<Guard> {
        folder::create(&self.dir)?;
        folder::lock(&self.dir.join("pin.lock"))
    }

    /// Replaces what is written about the token, under the lock.
    pub(crate) fn write_token(&self, guard: &Guard, token: &TokenFile) -> Result {
        folder::replace(guard, &self.dir, "token.der", &token.to_der()?).map(|_| ())
    }

    /// Puts a new token in the place of what was there, and drops the old one's objects.
    pub(crate) fn initialise(&self, guard: &Guard, token: &TokenFile) -> Result {
        folder::create(&self.objects(token))?;
        self.announce(guard)?;
        self.write_token(guard, token)?;
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let stale = path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"objects-"));
            if stale && path != self.objects(token) {
                fs::remove_dir_all(path)?;
            }
        }
        Ok(())
    }

    fn objects(&self, token: &TokenFile) -> PathBuf {
        self.dir.join(format!("objects-{}", token.serial_hex()))
    }

    /// Tells other processes to look again. Comes before the change, and they look under the lock:
    /// whoever sees the new bytes waits for the change, and no crash between can hide it.
    fn announce(&self, guard: &Guard) -> Result {
        folder::replace(guard, &self.dir, "change", &random::<16>()?).map(|_| ())
    }

    /// What changes with every change.
    pub(crate) fn change(&self) -> Result<Vec<u8>> {
        Ok(folder::read(&self.dir.join("change"), MAX_FILE)?.unwrap_or_default())
    }

    /// Writes an object, new or in the place of the one with this name.
    pub(crate) fn write_object(
        &self,
        guard: &Guard,
        token: &TokenFile,
        keys: &StoreKeys,
        name: Name,
        object: &Attributes,
    ) -> Result<Stamp> {
        let bytes = object_file::seal(token, keys, name, object)?;
        ensure(bytes.len() as u64 <= MAX_OBJECT, CKR_DEVICE_MEMORY)?;
        let there = self.list(token)?;
        ensure(there.contains_key(&name) || there.len() < MAX_OBJECTS, CKR_DEVICE_MEMORY)?;
        self.announce(guard)?;
        folder::replace(guard, &self.objects(token), &file_name(name), &bytes)
    }

    /// Removes an object. That it is gone already is an error.
    pub(crate) fn remove_object(
        &self,
        guard: &Guard,
        token: &TokenFile,
        name: Name,
    ) -> Result<bool> {
        self.announce(guard)?;
        let folder = self.objects(token);
        match fs::remove_file(folder.join(file_name(name))) {
            Ok(()) => folder::sync(&folder).map(|()| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The objects there are.
    pub(crate) fn list(&self, token: &TokenFile) -> Result<HashMap<Name, Stamp>> {
        let folder = self.objects(token);
        ensure(folder::is_private_folder(&folder)?, CKR_TOKEN_NOT_RECOGNIZED)?;
        let mut found = HashMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let file = entry.file_name();
            let name = file.to_str().and_then(|name| name.strip_suffix(".der"));
            let Some(name) = name.and_then(Name::parse) else { continue };
            match entry.metadata() {
                Ok(metadata) => drop(found.insert(name, folder::stamp(&metadata))),
                // Gone since the folder was read.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Reads an object and checks that this token wrote it; `None` for a sealed one without keys.
    pub(crate) fn read_object(
        &self,
        token: &TokenFile,
        keys: Option<&StoreKeys>,
        name: Name,
    ) -> Result<Option<Attributes>> {
        let path = self.objects(token).join(file_name(name));
        let bytes = folder::read(&path, MAX_OBJECT)?.ok_or(Rv(CKR_OBJECT_HANDLE_INVALID))?;
        object_file::open(token, keys, name, &bytes)
    }
}

fn file_name(name: Name) -> String {
    format!("{}.der", hex::encode(name.0))
}
