//! What a small authority has issued and revoked: a folder of files with an index to which lines are only
//! ever appended.

mod event;
mod index;
mod state;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use gmkit_sm2::PublicKey;
use rcgen::{CertificateParams, CertificateRevocationListParams, RevokedCertParams};

use self::{event::Event, index::Index};
pub use self::{
    event::Reason,
    state::{Record, State},
};
use crate::{
    Certificate, Crl, Error, Issuer, Name, Serial, Validity,
    validity::{DAY, date, now},
};

/// The database of one authority.
///
/// `index.jsonl` has a line for each event: a certificate issued or revoked, a list made. `certs/` has the
/// certificates. A line is on the disk before what it tells of leaves this crate: whatever happens to the
/// process, no certificate goes about whose status is not kept, and no serial number is used twice. Several
/// processes may work on it at once: each holds a lock while it writes.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use std::sync::Arc;
/// use gmkit_keys::{PrivateKey, SoftwareKey};
/// use gmkit_pki::{Database, Issuer, Profile, Reason, subject};
///
/// let ca = Profile::Ca.params(subject("CN=Root,C=CN")?, 3650)?;
/// let ca = Issuer::self_signed(ca, Arc::new(SoftwareKey::generate()?))?;
/// let key = SoftwareKey::generate()?;
///
/// let mut database = Database::of(dir.path(), ca.certificate())?;
/// let params = Profile::Sign.params(subject("CN=Alice")?, 365)?;
/// let alice = database.issue(&ca, params, key.public_key())?;
/// database.revoke(alice.serial(), Reason::KeyCompromise)?;
/// assert_eq!(database.crl(&ca, 7)?.revoked().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Database {
    dir: PathBuf,
    index: Index,
}

impl Database {
    /// Opens the database of an authority, or makes it.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Database`], also when it is another authority's.
    pub fn of(dir: &Path, authority: &Certificate) -> Result<Self, Error> {
        let certs = dir.join("certs");
        let new = !dir.exists();
        fs::create_dir_all(&certs).map_err(|source| Error::Io { path: certs, source })?;
        let mut database =
            Self { dir: dir.to_owned(), index: Index::open(&dir.join("index.jsonl"), true)? };
        sync_folder(dir)?;
        if let (true, Some(parent)) = (new, dir.parent()) {
            sync_folder(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
        }
        database.index.locked(|index| match index.state().authority() {
            None if index.is_empty() => index.append(&Event::authority(authority)),
            _ => index.state().check_authority(authority),
        })?;
        Ok(database)
    }

    /// Opens the database of an authority, which must be there: a list or an answer that is made from
    /// another folder by mistake would call what is revoked good.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Database`], also when it is another authority's.
    pub fn existing(dir: &Path, authority: &Certificate) -> Result<Self, Error> {
        let database = Self::open(dir)?;
        database.state().check_authority(authority)?;
        Ok(database)
    }

    /// Opens a database that exists, as to revoke.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Database`].
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let mut database =
            Self { dir: dir.to_owned(), index: Index::open(&dir.join("index.jsonl"), false)? };
        database.refresh()?;
        match database.state().authority() {
            Some(_) => Ok(database),
            None => {
                Err(Error::Database { line: 1, reason: "it does not say whose database it is" })
            }
        }
    }

    /// Reads what other processes have written since the last operation.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Database`].
    pub fn refresh(&mut self) -> Result<(), Error> {
        self.index.locked(|_| Ok(()))
    }

    /// What is known, as of the last operation.
    #[must_use]
    pub fn state(&self) -> &State {
        self.index.state()
    }

    /// Issues a certificate for a key: see [`Issuer::issue`].
    ///
    /// # Errors
    /// As there; [`Error::Io`], [`Error::Database`].
    pub fn issue(
        &mut self,
        issuer: &Issuer,
        params: CertificateParams,
        key: &PublicKey,
    ) -> Result<Certificate, Error> {
        self.record(issuer, params, |params| issuer.issue(params, key))
    }

    /// Issues a certificate for a key and a name: see [`Issuer::issue_named`].
    ///
    /// # Errors
    /// As there; [`Error::Io`], [`Error::Database`].
    pub fn issue_named(
        &mut self,
        issuer: &Issuer,
        params: CertificateParams,
        subject: &Name,
        key: &PublicKey,
    ) -> Result<Certificate, Error> {
        self.record(issuer, params, |params| issuer.issue_named(params, subject, key))
    }

    /// Issues a certificate again, for as long as it was issued for, from now on. The old one stays valid
    /// until its end, or until it is revoked.
    ///
    /// # Errors
    /// [`Error::UnknownSerial`] when it was not issued from here; [`Error::AlreadyRevoked`];
    /// [`Error::Request`] when it is over; and as [`Issuer::renew`].
    pub fn renew(&mut self, issuer: &Issuer, old: &Certificate) -> Result<Certificate, Error> {
        let Validity { not_before, not_after } = old.validity();
        let begin = now();
        let validity = Validity { not_before: begin, not_after: begin + (not_after - not_before) };
        self.index.locked(|index| {
            index.state().check_authority(issuer.certificate())?;
            let record = index.state().record(old.serial())?;
            if record.sm3 != base16ct::lower::encode_string(&old.fingerprint_sm3()) {
                return Err(Error::UnknownSerial(old.serial().clone()));
            }
            if record.revoked().is_some() {
                return Err(Error::AlreadyRevoked(old.serial().clone()));
            }
            if begin > not_after {
                return Err(Error::Request {
                    reason: "it is over: a new certificate takes a new request",
                });
            }
            let new = issuer.renew(old, validity)?;
            record_issued(&self.dir, index, new)
        })
    }

    /// Revokes a certificate, from now on.
    ///
    /// # Errors
    /// [`Error::UnknownSerial`], [`Error::AlreadyRevoked`], [`Error::Io`], [`Error::Database`].
    pub fn revoke(&mut self, serial: &Serial, reason: Reason) -> Result<(), Error> {
        self.index.locked(|index| {
            if index.state().record(serial)?.revoked().is_some() {
                return Err(Error::AlreadyRevoked(serial.clone()));
            }
            index.append(&Event::Revoked { time: now(), serial: serial.clone(), reason })
        })
    }

    /// Makes a revocation list that is to be used for `days`. Certificates that were over when the last
    /// list was made are left out (RFC 5280, 3.3).
    ///
    /// # Errors
    /// As [`Issuer::crl`]; [`Error::Io`], [`Error::Database`].
    pub fn crl(&mut self, issuer: &Issuer, days: u32) -> Result<Crl, Error> {
        let wrong = || Error::Request {
            reason: "a revocation list lives for at least a day, and ends before 10000",
        };
        let end =
            |begin: i64| date(begin + i64::from(days) * DAY).filter(|_| days > 0).ok_or_else(wrong);
        end(now())?;
        let (this_update, number, revoked_certs) = self.index.locked(|index| {
            index.state().check_authority(issuer.certificate())?;
            let this_update = now();
            let number = index.state().next_crl()?;
            let listed: Vec<_> = index.state().to_be_listed(this_update).map(entry).collect();
            // Before the list is made: a number is not used twice.
            index.append(&Event::Crl { time: this_update, number })?;
            Ok((this_update, number, listed))
        })?;
        issuer.crl(CertificateRevocationListParams {
            this_update: date(this_update).ok_or_else(wrong)?,
            next_update: end(this_update)?,
            crl_number: rcgen::SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: rcgen::KeyIdMethod::PreSpecified(Vec::new()),
        })
    }

    fn record(
        &mut self,
        issuer: &Issuer,
        mut params: CertificateParams,
        issue: impl FnOnce(CertificateParams) -> Result<Certificate, Error>,
    ) -> Result<Certificate, Error> {
        self.index.locked(|index| {
            index.state().check_authority(issuer.certificate())?;
            // Unguessable, and looked up all the same: no serial number is used twice.
            let mut serial = Serial::random()?;
            while index.state().record(&serial).is_ok() {
                serial = Serial::random()?;
            }
            params.serial_number = Some(serial.to_rcgen());
            record_issued(&self.dir, index, issue(params)?)
        })
    }
}

fn entry((serial, time, reason): (&Serial, i64, Reason)) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: serial.to_rcgen(),
        revocation_time: date(time).unwrap_or(time::OffsetDateTime::UNIX_EPOCH),
        reason_code: reason.to_rcgen(),
        invalidity_date: None,
    }
}

/// The line first, then the file: there is no certificate on the disk that the index does not know.
fn record_issued(
    dir: &Path,
    index: &mut index::Locked<'_>,
    made: Certificate,
) -> Result<Certificate, Error> {
    index.append(&Event::issued(&made))?;
    let path = dir.join("certs").join(format!("{}.pem", made.serial()));
    write_new(&path, made.to_pem().as_bytes()).map_err(|source| Error::Io { path, source })?;
    Ok(made)
}

/// Writes a file that is there whole or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("part");
    let mut file = fs::File::create(&partial)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

/// A new name in a folder is on the disk when the folder is.
fn sync_folder(dir: &Path) -> Result<(), Error> {
    let synced = fs::File::open(dir).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Error::Io { path: dir.to_owned(), source })
}
