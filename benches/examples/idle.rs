//! Memory of connections that are idle: resident bytes for each, both sides together, of ten thousand
//! national connections in one process.
//!
//! ```sh
//! cargo run --release --package gmkit-benches --example idle
//! ```

use std::{fs, sync::Arc};

use gmkit::{
    keys::{PrivateKey, SoftwareKey},
    pki::{Anchor, Issuer, Profile, Purpose, Verifier, san, subject},
    tls::{Client, Server},
};
use rustls::{ClientConnection, ServerConnection, pki_types::ServerName};

const COUNT: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root_key = Arc::new(SoftwareKey::generate()?);
    let root = Issuer::self_signed(Profile::Ca.params(subject("CN=Root")?, 30)?, root_key)?;
    let key = Arc::new(SoftwareKey::generate()?);
    let mut params = Profile::TlsServer.params(subject("CN=localhost")?, 20)?;
    params.subject_alt_names = san("DNS:localhost")?;
    let chain = vec![root.issue(params, key.public_key())?];
    let server = Server::new(chain, key)?.config()?;
    let anchor = Anchor::new(root.certificate().clone());
    let trust = Verifier::new(vec![anchor], Purpose::TlsServer);
    let client = Client::new(trust).without_resumption().config()?;

    let (mut idle, before) = (Vec::with_capacity(COUNT), resident()?);
    for _ in 0..COUNT {
        let name = ServerName::try_from("localhost")?;
        let mut client = ClientConnection::new(Arc::clone(&client), name)?;
        let mut server = ServerConnection::new(Arc::clone(&server))?;
        let mut wire = Vec::new();
        while client.wants_write() || server.wants_write() {
            while client.wants_write() {
                client.write_tls(&mut wire)?;
            }
            let mut rest = &wire[..];
            while !rest.is_empty() {
                server.read_tls(&mut rest)?;
                server.process_new_packets()?;
            }
            wire.clear();
            while server.wants_write() {
                server.write_tls(&mut wire)?;
            }
            let mut rest = &wire[..];
            while !rest.is_empty() {
                client.read_tls(&mut rest)?;
                client.process_new_packets()?;
            }
            wire.clear();
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        idle.push((client, server));
    }
    let each = (resident()? - before) / COUNT;
    println!("{each} bytes for each of {} connections, both sides", idle.len());
    Ok(())
}

/// Resident memory of this process, in bytes.
fn resident() -> Result<usize, Box<dyn std::error::Error>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: usize = line.ok_or("no VmRSS")?.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
