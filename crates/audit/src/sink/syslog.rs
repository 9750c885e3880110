//! Copies at a syslog server, over TLS.

mod connection;
mod message;

use std::{fmt, path::PathBuf, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};

use super::{Last, Sink, cursor::Cursor, host, shown, tls::client_config};
use crate::Error;

/// A syslog server, and how to get there.
///
/// ```
/// use gmkit_audit::SyslogOptions;
///
/// let options = SyslogOptions::new("log.example:6514", "bank.example/payments", "audit.cursor");
/// let options = options.with_ca("ca.pem").with_identity("client.pem", "client.key");
/// ```
#[derive(Clone)]
pub struct SyslogOptions {
    server: String,
    origin: String,
    cursor: PathBuf,
    ca: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
    tls: Option<Arc<ClientConfig>>,
    plain_end: bool,
}

impl SyslogOptions {
    /// The server at an address (`host:port`; the port is usually 6514), for the records of the log called `origin`.
    /// The file `cursor` says up to where they were sent; it is made if it is not there.
    #[must_use]
    pub fn new(server: &str, origin: &str, cursor: impl Into<PathBuf>) -> Self {
        Self {
            server: server.to_owned(),
            origin: origin.to_owned(),
            cursor: cursor.into(),
            ca: None,
            identity: None,
            tls: None,
            plain_end: false,
        }
    }

    /// The certificates, in PEM, of who may have certified the server; else those that the system trusts.
    #[must_use]
    pub fn with_ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca = Some(file.into());
        self
    }

    /// The client's own certificates and their private key, in PEM.
    #[must_use]
    pub fn with_identity(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some((chain.into(), key.into()));
        self
    }

    /// Another TLS than the classic one, in place of the files: that of `gmkit::tls::Client`, for a server that speaks
    /// national TLS.
    #[must_use]
    pub fn with_tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Takes the end of a connection for a receipt also where the server ends it by TCP alone, as rsyslog does with its
    /// driver `gtls`. Who can cut connections can make records vanish then.
    #[must_use]
    pub fn with_plain_end(mut self) -> Self {
        self.plain_end = true;
        self
    }
}

impl fmt::Debug for SyslogOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, origin, cursor, .. } = self;
        let mut debug = f.debug_struct("SyslogOptions");
        debug.field("server", &shown(server)).field("origin", origin).field("cursor", cursor);
        debug.finish_non_exhaustive()
    }
}

/// Copies of a log at a syslog server: RFC 5424 over TLS (RFC 5425), one message for each record.
///
/// The message is the record's line; its number is the structured data's `sequenceId`. Syslog has no receipts, and a
/// connection that is taken may lose what was written to it. So records that go together have a connection of their
/// own, and count as sent when the server has read it to its end, as far as TCP can tell, and ends it as well. Whatever
/// fails before that is sent again: at least once, and twice now and then, known by the log's name, which is the
/// `PROCID`, and by `sequenceId` and `event_id`.
///
/// A receipt says that the server, or what speaks TLS in its place, has read a record, and not that it has kept it.
/// What a syslog server keeps cannot be read back, so that nothing is pruned because of it.
pub struct Syslog {
    server: String,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    plain_end: bool,
    cursor: Cursor,
    /// The name of this machine.
    host: String,
}

impl Syslog {
    /// For a server. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Options`] for an address that is none; [`Error::Io`] for certificates and keys that cannot be read.
    pub fn new(options: &SyslogOptions) -> Result<Self, Error> {
        let not_one = Error::Options { reason: "not the address of a server, as host:port" };
        let name = server_name(&options.server).ok_or(not_one)?;
        let identity = options.identity.as_ref();
        let identity = identity.map(|(chain, key)| (chain.as_path(), key.as_path()));
        let tls = match &options.tls {
            Some(tls) => Arc::clone(tls),
            None => Arc::new(client_config(options.ca.as_deref(), identity)?),
        };
        Ok(Self {
            server: options.server.clone(),
            name,
            tls,
            plain_end: options.plain_end,
            cursor: Cursor::new(&options.cursor, &options.origin, &options.server)?,
            host: message::printable(&host(), 255).unwrap_or("-").to_owned(),
        })
    }
}

impl Sink for Syslog {
    fn last(&mut self) -> Result<Option<Last>, Error> {
        self.cursor.proven()
    }

    fn send(&mut self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        let mut bytes = Vec::new();
        for (record, index) in records.iter().zip(first..) {
            message::frame(&mut bytes, &self.host, self.cursor.origin(), index, record)?;
        }
        let name = self.name.clone();
        connection::deliver(&self.server, name, &self.tls, self.plain_end, &bytes)
            .map_err(|error| Error::Sink { reason: format!("{}: {error}", self.server) })?;
        self.cursor.advance(first, records)
    }
}

impl fmt::Debug for Syslog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, cursor, .. } = self;
        f.debug_struct("Syslog")
            .field("server", server)
            .field("cursor", cursor)
            .finish_non_exhaustive()
    }
}

/// Whom the server's certificate must be for.
fn server_name(server: &str) -> Option<ServerName<'static>> {
    let (host, port) = server.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    ServerName::try_from(inside.unwrap_or(host).to_owned()).ok()
}
