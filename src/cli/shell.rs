//! Shell completions and manual pages.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::Error;
use crate::files::{self, Local};

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell to complete in.
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write descent.1, descent-train.1, … to, such as ~/.local/share/man/man1.
    folder: PathBuf,
}

/// Prints the completions of a shell.
pub(super) fn completions(arguments: &Completions, mut command: Command) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "descent", &mut text);
    Ok(std::io::stdout().lock().write_all(&text)?)
}

/// Writes a page for the program and one for each of its subcommands.
pub(super) fn man(arguments: &Man, command: Command) -> anyhow::Result<()> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    pages(&command, folder)
}

/// Writes the page of a command, and those of its subcommands, to which it refers.
fn pages(command: &Command, folder: &std::path::Path) -> anyhow::Result<()> {
    page(command, folder)?;
    let shown = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    shown.into_iter().try_for_each(|subcommand| pages(subcommand, folder))
}

fn page(command: &Command, folder: &std::path::Path) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let path = folder.join(format!("{name}.1"));
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    files::write(&Local, &path, &text)?;
    writeln!(std::io::stdout().lock(), "{}", path.display())?;
    Ok(())
}
