//! What can be typed behind `gmkit kdf`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// A secret to derive from, and how much.
#[derive(Args)]
pub(crate) struct Derivation {
    /// File with the secret: raw bytes, or at least 32 hex digits; for pbkdf2 its first line is the
    /// password
    #[arg(short = 'K', value_name = "KEYFILE")]
    pub(crate) key_file: PathBuf,
    /// File for the derived key in hexadecimal, created with mode 0600; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Length of the result in bytes, at most 8160
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=8160))]
    pub(crate) len: u16,
}

#[derive(Subcommand)]
pub(crate) enum Kdf {
    /// HKDF with SM3 (RFC 5869)
    Hkdf {
        #[command(flatten)]
        derivation: Derivation,
        /// Salt, in hexadecimal
        #[arg(long, default_value = "")]
        salt: String,
        /// What the key is for, in hexadecimal
        #[arg(long, default_value = "")]
        info: String,
    },
    /// PBKDF2 with HMAC-SM3 (RFC 8018); the secret is a password
    Pbkdf2 {
        #[command(flatten)]
        derivation: Derivation,
        /// Salt, in hexadecimal
        #[arg(long)]
        salt: String,
        /// Iterations
        #[arg(long, default_value = "600000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        rounds: u32,
    },
    /// The KDF of SM2 (GB/T 32918.4-2016, 5.4.3)
    Sm2 {
        #[command(flatten)]
        derivation: Derivation,
    },
    /// The PRF of TLS 1.2 and TLCP, with SM3
    Tls12Prf {
        #[command(flatten)]
        derivation: Derivation,
        /// Label, as "key expansion"
        #[arg(long)]
        label: String,
        /// Seed, in hexadecimal
        #[arg(long)]
        seed: String,
    },
    /// HKDF-Expand-Label of TLS 1.3, with SM3; the secret has 32 bytes
    Tls13ExpandLabel {
        #[command(flatten)]
        derivation: Derivation,
        /// Label without "tls13 ", as "key"
        #[arg(long)]
        label: String,
        /// Context, in hexadecimal
        #[arg(long, default_value = "")]
        context: String,
    },
}
