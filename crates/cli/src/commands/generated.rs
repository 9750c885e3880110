//! `gmkit completions` and `gmkit man`: what clap makes of the arguments.

use std::path::Path;

use clap::CommandFactory;

use crate::{
    args::Cli,
    failure::{Context, Failure},
    output::{Access, Content, Output},
};

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gmkit", &mut script);
    write(None, &script)
}

pub(crate) fn man(directory: Option<&Path>) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(directory) = directory else {
        return write(None, &page(&command)?);
    };
    std::fs::create_dir_all(directory).about(directory)?;
    write_pages(directory, &command, "gmkit")
}

fn write_pages(directory: &Path, command: &clap::Command, name: &str) -> Result<(), Failure> {
    let titled = command.clone().name(name.to_owned());
    write(Some(&directory.join(format!("{name}.1"))), &page(&titled)?)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        write_pages(directory, sub, &format!("{name}-{}", sub.get_name()))?;
    }
    Ok(())
}

fn page(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

fn write(path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    let mut output = Output::create(path, Content::Text, Access::Public)?;
    output.write(bytes)?;
    output.commit()
}
