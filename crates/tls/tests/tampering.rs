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
    // How long both sides' parts are.
    let mut lengths = [0, 0];
    let mut up = [0, 0];
    let mut pair = Pair::new(&config, &server);
    pair.run(|bytes, from_client, _| lengths[usize::from(!from_client)] += bytes.len()).unwrap();
    assert!(pair.is_up() && lengths[0] > 500 && lengths[1] > 500, "{lengths:?}");
    for (side, &len) in lengths.iter().enumerate() {
        // Every seventh, from another start with each side, and both ends whole: a prime, so that
        // all fields are met; each handshake takes a millisecond.
        let chosen = |at: &usize| *at < 300 || at.is_multiple_of(7) || *at + 150 > len;
        for at in (0..len).filter(chosen) {
            let mut pair = Pair::new(&config, &server);
            let done = pair.run(|bytes, from_client, before| {
                let mine = usize::from(!from_client) == side;
                if mine && (before..before + bytes.len()).contains(&at) {
                    bytes[at - before] ^= 0x04;
                }
            });
            let said = format!("side {side}, byte {at} of {len}: {done:?}");
            match done {
                Err(_) => {}
                // Bytes that TLS itself says are not looked at: versions of records, and a record of
                // compatibility, before keys are there. Then all goes on as if nothing was.
                Ok(()) if pair.is_up() => up[side] += 1,
                // A length that grew: the other side waits for more, and there is no connection.
                Ok(()) => {}
            }
            assert!(up[side] <= 12, "{said}");
        }
    }
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
    assert!(records >= 3);
    for n in 0..records {
        for double in [false, true] {
            let (mut pair, mut seen) = (Pair::new(&config, &server), 0);
            let done = pair.run(|bytes, from_client, _| {
                if from_client {
                    return;
                }
                let mut changed = Vec::new();
                for record in split(bytes) {
                    let kind = record[0];
                    let copies = match (seen == n, double) {
                        (true, true) => 2,
                        (true, false) => 0,
                        _ => 1,
                    };
                    // The compatibility record counts for nothing (RFC 8446, 5).
                    let copies = if kind == 20 { 1 } else { copies };
                    changed.extend(record.repeat(copies));
                    seen += 1;
                }
                *bytes = changed;
            });
            // The last ones are tickets, behind the handshake: losing one breaks what follows.
            if done.is_ok() && pair.is_up() {
                assert!(n == 1 || n + 4 >= records, "record {n} of {records}");
            }
        }
    }
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
