//! What can be typed behind `gmkit hsm`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Json;

#[derive(Subcommand)]
pub(crate) enum Hsm {
    /// The module, its profile, and which of the profile's mechanisms each token has
    #[command(after_help = "Example:\n  gmkit hsm info --module /opt/hsm/libpkcs11.so")]
    Info(HsmModule),
    /// Slots, and the tokens in them
    #[command(after_help = "Example:\n  gmkit hsm slots --module /opt/hsm/libpkcs11.so --json")]
    Slots(HsmModule),
    /// The keys of a token
    #[command(after_help = "Example:\n  gmkit hsm keys -k pkcs11:token=prod --pin-file pin")]
    Keys(HsmKeys),
    /// Make a key that stays in the device: an SM2 key pair, or a secret key
    #[command(
        after_help = "Example:\n  gmkit hsm keygen -k \"pkcs11:token=prod;object=ca\" -p ca.pub.pem\n  gmkit hsm keygen -k \"pkcs11:token=prod;object=seal\" --type sm4"
    )]
    Keygen(HsmKeygen),
    /// Put a certificate beside its key
    #[command(
        after_help = "Example:\n  gmkit hsm import-cert -k \"pkcs11:token=prod;object=ca\" ca.crt"
    )]
    ImportCert(HsmImport),
    /// Delete a key pair and its certificate, or what `type=` names
    #[command(after_help = "Example:\n  gmkit hsm delete -k \"pkcs11:token=prod;object=old\"")]
    Delete(HsmKeys),
    /// Try what the device can do, and print how it does it: which mechanism works or how it fails, in
    /// what form it answers, how fast. Its keys go with the session; nothing is left on the token
    #[command(
        after_help = "Example:\n  gmkit hsm test -k pkcs11:token=prod --pin-file pin\n  gmkit hsm test -k pkcs11:token=prod --json > device.json"
    )]
    Test(HsmTest),
    /// The profiles of vendors
    #[command(after_help = "Example:\n  gmkit hsm profiles")]
    Profiles(HsmProfiles),
}

/// Which module.
#[derive(Args)]
pub(crate) struct HsmModule {
    /// The module's library [default: GMKIT_PKCS11_MODULE]
    #[arg(long, value_name = "LIB")]
    pub(crate) module: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) profile: HsmProfile,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// How the vendor does things.
#[derive(Args)]
pub(crate) struct HsmProfile {
    /// Take this profile, whatever the module says it is
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// A profile of your own, in TOML
    #[arg(long, value_name = "F")]
    pub(crate) profile_file: Option<PathBuf>,
}

/// A token or an object on it.
#[derive(Args)]
pub(crate) struct HsmUri {
    /// The token, or a key on it: pkcs11:token=...;object=...
    #[arg(short, value_name = "URI", default_value = "pkcs11:")]
    pub(crate) key: String,
    /// The module's library, where the URI names none [default: GMKIT_PKCS11_MODULE]
    #[arg(long, value_name = "LIB")]
    pub(crate) module: Option<PathBuf>,
    /// File whose first line is the user's PIN; else the URI's pin-source or the terminal
    #[arg(long, value_name = "F")]
    pub(crate) pin_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) profile: HsmProfile,
}

#[derive(Args)]
pub(crate) struct HsmKeys {
    #[command(flatten)]
    pub(crate) uri: HsmUri,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct HsmKeygen {
    #[command(flatten)]
    pub(crate) uri: HsmUri,
    /// What kind of key
    #[arg(long = "type", value_enum, default_value = "sm2", value_name = "TYPE")]
    pub(crate) kind: HsmKeyType,
    /// File for the public key of a pair; else standard output
    #[arg(short, value_name = "PUB")]
    pub(crate) public: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HsmKeyType {
    /// A key pair that signs and decrypts
    Sm2,
    /// A secret key that seals and opens
    Sm4,
    /// A secret key that authenticates
    HmacSm3,
}

#[derive(Args)]
pub(crate) struct HsmTest {
    #[command(flatten)]
    pub(crate) uri: HsmUri,
    /// How long each mechanism is tried for its pace, in milliseconds
    #[arg(long, value_name = "MS", default_value = "200", value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub(crate) pace: u64,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct HsmImport {
    #[command(flatten)]
    pub(crate) uri: HsmUri,
    /// The certificate; the first one of the file is taken
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct HsmProfiles {
    /// A profile of your own, in TOML
    #[arg(long, value_name = "F")]
    pub(crate) profile_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: Json,
}
