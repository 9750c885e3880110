//! `gmkit tls serve`: a server for trials.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use gmkit::{
    pki::{Anchor, Purpose, Verifier},
    tls::{
        self, Clients, Server, group_name,
        rustls::{ServerConfig, ServerConnection, StreamOwned},
        suite_name,
    },
};

use super::{patient, peer_certificates};
use crate::{
    args::TlsServe,
    certificates::certificates,
    failure::{Context, Failure},
    keys::open_private,
    output::print,
};

/// Most connections at a time: more are closed at once.
const MOST: usize = 64;

/// Longest request, in bytes.
const MAX_REQUEST: usize = 16 * 1024;

type Stream = StreamOwned<ServerConnection, TcpStream>;

pub(crate) fn run(args: &TlsServe) -> Result<(), Failure> {
    let chain = certificates(&args.chain)?;
    let key = open_private(&args.key, args.passphrase_file.as_deref())?;
    let mut server = Server::new(chain, key)?;
    if let Some(path) = &args.client_ca {
        let anchors: Vec<_> = certificates(path)?.into_iter().map(Anchor::new).collect();
        let trust = Verifier::new(anchors.clone(), Purpose::TlsClient);
        server = server.with_clients(trust, &anchors, Clients::Required);
    }
    if args.hybrid {
        server = server.with_hybrid();
    }
    let config = server.config()?;
    let root = args.root.as_deref().map(|root| fs::canonicalize(root).about(root)).transpose()?;
    let fail = |error: io::Error| Failure::device(format!("{}: {error}", args.listen));
    let listener = TcpListener::bind(&args.listen).map_err(fail)?;
    print(&format!("listening on {}", listener.local_addr().map_err(fail)?))?;
    accept(&listener, &config, root.as_deref(), args.connections);
    Ok(())
}

fn accept(
    listener: &TcpListener,
    config: &Arc<ServerConfig>,
    root: Option<&Path>,
    connections: Option<u64>,
) {
    let under_way = AtomicUsize::new(0);
    thread::scope(|scope| {
        let mut left = connections.unwrap_or(u64::MAX);
        while left > 0 {
            let Ok((socket, peer)) = listener.accept() else { continue };
            if under_way.fetch_add(1, Ordering::AcqRel) >= MOST {
                under_way.fetch_sub(1, Ordering::AcqRel);
                continue;
            }
            left -= 1;
            let under_way = &under_way;
            scope.spawn(move || {
                if let Err(error) = serve(config, socket, root) {
                    tracing::info!(%peer, %error, "connection ended");
                }
                under_way.fetch_sub(1, Ordering::AcqRel);
            });
        }
    });
}

/// One request, and its answer.
fn serve(config: &Arc<ServerConfig>, mut socket: TcpStream, root: Option<&Path>) -> io::Result<()> {
    patient(&socket)?;
    let connection = tls::accept(Arc::clone(config), &mut socket)?;
    let mut stream = StreamOwned::new(connection, socket);
    let path = request(&mut stream)?;
    match root {
        Some(root) => file(&mut stream, root, &path)?,
        None => {
            let report = report(&stream.conn);
            head(&mut stream, "200 OK", report.len() as u64)?;
            stream.write_all(report.as_bytes())?;
        }
    }
    stream.conn.send_close_notify();
    stream.flush()
}

/// The path that a GET asks for.
fn request(stream: &mut Stream) -> io::Result<String> {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        let n = stream.read(&mut buffer)?;
        if n == 0 || request.len() + n > MAX_REQUEST {
            return Err(io::Error::other("no request, or too long a one"));
        }
        request.extend_from_slice(&buffer[..n]);
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.strip_prefix("GET ").and_then(|rest| rest.split([' ', '?', '\r']).next());
    path.map(str::to_owned).ok_or_else(|| io::Error::other("not a GET"))
}

fn head(stream: &mut Stream, status: &str, len: u64) -> io::Result<()> {
    let head = format!(
        "HTTP/1.0 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {len}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())
}

/// A file of the folder, wherever links lead: nothing outside it is served, unless somebody who can
/// write there changes it in the same moment.
fn file(stream: &mut Stream, root: &Path, path: &str) -> io::Result<()> {
    let inside = |path: PathBuf| path.starts_with(root).then_some(path);
    let found = fs::canonicalize(root.join(path.trim_start_matches('/'))).ok().and_then(inside);
    let opened = found.filter(|path| path.is_file()).and_then(|path| File::open(path).ok());
    let opened = opened.filter(|file| file.metadata().is_ok_and(|found| found.is_file()));
    let Some(mut file) = opened else {
        return head(stream, "404 Not Found", 0);
    };
    head(stream, "200 OK", file.metadata()?.len())?;
    io::copy(&mut file, stream).map(drop)
}

/// What was agreed on, for whoever asks.
fn report(connection: &ServerConnection) -> String {
    let (suite, group) = (suite_name(connection), group_name(connection));
    let mut report = format!("TLS 1.3 {suite} {group} sm2sig_sm3\n");
    for certificate in peer_certificates(connection).iter().take(1) {
        let subject = certificate.subject().to_string();
        // A string has room.
        let _ = writeln!(report, "client {}", subject.escape_debug());
    }
    report
}
