//! `descent init`: a commented config for data.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::messages::print_line;
use crate::cli::paths;
use crate::config::{self, Config};
use crate::data::profile::GivenReading;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::names::as_strs;
use crate::registry;
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
    /// Say how the cells of a table are read, as in `--set 'data.na_values=[-999]'` (repeatable): `data.delimiter`, `decimal`,
    /// `thousands`, `na_values`, `keep_na`, `drop_missing_target`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let output = arguments.output.as_deref().filter(|output| *output != Path::new("-"));
    if let Some(output) = output {
        require_free(output)?;
        paths::require_folder(output)?;
    }
    let folder = output.map_or(Path::new("."), files::parent);
    let set = as_strs(&arguments.set);
    if let Some(other) = config::other_than("data", &GivenReading::KEYS, &set)? {
        let problem =
            "init takes the keys by which cells are read alone; change others in the config that it writes";
        return Err(Error::Config(format!("--set {}: {problem}", other.escape_debug())).into());
    }
    let given = given_reading(&set)?;
    let Arguments { data, targets, .. } = arguments;
    let request = SuggestRequest { data, targets, config: output, given: &given };
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

/// The options by which a table's cells are read, as far as these overrides say so.
pub(super) fn given_reading(set: &[&str]) -> Result<GivenReading> {
    let table = config::section_of("data", &GivenReading::KEYS, set)?;
    registry::decode(table)
        .map_err(|error| Error::Config(format!("--set: {}", Error::Key(error.under("data")))))
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
