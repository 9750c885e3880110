//! Servers that leave messages out, or say them wrongly, and what our client makes of them.

mod by_hand;
mod support;

use std::io::{Read, Write};

use by_hand::*;
use gmkit_pki::Profile;
use rustls::ClientConnection;
use support::{AUTHORITY, Party, client};

/// Makes a message from the transcript so far.
type Say<'a> = &'a dyn Fn(&Party, &Keys, &[u8]) -> Vec<u8>;

/// All that a server says behind its hello.
const ALL: [Say<'static>; 4] = [&nothing_more, &shown, &signed, &finished];

/// What a server says, in its place.
struct Server {
    party: Party,
    client: ClientConnection,
    hello: Vec<u8>,
}

fn tell(client: &mut ClientConnection, mut bytes: &[u8]) -> Result<Vec<u8>, rustls::Error> {
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).unwrap();
        client.process_new_packets()?;
    }
    let mut answer = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut answer).unwrap();
    }
    Ok(answer)
}

/// ServerHello's extensions: the version, and the share.
fn extensions(group: u16, share: &[u8]) -> Vec<Vec<u8>> {
    let entry = [&group.to_be_bytes()[..], &with_len16(share)].concat();
    vec![extension(43, &[3, 4]), extension(51, &entry)]
}

fn server_hello(session: &[u8], suite: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let len = u8::try_from(session.len()).unwrap();
    let body = [
        &[3, 3][..],
        &[5; 32],
        &[len],
        session,
        &suite.to_be_bytes(),
        &[0],
        &with_len16(&extensions.concat()),
    ];
    message(SERVER_HELLO, &body.concat())
}

impl Server {
    fn new() -> Self {
        let party = AUTHORITY.party(Profile::TlsServer, "localhost");
        let config = client().without_resumption().config().unwrap();
        let mut client = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        let hello = tell(&mut client, &[]).unwrap()[5..].to_vec();
        Self { party, client, hello }
    }

    /// The session's number, which is sent back.
    fn session(&self) -> &[u8] {
        &self.hello[39..39 + usize::from(self.hello[38])]
    }

    fn client_point(&self) -> &[u8] {
        let entry = [0, 51, 0, 71, 0, 69, 0, 0x29, 0, 65];
        let at = self.hello.windows(10).position(|window| window == entry).unwrap() + 10;
        &self.hello[at..at + 65]
    }

    /// Shakes hands. What comes behind ServerHello is `say`'s: the messages from the transcript so far,
    /// until there is none. Then data.
    fn shake(
        mut self,
        hello: impl FnOnce(&Self, &[u8]) -> Vec<u8>,
        say: &[Say<'_>],
    ) -> Result<(), rustls::Error> {
        let share = Share::new();
        let server_hello = hello(&self, &share.point());
        let schedule = Schedule::new(&share.agree(self.client_point()));
        let mut transcript = [&self.hello[..], &server_hello].concat();
        let mut ended = tell(&mut self.client, &plain(HANDSHAKE, &server_hello));
        let [_, mut ours] = schedule.handshake(&transcript);
        for one in say {
            let message = one(&self.party, &ours, &transcript);
            let record = ours.seal(HANDSHAKE, &message);
            transcript.extend(message);
            ended = ended.and_then(|_| tell(&mut self.client, &record));
        }
        let [_, mut data] = schedule.data(&transcript);
        let record = data.seal(DATA, b"secret");
        ended = ended.and_then(|_| tell(&mut self.client, &record));
        let mut came = [0; 6];
        let heard = self.client.reader().read(&mut came);
        match ended {
            Ok(_) => {
                assert!(!self.client.is_handshaking());
                assert_eq!(&came[..heard.unwrap()], b"secret");
                self.client.writer().write_all(b"answer").unwrap();
                Ok(())
            }
            Err(error) => {
                assert!(self.client.is_handshaking() && heard.is_err(), "{error}");
                let mut alert = Vec::new();
                self.client.write_tls(&mut alert).unwrap();
                // rustls has no words for a server without certificates.
                let silent = error == rustls::Error::NoCertificatesPresented;
                assert!(silent || !alert.is_empty(), "an alert for {error}");
                Err(error)
            }
        }
    }
}

fn good_hello(server: &Server, point: &[u8]) -> Vec<u8> {
    server_hello(server.session(), 0x00c6, &extensions(0x0029, point))
}

fn nothing_more(_: &Party, _: &Keys, _: &[u8]) -> Vec<u8> {
    message(ENCRYPTED_EXTENSIONS, &[0, 0])
}

fn shown(party: &Party, _: &Keys, _: &[u8]) -> Vec<u8> {
    certificate(&party.chain)
}

fn signed(party: &Party, _: &Keys, transcript: &[u8]) -> Vec<u8> {
    certificate_verify(&party.key, "server", 0x0708, transcript)
}

fn finished(_: &Party, keys: &Keys, transcript: &[u8]) -> Vec<u8> {
    message(FINISHED, &keys.finished(transcript))
}

#[test]
fn the_server_by_hand_is_one() {
    Server::new().shake(good_hello, &[&nothing_more, &shown, &signed, &finished]).unwrap();
}

#[test]
fn messages_that_are_left_out_or_in_another_order() {
    let all = ALL;
    // Every choice of them, and every order of all.
    for chosen in 0..15 {
        let say: Vec<_> = (0..4).filter(|n| chosen & (1 << n) != 0).map(|n| all[n]).collect();
        Server::new().shake(good_hello, &say).expect_err("one is missing");
    }
    for order in [[1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2], [0, 3, 1, 2], [3, 2, 1, 0]] {
        let say: Vec<_> = order.iter().map(|n| all[*n]).collect();
        Server::new().shake(good_hello, &say).expect_err("another order");
    }
    // A second Finished comes when all is done, under keys that are gone.
    for twice in 0..3 {
        let say: Vec<_> = all[..=twice].iter().chain(&all[twice..]).copied().collect();
        Server::new().shake(good_hello, &say).expect_err("one of them twice");
    }
}

#[test]
fn messages_that_are_wrong() {
    let with = |n: usize, wrong: Say<'_>| {
        let mut say: [Say<'_>; 4] = ALL;
        say[n] = wrong;
        Server::new().shake(good_hello, &say)
    };
    with(1, &|_, _, _| certificate(&[])).expect_err("no certificate");
    for wrong in [
        |party: &Party, t: &[u8]| certificate_verify(&party.key, "server", 0x0403, t),
        |party: &Party, t: &[u8]| certificate_verify(&party.key, "client", 0x0708, t),
        |party: &Party, _: &[u8]| certificate_verify(&party.key, "server", 0x0708, b""),
        |_: &Party, _: &[u8]| message(CERTIFICATE_VERIFY, &[7, 8, 0, 0]),
    ] {
        with(2, &|party, _, transcript| wrong(party, transcript)).expect_err("CertificateVerify");
    }
    with(3, &|_, keys, _| message(FINISHED, &keys.finished(b""))).expect_err("Finished");
    with(3, &|_, keys, t| message(FINISHED, &keys.finished(t)[..31])).expect_err("cut off");
    // Twice the same, and what was never asked for: early data, ALPN.
    let twice = [extension(10, &with_len16(&[0, 0x29])), extension(10, &with_len16(&[0, 0x29]))];
    let unasked = [extension(42, &[])];
    let alpn = [extension(16, &with_len16(b"\x02h2"))];
    for extensions in [&twice[..], &unasked, &alpn] {
        let body = with_len16(&extensions.concat());
        with(0, &|_, _, _| message(ENCRYPTED_EXTENSIONS, &body)).expect_err("extensions");
    }
}

#[test]
fn hellos_that_are_refused() {
    let refused = |what: &str, hello: &dyn Fn(&Server, &[u8]) -> Vec<u8>| {
        Server::new().shake(hello, &ALL).expect_err(what);
        // At once: what would follow could not be decrypted anyhow.
        let mut server = Server::new();
        let said = hello(&server, &Share::new().point());
        tell(&mut server.client, &plain(HANDSHAKE, &said)).expect_err(what);
    };
    for suite in [0x1301, 0x1302, 0x00c8, 0xc02b] {
        refused("a suite that was not offered", &|server, point| {
            server_hello(server.session(), suite, &extensions(0x0029, point))
        });
    }
    // The share of another group, of the same length, which the client has not offered.
    for group in [0x0017, 0x001d, 0x11ee] {
        refused("another group", &|server, point| {
            server_hello(server.session(), 0x00c6, &extensions(group, point))
        });
    }
    refused("TLS 1.2", &|server, _| server_hello(server.session(), 0x00c6, &[]));
    for number in [[3, 3], [3, 5], [0x7f, 28]] {
        refused("another version", &|server, point| {
            let mut all = extensions(0x0029, point);
            all[0] = extension(43, &number);
            server_hello(server.session(), 0x00c6, &all)
        });
    }
    for twice in [0, 1] {
        refused("an extension twice", &|server, point| {
            let mut all = extensions(0x0029, point);
            all.push(all[twice].clone());
            server_hello(server.session(), 0x00c6, &all)
        });
    }
    refused("a PSK that was not offered", &|server, point| {
        let mut all = extensions(0x0029, point);
        all.push(extension(41, &[0, 0]));
        server_hello(server.session(), 0x00c6, &all)
    });
    refused("no share", &|server, point| {
        server_hello(server.session(), 0x00c6, &extensions(0x0029, point)[..1])
    });
    for wrong in 0..6 {
        refused("a share that is no point", &|server, point| {
            let share = match wrong {
                0 => [&point[..64], &[point[64] ^ 1]].concat(),
                1 => vec![0],
                2 => vec![0; 65],
                3 => point[..64].to_vec(),
                4 => [&[6 + (point[64] & 1)], &point[1..]].concat(),
                _ => Vec::new(),
            };
            server_hello(server.session(), 0x00c6, &extensions(0x0029, &share))
        });
    }
}

/// HelloRetryRequests that ask for what was offered already, for what was not, or for nothing.
#[test]
fn retries_that_are_refused() {
    const RANDOM: [u8; 32] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8,
        0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
        0x33, 0x9c,
    ];
    for more in [
        extension(51, &[0, 0x29]),
        extension(51, &[0, 0x17]),
        extension(51, &[0x11, 0xee]),
        Vec::new(),
    ] {
        let mut server = Server::new();
        let mut hello = server_hello(server.session(), 0x00c6, &[extension(43, &[3, 4]), more]);
        hello[6..38].copy_from_slice(&RANDOM);
        tell(&mut server.client, &plain(HANDSHAKE, &hello)).expect_err("a retry");
        assert!(server.client.is_handshaking());
    }
}
