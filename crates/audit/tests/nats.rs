//! Copies of a log in a real NATS server, which is stopped, started again, and loses what it had.

mod support;

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use async_nats::jetstream;
use gmkit_audit::{Error, Forwarder, Log, Nats, NatsOptions, ReadBack, Retention, WhenFull};
use gmkit_keys::PrivateKey;
use support::{KEY, ORIGIN, event, options, records, sound, write};

/// A server with a folder of its own, on a port of its own.
struct Server {
    dir: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { dir: tempfile::tempdir().unwrap(), port, child: None };
        server.start();
        server
    }

    fn start(&mut self) {
        let config = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{}\" }}\n\
             authorization {{ user: audit, password: secret }}\n",
            self.port,
            self.dir.path().join("store").display()
        );
        let path = self.dir.path().join("nats.conf");
        fs::write(&path, config).unwrap();
        let server = Command::new("nats-server").arg("-c").arg(path).stderr(Stdio::null()).spawn();
        self.child = Some(server.expect("nats-server is installed by `cargo xtask test`"));
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "nats-server does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// At once, as if the machine had been switched off.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn wipe(&self) {
        fs::remove_dir_all(self.dir.path().join("store")).unwrap();
    }

    fn options(&self, stream: &str) -> NatsOptions {
        NatsOptions::new(&format!("nats://127.0.0.1:{}", self.port), stream, ORIGIN)
            .with_user("audit", "secret")
    }

    fn sink(&self) -> Nats {
        Nats::new(self.options("AUDIT")).unwrap()
    }

    fn forwarder(&self, log: &Path) -> Forwarder<Nats> {
        Forwarder::new(log, KEY.public_key(), self.sink())
    }

    /// All messages as somebody else reads them, in the stream's order.
    fn messages(&self) -> Vec<Vec<u8>> {
        self.with(async |context| {
            let mut stream = context.get_stream("AUDIT").await.unwrap();
            let state = stream.info().await.unwrap().state.clone();
            let mut messages = Vec::new();
            for sequence in state.first_sequence..=state.last_sequence {
                let message = stream.get_raw_message(sequence).await.unwrap();
                messages.push(message.payload.to_vec());
            }
            messages
        })
    }

    fn with<T>(&self, work: impl AsyncFnOnce(jetstream::Context) -> T) -> T {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.unwrap().block_on(async {
            let options = async_nats::ConnectOptions::new()
                .user_and_password("audit".to_owned(), "secret".to_owned());
            let address = format!("127.0.0.1:{}", self.port);
            work(jetstream::new(options.connect(address).await.unwrap())).await
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn each_record_is_there_once() {
    let mut server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..700, options());
    let mut forwarder = server.forwarder(dir);
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    assert!(server.messages() == records(dir));
    assert!(forwarder.sink().read(100, 256).unwrap() == records(dir)[100..356]);
    assert_eq!(forwarder.sink().read(10_000, 2).unwrap().len(), 0);

    write(dir, 700..800, options());
    server.kill();
    assert!(matches!(forwarder.forward(), Err(Error::Sink { .. })), "it is away");
    server.start();
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    write(dir, 800..900, options());
    assert_eq!(
        server.forwarder(dir).forward().unwrap().next,
        sound(dir).size,
        "another one goes on"
    );
    // This one does not know of it: the server does, by the records' numbers.
    let again = (0..2).find_map(|_| forwarder.forward().ok()).map(|done| done.next);
    assert_eq!(again, Some(sound(dir).size));
    assert!(server.messages() == records(dir));

    // The disk of the server is gone.
    server.kill();
    server.wipe();
    server.start();
    write(dir, 900..910, options());
    let again = (0..3).find_map(|_| forwarder.forward().ok()).map(|done| done.next);
    assert_eq!(again, Some(sound(dir).size));
    assert!(server.messages() == records(dir));
}

#[test]
fn stopped_and_wiped_while_it_is_written() {
    let mut server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let count: u64 = env::var("GMKIT_AUDIT_RECORDS").map_or(10_000, |count| count.parse().unwrap());
    let stop = AtomicBool::new(false);
    let log = Log::open(dir, options().with_segments(1 << 20), KEY.clone()).unwrap();
    thread::scope(|scope| {
        let (mut forwarder, stop) = (server.forwarder(dir), &stop);
        let following = scope.spawn(move || forwarder.follow(stop, |_| ()));
        for part in 0..4 {
            for n in part * count / 4..(part + 1) * count / 4 {
                log.submit(&event(n), WhenFull::Block).unwrap();
            }
            thread::sleep(Duration::from_millis(300));
            server.kill();
            if part == 2 {
                server.wipe();
            }
            thread::sleep(Duration::from_millis(300));
            server.start();
        }
        stop.store(true, Ordering::Relaxed);
        following.join().unwrap().unwrap();
    });
    log.close().unwrap();
    let size = sound(dir).size;
    let mut forwarder = server.forwarder(dir);
    assert_eq!(forwarder.forward().unwrap().next, size);
    assert!(server.messages() == records(dir), "nothing is missing, and nothing there twice");
    let log = Log::open(dir, options(), KEY.clone()).unwrap();
    let all = Retention::shorter_than_the_law_wants(0);
    let pruned = log.prune_copied(all, forwarder.sink()).unwrap();
    assert!(pruned.first > count / 2, "{pruned:?}");
    log.close().unwrap();
    sound(dir);
}

#[test]
fn what_is_not_this_logs_is_left_alone() {
    let server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..50, options());
    let refused = |options: NatsOptions, why: &str| {
        let sink = Nats::new(options).unwrap();
        let error = Forwarder::new(dir, KEY.public_key(), sink).forward().unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("secret"), "{error}");
    };
    let wrong = server.options("AUDIT").with_user("audit", "not the secret one");
    refused(wrong, "authorization");
    refused(NatsOptions::new("nats://127.0.0.1:1", "AUDIT", ORIGIN), "NATS");

    for bad in [
        NatsOptions::new("nats://audit:secret@127.0.0.1:4222", "AUDIT", ORIGIN),
        NatsOptions::new("not a server", "AUDIT", ORIGIN),
        NatsOptions::new("nats://127.0.0.1:4222", "AUDIT", "a name\r\nof two lines"),
        // In the clear, to another machine.
        NatsOptions::new("nats://192.0.2.1:4222", "AUDIT", ORIGIN).with_user("audit", "secret"),
    ] {
        assert!(!format!("{bad:?}").contains("secret"));
        assert!(matches!(Nats::new(bad), Err(Error::Options { .. })));
    }

    // A copy in memory is none.
    server.with(async |context| {
        let config = jetstream::stream::Config {
            name: "MEMORY".to_owned(),
            storage: jetstream::stream::StorageType::Memory,
            ..Default::default()
        };
        context.create_stream(config).await.unwrap();
    });
    refused(server.options("MEMORY"), "memory");
    server.with(async |context| {
        let config = jetstream::stream::Config {
            name: "SHORT".to_owned(),
            max_age: Duration::from_secs(3600),
            ..Default::default()
        };
        context.create_stream(config).await.unwrap();
    });
    refused(server.options("SHORT"), "limit of age");

    // Somebody else writes to the stream, then another log does.
    server.forwarder(dir).forward().unwrap();
    server.with(async |context| {
        context.publish("gmkit.audit.AUDIT", "x".into()).await.unwrap().await.unwrap();
    });
    refused(server.options("AUDIT"), "somebody else");
    let other = tempfile::tempdir().unwrap();
    write(other.path(), 0..5, gmkit_audit::Options::new("other.example/log").unwrap());
    let options = NatsOptions::new(
        &format!("nats://127.0.0.1:{}", server.port),
        "OTHER",
        "other.example/log",
    );
    let sink = Nats::new(options.with_user("audit", "secret")).unwrap();
    Forwarder::new(other.path(), KEY.public_key(), sink).forward().unwrap();
    refused(server.options("OTHER"), "somebody else");

    // Nobody takes out what is in it.
    server.with(async |context| {
        let stream = context.get_stream("OTHER").await.unwrap();
        assert!(stream.delete_message(1).await.is_err() && stream.purge().await.is_err());
    });
}

/// Both see an empty stream, and send at the same time.
#[test]
fn one_of_two_logs_has_the_stream() {
    let server = Server::new();
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    dirs.iter().for_each(|dir| write(dir.path(), 0..600, options()));
    // The same name: it is by their records that they are told apart.
    let done: Vec<bool> = thread::scope(|scope| {
        let start = |dir: &tempfile::TempDir| {
            let mut forwarder = server.forwarder(dir.path());
            let size = sound(dir.path()).size;
            scope.spawn(move || (0..5).any(|_| forwarder.forward().is_ok_and(|f| f.next == size)))
        };
        let threads: Vec<_> = dirs.iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let winner = done.iter().position(|done| *done).expect("one of them has copied its log");
    assert!(!done[1 - winner] && server.messages() == records(dirs[winner].path()));
}

#[test]
fn the_same_event_again_is_another_record() {
    let server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = Log::open(dir, options(), KEY.clone()).unwrap();
    let event = event(1);
    for _ in 0..3 {
        log.append(&event).unwrap();
    }
    log.close().unwrap();
    server.forwarder(dir).forward().unwrap();
    assert!(server.messages() == records(dir) && records(dir).len() == 4);
}
