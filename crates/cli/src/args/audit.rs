//! What can be typed behind `gmkit audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Json;

#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Record events, one JSON object a line, from standard input
    #[command(
        after_help = "Example:\n  gmkit audit append --log audit -k log.key < events.jsonl\n\n\
        An event has at least: {\"op_type\":\"login\",\"result\":{\"outcome\":\"denied\"}}"
    )]
    Append(AuditAppend),
    /// Check a log, also while it is written, or the proof of one record
    #[command(after_help = "Example:\n  gmkit audit verify --log audit -p log.pub.pem\n  \
                            gmkit audit verify --log audit -p log.pub.pem --checkpoint kept\n  \
                            gmkit audit verify --proof record.tlog-proof -p log.pub.pem")]
    Verify(AuditVerify),
    /// Prove to somebody without the log that one record is in it
    #[command(
        after_help = "Example:\n  gmkit audit prove --log audit --index 1042 -o record.tlog-proof"
    )]
    Prove(AuditProve),
    /// Print one record. Nothing is checked
    #[command(after_help = "Example:\n  gmkit audit show --log audit --index 1042")]
    Show(AuditShow),
    /// Print the last records. Nothing is checked
    #[command(after_help = "Example:\n  gmkit audit tail --log audit -n 20 | jq .op_type")]
    Tail(AuditTail),
    /// Write what a log has about one person, or a report of all of it
    #[command(
        after_help = "Example:\n  gmkit audit export --log audit -p log.pub.pem --html -o report.html\n  \
                      gmkit audit export --log audit -p log.pub.pem --subject alice --subjects persons --seal-key sm4.key"
    )]
    Export(AuditExport),
    /// Erase a person: what is sealed under the person's key can be read no more
    #[command(
        after_help = "Example:\n  gmkit audit erase --log audit -k log.key --subject alice --subjects persons --seal-key sm4.key"
    )]
    Erase(AuditErase),
    /// Bring what is signed to a copy elsewhere, beside whoever writes the log
    #[command(
        after_help = "Example:\n  gmkit audit forward --log audit -p log.pub.pem --copy tls://nats.example:4222 --follow\n  \
        gmkit audit forward --log audit -p log.pub.pem --copy syslog://log.example:6514 --cursor audit.cursor\n\n\
        Called again, it goes on where the copy ends. --follow ends when it is killed, at any time."
    )]
    Forward(AuditForward),
    /// Delete the records that are older than they have to be kept; the others stay proven
    #[command(after_help = "Example:\n  gmkit audit prune --log audit -k log.key --days 365\n\n\
        Whole segments go, once all of their records are older. That is recorded and signed before.\n\
        With --copy only if what is read back of the copy makes the root that was signed.")]
    Prune(AuditPrune),
    /// As a witness, check that a log has only grown since the last time, and sign its checkpoint
    #[command(
        after_help = "Example:\n  gmkit audit witness --log audit -p log.pub.pem -k witness.key --name witness.example --state seen"
    )]
    Witness(AuditWitness),
}

#[derive(Args)]
pub(crate) struct AuditAppend {
    /// The log's folder; it is made where there is none
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// Key that signs the checkpoints: a file, or a key URI. Without one, records wait for their signature
    #[arg(short, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// File whose first line is the key's passphrase or PIN; else the terminal is asked
    #[arg(long, value_name = "F", requires = "key")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The log's name, as bank.example/payments [default: the one it has, or its folder's]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Size of a file of records, in MiB: what is pruned goes file by file
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) segment_mib: u16,
    #[command(flatten)]
    pub(crate) keys: SubjectKeys,
    /// Seal the resource, too, under the key of the user
    #[arg(long, requires = "subjects")]
    pub(crate) seal_resource: bool,
    /// Seal an attribute of this name, too
    #[arg(long, value_name = "NAME", requires = "subjects")]
    pub(crate) seal_attribute: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct AuditVerify {
    /// The log's folder
    #[arg(long, value_name = "DIR", required_unless_present = "proof")]
    pub(crate) log: Option<PathBuf>,
    /// The proof of a record, instead of a log
    #[arg(long, value_name = "FILE", conflicts_with_all = ["log", "checkpoint", "witness_key"])]
    pub(crate) proof: Option<PathBuf>,
    /// The log's public key, or a certificate with it
    #[arg(short, value_name = "PUB")]
    pub(crate) public: PathBuf,
    /// A checkpoint that was kept: the log must have grown from it
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Vec<PathBuf>,
    /// Public key of a witness, who must have signed the log's checkpoint or a kept one
    #[arg(long, value_name = "F")]
    pub(crate) witness_key: Option<PathBuf>,
    /// The name that the log must have
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct AuditProve {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// Index of the record
    #[arg(long, value_name = "N")]
    pub(crate) index: u64,
    /// File for the proof [default: standard output]
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct AuditShow {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// Index of the record
    #[arg(long, value_name = "N")]
    pub(crate) index: u64,
}

#[derive(Args)]
pub(crate) struct AuditTail {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// How many records
    #[arg(short, value_name = "N", default_value_t = 10)]
    pub(crate) n: usize,
    /// Go on with what is recorded later
    #[arg(short, long)]
    pub(crate) follow: bool,
}

/// Where the keys of persons are. With them `append` seals the user and the address of each event.
#[derive(Args)]
pub(crate) struct SubjectKeys {
    /// Folder with the keys of the persons that the log is about
    #[arg(long, value_name = "DIR", requires = "seal_key")]
    pub(crate) subjects: Option<PathBuf>,
    /// SM4 key that seals those: a file, or a key URI
    #[arg(long, value_name = "F", requires = "subjects")]
    pub(crate) seal_key: Option<PathBuf>,
    /// File with the PIN of the device that has --seal-key
    #[arg(long, value_name = "F", requires = "seal_key")]
    pub(crate) seal_pin_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct AuditExport {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// The log's public key, or a certificate with it
    #[arg(short, value_name = "PUB")]
    pub(crate) public: PathBuf,
    /// Events that are about this person, opened: JSON lines
    #[arg(long, value_name = "NAME", required_unless_present = "html", requires = "subjects")]
    pub(crate) subject: Option<String>,
    #[command(flatten)]
    pub(crate) keys: SubjectKeys,
    /// A report for a person to read, also of a log that is not sound: one page of HTML
    #[arg(long, conflicts_with = "subject")]
    pub(crate) html: bool,
    /// File for it [default: standard output]
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct AuditErase {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// Key that signs the checkpoints: a file, or a key URI
    #[arg(short, value_name = "KEY")]
    pub(crate) key: String,
    /// File whose first line is the key's passphrase or PIN; else the terminal is asked
    #[arg(long, value_name = "F")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Who is erased
    #[arg(long, value_name = "NAME", requires = "subjects")]
    pub(crate) subject: String,
    #[command(flatten)]
    pub(crate) keys: SubjectKeys,
}

#[derive(Args)]
pub(crate) struct AuditForward {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// The log's public key, or a certificate with it
    #[arg(short, value_name = "PUB")]
    pub(crate) public: PathBuf,
    #[command(flatten)]
    pub(crate) copy: AuditCopy,
    #[command(flatten)]
    pub(crate) cursor: AuditCursor,
    /// Go on with what is recorded later
    #[arg(long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// A copy of a log elsewhere.
#[derive(Args)]
pub(crate) struct AuditCopy {
    /// Where the copy is: nats://host:4222/STREAM (tls:// where nothing goes without TLS), or
    /// kafka://host:9092,host:9092/TOPIC (kafka+tls://)
    #[arg(long, value_name = "URL")]
    pub(crate) copy: Option<String>,
    /// Certificates, in PEM, of who may have certified the server [default: those that the system trusts]
    #[arg(long, value_name = "F", requires = "copy")]
    pub(crate) ca: Option<PathBuf>,
    /// The client's own certificates, in PEM; not for NATS
    #[arg(long, value_name = "F", requires_all = ["copy", "cert_key"])]
    pub(crate) cert: Option<PathBuf>,
    /// Their private key, in PEM
    #[arg(long, value_name = "KEY", requires = "cert")]
    pub(crate) cert_key: Option<String>,
    /// Who it is to a NATS server
    #[arg(long, value_name = "NAME", requires_all = ["copy", "password_file"])]
    pub(crate) user: Option<String>,
    /// File whose first line is the user's password
    #[arg(long, value_name = "F", requires_all = ["copy", "user"])]
    pub(crate) password_file: Option<PathBuf>,
}

/// What else there is to say of a copy at a server that cannot be asked what it has.
#[derive(Args)]
pub(crate) struct AuditCursor {
    /// File that says up to where such a server has the records: a syslog server (--copy syslog://host:6514, always
    /// under TLS), or a collector of OpenTelemetry (--copy otlp+https://host:4318); it is made where there is none
    #[arg(long, value_name = "F", requires = "copy")]
    pub(crate) cursor: Option<PathBuf>,
    /// National TLS (RFC 8998) to such a server; --cert-key may be a key URI then
    #[arg(long, requires_all = ["cursor", "ca"])]
    pub(crate) national: bool,
    /// File whose first line is the passphrase or PIN of --cert-key, with --national
    #[arg(long, value_name = "F", requires_all = ["cert_key", "national"])]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Take it for a receipt when a syslog server ends a connection without saying so in TLS (rsyslog with GnuTLS)
    #[arg(long, requires = "cursor")]
    pub(crate) plain_end: bool,
}

#[derive(Args)]
pub(crate) struct AuditPrune {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// Key that signs the checkpoints: a file, or a key URI
    #[arg(short, value_name = "KEY")]
    pub(crate) key: String,
    /// File whose first line is the key's passphrase or PIN; else the terminal is asked
    #[arg(long, value_name = "F")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// How many days records are kept
    #[arg(long, value_name = "N", default_value_t = 190)]
    pub(crate) days: u32,
    /// Take fewer than 190 days: the law wants six months at least
    #[arg(long)]
    pub(crate) less_than_required: bool,
    #[command(flatten)]
    pub(crate) copy: AuditCopy,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct AuditWitness {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) log: PathBuf,
    /// The log's public key, or a certificate with it
    #[arg(short, value_name = "PUB")]
    pub(crate) public: PathBuf,
    /// The witness's own key: a file, or a key URI
    #[arg(short, value_name = "KEY")]
    pub(crate) key: String,
    /// File whose first line is the key's passphrase or PIN; else the terminal is asked
    #[arg(long, value_name = "F")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The witness's name, as witness.example
    #[arg(long)]
    pub(crate) name: String,
    /// File that keeps what was seen last: a checkpoint with the witness's signature, for `verify`
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,
}
