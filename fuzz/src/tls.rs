//! TLS: what strangers say to our client and our server, in the clear and under the keys of a
//! handshake; and tickets. Nobody here can finish a handshake, as nobody has the key that it needs, so
//! whatever is said, no connection may come of it.

#[path = "../../crates/tls/tests/by_hand/mod.rs"]
mod by_hand;

use std::sync::{Arc, OnceLock};

use by_hand::*;
use gmkit_keys::{PrivateKey, SoftwareKey};
use gmkit_pki::{Anchor, Certificate, Issuer, Profile, Purpose, Verifier, san, subject};
use gmkit_tls::{
    Client, Clients, Server,
    rustls::{
        ClientConfig, ClientConnection, ServerConfig, ServerConnection, server::ProducesTickets,
    },
};

/// Who takes part.
struct World {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    /// The server's certificate; its key is the server's alone.
    chain: Vec<Certificate>,
    tickets: Arc<dyn ProducesTickets>,
    ticket: Vec<u8>,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let key = || Arc::new(SoftwareKey::generate().expect("a key"));
        let params = Profile::Ca.params(subject("CN=Root").expect("a subject"), 9);
        let root = Issuer::self_signed(params.expect("parameters"), key()).expect("a root");
        let own = key();
        let params = Profile::TlsServer.params(subject("CN=localhost").expect("a subject"), 8);
        let mut params = params.expect("parameters");
        params.subject_alt_names = san("DNS:localhost").expect("a name");
        let chain = vec![root.issue(params, own.public_key()).expect("a certificate")];
        let anchors = [Anchor::new(root.certificate().clone())];
        let trust = Verifier::new(anchors.to_vec(), Purpose::TlsServer);
        let server = Server::new(chain.clone(), own).expect("a server").with_hybrid();
        let server =
            server.with_clients(trust.clone(), &anchors, Clients::Optional).with_tickets(true);
        let client = Client::new(trust).without_resumption();
        let tickets = gmkit_tls::ticketer().expect("a ticketer");
        let ticket = tickets.encrypt(b"session").expect("a ticket");
        World {
            server: server.config().expect("a configuration"),
            client: client.config().expect("a configuration"),
            chain,
            tickets,
            ticket,
        }
    })
}

/// Says it all to a server; `None` once it has refused.
fn to_server(server: &mut ServerConnection, mut bytes: &[u8]) -> Option<Vec<u8>> {
    while !bytes.is_empty() {
        server.read_tls(&mut bytes).ok()?;
        server.process_new_packets().ok()?;
    }
    let mut answer = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut answer).ok()?;
    }
    Some(answer)
}

fn to_client(client: &mut ClientConnection, mut bytes: &[u8]) -> Option<Vec<u8>> {
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).ok()?;
        client.process_new_packets().ok()?;
    }
    let mut answer = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut answer).ok()?;
    }
    Some(answer)
}

fn new_client() -> ClientConnection {
    let name = "localhost".try_into().expect("a name");
    ClientConnection::new(Arc::clone(&world().client), name).expect("a client")
}

fn new_server() -> ServerConnection {
    ServerConnection::new(Arc::clone(&world().server)).expect("a server")
}

/// Records from a client.
pub fn tls_server(data: &[u8]) {
    let mut server = new_server();
    let _ = to_server(&mut server, data);
    assert!(server.is_handshaking());
}

/// Records from a server.
pub fn tls_client(data: &[u8]) {
    let mut client = new_client();
    let _ = to_client(&mut client, &[]);
    let _ = to_client(&mut client, data);
    assert!(client.is_handshaking());
}

/// The messages of `data` in records of their own; what is no message is one more.
fn sealed(keys: &mut Keys, data: &[u8]) -> Vec<u8> {
    let all = messages_of(data);
    all.iter().flat_map(|one| keys.seal(HANDSHAKE, one)).collect()
}

fn messages_of(mut data: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let [_, a, b, c, ..] = data {
        let len = 4 + usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).expect("24 bits");
        let Some((message, rest)) = data.split_at_checked(len.min(1 << 14)) else { break };
        all.push(message.to_vec());
        data = rest;
    }
    if !data.is_empty() {
        all.push(data[..data.len().min(1 << 14)].to_vec());
    }
    all
}

/// What a client says behind the server's Finished, encrypted: Certificate, CertificateVerify, and so
/// on. Its Finished would have to be over what it said.
pub fn tls_server_sealed(data: &[u8]) {
    let share = Share::new();
    let hello = client_hello(&share.point());
    let mut server = new_server();
    let answer = to_server(&mut server, &plain(HANDSHAKE, &hello)).expect("a good hello");
    let answer = &records(&answer)[0][5..];
    let at = answer.windows(4).position(|window| window == [0, 0x29, 0, 65]).expect("a share") + 4;
    let schedule = Schedule::new(&share.agree(&answer[at..at + 65]));
    let [mut ours, _] = schedule.handshake(&[&hello, answer].concat());
    let _ = to_server(&mut server, &sealed(&mut ours, data));
    assert!(server.is_handshaking());
}

/// What a server says behind its hello, encrypted: extensions, certificates, a signature, Finished.
pub fn tls_client_sealed(data: &[u8]) {
    let mut client = new_client();
    let hello = to_client(&mut client, &[]).expect("a hello")[5..].to_vec();
    let at = hello.windows(4).position(|window| window == [0, 0x29, 0, 65]).expect("a share") + 4;
    let share = Share::new();
    let answer = server_hello(&hello[38..39 + usize::from(hello[38])], &share.point());
    let schedule = Schedule::new(&share.agree(&hello[at..at + 65]));
    let [_, mut ours] = schedule.handshake(&[&hello[..], &answer].concat());
    to_client(&mut client, &plain(HANDSHAKE, &answer)).expect("a good hello");
    let _ = to_client(&mut client, &sealed(&mut ours, data));
    assert!(client.is_handshaking());
}

/// Tickets: those that were given out open, and no others.
pub fn tls_ticket(data: &[u8]) {
    let World { tickets, ticket, .. } = world();
    assert_eq!(tickets.decrypt(ticket).as_deref(), Some(&b"session"[..]));
    if data != ticket {
        assert_eq!(tickets.decrypt(data), None);
    }
}

fn client_hello(point: &[u8]) -> Vec<u8> {
    let entry = [&[0, 0x29][..], &with_len16(point)].concat();
    let extensions = [
        extension(43, &[2, 3, 4]),
        extension(10, &with_len16(&[0, 0x29])),
        extension(13, &with_len16(&[7, 8])),
        extension(51, &with_len16(&entry)),
    ];
    let fixed = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0, 0xc6, 1, 0]].concat();
    message(CLIENT_HELLO, &[fixed, with_len16(&extensions.concat())].concat())
}

/// `session` comes with its length.
fn server_hello(session: &[u8], point: &[u8]) -> Vec<u8> {
    let entry = [&[0, 0x29][..], &with_len16(point)].concat();
    let extensions = with_len16(&[extension(43, &[3, 4]), extension(51, &entry)].concat());
    message(SERVER_HELLO, &[&[3, 3][..], &[5; 32], session, &[0, 0xc6, 0], &extensions].concat())
}

/// What is said in handshakes that go well, as far as others can say it.
pub(crate) fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let World { chain, ticket, .. } = world();
    let stranger = SoftwareKey::generate().expect("a key");
    let point = Share::new().point();
    let hello = client_hello(&point);
    let signed = certificate_verify(&stranger, "server", 0x0708, b"");
    let flight = [
        message(ENCRYPTED_EXTENSIONS, &[0, 0]),
        certificate(chain),
        signed,
        message(FINISHED, &[0; 32]),
    ];
    let from_client = [certificate(chain), certificate_verify(&stranger, "client", 0x0708, b"")];
    let asked = message(CERTIFICATE_REQUEST, &[0, 0, 8, 0, 13, 0, 4, 0, 2, 7, 8]);
    let with_request = [message(ENCRYPTED_EXTENSIONS, &[0, 0]), asked].concat();
    vec![
        ("tls_server", "hello".into(), plain(HANDSHAKE, &hello)),
        ("tls_server", "in-two-records".into(), {
            [plain(HANDSHAKE, &hello[..50]), plain(HANDSHAKE, &hello[50..])].concat()
        }),
        ("tls_client", "hello".into(), plain(HANDSHAKE, &server_hello(&[0], &point))),
        ("tls_client", "alert".into(), plain(21, &[2, 40])),
        ("tls_client_sealed", "flight".into(), flight.concat()),
        ("tls_client_sealed", "request".into(), with_request),
        ("tls_server_sealed", "certificate".into(), from_client.concat()),
        (
            "tls_server_sealed",
            "none".into(),
            [certificate(&[]), message(FINISHED, &[0; 32])].concat(),
        ),
        ("tls_ticket", "ticket".into(), ticket.clone()),
    ]
}
