//! `descent init`: a commented config for data.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::messages::print_line;
use crate::cli::paths;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::suggest::{self, SuggestRequest, Suggestion, suggest};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A table (CSV, JSONL, Parquet), a folder with a folder of pictures for each class, or an .npz file.
    #[arg(value_parser = paths::path())]
    data: PathBuf,
    /// The column to predict, of a table or a series (repeatable: several numbers).
    #[arg(short, long = "target", value_name = "COLUMN")]
    targets: Vec<String>,
    /// Write the config to this file instead of standard output.
    #[arg(short, long, value_name = "FILE", value_parser = paths::path())]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let output = arguments.output.as_deref().filter(|output| *output != Path::new("-"));
    if let Some(output) = output {
        require_free(output)?;
        paths::require_folder(output)?;
    }
    let folder = output.map_or(Path::new("."), files::parent);
    let request = SuggestRequest { data: &arguments.data, targets: &arguments.targets, config: output };
    let text = suggested(&request)?;
    let name = format!("{}.toml", suggest::name_of(&arguments.data));
    // A config that the program itself refuses is not handed out.
    Config::parse_in(folder, &text, &name, &[])?;
    let Some(output) = output else { return Ok(write!(std::io::stdout().lock(), "{text}")?) };
    require_free(output)?;
    files::write(&Local, output, text.as_bytes())?;
    let place = output.display();
    print_line(&format!("written to {place}; train it: descent train {place}"));
    Ok(())
}

/// The config for data; what a user should know of the data is logged.
pub(super) fn suggested(request: &SuggestRequest<'_>) -> Result<String> {
    let Suggestion { text, notes, warnings } = suggest(request)?;
    for note in notes {
        tracing::info!("{}: {note}", request.data.display());
    }
    for warning in warnings {
        tracing::warn!("{}: {warning}", request.data.display());
    }
    Ok(text)
}

/// Checks that nothing has the name of the file to write.
fn require_free(output: &Path) -> Result<()> {
    if std::fs::symlink_metadata(output).is_err() {
        return Ok(());
    }
    let problem =
        format!("--output {}: it is there already; remove it first, or name another file", output.display());
    Err(Error::Config(problem))
}
