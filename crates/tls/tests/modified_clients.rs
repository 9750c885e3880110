//! Clients that leave messages out, or say them wrongly, and what our server makes of them.

mod by_hand;
mod support;

use std::{
    io::{Read, Write},
    sync::Arc,
};

use by_hand::*;
use gmkit_pki::Profile;
use gmkit_tls::Clients;
use rustls::{ServerConfig, ServerConnection};
use support::{AUTHORITY, Party, mutual_server, server};

const SUITE: u16 = 0x00c6;
const GROUP: u16 = 0x0029;

/// A ClientHello, piece by piece.
struct Hello {
    suites: Vec<u16>,
    extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    fn new(share: &[u8]) -> Self {
        let entry = [&GROUP.to_be_bytes()[..], &with_len16(share)].concat();
        let extensions = vec![
            (43, vec![2, 3, 4]),
            (10, with_len16(&GROUP.to_be_bytes())),
            (13, with_len16(&0x0708_u16.to_be_bytes())),
            (51, with_len16(&entry)),
        ];
        Self { suites: vec![SUITE], extensions }
    }

    fn with(mut self, number: u16, body: Vec<u8>) -> Self {
        self.extensions.retain(|(other, _)| *other != number);
        self.extensions.push((number, body));
        self
    }

    fn again(mut self, number: u16) -> Self {
        let twice = self.extensions.iter().find(|(other, _)| *other == number).unwrap().clone();
        self.extensions.push(twice);
        self
    }

    fn without(mut self, number: u16) -> Self {
        self.extensions.retain(|(other, _)| *other != number);
        self
    }

    fn message(&self) -> Vec<u8> {
        let suites: Vec<_> = self.suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
        let all: Vec<_> =
            self.extensions.iter().flat_map(|(number, body)| extension(*number, body)).collect();
        let body = [&[3, 3][..], &[7; 32], &[0], &with_len16(&suites), &[1, 0], &with_len16(&all)];
        message(CLIENT_HELLO, &body.concat())
    }
}

/// A client by hand, behind the server's Finished.
struct Client {
    server: ServerConnection,
    schedule: Schedule,
    /// All messages so far.
    transcript: Vec<u8>,
    ours: Keys,
    /// The messages of the server, in their order.
    said: Vec<u8>,
}

fn tell(server: &mut ServerConnection, mut bytes: &[u8]) -> Result<Vec<u8>, rustls::Error> {
    while !bytes.is_empty() {
        server.read_tls(&mut bytes).unwrap();
        server.process_new_packets()?;
    }
    let mut answer = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut answer).unwrap();
    }
    Ok(answer)
}

impl Client {
    /// Goes as far as the server's Finished.
    fn start(config: &Arc<ServerConfig>) -> Self {
        let share = Share::new();
        let hello = Hello::new(&share.point()).message();
        let mut server = ServerConnection::new(Arc::clone(config)).unwrap();
        let answer = tell(&mut server, &plain(HANDSHAKE, &hello)).unwrap();
        let records = records(&answer);
        let server_hello = &records[0][5..];
        // The share is the last 65 bytes, or stands before supported_versions.
        let at = server_hello.windows(8).position(|w| w == [0, 51, 0, 69, 0, 0x29, 0, 65]).unwrap();
        let shared = share.agree(&server_hello[at + 8..at + 8 + 65]);
        let schedule = Schedule::new(&shared);
        let mut transcript = [&hello, server_hello].concat();
        let [ours, mut theirs] = schedule.handshake(&transcript);
        let mut said = Vec::new();
        for record in records.iter().filter(|record| record[0] == DATA) {
            let (kind, body) = theirs.open(record);
            assert_eq!(kind, HANDSHAKE);
            for one in messages(&body) {
                said.push(one[0]);
                if one[0] == FINISHED {
                    assert_eq!(one[4..], theirs.finished(&transcript), "the server's Finished");
                }
                transcript.extend(one);
            }
        }
        Self { server, schedule, transcript, ours, said }
    }

    /// Sends a message under the keys of the handshake.
    fn say(&mut self, message: Vec<u8>) -> Result<(), rustls::Error> {
        let record = self.ours.seal(HANDSHAKE, &message);
        self.transcript.extend(message);
        tell(&mut self.server, &record).map(drop)
    }

    fn finish(&mut self) -> Result<(), rustls::Error> {
        let finished = message(FINISHED, &self.ours.finished(&self.transcript));
        self.say(finished)
    }

    /// The keys of data, as of the server's Finished.
    fn data_keys(&self) -> Keys {
        let [ours, _] = self.schedule.data(&self.transcript);
        ours
    }

    /// Nothing that this client says is read by anybody above TLS.
    fn is_refused(&mut self, ended: Result<(), rustls::Error>) {
        let error = ended.unwrap_err();
        assert!(self.server.is_handshaking(), "{error}");
        assert_eq!(
            self.server.reader().read(&mut [0]).unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock
        );
        let mut alert = Vec::new();
        self.server.write_tls(&mut alert).unwrap();
        assert!(!alert.is_empty(), "an alert for {error}");
    }
}

#[test]
fn the_client_by_hand_is_one() {
    let mut client = Client::start(&server());
    assert_eq!(client.said, [ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED]);
    let mut data = client.data_keys();
    client.finish().unwrap();
    assert!(!client.server.is_handshaking());
    tell(&mut client.server, &data.seal(DATA, b"hello")).unwrap();
    let mut said = [0; 5];
    client.server.reader().read_exact(&mut said).unwrap();
    assert_eq!(&said, b"hello");
    client.server.writer().write_all(b"and you").unwrap();
}

#[test]
fn finished_is_left_out_or_wrong() {
    // Data at once, under either keys.
    let mut client = Client::start(&server());
    let record = client.data_keys().seal(DATA, b"GET /");
    let ended = tell(&mut client.server, &record).map(drop);
    client.is_refused(ended);
    let mut client = Client::start(&server());
    let record = client.ours.seal(DATA, b"GET /");
    let ended = tell(&mut client.server, &record).map(drop);
    client.is_refused(ended);
    // Of another transcript; too short; twice the same as the server's.
    for wrong in [
        |client: &Client| client.ours.finished(b""),
        |client: &Client| client.ours.finished(&client.transcript)[..31].to_vec(),
        |_: &Client| Vec::new(),
        |client: &Client| [client.ours.finished(&client.transcript), vec![0]].concat(),
    ] {
        let mut client = Client::start(&server());
        let body = wrong(&client);
        let ended = client.say(message(FINISHED, &body));
        client.is_refused(ended);
    }
    // In the clear.
    let mut client = Client::start(&server());
    let body = message(FINISHED, &client.ours.finished(&client.transcript));
    let ended = tell(&mut client.server, &plain(HANDSHAKE, &body)).map(drop);
    client.is_refused(ended);
}

#[test]
fn certificates_are_left_out() {
    let Party { chain, key } = AUTHORITY.party(Profile::TlsClient, "alice");
    let config = mutual_server(Clients::Required);
    let verify =
        |client: &Client, scheme| certificate_verify(&key, "client", scheme, &client.transcript);

    let mut client = Client::start(&config);
    assert_eq!(client.said[1], CERTIFICATE_REQUEST);
    client.say(certificate(&chain)).unwrap();
    let good = verify(&client, 0x0708);
    client.say(good).unwrap();
    client.finish().unwrap();
    assert!(!client.server.is_handshaking(), "with all of them");

    let optional = mutual_server(Clients::Optional);
    for config in [&config, &optional] {
        // Neither; no CertificateVerify; no Certificate.
        let mut client = Client::start(config);
        let ended = client.finish();
        client.is_refused(ended);
        let mut client = Client::start(config);
        client.say(certificate(&chain)).unwrap();
        let ended = client.finish();
        client.is_refused(ended);
        let mut client = Client::start(config);
        let only = verify(&client, 0x0708);
        let ended = client.say(only);
        client.is_refused(ended);
        // Another scheme's number on a good signature; the server's context; a signature of before.
        for wrong in [
            |client: &Client, key: &_| {
                certificate_verify(key, "client", 0x0403, &client.transcript)
            },
            |client: &Client, key: &_| {
                certificate_verify(key, "server", 0x0708, &client.transcript)
            },
            |_: &Client, key: &_| certificate_verify(key, "client", 0x0708, b""),
        ] {
            let mut client = Client::start(config);
            client.say(certificate(&chain)).unwrap();
            let bad = wrong(&client, &key);
            let ended = client.say(bad);
            client.is_refused(ended);
        }
    }
    // None at all, where one must be.
    let mut client = Client::start(&config);
    let ended = client.say(certificate(&[]));
    client.is_refused(ended);
}

fn greet(hello: &Hello) -> Result<Vec<u8>, rustls::Error> {
    let mut server = ServerConnection::new(server()).unwrap();
    let answer = tell(&mut server, &plain(HANDSHAKE, &hello.message()));
    if answer.is_err() {
        let mut alert = Vec::new();
        server.write_tls(&mut alert).unwrap();
        assert!(!alert.is_empty(), "an alert for {answer:?}");
    }
    answer
}

#[test]
fn hellos_that_are_refused() {
    let point = Share::new().point();
    let hello = || Hello::new(&point);
    greet(&hello()).unwrap();
    for number in [43, 10, 13, 51] {
        greet(&hello().again(number)).expect_err("an extension twice");
        greet(&hello().without(number)).expect_err("an extension that must be");
    }
    let bad = |what: &str, hello: Hello| {
        greet(&hello).expect_err(what);
    };
    bad("another suite", Hello { suites: vec![0x1301], ..hello() });
    bad("no suite", Hello { suites: vec![], ..hello() });
    bad("an older version", hello().with(43, vec![2, 3, 3]));
    bad("a version of no meaning", hello().with(43, vec![2, 3, 5]));
    bad("another scheme", hello().with(13, with_len16(&[4, 3])));
    // Another group, with a share that is good for it as for ours.
    for group in [0x0017_u16, 0x001d, 0x001e] {
        let entry = [&group.to_be_bytes()[..], &with_len16(&point)].concat();
        let other = hello().with(10, with_len16(&group.to_be_bytes()));
        bad("another group", other.with(51, with_len16(&entry)));
    }
    let mut off_curve = point.clone();
    off_curve[64] ^= 1;
    let mut negated = point.clone();
    negated[0] = 6;
    for share in [&off_curve[..], &[0], &[0; 65], &point[..64], &[4; 65], &negated, &[]] {
        bad("a share that is no point", Hello::new(share));
    }
}

/// A ticket that another server made, or nobody: a full handshake, or none. Never a session.
#[test]
fn foreign_tickets() {
    let with_ticket = |ticket: &[u8]| {
        let share = Share::new();
        let identity = [&with_len16(ticket)[..], &[0; 4]].concat();
        let psk = [with_len16(&identity), with_len16(&[&[32][..], &[9; 32]].concat())].concat();
        greet(&Hello::new(&share.point()).with(45, vec![1, 1]).with(41, psk)).unwrap()
    };
    for ticket in [&[1; 16][..], &[0; 200], &[255; 4000]] {
        let answer = with_ticket(ticket);
        // ServerHello without pre_shared_key, and a certificate behind it.
        let hello = &records(&answer)[0];
        assert!(!hello.windows(6).any(|w| w == [0, 41, 0, 2, 0, 0]));
        assert!(answer.len() > 800);
    }
}
