//! `gmkit tls`: national TLS 1.3 from the command line.

mod connect;
mod scan;
mod serve;

use std::{
    io,
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use gmkit::{
    keys,
    pki::Certificate,
    tls::{self, rustls::ConnectionCommon},
};

use crate::{args, failure::Failure};

/// How long the other side may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(args: &args::Tls) -> Result<(), Failure> {
    match args {
        args::Tls::Serve(args) => serve::run(args),
        args::Tls::Connect(args) => connect::run(args),
        args::Tls::Scan(args) => scan::run(args),
    }
}

impl From<tls::Error> for Failure {
    fn from(error: tls::Error) -> Self {
        match error {
            tls::Error::Key(error) => keys::Error::into(error),
            error => Self::input(error.to_string()),
        }
    }
}

/// HOST:PORT, where HOST may be an address of IPv6 in brackets.
fn host(address: &str) -> Result<&str, Failure> {
    let host = address
        .rsplit_once(':')
        .filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    let (host, _) = host.ok_or_else(|| Failure::input(format!("{address} is not HOST:PORT")))?;
    Ok(host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host))
}

/// The network's faults have exit code 3.
fn network(address: &str, error: &io::Error) -> Failure {
    Failure::device(format!("{address}: {error}"))
}

fn dial(address: &str) -> Result<TcpStream, Failure> {
    let fail = |error: io::Error| network(address, &error);
    let mut last = None;
    for address in address.to_socket_addrs().map_err(fail)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(socket) => {
                patient(&socket).map_err(fail)?;
                return Ok(socket);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| Failure::device(format!("{address}: no such host")), fail))
}

fn patient(socket: &TcpStream) -> io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)
}

fn peer_certificates<D>(connection: &ConnectionCommon<D>) -> Vec<Certificate> {
    let shown = connection.peer_certificates().unwrap_or_default();
    shown.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
}
