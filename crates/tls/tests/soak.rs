//! Connections come and go for a while, over a key that is away for a part of each second. The short
//! form is a few seconds of twenty; `cargo xtask soak` has half an hour of two hundred.

mod support;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gmkit_keys::{Error, PrivateKey, SigningContext, SoftwareKey};
use gmkit_pki::Profile;
use gmkit_sm2::{Ciphertext, Id, PublicKey, Signature};
use gmkit_tls::{GmAcceptor, GmListener, GmStream, Server, national};
use rustls::{AlertDescription, ClientConfig, HandshakeKind, pki_types::ServerName};
use support::{AUTHORITY, Party, client};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// A key in a device that goes and comes back.
#[derive(Debug)]
struct Flapping {
    key: Arc<SoftwareKey>,
    away: Arc<AtomicBool>,
}

impl PrivateKey for Flapping {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn start_signing(&self, id: Id<'_>) -> Result<Box<dyn SigningContext + '_>, Error> {
        self.key.start_signing(id)
    }

    fn sign(&self, id: Id<'_>, message: &[u8]) -> Result<Signature, Error> {
        match self.away.load(Ordering::Relaxed) {
            true => Err(Error::Unsupported { operation: "sign while it is away" }),
            false => self.key.sign(id, message),
        }
    }

    fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.key.decrypt(ciphertext)
    }
}

/// What happened, counted.
#[derive(Debug, Default)]
struct Counts {
    full: AtomicU64,
    resumed: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

fn setting(name: &str, short: u64) -> u64 {
    std::env::var(name).map_or(short, |text| text.parse().unwrap())
}

/// Resident memory of this process, in MiB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// Echoes until the end.
async fn echo(mut stream: GmStream) -> io::Result<()> {
    let mut buffer = vec![0; 16_384];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&buffer[..n]).await?;
        // What tokio does not take at once, as when a task has had its share of the turn, stays behind.
        stream.flush().await?;
    }
}

/// One connection after the other, until it is over. What ends one is known: nothing, the client's own
/// wish, or a key that was away.
async fn visit(
    config: Arc<ClientConfig>,
    server: SocketAddr,
    end: Instant,
    counts: Arc<Counts>,
    n: u64,
) {
    let mut turn = n;
    while Instant::now() < end {
        turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let socket = TcpStream::connect(server).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = match TlsConnector::from(Arc::clone(&config)).connect(name, socket).await {
            Ok(stream) => stream,
            Err(error) => {
                let told = error.get_ref().and_then(|inner| inner.downcast_ref());
                let expected = rustls::Error::AlertReceived(AlertDescription::InternalError);
                assert_eq!(told, Some(&expected), "{error}");
                counts.refused.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        national(stream.get_ref().1).unwrap();
        let count = match stream.get_ref().1.handshake_kind() {
            Some(HandshakeKind::Resumed) => &counts.resumed,
            _ => &counts.full,
        };
        count.fetch_add(1, Ordering::Relaxed);
        for part in 0..turn >> 61 {
            let data = vec![turn as u8 ^ part as u8; 1 + (turn >> 20) as usize % 30_000];
            let (mut reader, mut writer) = tokio::io::split(&mut stream);
            let mut came = vec![0; data.len()];
            let write = async {
                writer.write_all(&data).await?;
                writer.flush().await
            };
            let (wrote, read) = tokio::join!(write, reader.read_exact(&mut came));
            wrote.unwrap();
            read.unwrap();
            assert!(came == data);
            counts.bytes.fetch_add(2 * data.len() as u64, Ordering::Relaxed);
        }
        // Every fourth goes without a word.
        if turn >> 40 & 3 != 0 {
            stream.shutdown().await.unwrap();
            assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_come_and_go() {
    let (seconds, clients) = (setting("GMKIT_TLS_SECONDS", 3), setting("GMKIT_TLS_CLIENTS", 20));
    let Party { chain, key } = AUTHORITY.party(Profile::TlsServer, "localhost");
    let away = Arc::new(AtomicBool::new(false));
    let key = Flapping { key, away: Arc::clone(&away) };
    let config = Server::new(chain, Arc::new(key)).unwrap().config().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut listener = GmListener::new(tcp, GmAcceptor::new(config));
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await;
            // A client that goes without a word is an error here, and none of ours.
            tokio::spawn(async move { echo(stream).await.ok() });
        }
    });
    let flapping = tokio::spawn(async move {
        loop {
            away.store(false, Ordering::Relaxed);
            sleep(Duration::from_millis(800)).await;
            away.store(true, Ordering::Relaxed);
            sleep(Duration::from_millis(200)).await;
        }
    });
    let (counts, started) = (Arc::new(Counts::default()), Instant::now());
    let end = started + Duration::from_secs(seconds);
    let mut visits = JoinSet::new();
    for n in 0..clients {
        // Half of them take up their sessions.
        let config = if n % 2 == 0 { client() } else { client().without_resumption() };
        visits.spawn(visit(config.config().unwrap(), address, end, Arc::clone(&counts), n));
    }
    sleep(Duration::from_secs(seconds) / 3).await;
    let early = resident();
    while let Some(done) = visits.join_next().await {
        done.unwrap();
    }
    let late = resident();
    println!("{counts:?} in {seconds} s; {early} MiB resident after a third, {late} at the end");
    serving.abort();
    flapping.abort();
    let many = |count: &AtomicU64| count.load(Ordering::Relaxed) > clients;
    assert!(many(&counts.full) && many(&counts.resumed), "{counts:?}");
    assert!(counts.refused.load(Ordering::Relaxed) > 0, "the key was away");
    assert!(late <= early + 16 + early / 4, "{early} MiB grew to {late}");
}
