//! `descent data fetch NAME`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::data::fetch::{self, KNOWN};
use crate::error::Error;

// Markdown would want backticks, which a terminal shows.
const TO_HELP: &str =
    "Folder to write to; by default data/NAME, or $DESCENT_DATA/NAME if DESCENT_DATA is set";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Download a known data set and check its SHA-256.
    Fetch {
        /// Data set: mnist or fashion-mnist.
        name: String,
        /// Folder to write to; by default data/NAME, or NAME in the folder that `DESCENT_DATA` names.
        #[arg(long, value_name = "DIR", help = TO_HELP)]
        to: Option<PathBuf>,
        /// URL of a folder with the gzipped files, in place of the data set's own mirrors.
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Command::Fetch { name, to, mirror } = &arguments.command;
    let Some(known) = KNOWN.iter().find(|known| known.name == name) else {
        let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
        let problem = format!("unknown data set `{}`; known are {}", name.escape_debug(), names.join(", "));
        return Err(Error::Config(problem).into());
    };
    let folder = to.clone().unwrap_or_else(|| fetch::folder(known.name));
    let brought = fetch::fetch(known, &folder, mirror.as_deref())?;
    let mut out = std::io::stdout().lock();
    if brought.is_empty() {
        writeln!(out, "{} is complete, all sums are right", folder.display())?;
    } else {
        writeln!(out, "{}: {} fetched, all sums are right", folder.display(), brought.join(", "))?;
    }
    Ok(())
}
