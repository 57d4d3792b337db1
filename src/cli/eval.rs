//! `descent eval RUN`: loss and metrics of a run's best weights on its test split.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::device;
use super::session::Session;
use crate::checkpoint;
use crate::config::Config;
use crate::error::Error;
use crate::trainer;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folder.
    run: PathBuf,
    /// Change the run's config, as in --set data.path='"other"'.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// auto, cpu, cuda or cuda:N.
    #[arg(long, default_value = "auto")]
    device: String,
    /// The number of threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    device::use_threads(arguments.threads)?;
    let path = arguments.run.join("config.toml");
    if !path.exists() {
        let problem = "there is no config.toml in this folder; eval takes the folder of a run";
        return Err(Error::data(&arguments.run, problem).into());
    }
    let config = Config::read(&path, &arguments.set)?;
    let Session { splits, network } =
        Session::open(&config, &device::choose(&arguments.device)?).map_err(|e| config.locate(e))?;
    let weights = arguments.run.join("model.safetensors");
    network.params().load(&checkpoint::load(&weights)?).map_err(|e| Error::data(&weights, e.to_string()))?;
    let (name, data) = match (&splits.test, &splits.validation) {
        (Some(test), _) => ("test", test),
        (None, Some(validation)) => ("val", validation),
        (None, None) => {
            return Err(Error::Config(
                "the data has no test split; name another data set with --set data.…".to_owned(),
            )
            .into());
        }
    };
    let evaluation = trainer::evaluate(&network, &config.loss, data)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}_loss {:.6}", evaluation.loss)?;
    for (metric, value) in evaluation.metrics {
        writeln!(out, "{name}_{metric} {value:.6}")?;
    }
    Ok(())
}
