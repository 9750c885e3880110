//! Audit logs that are checked.

use toolkit::audit::Auditor;

use crate::{
    audit_log::folder,
    export::export,
    fault::{Fault, gmkit_error},
    pointer::{In, Number, Ref},
    public_key::gmkit_public_key,
};

/// Stands for the number of a record where a finding is about none.
pub const GMKIT_AUDIT_NO_INDEX: u64 = u64::MAX;

export! {
    /// Checks all of an audit log against its public key, also while somebody writes it: that each record is
    /// what was signed, where it was, and that none is missing. `checkpoint` is one that was kept from
    /// earlier, the content of the log's file of that name: it shows that the log was not rolled back since.
    /// It may be NULL with length 0. Sets `*size` to how many records are signed, `*tail` to how many more there
    /// are, of which nothing is proven yet, and `*index` to the first record that something is wrong with, or
    /// GMKIT_AUDIT_NO_INDEX; each may be NULL. Records that were pruned under the log's key are not missing, and what
    /// the log says about events that were refused, dropped or lost is for `gmkit audit verify` to tell.
    ///
    /// Errors: GMKIT_ERR_AUDIT when something is wrong, which the message says; GMKIT_ERR_ENCODING when
    /// `checkpoint` is none; GMKIT_ERR_IO.
    fn gmkit_audit_verify(
        dir: In,
        dir_len: usize,
        key: Ref<gmkit_public_key>,
        checkpoint: In,
        checkpoint_len: usize,
        size: Number,
        tail: Number,
        index: Number,
    ) {
        size.set(0);
        tail.set(0);
        index.set(GMKIT_AUDIT_NO_INDEX);
        let mut auditor = Auditor::new(folder(dir.bytes(dir_len)?)?, key.get()?);
        if let Some(kept) = checkpoint.optional(checkpoint_len)? {
            auditor = auditor.with_kept(kept);
        }
        let report = auditor.run()?;
        let first = report.findings.first();
        size.set(report.size);
        tail.set(report.tail);
        index.set(first.and_then(|finding| finding.index()).unwrap_or(GMKIT_AUDIT_NO_INDEX));
        match first {
            None => Ok(()),
            Some(finding) => Err(Fault::new(gmkit_error::GMKIT_ERR_AUDIT, finding.to_string())),
        }
    }
}
