//! Every byte of every message of a handshake, changed: an error, and no connection.

mod support;

use gmkit_pki::Profile;
use gmkit_tls::Clients;
use support::{AUTHORITY, Pair, client, mutual_server};

#[test]
fn every_changed_byte_is_found() {
    let alice = AUTHORITY.party(Profile::TlsClient, "alice");
    let config = client()
        .without_resumption()
        .with_identity(alice.chain, alice.key)
        .unwrap()
        .config()
        .unwrap();
    let server = mutual_server(Clients::Required);
    // What each side says, to know where its records begin.
    let mut said = [Vec::new(), Vec::new()];
    let mut pair = Pair::new(&config, &server);
    pair.run(|bytes, from_client, _| said[usize::from(!from_client)].extend_from_slice(bytes))
        .unwrap();
    assert!(pair.is_up() && said[0].len() > 500 && said[1].len() > 500);
    for (side, said) in said.iter().enumerate() {
        // A header's version is not looked at (RFC 8446, 5.1), in its lower byte by rustls.
        let versions = lower_versions(said);
        let mut survived = Vec::new();
        // Every byte of the plain part and of both ends, and every seventh between, which is under the
        // AEAD: a handshake takes a millisecond. Signatures vary in length, so the last few are left out.
        let len = said.len() - 8;
        let chosen = |at: &usize| {
            *at < 300 || at.is_multiple_of(7) || *at + 150 > len || versions.contains(at)
        };
        for at in (0..len).filter(chosen) {
            let mut pair = Pair::new(&config, &server);
            let mut applied = false;
            let done = pair.run(|bytes, from_client, before| {
                let mine = usize::from(!from_client) == side;
                if mine && (before..before + bytes.len()).contains(&at) {
                    bytes[at - before] ^= 0x04;
                    applied = true;
                }
            });
            assert!(applied, "side {side}, byte {at}");
            // An error, or a side that waits for what never comes: in no case a connection.
            if done.is_ok() && pair.is_up() {
                survived.push(at);
            }
        }
        assert_eq!(survived, versions, "side {side}: nothing else, and each of these");
    }
}

/// Where the lower bytes of the versions in headers are.
fn lower_versions(said: &[u8]) -> Vec<usize> {
    let mut at = 0;
    let place = |record: Vec<u8>| {
        at += record.len();
        at - record.len() + 2
    };
    split(said).into_iter().map(place).collect()
}

/// What is cut off, doubled or swapped gives no connection either.
#[test]
fn records_that_are_lost_or_doubled() {
    let config = client().without_resumption().config().unwrap();
    let server = support::server();
    let mut records = 0;
    Pair::new(&config, &server)
        .run(|bytes, from_client, _| {
            if !from_client {
                records += split(bytes).len();
            }
        })
        .unwrap();
    // ServerHello, the compatibility record, what is behind it up to Finished, tickets.
    assert_eq!(records, 4);
    let mut up = Vec::new();
    for n in 0..records {
        for copies in [0, 2] {
            let (mut pair, mut seen) = (Pair::new(&config, &server), 0);
            let done = pair.run(|bytes, from_client, _| {
                if from_client {
                    return;
                }
                let mut changed = Vec::new();
                for record in split(bytes) {
                    changed.extend(record.repeat(if seen == n { copies } else { 1 }));
                    seen += 1;
                }
                *bytes = changed;
            });
            if done.is_ok() && pair.is_up() {
                up.push((n, copies));
            }
        }
    }
    // Whether the compatibility record comes says nothing; and tickets come when all is done: without
    // them the numbers of records do not fit any more, and nothing that follows is read.
    assert_eq!(up, [(1, 0), (1, 2), (3, 0)]);
}

fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut records) = (bytes, Vec::new());
    while let [_, _, _, high, low, ..] = rest {
        let len = 5 + usize::from(u16::from_be_bytes([*high, *low]));
        records.push(rest[..len].to_vec());
        rest = &rest[len..];
    }
    records
}
