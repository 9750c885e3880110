//! `gmkit token`: the software token. It is a module as any other, and is spoken to as one.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use gmkit::hsm::{Module, Profiles};

use super::hsm::report;
use crate::{
    args::{self, TokenInit, TokenPlace},
    failure::{Context, Failure},
    keys::existing_password,
    output::print,
};

const DIRECTORIES: &str = "GMKIT_TOKEN_DIR";
const LIBRARY: &str = "libgmkit_token.so";

pub(crate) fn run(args: &args::Token) -> Result<(), Failure> {
    match args {
        args::Token::Init(args) => init(args),
        args::Token::Show(args) => report::slots(&*module(&args.place)?, args.json.json),
    }
}

fn init(args: &TokenInit) -> Result<(), Failure> {
    let module = module(&args.place)?;
    let user = existing_password(Some(&args.pin_file), &args.pin_file).about(&args.pin_file)?;
    let officer = existing_password(Some(&args.so_pin_file), &args.so_pin_file);
    let officer = officer.about(&args.so_pin_file)?;
    for (pin, path) in [(&user, &args.pin_file), (&officer, &args.so_pin_file)] {
        if !(4..=255).contains(&pin.as_bytes().len()) {
            return Err(Failure::about(path.display(), Failure::input("a PIN has 4 to 255 bytes")));
        }
    }
    module.init_token(None, &args.label, &officer, &user).about(&args.place.dir)?;
    print(&format!(
        "token {} made in {}; for development, not a certified module",
        args.label,
        args.place.dir.display()
    ))
}

/// The module with this folder. It takes its folder from the environment it is loaded in: where
/// that is another one, this program starts itself again.
fn module(place: &TokenPlace) -> Result<Arc<Module>, Failure> {
    let dir = std::path::absolute(&place.dir).about(&place.dir)?;
    // The module takes a list of folders.
    if env::split_paths(&dir).count() != 1 {
        return Err(Failure::about(dir.display(), Failure::input("has a : in its name")));
    }
    if env::var_os(DIRECTORIES).is_none_or(|set| Path::new(&set) != dir) {
        let program = env::current_exe()?;
        let error = Command::new(program).args(env::args_os().skip(1)).env(DIRECTORIES, dir).exec();
        return Err(error.into());
    }
    let library = match &place.module {
        Some(path) => path.clone(),
        None => beside_this_program()?,
    };
    Ok(Module::load(&library, &Profiles::embedded(), Some("gmkit"))?)
}

fn beside_this_program() -> Result<PathBuf, Failure> {
    let program = env::current_exe()?;
    let folder = program.parent().unwrap_or(Path::new("."));
    [folder.join(LIBRARY), folder.join("../lib").join(LIBRARY)]
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| {
            Failure::input(format!("{LIBRARY} is not beside this program: give --module"))
        })
}
