//! `descent predict RUN --input FILE`: the predictions of a run's best weights, one line per row.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::device::Compute;
use super::finished_run::FinishedRun;
use super::paths;
use super::signals;
use super::table::Printable;
use crate::data::table::read::Format;
use crate::error::{Error, Result};
use crate::files;
use crate::run::names::require_no_run_file;
use crate::run::{Interrupt, OutputOptions, Predictor};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: FinishedRun,
    /// File of the rows to predict, of a table CSV, JSONL or Parquet, by its extension; the target column may be missing. `-` is standard input, in the format of the training data.
    #[arg(long, value_name = "FILE", value_parser = paths::path())]
    input: PathBuf,
    /// File to write: .csv, .jsonl or .parquet. `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "-", value_parser = paths::path())]
    output: PathBuf,
    /// Column of the input to write before the prediction, as the rows' key (repeatable).
    #[arg(long, value_name = "COLUMN")]
    keep: Vec<String>,
    /// Numbers: also the bounds `lower` and `upper` of intervals in which about this fraction of new rows lies, such as 0.9, by
    /// the errors on the validation rows (split conformal prediction; approximately, as these rows chose the best epoch too).
    #[arg(long, value_name = "FRACTION", value_parser = level)]
    interval: Option<f64>,
    /// Output format; by default taken from the file extension.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    compute: Compute,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Csv, Self::Jsonl, Self::Parquet]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Csv => PossibleValue::new("csv").help("Comma-separated values with a header"),
            Self::Jsonl => PossibleValue::new("jsonl").help("One JSON object per line"),
            Self::Parquet => PossibleValue::new("parquet").help("Apache Parquet"),
        })
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    arguments.compute.use_threads()?;
    let (input, output) = (arguments.input.as_path(), arguments.output.as_path());
    let format = format(output, arguments.format)?;
    require_other_file(input, output)?;
    require_no_run_file("--output", output)?;
    let FinishedRun { folder, allow_nonfinite } = &arguments.run;
    let predictor = Predictor::open_on(folder, arguments.compute.device()?, *allow_nonfinite)?;
    let predictor = match arguments.interval {
        Some(level) => predictor.with_interval(folder, level)?,
        None => predictor,
    };
    let options = OutputOptions { format, keep: arguments.keep.clone() };
    // Nothing is left to tidy up where a signal ends the process: a file has no name until it is whole.
    signals::end_at_once()?;
    if output == Path::new("-") {
        print(&predictor, input, &options)?;
    } else {
        let interrupt = Interrupt::default();
        files::write_whole(output, |file| {
            predictor.write(input, &options, &mut NamedFile { file, path: output }, &interrupt)
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A number between 0 and 1.
fn level(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number < 1.0);
    number.ok_or_else(|| "it is a fraction of the rows, above 0 and below 1".to_owned())
}

/// A file whose errors have its name.
struct NamedFile<'a> {
    file: &'a mut (dyn Write + Send),
    path: &'a Path,
}

impl NamedFile<'_> {
    fn name(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

impl Write for NamedFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| self.name(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| self.name(&error))
    }
}

/// Writes the predictions to standard output, to a terminal without its control characters.
fn print(predictor: &Predictor, input: &Path, options: &OutputOptions) -> Result<()> {
    let (mut out, interrupt) = (std::io::stdout(), Interrupt::default());
    if !out.is_terminal() {
        return predictor.write(input, options, &mut out, &interrupt);
    }
    if options.format == Format::Parquet {
        let problem = "--format parquet: this is a terminal; name a file with --output, or use a pipe";
        return Err(Error::Config(problem.to_owned()));
    }
    predictor.write(input, options, &mut Printable::new(out), &interrupt)
}

/// The format that is asked for, or that the extension of the output names.
fn format(output: &Path, asked: Option<Format>) -> Result<Format> {
    let extension = output.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match (asked, extension.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, None) if output == Path::new("-") => Ok(Format::Csv),
        (None, Some("csv")) => Ok(Format::Csv),
        (None, Some("jsonl" | "ndjson")) => Ok(Format::Jsonl),
        (None, Some("parquet" | "pq")) => Ok(Format::Parquet),
        _ => Err(Error::Config(format!(
            "--output {}: the extension is none of .csv, .jsonl and .parquet; --format names one",
            output.display()
        ))),
    }
}

/// Checks that the output is not the input.
fn require_other_file(input: &Path, output: &Path) -> Result<()> {
    let (Ok(own), Ok(other)) = (input.canonicalize(), output.canonicalize()) else { return Ok(()) };
    if own != other {
        return Ok(());
    }
    Err(Error::Config(format!("--output {}: this is the input; name another file", output.display())))
}
