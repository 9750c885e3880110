//! Copies in a topic of Kafka.

use std::{
    cmp::Ordering, collections::BTreeMap, fmt, future::Future, path::PathBuf, sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use rskafka::{
    BackoffConfig,
    client::{
        ClientBuilder,
        partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling},
    },
    record::{Record, RecordAndOffset},
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::runtime::Runtime;

use super::{
    Last, ReadBack, Sink,
    message::{INDEX, LOG, message_id},
    shown,
    tls::client_config,
};
use crate::{Error, note::is_name};

/// How long it waits for an answer, asking again and again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What goes together, in bytes: brokers take about a mebibyte unless they are told otherwise.
const BATCH: usize = 512 << 10;

/// The one partition that is used.
const PARTITION: i32 = 0;

/// A topic, and how to get there.
///
/// ```
/// use gmkit_audit::KafkaOptions;
///
/// let servers = "kafka1.example:9093,kafka2.example:9093";
/// let options = KafkaOptions::new(servers, "audit", "bank.example/payments");
/// let options = options.with_ca("ca.pem").with_identity("client.pem", "client.key");
/// ```
#[derive(Clone)]
pub struct KafkaOptions {
    servers: Vec<String>,
    topic: String,
    origin: String,
    tls: bool,
    ca: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
}

impl KafkaOptions {
    /// The topic of this name, which must be there, for the records of the log called `origin`. Of the brokers
    /// (`host:port`, with commas between them) one that answers is enough. All records go to partition 0.
    #[must_use]
    pub fn new(servers: &str, topic: &str, origin: &str) -> Self {
        Self {
            servers: servers.split(',').map(|server| server.trim().to_owned()).collect(),
            topic: topic.to_owned(),
            origin: origin.to_owned(),
            tls: false,
            ca: None,
            identity: None,
        }
    }

    /// Nothing goes without TLS; the system's certificates say whom to trust.
    #[must_use]
    pub fn with_tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// The same, with the certificates, in PEM, of who may have certified the brokers.
    #[must_use]
    pub fn with_ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca = Some(file.into());
        self.with_tls()
    }

    /// The same, with the client's own certificates and their private key, in PEM.
    #[must_use]
    pub fn with_identity(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some((chain.into(), key.into()));
        self.with_tls()
    }

    fn tls(&self) -> Result<Option<Arc<ClientConfig>>, Error> {
        let identity = self.identity.as_ref();
        let identity = identity.map(|(chain, key)| (chain.as_path(), key.as_path()));
        match self.tls {
            true => client_config(self.ca.as_deref(), identity).map(|tls| Some(Arc::new(tls))),
            false => Ok(None),
        }
    }
}

impl fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { servers, topic, origin, .. } = self;
        let servers: Vec<_> = servers.iter().map(|server| shown(server)).collect();
        let mut debug = f.debug_struct("KafkaOptions");
        debug.field("servers", &servers).field("topic", topic).field("origin", origin);
        debug.finish_non_exhaustive()
    }
}

/// Copies of a log in a topic of Kafka, one message for each record, which is its value.
///
/// Messages say which log and which record they are; index and `event_id` are the key. What was sent and not
/// acknowledged is sent again: at least once, and twice now and then. Only partition 0 has messages, so that they
/// keep their order; nobody else may write to it.
///
/// Its functions wait, with a runtime of its own: not for use in asynchronous code.
pub struct Kafka {
    runtime: Runtime,
    options: KafkaOptions,
    tls: Option<Arc<ClientConfig>>,
    partition: Option<PartitionClient>,
    /// Where the record with this index is, or a later place where it is not before.
    place: Option<(u64, i64)>,
}

impl Kafka {
    /// For a topic. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Options`] for a name that is none; [`Error::Io`] for certificates and keys that cannot be read;
    /// [`Error::Sink`] when threads cannot be started.
    pub fn new(options: KafkaOptions) -> Result<Self, Error> {
        let reason = match () {
            () if !is_name(&options.origin) => "not a log's name",
            () if !options.servers.iter().all(|server| is_address(server)) => {
                "not the addresses of brokers, as host:port,host:port"
            }
            () if !is_topic(&options.topic) => "not the name of a topic",
            () => "",
        };
        if !reason.is_empty() {
            return Err(Error::Options { reason });
        }
        let tls = options.tls()?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("gmkit-audit-kafka").enable_all();
        let runtime = runtime.build().map_err(fault)?;
        Ok(Self { runtime, options, tls, partition: None, place: None })
    }

    async fn open(&self) -> Result<PartitionClient, Error> {
        let patience = BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
            deadline: Some(PATIENCE),
        };
        let mut client = ClientBuilder::new(self.options.servers.clone())
            .client_id("gmkit-audit")
            .backoff_config(patience);
        if let Some(tls) = &self.tls {
            client = client.tls_config(Arc::clone(tls));
        }
        let client = client.build().await.map_err(fault)?;
        let topic = self.options.topic.as_str();
        let handling = UnknownTopicHandling::Error;
        client.partition_client(topic, PARTITION, handling).await.map_err(fault)
    }

    /// Where records of this log begin: the first one's index and its place.
    async fn first(&self, partition: &PartitionClient) -> Result<Option<(u64, i64)>, Error> {
        let offset = partition.get_offset(OffsetAt::Earliest).await.map_err(fault)?;
        let first = fetch(partition, offset).await?.into_iter().next();
        first.map(|first| Ok((self.index_of(&first)?, first.offset))).transpose()
    }

    fn index_of(&self, message: &RecordAndOffset) -> Result<u64, Error> {
        let text = |name| {
            let value = message.record.headers.get(name)?;
            std::str::from_utf8(value).ok()
        };
        let of = text(LOG) == Some(self.options.origin.as_str());
        let index = text(INDEX).filter(|_| of).and_then(|index| index.parse().ok());
        let reason = || "the topic has messages of somebody else".to_owned();
        index.ok_or_else(|| Error::OtherCopy { reason: reason() })
    }

    fn message(&self, record: &[u8], index: u64) -> Result<Record, Error> {
        let headers = BTreeMap::from([
            (LOG.to_owned(), self.options.origin.clone().into_bytes()),
            (INDEX.to_owned(), index.to_string().into_bytes()),
        ]);
        Ok(Record {
            key: Some(message_id(record, index)?.into_bytes()),
            value: Some(record.to_vec()),
            headers,
            timestamp: DateTime::<Utc>::from(std::time::SystemTime::now()),
        })
    }

    async fn produce(&self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        let Some(partition) = &self.partition else { return Err(fault("it was not asked")) };
        let (mut batch, mut size) = (Vec::new(), 0);
        for (record, index) in records.iter().zip(first..) {
            if size + record.len() > BATCH && !batch.is_empty() {
                send(partition, std::mem::take(&mut batch)).await?;
                size = 0;
            }
            size += record.len();
            batch.push(self.message(record, index)?);
        }
        send(partition, batch).await
    }

    /// The records from `first` on, one after the other, whatever stands twice.
    async fn collect(
        &self,
        first: u64,
        count: usize,
    ) -> Result<(Vec<Vec<u8>>, Option<(u64, i64)>), Error> {
        let Some(partition) = &self.partition else { return Err(fault("it was not asked")) };
        let near = match self.place.filter(|(index, _)| *index == first) {
            Some(place) => Some(place),
            None => self.first(partition).await?,
        };
        let mut records = Vec::new();
        let Some((index, offset)) = near.filter(|(index, _)| *index <= first) else {
            return Ok((records, None));
        };
        // What stands twice only moves records to later places.
        let mut place = offset.saturating_add_unsigned(first - index);
        if place >= partition.get_offset(OffsetAt::Latest).await.map_err(fault)? {
            return Ok((records, None));
        }
        let (mut next, end) = (first, first.saturating_add(count as u64));
        while next < end {
            let messages = fetch(partition, place).await?;
            let Some(last) = messages.last() else { break };
            place = last.offset + 1;
            for message in messages {
                match self.index_of(&message)?.cmp(&next) {
                    // It stands twice.
                    Ordering::Less => {}
                    Ordering::Equal if next < end => {
                        records.push(message.record.value.unwrap_or_default());
                        next += 1;
                    }
                    Ordering::Equal => {
                        place = message.offset;
                        break;
                    }
                    Ordering::Greater => return Ok((records, None)),
                }
            }
        }
        Ok((records, Some((next, place))))
    }
}

impl Sink for Kafka {
    fn last(&mut self) -> Result<Option<Last>, Error> {
        (self.partition, self.place) = (None, None);
        let (partition, last) = self.runtime.block_on(in_time(async {
            let partition = self.open().await?;
            let end = partition.get_offset(OffsetAt::Latest).await.map_err(fault)?;
            let last = match end.checked_sub(1).filter(|last| *last >= 0) {
                Some(last) => fetch(&partition, last).await?.into_iter().next_back(),
                None => return Ok((partition, None)),
            };
            let lost = || "the topic has lost what it had".to_owned();
            let last = last.ok_or_else(|| Error::OtherCopy { reason: lost() })?;
            let index = self.index_of(&last)?;
            Ok((partition, Some(Last::new(index, &last.record.value.unwrap_or_default()))))
        }))?;
        self.partition = Some(partition);
        Ok(last)
    }

    fn send(&mut self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        let sent = self.runtime.block_on(in_time(self.produce(first, records)));
        if sent.is_err() {
            self.partition = None;
        }
        sent
    }
}

impl ReadBack for Kafka {
    fn read(&mut self, first: u64, count: usize) -> Result<Vec<Vec<u8>>, Error> {
        if self.partition.is_none() {
            self.last()?;
        }
        let (records, place) = self.runtime.block_on(in_time(self.collect(first, count)))?;
        self.place = place;
        Ok(records)
    }
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kafka").field("options", &self.options).finish_non_exhaustive()
    }
}

async fn send(partition: &PartitionClient, batch: Vec<Record>) -> Result<(), Error> {
    // It waits for all replicas that are in sync.
    let sent = partition.produce(batch, Compression::NoCompression).await;
    sent.map(drop).map_err(fault)
}

/// Messages from a place on, some; none behind the last.
async fn fetch(partition: &PartitionClient, offset: i64) -> Result<Vec<RecordAndOffset>, Error> {
    let bytes = i32::try_from(4 * BATCH).unwrap_or(i32::MAX);
    let mut from = offset;
    loop {
        let fetched = partition.fetch_records(from, 1..bytes, 500).await;
        let (messages, end) = fetched.map_err(fault)?;
        if !messages.is_empty() || from >= end {
            return Ok(messages);
        }
        // What stood here is gone, or was none of a producer's.
        from += 1;
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let slow = |_| fault("it does not answer");
    tokio::time::timeout(PATIENCE * 2, work).await.map_err(slow)?
}

/// A host's name or its address of IPv4, and a port; no user, who would be printed with the password.
fn is_address(server: &str) -> bool {
    server.rsplit_once(':').is_some_and(|(host, port)| {
        ServerName::try_from(host).is_ok() && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// What Kafka takes for a topic's name.
fn is_topic(name: &str) -> bool {
    let characters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    (1..=249).contains(&name.len()) && characters && name != "." && name != ".."
}

fn fault(reason: impl fmt::Display) -> Error {
    Error::Sink { reason: format!("Kafka: {reason}") }
}
