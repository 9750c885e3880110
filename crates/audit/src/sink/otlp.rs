//! Copies at a collector of OpenTelemetry.

mod request;

use std::{
    error, fmt,
    io::Read,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use prost::Message;
use reqwest::{
    StatusCode, Url,
    blocking::{Client, Response},
    header, redirect,
};
use rustls::ClientConfig;

use super::{Last, Sink, cursor::Cursor, host, shown, tls::client_config};
use crate::Error;
use request::{ExportLogsServiceResponse, PartialSuccess};

/// How long it waits for the collector.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 65_536;

const PROTOBUF: &str = "application/x-protobuf";

/// A collector of OpenTelemetry, and how to get there.
///
/// ```
/// use gmkit_audit::OtlpOptions;
///
/// let collector = "https://collector.example:4318";
/// let options = OtlpOptions::new(collector, "bank.example/payments", "audit.cursor");
/// let options = options.with_ca("ca.pem").with_identity("client.pem", "client.key");
/// ```
#[derive(Clone)]
pub struct OtlpOptions {
    collector: String,
    origin: String,
    cursor: PathBuf,
    ca: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
    tls: Option<Arc<ClientConfig>>,
}

impl OtlpOptions {
    /// The collector at an address (`https://host:4318`, to which `/v1/logs` is added; `http://` without TLS), for
    /// the records of the log called `origin`. The file `cursor` says up to where they were sent; it is made if it is
    /// not there.
    #[must_use]
    pub fn new(collector: &str, origin: &str, cursor: impl Into<PathBuf>) -> Self {
        Self {
            collector: collector.to_owned(),
            origin: origin.to_owned(),
            cursor: cursor.into(),
            ca: None,
            identity: None,
            tls: None,
        }
    }

    /// The certificates, in PEM, of who may have certified the collector; else those that the system trusts.
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

    /// Another TLS than the classic one, in place of the files: that of `gmkit::tls::Client`, for a collector behind
    /// national TLS.
    #[must_use]
    pub fn with_tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Where requests go.
    fn url(&self) -> Result<Url, Error> {
        let reason = "not the address of a collector, as https://host:4318";
        let bad = || Error::Options { reason };
        let mut url = Url::parse(&self.collector).map_err(|_| bad())?;
        let plain = url.username().is_empty() && url.password().is_none();
        let whole = url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain || !whole {
            return Err(bad());
        }
        let wants_tls = self.ca.is_some() || self.identity.is_some() || self.tls.is_some();
        if wants_tls && url.scheme() == "http" {
            return Err(Error::Options { reason: "no TLS without https://" });
        }
        url.path_segments_mut().map_err(|()| bad())?.pop_if_empty().extend(["v1", "logs"]);
        Ok(url)
    }

    fn client(&self) -> Result<Client, Error> {
        let identity = self.identity.as_ref();
        let identity = identity.map(|(chain, key)| (chain.as_path(), key.as_path()));
        let tls = match &self.tls {
            Some(tls) => ClientConfig::clone(tls),
            None => client_config(self.ca.as_deref(), identity)?,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(PATIENCE)
            // Somebody else, whom nobody has named.
            .redirect(redirect::Policy::none())
            .no_proxy();
        client.build().map_err(fault)
    }
}

impl fmt::Debug for OtlpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collector, origin, cursor, .. } = self;
        let mut debug = f.debug_struct("OtlpOptions");
        debug.field("collector", &shown(collector)).field("origin", origin).field("cursor", cursor);
        debug.finish_non_exhaustive()
    }
}

/// Copies of a log at a collector of OpenTelemetry: OTLP over HTTP, one log record for each record, whose line is the
/// body.
///
/// What was not answered is sent again, and what is refused ends it: at least once, and twice now and then, known by `service.instance.id`, which
/// is the log's name, and by `gmkit.audit.index` and `gmkit.audit.event_id`. An answer says that the collector has
/// taken a record, and not that it has kept it; what it keeps cannot be read back, so that nothing is pruned because of
/// it.
///
/// Its functions wait: not for use in asynchronous code.
pub struct Otlp {
    client: Client,
    url: Url,
    cursor: Cursor,
    host: String,
}

impl Otlp {
    /// For a collector. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Options`] for an address that is none; [`Error::Io`] for certificates and keys that cannot be read.
    pub fn new(options: &OtlpOptions) -> Result<Self, Error> {
        let url = options.url()?;
        let cursor = Cursor::new(&options.cursor, &options.origin, url.as_str())?;
        Ok(Self { client: options.client()?, url, cursor, host: host() })
    }

    fn post(&self, body: Vec<u8>) -> Result<(), Error> {
        let request = self.client.post(self.url.clone()).body(body);
        let request = request.header(header::CONTENT_TYPE, PROTOBUF);
        let answer = request.send().map_err(|error| fault(chain(&error)))?;
        match answer.status() {
            StatusCode::OK => {}
            // Asked again, it would say the same.
            status @ (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE) => {
                return Err(refused(format_args!("the collector answers {status}")));
            }
            status => return Err(fault(format_args!("the collector answers {status}"))),
        }
        // Whoever else says 200 has not understood what it got.
        if answer.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != PROTOBUF) {
            return Err(fault("what answers is no collector"));
        }
        let answer = ExportLogsServiceResponse::decode(read(answer)?.as_slice());
        match answer.map_err(|_| fault("the answer is none of OTLP"))?.partial_success {
            Some(PartialSuccess { rejected_log_records: rejected @ 1.., error_message }) => {
                let why = error_message.escape_debug();
                Err(refused(format_args!("the collector refuses {rejected} records: {why}")))
            }
            _ => Ok(()),
        }
    }
}

/// All of an answer, which comes in time.
fn read(mut answer: Response) -> Result<Vec<u8>, Error> {
    let until = Instant::now() + PATIENCE;
    let (mut body, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match answer.read(&mut buffer).map_err(fault)? {
            0 => return Ok(body),
            n => body.extend_from_slice(&buffer[..n]),
        }
        if body.len() > MAX_ANSWER || Instant::now() > until {
            return Err(fault("the answer does not end"));
        }
    }
}

impl Sink for Otlp {
    fn last(&mut self) -> Result<Option<Last>, Error> {
        self.cursor.proven()
    }

    fn send(&mut self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        let body = request::request(self.cursor.origin(), &self.host, first, records)?;
        self.post(body)?;
        self.cursor.advance(first, records)
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, cursor, .. } = self;
        f.debug_struct("Otlp").field("url", url).field("cursor", cursor).finish_non_exhaustive()
    }
}

fn fault(reason: impl fmt::Display) -> Error {
    Error::Sink { reason: format!("OTLP: {reason}") }
}

/// What sending again does not help.
fn refused(reason: impl fmt::Display) -> Error {
    Error::OtherCopy { reason: format!("OTLP: {reason}") }
}

/// An error, and why.
fn chain(error: &dyn error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |all, cause| format!("{all}: {cause}"))
}
