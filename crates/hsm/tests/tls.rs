//! A TLS server whose key is in a device that goes and comes back: clients are told, and served when it
//! is there again. `GMKIT_HSM_SECONDS` says how long, `GMKIT_TLS_CLIENTS` how many clients there are.

mod support;

use std::{
    env, fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gmkit_hsm::Opener;
use gmkit_keys::{KeyOpener, KeyUri, Origin, SoftwareKey};
use gmkit_pki::{Anchor, Issuer, Profile, Purpose, Verifier, san, subject};
use gmkit_tls::{Client, GmAcceptor, GmListener, Server, national};
use rustls::{AlertDescription, ServerConfig, pki_types::ServerName};
use support::{as_persona, device};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsConnector;

fn setting(name: &str, short: u64) -> u64 {
    env::var(name).map_or(short, |text| text.parse().unwrap())
}

/// The key of the device, opened as any program does, and a certificate for it.
fn server() -> (Arc<ServerConfig>, Client) {
    let (_token, public) = device();
    let uri = KeyUri::parse("pkcs11:token=lab;object=key", Origin::Operator).unwrap();
    let key = Opener::new().open_private(&uri, &support::right_pin).unwrap();
    assert_eq!(*key.public_key(), public);
    let root = Arc::new(SoftwareKey::generate().unwrap());
    let root = Profile::Ca
        .params(subject("CN=Root").unwrap(), 30)
        .and_then(|params| Issuer::self_signed(params, root))
        .unwrap();
    let mut params = Profile::TlsServer.params(subject("CN=localhost").unwrap(), 20).unwrap();
    params.subject_alt_names = san("DNS:localhost").unwrap();
    let chain = vec![root.issue(params, &public).unwrap()];
    let trust = Verifier::new(vec![Anchor::new(root.certificate().clone())], Purpose::TlsServer);
    let server = Server::new(chain, key).unwrap().config().unwrap();
    (server, Client::new(trust).without_resumption())
}

/// One connection. What may keep it from being is an alert: the key was away.
async fn visit(connector: &TlsConnector, address: std::net::SocketAddr) -> bool {
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = match connector.connect(name, socket).await {
        Ok(stream) => stream,
        Err(error) => {
            let told = error.get_ref().and_then(|inner| inner.downcast_ref());
            let expected = rustls::Error::AlertReceived(AlertDescription::InternalError);
            assert_eq!(told, Some(&expected), "{error}");
            return false;
        }
    };
    national(stream.get_ref().1).unwrap();
    let mut said = [0; 5];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(said, *b"hello");
    stream.shutdown().await.unwrap();
    true
}

async fn flapping(lab: &std::path::Path) {
    let (seconds, clients) = (setting("GMKIT_HSM_SECONDS", 5), setting("GMKIT_TLS_CLIENTS", 10));
    let (config, client) = server();
    let connector = TlsConnector::from(client.config().unwrap());
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut listener = GmListener::new(tcp, GmAcceptor::new(config));
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await;
            tokio::spawn(async move {
                stream.write_all(b"hello").await?;
                stream.shutdown().await
            });
        }
    });
    let (served, told) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut visits = JoinSet::new();
    for _ in 0..clients {
        let (connector, served, told) = (connector.clone(), served.clone(), told.clone());
        visits.spawn(async move {
            while Instant::now() < end {
                // Away or not, there is an answer in time.
                let visit = timeout(Duration::from_secs(60), visit(&connector, address));
                match visit.await.unwrap() {
                    true => served.fetch_add(1, Ordering::Relaxed),
                    false => told.fetch_add(1, Ordering::Relaxed),
                };
            }
        });
    }
    while Instant::now() < end {
        fs::write(lab.join("faults"), "removed").unwrap();
        sleep(Duration::from_millis(300)).await;
        fs::write(lab.join("faults"), "").unwrap();
        sleep(Duration::from_millis(1200)).await;
    }
    while let Some(done) = visits.join_next().await {
        done.unwrap();
    }
    let (served, told) = (served.load(Ordering::Relaxed), told.load(Ordering::Relaxed));
    println!("{served} connections, {told} told that the key was away, in {seconds} s");
    assert!(served > 0 && told > 0);
    // And it is back.
    let back = async {
        while !visit(&connector, address).await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(60), back).await.unwrap();
}

#[test]
fn a_server_outlives_its_device() {
    as_persona("a_server_outlives_its_device", "sansec", |lab| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(flapping(lab));
    });
}
