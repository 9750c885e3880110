//! Audit logs that are written.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path, sync::Arc};

use toolkit::audit::{Event, Log, Options, WhenFull};

use crate::{
    certificate::text,
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, Number, Owned, Ref, RefMut, Slot},
    private_key::gmkit_private_key,
};

/// A full queue: wait for room.
pub const GMKIT_AUDIT_BLOCK: u32 = 0;
/// A full queue: GMKIT_ERR_FULL, and what the event is about is not done. It is counted as refused.
pub const GMKIT_AUDIT_REFUSE: u32 = 1;
/// A full queue: GMKIT_ERR_FULL, and what the event is about is done all the same. It is counted as
/// dropped.
pub const GMKIT_AUDIT_DROP: u32 = 2;

handles! {
    /// An audit log that is written, with two threads of its own: a process that forks opens it
    /// afterwards. Any number of threads may append at the same time; none while it is closed or freed.
    struct gmkit_audit_log(Option<Log>);
}

/// A folder by its name's bytes.
pub(crate) fn folder(bytes: &[u8]) -> Result<&Path, Fault> {
    match bytes.is_empty() || bytes.contains(&0) {
        true => Err(Fault::argument("a folder's name is empty, or holds a NUL byte")),
        false => Ok(Path::new(OsStr::from_bytes(bytes))),
    }
}

fn when_full(number: u32) -> Result<WhenFull, Fault> {
    match number {
        GMKIT_AUDIT_BLOCK => Ok(WhenFull::Block),
        GMKIT_AUDIT_REFUSE => Ok(WhenFull::Refuse),
        GMKIT_AUDIT_DROP => Ok(WhenFull::Drop),
        _ => Err(Fault::argument("unknown answer to a full queue")),
    }
}

export! {
    /// Opens the audit log in a folder, or makes it. `origin` is its name, in UTF-8, which its checkpoints
    /// carry: `bank.example/payments`. `key` signs them, each second and when the log is closed; it may be
    /// in a device, and may be freed afterwards. With NULL a log that is there already is opened without its
    /// key: records wait for their signature then, and no more are taken than may wait. Close it with
    /// `gmkit_audit_log_close`, then free it with `gmkit_audit_log_free`.
    ///
    /// Errors: GMKIT_ERR_LOCKED when it is open elsewhere, or here; GMKIT_ERR_AUDIT when its files are not
    /// what it has written; GMKIT_ERR_IO; GMKIT_ERR_ARGUMENT; what the key says, as in `gmkit_sm2_sign`.
    fn gmkit_audit_log_open(
        dir: In,
        dir_len: usize,
        origin: In,
        origin_len: usize,
        key: Ref<gmkit_private_key>,
        log: Slot<gmkit_audit_log>,
    ) {
        log.check()?;
        let dir = folder(dir.bytes(dir_len)?)?;
        let options = Options::new(text(origin.bytes(origin_len)?)?)?;
        let opened = match key.optional()? {
            Some(key) => Log::open(dir, options, Arc::clone(key.key()))?,
            None => Log::open_unsigned(dir, options)?,
        };
        log.put(Some(opened))
    }

    /// Records an event: one JSON object after the published schema, in which `v`, `event_id` and `time` may
    /// be missing: `{"op_type":"transfer.create","result":{"outcome":"denied"}}`. Returns when the record is on
    /// the disk, and sets `*index` to its number. With `index` NULL it does not wait for that: the record
    /// is written all the same, together with others. `when_full` is GMKIT_AUDIT_BLOCK, GMKIT_AUDIT_REFUSE or
    /// GMKIT_AUDIT_DROP.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for what is no event, or longer than 65,535 bytes; GMKIT_ERR_FULL, also when
    /// too many records wait for the key; GMKIT_ERR_IO, after which the log takes nothing more;
    /// GMKIT_ERR_FINISHED for a log that is closed.
    fn gmkit_audit_log_append(
        log: Ref<gmkit_audit_log>,
        event: In,
        event_len: usize,
        when_full: u32,
        index: Number,
    ) {
        let log = log.get()?.as_ref().ok_or_else(Fault::finished)?;
        let event = Event::from_json(event.bytes(event_len)?)?;
        let receipt = log.submit(&event, self::when_full(when_full)?)?;
        if !index.is_null() {
            index.set(receipt.wait()?);
        }
        Ok(())
    }

    /// Writes what is queued, signs a last checkpoint, gives up the folder, and says whether all of that
    /// worked. The handle can only be freed then.
    ///
    /// Errors: GMKIT_ERR_IO; what the key says, as in `gmkit_sm2_sign`: the last records are on the disk then,
    /// and are signed when the log is opened again; GMKIT_ERR_FINISHED when it is closed already.
    fn gmkit_audit_log_close(log: RefMut<gmkit_audit_log>) {
        log.with(|log| Ok(log.take().ok_or_else(Fault::finished)?.close()?))
    }

    /// Frees, and closes a log that is open, without saying whether that worked. NULL is allowed.
    fn gmkit_audit_log_free(log: Owned<gmkit_audit_log>) = void {
        log.free();
    }
}
