//! What can be typed behind `gmkit tls`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Json;

#[derive(Subcommand)]
pub(crate) enum Tls {
    /// Serve TLS 1.3 with the national suites, for trials: files of a folder, or what was agreed on
    #[command(
        after_help = "Example:\n  gmkit tls serve -c chain.pem -k server.key --listen 127.0.0.1:8443 --root public"
    )]
    Serve(TlsServe),
    /// Connect to a server, and report what was agreed on and whether it is trusted
    #[command(after_help = "Example:\n  gmkit tls connect --ca ca.pem a.example:443")]
    Connect(TlsConnect),
    /// List what a server offers of the national suites; it is not trusted, and nothing is sent to it
    #[command(after_help = "Example:\n  gmkit tls scan a.example:443")]
    Scan(TlsScan),
}

#[derive(Args)]
pub(crate) struct TlsServe {
    /// The server's certificate, and those above it
    #[arg(short, value_name = "CHAIN")]
    pub(crate) chain: PathBuf,
    /// Its private key: a file, or a key URI
    #[arg(short, value_name = "KEY")]
    pub(crate) key: String,
    /// File with the key's passphrase, or its device's PIN; else the terminal
    #[arg(long, value_name = "F")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Where to listen; port 0 is any that is free. The address is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    pub(crate) listen: String,
    /// Authorities of clients, which must have a certificate then
    #[arg(long, value_name = "CA")]
    pub(crate) client_ca: Option<PathBuf>,
    /// Prefer curveSM2MLKEM768, which is not in RFC 8998, to curveSM2
    #[arg(long)]
    pub(crate) hybrid: bool,
    /// Folder whose files are served
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// End after so many connections
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<u64>,
}

#[derive(Args)]
pub(crate) struct TlsConnect {
    /// Authorities that are trusted
    #[arg(long, value_name = "CA")]
    pub(crate) ca: PathBuf,
    /// Revocation lists
    #[arg(long, value_name = "CRL")]
    pub(crate) crl: Vec<PathBuf>,
    /// A certificate of one's own, and those above it
    #[arg(short, value_name = "CHAIN", requires = "key")]
    pub(crate) chain: Option<PathBuf>,
    /// Its private key: a file, or a key URI
    #[arg(short, value_name = "KEY", requires = "chain")]
    pub(crate) key: Option<String>,
    /// File with the key's passphrase, or its device's PIN; else the terminal
    #[arg(long, value_name = "F")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The server's name, if it is not HOST
    #[arg(long, value_name = "HOST")]
    pub(crate) name: Option<String>,
    /// Prefer curveSM2MLKEM768, which is not in RFC 8998, to curveSM2
    #[arg(long)]
    pub(crate) hybrid: bool,
    /// Ask for this path with HTTP, and print what comes
    #[arg(long, value_name = "PATH", conflicts_with = "json")]
    pub(crate) get: Option<String>,
    /// HOST:PORT
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct TlsScan {
    /// The server's name, if it is not HOST
    #[arg(long, value_name = "HOST")]
    pub(crate) name: Option<String>,
    /// HOST:PORT
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) json: Json,
}
