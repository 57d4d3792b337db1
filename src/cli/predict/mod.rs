//! `descent predict RUN --input FILE`: a run's best weights asked about other rows, a line a row.

mod answers;
mod inputs;
mod output;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use candle_core::{DType, Device, Tensor};
use clap::{Args, ValueEnum};

use super::signals::Signals;
use super::{device, run_folder, session};
use crate::checkpoint;
use crate::config::Config;
use crate::data::{Preprocessing, Units};
use crate::error::{Error, Result};
use crate::files;
use crate::loss::{Losses, widened};
use crate::model::Network;

use answers::Answers;
use output::Output;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folder.
    run: PathBuf,
    /// A file in the format of the training data, the target left out or not; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Where the predictions go: .csv, .jsonl or .parquet; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// The format of the output, where its ending does not say.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// auto, cpu, cuda or cuda:N.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Take NaN and infinite values in the weights as they are.
    #[arg(long)]
    allow_nonfinite: bool,
    /// The number of threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// A format of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    device::use_threads(arguments.threads)?;
    let (input, output) = (arguments.input.as_path(), arguments.output.as_path());
    let format = format(output, arguments.format)?;
    require_other_file(input, output)?;
    let predictor = Predictor::open(&arguments.run, &arguments.device, arguments.allow_nonfinite)?;
    if output == Path::new("-") {
        let mut out = std::io::stdout();
        let terminal = out.is_terminal();
        if terminal && format == Format::Parquet {
            let problem = "--format parquet: this is a terminal; name a file with --output, or use a pipe";
            return Err(Error::Config(problem.to_owned()).into());
        }
        return predictor.write(input, (format, terminal), &mut out, None).map(|()| ExitCode::SUCCESS);
    }
    let signals = Signals::listen(false)?;
    let written =
        files::write_whole(output, |file| predictor.write(input, (format, false), file, Some(&signals)));
    match (written, signals.stop()) {
        // What was written so far is gone again.
        (Err(error), Some(signal)) if error.is::<Stopped>() => Ok(ExitCode::from(signal.exit_code())),
        (written, _) => written.map(|()| ExitCode::SUCCESS),
    }
}

/// A signal came: the output is given up.
#[derive(Debug, thiserror::Error)]
#[error("stopped by a signal; nothing was written")]
struct Stopped;

/// The format that is asked for, or that the ending of the output says.
fn format(output: &Path, asked: Option<Format>) -> Result<Format> {
    let ending = output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match (asked, ending.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, None) if output == Path::new("-") => Ok(Format::Csv),
        (None, Some("csv")) => Ok(Format::Csv),
        (None, Some("jsonl" | "ndjson")) => Ok(Format::Jsonl),
        (None, Some("parquet" | "pq")) => Ok(Format::Parquet),
        _ => Err(Error::Config(format!(
            "--output {}: the ending is none of .csv, .jsonl and .parquet; --format names one",
            output.display()
        ))),
    }
}

/// Refuses to put the predictions in the place of the rows.
fn require_other_file(input: &Path, output: &Path) -> Result<()> {
    let (Ok(own), Ok(other)) = (input.canonicalize(), output.canonicalize()) else { return Ok(()) };
    if own != other {
        return Ok(());
    }
    Err(Error::Config(format!("--output {}: this is the input; name another file", output.display())))
}

/// A network with a run's best weights.
struct Predictor {
    preprocessing: Preprocessing,
    network: Network,
    loss: Losses,
    units: Option<Units>,
    dtype: DType,
    device: Device,
}

impl Predictor {
    fn open(run: &Path, device: &str, allow_nonfinite: bool) -> Result<Self> {
        let config = Config::read(&run_folder::config_of(run, "predict")?, &[])?;
        let preprocessing = run_folder::preprocessing(run)?;
        let (dtype, device) = (DType::from(config.train.dtype), device::choose(device)?);
        let loss = config.loss.clone();
        let network = session::network(&config, &preprocessing, loss.width(preprocessing.outputs), &device)?;
        let weights = run.join("model.safetensors");
        let state = checkpoint::load_checked(&weights, allow_nonfinite)?;
        network.params().load(&state).map_err(|e| Error::data(&weights, e.to_string()))?;
        let units = preprocessing.units()?;
        Ok(Self { preprocessing, network, loss, units, dtype, device })
    }

    /// What the network says of some rows: probabilities (N, C), or values (N, K) in their own units.
    fn predict(&self, xs: &Tensor) -> Result<Tensor> {
        let rows = xs.dims()[0];
        let xs = xs.reshape([&[rows], self.preprocessing.row.as_slice()].concat())?;
        let outputs = self.network.forward(&xs.to_dtype(self.dtype)?.to_device(&self.device)?)?;
        let predictions = self.loss.predict(&widened(&outputs)?)?;
        match &self.units {
            Some(units) => units.restore(&predictions),
            None => Ok(predictions),
        }
    }

    /// Answers for all rows of the input, on a terminal without what would steer it.
    fn write(
        &self,
        input: &Path,
        (format, terminal): (Format, bool),
        out: &mut (dyn Write + Send),
        signals: Option<&Signals>,
    ) -> anyhow::Result<()> {
        let answers = Answers::new(&self.preprocessing, self.loss.want());
        let mut output = Output::new(format, answers, (out, terminal))?;
        let mut row = 0;
        inputs::for_each_batch(&self.preprocessing, input, &mut |batch| {
            if signals.is_some_and(|signals| signals.stop().is_some()) {
                return Err(Stopped.into());
            }
            match batch {
                inputs::Batch::Rows(xs) => {
                    let said = self.predict(&xs)?;
                    if let Some(place) = first_infinite(&said)? {
                        let problem =
                            "the answer is not finite; is a number in it far from those of training?";
                        return Err(Error::data(input, format!("row {}: {problem}", row + place + 1)).into());
                    }
                    row += said.dims()[0];
                    output.add(&said)
                }
                inputs::Batch::TooShort(rows) => {
                    row += rows;
                    output.add_empty(rows)
                }
            }
        })?;
        output.finish()
    }
}

/// The first row of (N, K) with a number that is not finite.
fn first_infinite(said: &Tensor) -> Result<Option<usize>> {
    let numbers = said.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let place = numbers.iter().position(|number| !number.is_finite());
    Ok(place.map(|place| place / said.dims()[1].max(1)))
}
