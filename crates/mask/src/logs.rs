//! Logs that are masked before they are written.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::{BodyStream, Format, Policy};

/// What stands for an event that cannot be masked: it is too long, for one.
const UNMASKED: &str = "[REDACTED:cannot_be_masked]";

/// Writes the events of a `tracing_subscriber::fmt` subscriber masked: messages, fields, spans and the texts of errors,
/// all that it formats. Wrap the writer that it has, or `std::io::stdout`.
///
/// An event is masked as a whole, over all of its lines, and written at once. Colours do not get in the way. Other
/// layers of the same subscriber, as those that export to a collector, do not write through this one and are not masked.
///
/// ```
/// use gmkit_mask::{MaskedLogs, Policy};
///
/// let subscriber = tracing_subscriber::fmt()
///     .with_writer(MaskedLogs::text(Policy::new(), std::io::stderr))
///     .finish();
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!(mail = "alice@example.com", "welcome"); // … welcome mail="****@example.com"
/// });
/// ```
pub struct MaskedLogs<M> {
    policy: Arc<Policy>,
    format: Format,
    inner: M,
}

impl<M> MaskedLogs<M> {
    /// For formats that people read; rules are for places, which these have none of.
    pub fn text(policy: Policy, inner: M) -> Self {
        Self { policy: Arc::new(policy), format: Format::Text, inner }
    }

    /// For `tracing_subscriber::fmt().json()`, where rules have places: `**.phone`, `fields.phone`.
    pub fn json(policy: Policy, inner: M) -> Self {
        Self { policy: Arc::new(policy), format: Format::JsonLines, inner }
    }

    fn writer<W: Write>(&self, inner: W) -> MaskedEvent<W> {
        let policy = Arc::clone(&self.policy);
        MaskedEvent { policy, format: self.format, held: Vec::new(), inner }
    }
}

impl<'w, M: MakeWriter<'w>> MakeWriter<'w> for MaskedLogs<M> {
    type Writer = MaskedEvent<M::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        self.writer(self.inner.make_writer())
    }

    fn make_writer_for(&'w self, metadata: &Metadata<'_>) -> Self::Writer {
        self.writer(self.inner.make_writer_for(metadata))
    }
}

impl<M: fmt::Debug> fmt::Debug for MaskedLogs<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, format, inner } = self;
        f.debug_struct("MaskedLogs")
            .field("policy", policy)
            .field("format", format)
            .field("inner", inner)
            .finish()
    }
}

/// One event on its way; it is written when this is dropped.
#[derive(Debug)]
pub struct MaskedEvent<W: Write> {
    policy: Arc<Policy>,
    format: Format,
    held: Vec<u8>,
    inner: W,
}

impl<W: Write> MaskedEvent<W> {
    fn masked(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.held.len());
        let mut stream = BodyStream::new(&*self.policy, self.format);
        stream.push(&self.held, &mut out).ok()?;
        stream.finish(&mut out).ok()?;
        Some(out)
    }
}

impl<W: Write> Write for MaskedEvent<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(piece);
        Ok(piece.len())
    }

    /// Nothing: half an event cannot be masked.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for MaskedEvent<W> {
    fn drop(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let out = self.masked().unwrap_or_else(|| match self.format {
            Format::JsonLines => format!("{{\"message\":\"{UNMASKED}\"}}\n").into_bytes(),
            _ => format!("{UNMASKED}\n").into_bytes(),
        });
        // There is nobody to tell, as for the subscriber's own writers.
        let _ = self.inner.write_all(&out).and_then(|()| self.inner.flush());
    }
}
