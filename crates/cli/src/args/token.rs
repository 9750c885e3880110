//! What can be typed behind `gmkit token`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Json;

#[derive(Subcommand)]
pub(crate) enum Token {
    /// Make a software token in a folder
    #[command(
        after_help = "Example:\n  gmkit token init --dir token --label dev --pin-file pin --so-pin-file so-pin"
    )]
    Init(TokenInit),
    /// The software token in a folder
    #[command(after_help = "Example:\n  gmkit token show --dir token")]
    Show(TokenShow),
}

/// Where token and module are.
#[derive(Args)]
pub(crate) struct TokenPlace {
    /// The token's folder, as GMKIT_TOKEN_DIR names it to the module
    #[arg(long, env = "GMKIT_TOKEN_DIR", hide_env = true)]
    pub(crate) dir: PathBuf,
    /// The module [default: libgmkit_token.so beside this program, or in ../lib]
    #[arg(long, value_name = "LIB")]
    pub(crate) module: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct TokenInit {
    #[command(flatten)]
    pub(crate) place: TokenPlace,
    /// What the token is called, at most 32 bytes
    #[arg(long)]
    pub(crate) label: String,
    /// File whose first line is the user's PIN, 4 to 255 bytes
    #[arg(long, value_name = "F")]
    pub(crate) pin_file: PathBuf,
    /// File whose first line is the security officer's PIN
    #[arg(long, value_name = "F")]
    pub(crate) so_pin_file: PathBuf,
}

#[derive(Args)]
pub(crate) struct TokenShow {
    #[command(flatten)]
    pub(crate) place: TokenPlace,
    #[command(flatten)]
    pub(crate) json: Json,
}
