//! What can be typed. Help, man pages and completions all come from here.

mod audit;
mod cert;
mod hsm;
mod kdf;
mod mask;
mod pkcs12;
mod tls;
mod token;

use std::path::PathBuf;

pub(crate) use audit::*;
pub(crate) use cert::*;
use clap::{Args, Parser, Subcommand, ValueEnum};
use gmkit::keys::KeyFormat;
pub(crate) use hsm::*;
pub(crate) use kdf::*;
pub(crate) use mask::*;
pub(crate) use pkcs12::*;
pub(crate) use tls::*;
pub(crate) use token::*;

/// SM2 keys, signatures and encryption, SM3 hashes, SM4 encryption.
///
/// Exit codes: 0 done and true; 1 a check failed; 2 usage or bad input; 3 a device or the network
/// refused.
#[derive(Parser)]
#[command(name = "gmkit", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Tell on standard error what is being done
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The tour: makes a key, signs a file, verifies it, refuses a tampered copy
    #[command(after_help = "Example:\n  gmkit quickstart --dir tour")]
    Quickstart(Quickstart),
    /// Make an SM2 key
    #[command(after_help = "Example:\n  gmkit keygen -o key.pem -p pub.pem")]
    Keygen(Keygen),
    /// Write the public key of a private key
    #[command(after_help = "Example:\n  gmkit pubkey -k key.pem -o pub.pem")]
    Pubkey(Pubkey),
    /// Sign a file
    #[command(after_help = "Example:\n  gmkit sign -k key.pem -o report.sig report.pdf\n  \
                      gmkit sign -k key.pem -c chain.pem -o report.p7s report.pdf")]
    Sign(Sign),
    /// Verify a signature
    #[command(after_help = "Example:\n  gmkit verify -p pub.pem -s report.sig report.pdf\n  \
                      gmkit verify -c signer.crt --ca ca.crt -s report.sig report.pdf\n  \
                      gmkit verify --ca ca.crt -s report.p7s report.pdf")]
    Verify(Verify),
    /// Encrypt a file to public keys or certificates
    #[command(
        after_help = "Example:\n  gmkit encrypt -r alice.crt -r bob.crt -o report.p7m report.pdf\n  \
                      gmkit encrypt -r pub.pem -f sm2 -o session.enc session.key"
    )]
    Encrypt(Encrypt),
    /// Decrypt what was encrypted to a key
    #[command(after_help = "Example:\n  gmkit decrypt -k key.pem -o report.pdf report.p7m")]
    Decrypt(Decrypt),
    /// SM3 digests, printed and checked as sha256sum does
    #[command(after_help = "Example:\n  gmkit hash *.iso > SUMS && gmkit hash -c SUMS")]
    Hash(Hash),
    /// HMAC-SM3, SM4-CMAC or SM4-GMAC of a file
    #[command(after_help = "Example:\n  gmkit mac -K mac.key message")]
    Mac(Mac),
    /// Encrypt or decrypt a file with an SM4 key
    #[command(
        after_help = "Example:\n  gmkit cipher -K sm4.key --encrypt -o backup.gcm backup.tar\n  \
                      gmkit cipher -K sm4.key --decrypt -o backup.tar backup.gcm"
    )]
    Cipher(Cipher),
    /// Derive a key from a secret, in hexadecimal
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit kdf hkdf -K secret.bin --salt 00ff --info 74657374 --len 32"
    )]
    Kdf(Kdf),
    /// Random bytes, from the operating system or a generator of GM/T 0105
    #[command(after_help = "Example:\n  gmkit random --len 16 -o sm4.key")]
    Random(Random),
    /// Send a private key to its owner, and receive one (the enveloped key of GB/T 35276)
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit envelope seal -k enc.pem -r owner.pub.pem -o enc.env\n  \
                      gmkit envelope open -k owner.pem -o enc.pem enc.env"
    )]
    Envelope(Envelope),
    /// Certificates: a small authority, requests, chains, revocation
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit cert ca -k ca.key --subject \"CN=Test CA,C=CN\" -o ca.pem\n  \
                      gmkit cert csr -k a.key --subject CN=a --san DNS:a.example -o a.csr\n  \
                      gmkit cert issue --ca ca.pem -k ca.key --csr a.csr -o a.pem\n  \
                      gmkit cert verify --ca ca.pem --name a.example a.pem"
    )]
    Cert(Box<Cert>),
    /// Keys with their certificates in one file: PKCS#12, and CFCA's .sm2 files, which are read only
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit pkcs12 export -k alice.key -c chain.pem -o alice.p12\n  \
                      gmkit pkcs12 import -o alice.key -c chain.pem alice.p12"
    )]
    Pkcs12(Pkcs12),
    /// Keys in devices that speak PKCS#11
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit hsm slots --module /opt/hsm/libpkcs11.so\n  \
                      gmkit hsm keygen -k \"pkcs11:token=prod;object=ca?module-path=/opt/hsm/libpkcs11.so\" -p ca.pub.pem"
    )]
    Hsm(Hsm),
    /// The software token, to develop and test against
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit token init --dir token --label dev --pin-file pin --so-pin-file so-pin"
    )]
    Token(Token),
    /// TLS 1.3 with the national suites (RFC 8998): a server, a client, a look at what a server offers
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit tls serve -c chain.pem -k server.key --listen 127.0.0.1:8443\n  \
                      gmkit tls connect --ca ca.pem localhost:8443"
    )]
    Tls(Tls),
    /// The audit log that proves itself: recorded, checked, proven to others
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit audit append --log audit -k log.key < events.jsonl\n  \
                      gmkit audit verify --log audit -p log.pub.pem"
    )]
    Audit(Audit),
    /// Personal data and secrets in JSON and text: found, masked, explained
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit mask scan logs\n  \
                      gmkit mask apply --policy policy.toml orders.json"
    )]
    Mask(Mask),
    /// What this machine offers: CPU, backends, entropy, clock
    #[command(after_help = "Example:\n  gmkit doctor --randomness --stage power-on")]
    Doctor(Doctor),
    /// How fast each backend is on this machine
    #[command(after_help = "Example:\n  gmkit bench --quick")]
    Bench(Bench),
    /// Run the embedded test vectors on this machine
    #[command(subcommand)]
    Vectors(Vectors),
    /// Known-answer and pairwise tests, and the integrity of this binary
    #[command(after_help = "Example:\n  gmkit selftest --json")]
    Selftest(Selftest),
    /// Print a completion script
    #[command(after_help = "Example:\n  gmkit completions bash > /etc/bash_completion.d/gmkit")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write all pages into a folder
    #[command(after_help = "Example:\n  gmkit man -o /usr/local/share/man/man1")]
    Man {
        /// Folder for one page per command
        #[arg(short, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Quickstart {
    /// Folder to work in, new or empty [default: gmkit-quickstart, or the next free name]
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}

/// A private key and how to unlock it.
#[derive(Args)]
pub(crate) struct PrivateKeyArgs {
    /// Private key: a file, or a key URI (file:, pkcs11:)
    #[arg(short, value_name = "KEY")]
    pub(crate) key: String,
    /// File whose first line is the key's passphrase or PIN; else the terminal is asked
    #[arg(long, value_name = "F")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Json {
    /// Machine-readable output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Keygen {
    /// File for the private key, created with mode 0600
    #[arg(short, value_name = "KEY")]
    pub(crate) output: PathBuf,
    /// File for the public key
    #[arg(short, value_name = "PUB")]
    pub(crate) public: Option<PathBuf>,
    /// Write the key unencrypted
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) no_passphrase: bool,
    /// File whose first line is the passphrase; else the terminal is asked
    #[arg(long, value_name = "F")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Who must be able to read the encrypted key
    #[arg(long, value_enum, default_value = "compat")]
    pub(crate) key_format: Format,
    /// Replace existing key files
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// How an encrypted key is written.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// PBKDF2-HMAC-SHA256 and SM4-CBC: every OpenSSL with SM4, Tongsuo
    Compat,
    /// PBKDF2-HMAC-SM3 and SM4-CBC: OpenSSL 4, Tongsuo
    Openssl4,
    /// PBKDF2-HMAC-SM3 and SM4-CBC in GmSSL's form
    Gmssl,
}

impl From<Format> for KeyFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Compat => Self::Compat,
            Format::Openssl4 => Self::OpenSsl4,
            Format::Gmssl => Self::GmSsl,
        }
    }
}

#[derive(Args)]
pub(crate) struct Pubkey {
    #[command(flatten)]
    pub(crate) key: PrivateKeyArgs,
    /// File for the public key; else standard output
    #[arg(short, value_name = "PUB")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct IdArg {
    /// The signer's distinguishing ID
    #[arg(long, default_value = "1234567812345678")]
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    pub(crate) key: PrivateKeyArgs,
    /// The signer's certificate; those that follow in the file go into a CMS message, too
    #[arg(short, value_name = "CHAIN")]
    pub(crate) certificate: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) id: IdArg,
    /// Form of the signature [default: cms with -c, else der]
    #[arg(short, value_enum)]
    pub(crate) form: Option<SignatureForm>,
    /// Put the file into the CMS message
    #[arg(long)]
    pub(crate) attach: bool,
    /// Whose OIDs a CMS message has
    #[arg(long, value_enum, default_value = "rfc5652")]
    pub(crate) dialect: Dialect,
    /// Keep the signatures of this CMS message, which is about the same file; they are not checked
    #[arg(long, value_name = "MESSAGE")]
    pub(crate) cosign: Option<PathBuf>,
    /// Revocation list to put into a CMS message; may be given several times
    #[arg(long, value_name = "F")]
    pub(crate) with_crl: Vec<PathBuf>,
    /// File for the signature; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// File to sign, - for standard input
    pub(crate) file: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignatureForm {
    /// SEQUENCE { r, s } of GB/T 35276, detached
    Der,
    /// CMS SignedData, with certificates and the time; needs -c
    Cms,
}

/// The two families of CMS.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Dialect {
    /// As OpenSSL, Tongsuo and Java read it
    Rfc5652,
    /// As GB/T 35275 (GM/T 0010) has it
    Gmt0010,
}

impl From<Dialect> for gmkit::pki::cms::Dialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Rfc5652 => Self::Rfc5652,
            Dialect::Gmt0010 => Self::Gmt0010,
        }
    }
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("signer").required(true).multiple(true)
    .args(["public", "certificate", "ca"]))]
pub(crate) struct Verify {
    /// The signer's public key
    #[arg(short, value_name = "PUB", conflicts_with_all = ["certificate", "ca"])]
    pub(crate) public: Option<PathBuf>,
    /// The signer's certificate; others that follow in the file may stand between it and an authority
    #[arg(short, value_name = "CERT")]
    pub(crate) certificate: Option<PathBuf>,
    /// Authorities that are trusted: the certificate must be vouched for
    #[arg(long, value_name = "CA")]
    pub(crate) ca: Option<PathBuf>,
    /// Revocation list; may be given several times
    #[arg(long, value_name = "F", requires = "ca")]
    pub(crate) crl: Vec<PathBuf>,
    /// Use the revocation lists that a CMS message holds, too
    #[arg(long, requires = "ca")]
    pub(crate) crl_inside: bool,
    /// Authorities that are trusted to say when a CMS message was signed (RFC 3161)
    #[arg(long, value_name = "CA")]
    pub(crate) tsa_ca: Option<PathBuf>,
    /// Revocation list for those; may be given several times
    #[arg(long, value_name = "F", requires = "tsa_ca")]
    pub(crate) tsa_crl: Vec<PathBuf>,
    /// Take CMS signatures that hash neither ID nor key of the signer, as `openssl cms -noattr` and
    /// `gmssl cmssign` make them: they can be mistaken for signatures over something else
    #[arg(long)]
    pub(crate) allow_bare: bool,
    #[command(flatten)]
    pub(crate) id: IdArg,
    /// The signature, or the CMS message
    #[arg(short, value_name = "SIG")]
    pub(crate) signature: PathBuf,
    /// The signed file, - for standard input; not where the message holds it
    pub(crate) file: Option<PathBuf>,
    /// File for the content that the message holds, written once it is verified
    #[arg(short, value_name = "CONTENT")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Encrypt {
    /// A recipient's public key, or certificate; whether that is genuine, `gmkit cert verify` says. May be
    /// given several times
    #[arg(short, value_name = "RECIPIENT", required = true)]
    pub(crate) recipient: Vec<PathBuf>,
    /// Form of the output
    #[arg(short, value_enum, default_value = "cms")]
    pub(crate) form: EncryptionForm,
    /// CMS with SM4-CBC, for those who cannot read SM4-GCM: nothing protects the content against changes
    #[arg(long)]
    pub(crate) enveloped: bool,
    /// Whose OIDs a CMS message has
    #[arg(long, value_enum, default_value = "rfc5652")]
    pub(crate) dialect: EncryptionDialect,
    /// For sm2: order and encoding of the ciphertext's parts
    #[arg(long, value_enum, default_value = "der")]
    pub(crate) layout: Layout,
    /// File for the ciphertext; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// File to encrypt, - for standard input
    pub(crate) file: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncryptionForm {
    /// One SM2 ciphertext (GB/T 32918.4), for a file of at most 16 MiB and one recipient
    Sm2,
    /// CMS: SM4-GCM under a fresh key, and that to each recipient; at most 64 GiB
    Cms,
}

/// The families of CMS, for encrypted messages.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncryptionDialect {
    /// OIDs of RFC 5652
    Rfc5652,
    /// OIDs of GB/T 35275 (GM/T 0010)
    Gmt0010,
    /// The same, with the OID for the encryption of keys that GmSSL 3.1 asks for
    Gmssl,
}

/// The parts of an SM2 ciphertext.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// DER of GB/T 35276
    Der,
    /// Raw C1 ‖ C3 ‖ C2
    C1c3c2,
    /// Raw C1 ‖ C2 ‖ C3, as before 2012
    C1c2c3,
}

#[derive(Args)]
pub(crate) struct Decrypt {
    #[command(flatten)]
    pub(crate) key: PrivateKeyArgs,
    /// The certificate that a CMS message was encrypted to; else every recipient is tried
    #[arg(short, value_name = "CERT")]
    pub(crate) certificate: Option<PathBuf>,
    /// Authorities that must vouch for those who have signed a message that is signed and enveloped
    #[arg(long, value_name = "CA")]
    pub(crate) ca: Option<PathBuf>,
    /// For an SM2 ciphertext: order and encoding of its parts; DER and C1C3C2 are told apart by themselves
    #[arg(long, value_enum)]
    pub(crate) layout: Option<Layout>,
    /// File for the plaintext, created with mode 0600; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// File to decrypt, - for standard input
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Hash {
    /// Check the digests that SUMS lists
    #[arg(short, value_name = "SUMS")]
    pub(crate) check: Option<PathBuf>,
    /// Files to hash, - for standard input
    #[arg(required_unless_present = "check", conflicts_with = "check")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Mac {
    /// Key file: raw bytes, or at least 32 hex digits; or a key in a device, pkcs11:...
    #[arg(short = 'K', value_name = "KEYFILE")]
    pub(crate) key_file: PathBuf,
    /// File whose first line is the PIN of the key's device; else the terminal
    #[arg(long = "passphrase-file", value_name = "F")]
    pub(crate) pin_file: Option<PathBuf>,
    /// The MAC
    #[arg(long, value_enum, default_value = "hmac-sm3")]
    pub(crate) algorithm: MacAlgorithm,
    /// IV for GMAC, in hexadecimal, as a rule 24 digits
    #[arg(long, value_name = "HEX")]
    pub(crate) iv: Option<String>,
    /// The message, - for standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("direction").required(true).args(["encrypt", "decrypt"]))]
pub(crate) struct Cipher {
    /// Mode; gcm, gcm-siv and ccm write nonce ‖ ciphertext ‖ tag, the others nothing but the
    /// ciphertext, ctr, cbc, cfb and ofb as `openssl enc` has them
    #[arg(short, value_enum, default_value = "gcm")]
    pub(crate) mode: Mode,
    /// Key file: 16 bytes, or 32 hex digits; for xts and hctr 32 bytes or 64 hex digits; for gcm also
    /// a key in a device, pkcs11:...
    #[arg(short = 'K', value_name = "KEYFILE")]
    pub(crate) key_file: PathBuf,
    /// File whose first line is the PIN of the key's device; else the terminal
    #[arg(long = "passphrase-file", value_name = "F")]
    pub(crate) pin_file: Option<PathBuf>,
    /// IV of 32 hex digits, for the modes that need one; for xts and hctr the tweak; for ff1 a tweak
    /// of any length, by default empty
    #[arg(long, value_name = "HEX")]
    pub(crate) iv: Option<String>,
    /// Which XTS: they differ from the second block on
    #[arg(long, value_enum, default_value = "gb", value_name = "STANDARD")]
    pub(crate) xts_standard: XtsStandard,
    /// The characters that ff1 encrypts, each line for itself: no control characters
    #[arg(long, default_value = "0123456789", value_name = "CHARACTERS")]
    pub(crate) alphabet: String,
    /// Encrypt
    #[arg(long)]
    pub(crate) encrypt: bool,
    /// Decrypt
    #[arg(long)]
    pub(crate) decrypt: bool,
    /// File for the result; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// File to read, - for standard input
    pub(crate) file: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Authenticated; fresh nonce; at most 64 GiB
    Gcm,
    /// Not authenticated; needs --iv
    Ctr,
    /// Not authenticated, PKCS#7 padding; needs --iv
    Cbc,
    /// Not authenticated, feedback of 128 bits; needs --iv
    Cfb,
    /// Not authenticated, feedback of 128 bits; needs --iv
    Ofb,
    /// Not authenticated; the file is one data unit of 16 bytes to 16 MiB; needs --iv
    Xts,
    /// Authenticated; fresh nonce; at most 16 MiB less a byte
    Ccm,
    /// Authenticated, also if a nonce repeats; fresh nonce; at most 16 MiB less a byte
    GcmSiv,
    /// Not authenticated, one wide block of 16 bytes to 16 MiB; needs --iv
    Hctr,
    /// Not authenticated, whole blocks; needs --iv
    Bc,
    /// Not authenticated, whole blocks; needs --iv
    Ofbnlf,
    /// Wraps a key of 1 byte to 64 KiB (RFC 5649)
    Wrap,
    /// Keeps the format: each line becomes another line of the same --alphabet and length
    Ff1,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum XtsStandard {
    /// GB/T 17964-2021, the default of OpenSSL and Tongsuo for SM4
    Gb,
    /// IEEE 1619, NIST SP 800-38E
    Ieee,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MacAlgorithm {
    /// HMAC with SM3
    HmacSm3,
    /// CMAC with SM4; the key has 16 bytes
    CmacSm4,
    /// GMAC with SM4 of at most 16 MiB; the key has 16 bytes; needs --iv, which must never repeat
    /// under one key
    GmacSm4,
}

#[derive(Args)]
pub(crate) struct Random {
    /// Number of bytes, at most 1 GiB
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub(crate) len: u64,
    /// The generator
    #[arg(long, value_enum, default_value = "os")]
    pub(crate) source: Source,
    /// Print hexadecimal digits instead of bytes
    #[arg(long)]
    pub(crate) hex: bool,
    /// File for the bytes, created with mode 0600; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

/// Where random bytes come from.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// The operating system
    Os,
    /// GM/T 0105 with SM3, seeded by the operating system
    Sm3,
    /// GM/T 0105 with SM4, seeded by the operating system
    Sm4,
}

#[derive(Subcommand)]
pub(crate) enum Envelope {
    /// Encrypt a private key to the owner's public key
    Seal {
        /// The private key to send
        #[command(flatten)]
        key: PrivateKeyArgs,
        /// The owner's public key
        #[arg(short, value_name = "RECIPIENT")]
        recipient: PathBuf,
        /// File for the envelope; else standard output
        #[arg(short, value_name = "OUT")]
        output: Option<PathBuf>,
    },
    /// Take the private key out
    Open {
        /// The owner's private key
        #[command(flatten)]
        key: PrivateKeyArgs,
        /// File for the private key, created with mode 0600
        #[arg(short, value_name = "KEY")]
        output: PathBuf,
        /// Write it unencrypted
        #[arg(long, conflicts_with = "new_passphrase_file")]
        no_passphrase: bool,
        /// File whose first line is the passphrase to encrypt it with; else the terminal is asked
        #[arg(long, value_name = "F")]
        new_passphrase_file: Option<PathBuf>,
        /// The envelope, - for standard input
        file: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) json: Json,
    /// Run the randomness tests of GM/T 0005-2021 instead
    #[arg(long)]
    pub(crate) randomness: bool,
    /// How many samples, of which length
    #[arg(long, value_enum, default_value = "power-on", requires = "randomness")]
    pub(crate) stage: RandomnessStage,
    /// The generator that is tested
    #[arg(long, value_enum, default_value = "os", requires = "randomness")]
    pub(crate) source: Source,
    /// Test the bytes of a file instead, - for standard input
    #[arg(long, value_name = "FILE", requires = "randomness", conflicts_with = "source")]
    pub(crate) file: Option<PathBuf>,
}

/// The collections of GM/T 0062.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RandomnessStage {
    /// 1000 samples of 10^6 bits: minutes
    Assessment,
    /// 50 samples of 10^6 bits
    Delivery,
    /// 20 samples of 10^6 bits
    PowerOn,
    /// 20 samples of 20,000 bits, tests 1 to 12
    Periodic,
}

#[derive(Args)]
pub(crate) struct Bench {
    /// A second or two in all, for a first impression
    #[arg(long)]
    pub(crate) quick: bool,
    /// SM3, SM4-CTR and SM4-GCM on messages of 16 bytes to 1 MiB instead
    #[arg(long)]
    pub(crate) sizes: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum Vectors {
    /// Every vector through every backend that this CPU offers
    #[command(after_help = "Example:\n  gmkit vectors run --suite sm2_verify --json")]
    Run {
        /// Only this suite
        #[arg(long)]
        suite: Option<String>,
        /// Only this backend
        #[arg(long)]
        backend: Option<String>,
        #[command(flatten)]
        json: Json,
        /// Also write a JUnit report
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Selftest {
    #[command(flatten)]
    pub(crate) json: Json,
    /// Fail if this binary carries no seal
    #[arg(long)]
    pub(crate) require_seal: bool,
    /// Write a sealed copy of this binary, whose integrity it can then check
    #[arg(long, value_name = "OUT")]
    pub(crate) seal: Option<PathBuf>,
}
