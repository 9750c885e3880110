//! `gmkit tls connect`.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use gmkit::{
    pki::{Anchor, Certificate, Purpose, Verifier, rfc3339},
    tls::{
        self, Client, group_name,
        rustls::{ClientConnection, HandshakeKind, Stream, pki_types::ServerName},
        suite_name,
    },
};

use super::{PATIENCE, dial, host, network, peer_certificates};
use crate::{
    args::TlsConnect,
    certificates::{certificates, crls},
    failure::{Context, Failure},
    keys::open_private,
    output::{Access, Content, Output, print},
};

/// Longest answer that is printed, in bytes.
const MAX_ANSWER: u64 = 64 << 20;

pub(crate) fn run(args: &TlsConnect) -> Result<(), Failure> {
    let name = args.name.as_deref().map_or_else(|| host(&args.address), Ok)?;
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| Failure::input(format!("{name} is neither a host name nor an address")))?;
    let trust = trust(&args.ca, &args.crl)?;
    let mut client = Client::new(trust.clone()).without_resumption();
    if let (Some(chain), Some(key)) = (&args.chain, &args.key) {
        let key = open_private(key, args.passphrase_file.as_deref())?;
        client = client.with_identity(certificates(chain)?, key)?;
    }
    if args.hybrid {
        client = client.with_hybrid();
    }
    let config = client.config()?;

    let started = Instant::now();
    let mut socket = dial(&args.address)?;
    let dialled = started.elapsed();
    let connected = tls::connect(config, server, &mut socket);
    let mut connection = connected.map_err(|error| match error.untrusted() {
        Some(reason) => Failure::check(format!("{}: not trusted: {reason}", args.address)),
        None => network(&args.address, &error.into()),
    })?;
    let handshake = started.elapsed() - dialled;
    settle(&mut connection, &mut socket, &args.address)?;
    if let Some(path) = &args.get {
        return get(&mut connection, &mut socket, name, path, &args.address);
    }
    let chain = peer_certificates(&connection);
    let anchor = anchor(&trust, name, &chain)?;
    report(args, &connection, &chain, &anchor, [dialled, handshake])?;
    connection.send_close_notify();
    // The report is made: the other side may be gone.
    let _ = connection.complete_io(&mut socket);
    Ok(())
}

/// In TLS 1.3 a client is done before the server has looked at its certificate: what comes next is a
/// ticket, or an alert that says no. A server that says nothing for a quarter of a second agrees.
fn settle(
    connection: &mut ClientConnection,
    socket: &mut TcpStream,
    address: &str,
) -> Result<(), Failure> {
    let fail = |error: &io::Error| network(address, error);
    socket.set_read_timeout(Some(Duration::from_millis(250))).map_err(|error| fail(&error))?;
    let read = connection.read_tls(socket);
    socket.set_read_timeout(Some(PATIENCE)).map_err(|error| fail(&error))?;
    match read {
        Ok(0) => return Err(Failure::device(format!("{address}: the server closed at once"))),
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
        Err(error) => return Err(fail(&error)),
    }
    let processed = connection.process_new_packets();
    processed.map(drop).map_err(|error| fail(&io::Error::other(error)))
}

fn trust(ca: &Path, lists: &[std::path::PathBuf]) -> Result<Verifier, Failure> {
    let anchors = certificates(ca)?.into_iter().map(Anchor::new).collect();
    let mut verifier = Verifier::new(anchors, Purpose::TlsServer);
    for path in lists {
        verifier = verifier.with_crls(crls(path)?).about(path)?;
    }
    Ok(verifier)
}

/// Whom the handshake trusted: the same check once more, for its answer.
fn anchor(trust: &Verifier, name: &str, chain: &[Certificate]) -> Result<String, Failure> {
    let (leaf, between) = chain.split_first().ok_or_else(|| Failure::check("no certificate"))?;
    let verifier = trust.clone().named(name)?.with_intermediates(between.iter().cloned());
    let found = verifier.verify(leaf).map_err(gmkit::pki::Error::from)?;
    Ok(found.anchor().subject().to_string())
}

fn report(
    args: &TlsConnect,
    connection: &ClientConnection,
    chain: &[Certificate],
    anchor: &str,
    [dialled, handshake]: [Duration; 2],
) -> Result<(), Failure> {
    let (suite, group) = (suite_name(connection), group_name(connection));
    let retried = connection.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
    let leaf = &chain[0];
    let [dial_ms, handshake_ms] = [dialled, handshake].map(|time| time.as_secs_f64() * 1e3);
    if args.json.json {
        return print(
            &serde_json::json!({
                "address": args.address, "version": "TLS 1.3", "suite": suite,
                "group": group, "signature": "sm2sig_sm3", "retried": retried,
                "subject": leaf.subject().to_string(), "issuer": leaf.issuer().to_string(),
                "not_after": rfc3339(leaf.validity().not_after), "trusted_by": anchor,
                "dial_ms": dial_ms, "handshake_ms": handshake_ms,
            })
            .to_string(),
        );
    }
    print(&format!("connected  {}, {dial_ms:.1} ms", args.address))?;
    let retry = if retried { ", after a HelloRetryRequest" } else { "" };
    print(&format!("handshake  TLS 1.3, full, {handshake_ms:.1} ms{retry}"))?;
    print(&format!("suite      {suite}"))?;
    print(&format!("group      {group}"))?;
    print("signature  sm2sig_sm3")?;
    print(&format!("server     {}", leaf.subject().to_string().escape_debug()))?;
    print(&format!("issued by  {}", leaf.issuer().to_string().escape_debug()))?;
    print(&format!("valid to   {}", rfc3339(leaf.validity().not_after)))?;
    print(&format!("trusted    by {}", anchor.escape_debug()))
}

/// One request with HTTP/1.0, and all of the answer.
fn get(
    connection: &mut ClientConnection,
    socket: &mut TcpStream,
    host: &str,
    path: &str,
    address: &str,
) -> Result<(), Failure> {
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::input("the path must begin with / and have no blanks"));
    }
    let mut stream = Stream::new(connection, socket);
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| network(address, &error))?;
    let mut answer = Vec::new();
    // rustls makes an error of an end without close_notify: what was cut off is not printed.
    let mut limited = stream.take(MAX_ANSWER + 1);
    limited.read_to_end(&mut answer).map_err(|error| network(address, &error))?;
    if answer.len() as u64 > MAX_ANSWER {
        return Err(Failure::input("the answer has more than 64 MiB"));
    }
    let mut output = Output::create(None, Content::Text, Access::Public)?;
    output.write(&answer)?;
    output.commit()
}
