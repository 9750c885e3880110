//! What can be typed behind `gmkit pkcs12`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Json, PrivateKeyArgs};

#[derive(Subcommand)]
pub(crate) enum Pkcs12 {
    /// Put a private key and its certificates into a PKCS#12 file
    #[command(
        after_help = "Example:\n  gmkit pkcs12 export -k alice.key -c chain.pem -o alice.p12"
    )]
    Export(Pkcs12Export),
    /// Take key and certificates out of a PKCS#12 or CFCA .sm2 file
    #[command(after_help = "Example:\n  gmkit pkcs12 import -o alice.key -c chain.pem alice.p12")]
    Import(Pkcs12Import),
}

#[derive(Args)]
pub(crate) struct Pkcs12Export {
    #[command(flatten)]
    pub(crate) key: PrivateKeyArgs,
    /// The key's certificate; those of its authorities follow in the file
    #[arg(short, value_name = "CHAIN")]
    pub(crate) certificate: PathBuf,
    /// The name that programs show
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// File whose first line is the new file's password; else the terminal is asked
    #[arg(long, value_name = "F")]
    pub(crate) password_file: Option<PathBuf>,
    /// Who must be able to read the file
    #[arg(long, value_enum, default_value = "compat")]
    pub(crate) format: Pkcs12Format,
    /// The new file, created with mode 0600
    #[arg(short, value_name = "P12")]
    pub(crate) output: PathBuf,
}

/// How a PKCS#12 file is written.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Pkcs12Format {
    /// PBKDF2-HMAC-SHA256, SM4-CBC, MAC with SM3: OpenSSL 3 and 4, Tongsuo
    Compat,
    /// PBKDF2-HMAC-SM3, SM4-CBC, MAC with SM3: OpenSSL 4, Tongsuo
    Openssl4,
}

#[derive(Args)]
pub(crate) struct Pkcs12Import {
    /// File whose first line is the file's password; else the terminal is asked
    #[arg(long, value_name = "F")]
    pub(crate) password_file: Option<PathBuf>,
    /// File for the private key, created with mode 0600
    #[arg(short, value_name = "KEY")]
    pub(crate) output: PathBuf,
    /// File for the certificates, the key's first
    #[arg(short, value_name = "CHAIN")]
    pub(crate) certificates: Option<PathBuf>,
    /// Write the key unencrypted
    #[arg(long, conflicts_with = "new_passphrase_file")]
    pub(crate) no_passphrase: bool,
    /// File whose first line is the passphrase for the key; else the terminal is asked
    #[arg(long, value_name = "F")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: Json,
    /// The PKCS#12 or .sm2 file, - for standard input
    pub(crate) file: PathBuf,
}
