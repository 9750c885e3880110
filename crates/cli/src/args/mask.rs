//! What can be typed behind `gmkit mask`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Json;

#[derive(Subcommand)]
pub(crate) enum Mask {
    /// Mask personal data in JSON or text, as a policy says
    #[command(
        after_help = "Example:\n  gmkit mask apply --policy policy.toml -o masked.json orders.json\n  \
        tail -f service.log | gmkit mask apply --policy policy.toml --format text\n  \
        gmkit mask apply --policy policy.toml --descriptors bank.pb --message bank.v1.Account -o masked.bin account.bin\n\n\
        What is refused in the middle (exit code 2) leaves no file; on standard output stands what came before."
    )]
    Apply(MaskApply),
    /// Look for personal data and secrets in files and folders
    #[command(after_help = "Example:\n  gmkit mask scan src logs\n  \
        gmkit mask scan --fail-on-hit --sarif . > gmkit.sarif\n\n\
        Found values are shown masked. Files that are no text, and what links point to, are passed over.")]
    Scan(MaskScan),
    /// Say what a policy does with a file, and among how many values one would still have to guess
    #[command(after_help = "Example:\n  gmkit mask explain --policy policy.toml orders.json")]
    Explain(MaskExplain),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MaskFormat {
    /// One value of JSON
    Json,
    /// Lines of JSON
    Ndjson,
    /// Text, line by line
    Text,
    /// Events that a server sends
    Sse,
    /// Fields of a form
    Form,
    /// One message of protobuf, of --message
    Protobuf,
}

/// A policy and what it is for.
#[derive(Args)]
pub(crate) struct MaskPolicy {
    /// What is masked, and how: TOML, or by the file's name YAML or JSON
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: PathBuf,
    /// Key of tokens, by the name that the policy calls it: a file with 16 to 64 bytes or their hex digits
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) key: Vec<String>,
    /// Key that seals values, in the same way: 16 bytes or their hex digits
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) seal_key: Vec<String>,
    /// Key that turns digits into others, in the same way: 16 bytes or their hex digits
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) ff1_key: Vec<String>,
    #[command(flatten)]
    pub(crate) passage: MaskPassage,
    /// What the file is [default: by its name, else text]
    #[arg(long)]
    pub(crate) format: Option<MaskFormat>,
    /// What messages of protobuf are made of, as protoc --include_imports --descriptor_set_out writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) descriptors: Option<PathBuf>,
    /// Full name of the message's type, as bank.v1.Account
    #[arg(long, value_name = "TYPE", requires = "descriptors")]
    pub(crate) message: Option<String>,
}

/// Whose body it is: what the scopes of a policy ask.
#[derive(Args)]
pub(crate) struct MaskPassage {
    /// As the body of this route
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) route: String,
    /// As the body that goes with this method
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,
    /// As the body of a request
    #[arg(long)]
    pub(crate) request: bool,
    /// As for a caller of this role; may be repeated
    #[arg(long)]
    pub(crate) role: Vec<String>,
    /// As for a caller with this purpose
    #[arg(long)]
    pub(crate) purpose: Option<String>,
    /// As with the consent of whom it is about
    #[arg(long)]
    pub(crate) consent: bool,
}

#[derive(Args)]
pub(crate) struct MaskApply {
    #[command(flatten)]
    pub(crate) policy: MaskPolicy,
    /// File for the masked body [default: standard output]
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// What is masked
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct MaskScan {
    /// Only this kind, as mobile, cn_id, card; may be repeated
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Also what only has the shape, as any eleven digits
    #[arg(long)]
    pub(crate) strict: bool,
    /// Exit with 1 if anything is found
    #[arg(long)]
    pub(crate) fail_on_hit: bool,
    /// For code scanners: SARIF 2.1.0
    #[arg(long, conflicts_with = "json")]
    pub(crate) sarif: bool,
    #[command(flatten)]
    pub(crate) json: Json,
    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct MaskExplain {
    #[command(flatten)]
    pub(crate) policy: MaskPolicy,
    #[command(flatten)]
    pub(crate) json: Json,
    /// What would be masked
    pub(crate) file: PathBuf,
}
