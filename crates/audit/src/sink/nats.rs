//! Copies in a stream of NATS JetStream.

use std::{fmt, path::PathBuf, time::Duration};

use async_nats::{
    ConnectOptions, HeaderMap, ServerAddr,
    jetstream::{
        self, Context,
        message::{PublishMessage, StreamMessage},
        stream::{
            Config, LastRawMessageErrorKind, RawMessageErrorKind, RetentionPolicy, StorageType,
            Stream,
        },
    },
};
use rustls::ClientConfig;
use tokio::{runtime::Runtime, task::JoinSet};
use zeroize::Zeroizing;

use super::{
    Last, ReadBack, Sink,
    message::{INDEX, LOG, message_id},
    shown,
    tls::client_config,
};
use crate::{Error, note::is_name};

/// How long it waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A stream, and how to get there.
///
/// ```
/// use gmkit_audit::NatsOptions;
///
/// let options = NatsOptions::new("tls://nats.example:4222", "AUDIT", "bank.example/payments");
/// let options = options.with_user("audit", "its password").with_ca("ca.pem");
/// assert!(!format!("{options:?}").contains("its password"));
/// ```
#[derive(Clone)]
pub struct NatsOptions {
    server: String,
    stream: String,
    subject: String,
    origin: String,
    user: Option<(String, Zeroizing<String>)>,
    ca: Option<PathBuf>,
}

impl NatsOptions {
    /// The stream of this name on a server (`nats://host:4222`, or `tls://` where nothing goes without TLS), for the
    /// records of the log called `origin`. The stream is made if there is none.
    #[must_use]
    pub fn new(server: &str, stream: &str, origin: &str) -> Self {
        Self {
            server: server.to_owned(),
            stream: stream.to_owned(),
            subject: format!("gmkit.audit.{stream}"),
            origin: origin.to_owned(),
            user: None,
            ca: None,
        }
    }

    /// The subject that records have, for a stream that is there and takes it; `gmkit.audit.` and the stream's name
    /// by default.
    #[must_use]
    pub fn with_subject(mut self, subject: &str) -> Self {
        self.subject = subject.to_owned();
        self
    }

    /// Who it is to the server.
    #[must_use]
    pub fn with_user(mut self, name: &str, password: &str) -> Self {
        self.user = Some((name.to_owned(), Zeroizing::new(password.to_owned())));
        self
    }

    /// The certificates, in PEM, of who may have certified the server; else those that the system trusts.
    #[must_use]
    pub fn with_ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca = Some(file.into());
        self
    }

    /// What cannot be right.
    fn check(&self) -> Result<(), Error> {
        let fault = |reason| Err(Error::Options { reason });
        let server = match self.server.parse::<ServerAddr>() {
            _ if self.server.contains('@') => {
                // Addresses are printed, and passwords are not.
                return fault("a user does not belong in a server's address");
            }
            Ok(server) => server,
            Err(_) => return fault("not the address of a NATS server"),
        };
        let here = matches!(server.host(), "localhost" | "127.0.0.1" | "::1" | "[::1]");
        if self.user.is_some() && !here && !self.wants_tls() {
            return fault("a password goes to another machine under TLS only: tls://");
        }
        if !is_name(&self.origin) {
            return fault("not a log's name");
        }
        Ok(())
    }

    fn wants_tls(&self) -> bool {
        self.server.starts_with("tls://") || self.ca.is_some()
    }

    fn connection(&self, tls: Option<&ClientConfig>) -> ConnectOptions {
        // Other servers that this one names are not those that the caller trusts.
        let mut options = ConnectOptions::new()
            .name("gmkit audit")
            .connection_timeout(PATIENCE)
            .ignore_discovered_servers();
        if let Some((name, password)) = &self.user {
            options = options.user_and_password(name.clone(), password.to_string());
        }
        if let Some(tls) = tls {
            options = options.require_tls(true).tls_client_config(tls.clone());
        }
        options
    }

    /// A stream that keeps what it gets, and lets nobody delete it.
    fn config(&self) -> Config {
        Config {
            name: self.stream.clone(),
            subjects: vec![self.subject.clone()],
            storage: StorageType::File,
            deny_delete: true,
            deny_purge: true,
            description: Some(format!("records of the audit log {}", self.origin)),
            ..Config::default()
        }
    }
}

impl fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, stream, subject, origin, .. } = self;
        let mut debug = f.debug_struct("NatsOptions");
        debug.field("server", &shown(server)).field("stream", stream);
        debug.field("subject", subject).field("origin", origin).finish_non_exhaustive()
    }
}

/// Copies of a log in a stream of NATS JetStream, one message for each record, which is its payload.
///
/// Messages say which log and which record they are; index and `event_id` are the `Nats-Msg-Id`. Each is taken only
/// behind the one before it (`Nats-Expected-Last-Sequence` and `Nats-Expected-Last-Msg-Id`): the stream has no hole
/// and nothing twice, whatever is sent again. Nobody else may write to it.
///
/// Its functions wait, with a runtime of its own: not for use in asynchronous code.
pub struct Nats {
    runtime: Runtime,
    options: NatsOptions,
    tls: Option<ClientConfig>,
    server: Option<(Context, Stream)>,
    /// The sequence and the index of the last message, and the last sequence of the stream.
    last: Option<(u64, u64)>,
    sequence: u64,
}

impl Nats {
    /// For a stream. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Options`] for an address that is none or has a user in it, and for a password that would go to
    /// another machine without TLS. [`Error::Io`] for certificates that cannot be read; [`Error::Sink`] when threads
    /// cannot be started.
    pub fn new(options: NatsOptions) -> Result<Self, Error> {
        options.check()?;
        let tls = options.wants_tls().then(|| client_config(options.ca.as_deref(), None));
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("gmkit-audit-nats").enable_all();
        let runtime = runtime.build().map_err(fault)?;
        Ok(Self { runtime, options, tls: tls.transpose()?, server: None, last: None, sequence: 0 })
    }
}

impl Sink for Nats {
    fn last(&mut self) -> Result<Option<Last>, Error> {
        // What still waits to be sent on the old connection is refused if it is not what comes next.
        self.server = None;
        let (context, stream) = self.runtime.block_on(open(&self.options, self.tls.as_ref()))?;
        let (last, sequence) = self.runtime.block_on(last(&stream, &self.options))?;
        (self.server, self.sequence) = (Some((context, stream)), sequence);
        self.last = last.map(|(sequence, last)| (sequence, last.index));
        Ok(last.map(|(_, last)| last))
    }

    fn send(&mut self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        let Some((context, _)) = &self.server else { return Err(not_asked()) };
        let sent = self.runtime.block_on(async {
            let mut under_way = Vec::with_capacity(records.len());
            let mut before = None;
            for ((record, index), after) in records.iter().zip(first..).zip(self.sequence..) {
                let id = message_id(record, index)?;
                let mut message = message(&self.options, record, index)
                    .message_id(&id)
                    .expected_last_sequence(after);
                if let Some(before) = before.replace(id) {
                    // A message of somebody else between two of a batch would let only one of them through.
                    message = message.expected_last_message_id(before);
                }
                let subject = self.options.subject.clone();
                under_way.push(context.send_publish(subject, message).await.map_err(fault)?);
            }
            let mut sequence = self.sequence;
            for receipt in under_way {
                let receipt = receipt.await.map_err(fault)?;
                if receipt.sequence != sequence + 1 {
                    return Err(fault("it has this record already, at another place"));
                }
                sequence = receipt.sequence;
            }
            Ok(sequence)
        });
        match sent {
            Ok(sequence) => {
                self.sequence = sequence;
                let sent = (records.len() as u64).checked_sub(1);
                self.last = sent.map(|sent| (sequence, first + sent)).or(self.last);
                Ok(())
            }
            Err(error) => {
                self.server = None;
                Err(error)
            }
        }
    }
}

impl ReadBack for Nats {
    fn read(&mut self, first: u64, count: usize) -> Result<Vec<Vec<u8>>, Error> {
        if self.server.is_none() {
            self.last()?;
        }
        let (Some((_, stream)), Some((sequence, index))) = (&self.server, self.last) else {
            return Ok(Vec::new());
        };
        // Of the records that it keeps, none is missing before the last.
        let back = index.checked_sub(first).and_then(|back| sequence.checked_sub(back));
        let Some(at) = back else { return Ok(Vec::new()) };
        let end = at.saturating_add(count as u64).min(sequence.saturating_add(1));
        let messages = self.runtime.block_on(read(stream, at..end))?;
        let read = messages.into_iter().zip(first..).map_while(|(message, index)| {
            let is_it = index_of(&message.headers, &self.options.origin) == Some(index);
            is_it.then(|| message.payload.to_vec())
        });
        Ok(read.collect())
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("options", &self.options).finish_non_exhaustive()
    }
}

async fn open(
    options: &NatsOptions,
    tls: Option<&ClientConfig>,
) -> Result<(Context, Stream), Error> {
    let connection = options.connection(tls);
    let client = connection.connect(options.server.as_str()).await.map_err(fault)?;
    let mut context = jetstream::new(client);
    context.set_timeout(PATIENCE);
    let stream = context.get_or_create_stream(options.config()).await.map_err(fault)?;
    match unsuitable(&stream.cached_info().config, options) {
        None => Ok((context, stream)),
        Some(reason) => Err(Error::OtherCopy { reason: format!("the stream {reason}") }),
    }
}

/// Why a stream would not keep what it takes.
fn unsuitable(config: &Config, options: &NatsOptions) -> Option<&'static str> {
    [
        (config.storage != StorageType::File, "keeps its messages in memory only"),
        (config.retention != RetentionPolicy::Limits, "keeps messages only until they are read"),
        (config.max_messages > 0 || config.max_messages_per_subject > 0, "has a limit of messages"),
        (config.max_bytes > 0, "has a limit of bytes"),
        (!config.max_age.is_zero(), "has a limit of age"),
        (!config.deny_delete || !config.deny_purge, "lets messages be deleted"),
        (config.sealed || config.no_ack, "takes nothing, or does not say so"),
        (config.mirror.is_some(), "is a mirror"),
        (config.sources.as_ref().is_some_and(|sources| !sources.is_empty()), "has other sources"),
        (config.subjects != [options.subject.as_str()], "takes other subjects"),
    ]
    .into_iter()
    .find_map(|(unsuitable, why)| unsuitable.then_some(why))
}

/// The last message, and the last sequence of the stream.
async fn last(stream: &Stream, options: &NatsOptions) -> Result<(Option<(u64, Last)>, u64), Error> {
    let sequence = stream.cached_info().state.last_sequence;
    match stream.get_last_raw_message_by_subject(&options.subject).await {
        Ok(message) => match index_of(&message.headers, &options.origin) {
            Some(_) if message.sequence != sequence => Err(fault("somebody writes to the stream")),
            Some(index) => {
                let last = Last::new(index, &message.payload);
                Ok((Some((message.sequence, last)), sequence))
            }
            None => Err(Error::OtherCopy {
                reason: "the stream has messages of somebody else".to_owned(),
            }),
        },
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => match sequence {
            0 => Ok((None, 0)),
            _ => Err(Error::OtherCopy { reason: "the stream has lost what it had".to_owned() }),
        },
        Err(error) => Err(fault(error)),
    }
}

fn message(options: &NatsOptions, record: &[u8], index: u64) -> PublishMessage {
    PublishMessage::build()
        .payload(record.to_vec().into())
        .header(LOG, options.origin.as_str())
        .header(INDEX, index.to_string())
        .expected_stream(&options.stream)
}

/// Many at once, and as many as there are.
async fn read(
    stream: &Stream,
    sequences: std::ops::Range<u64>,
) -> Result<Vec<StreamMessage>, Error> {
    let mut asked = JoinSet::new();
    for sequence in sequences {
        let stream = stream.clone();
        asked.spawn(async move { stream.get_raw_message(sequence).await });
    }
    let mut messages = Vec::with_capacity(asked.len());
    while let Some(answer) = asked.join_next().await {
        match answer.map_err(fault)? {
            Ok(message) => messages.push(message),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {}
            Err(error) => return Err(fault(error)),
        }
    }
    messages.sort_unstable_by_key(|message| message.sequence);
    Ok(messages)
}

/// The index of a record of this log.
fn index_of(headers: &HeaderMap, origin: &str) -> Option<u64> {
    let of = headers.get(LOG).is_some_and(|log| log.as_str() == origin);
    headers.get(INDEX).filter(|_| of).and_then(|index| index.as_str().parse().ok())
}

fn not_asked() -> Error {
    fault("it was not asked for what it has")
}

fn fault(reason: impl fmt::Display) -> Error {
    Error::Sink { reason: format!("NATS: {reason}") }
}
