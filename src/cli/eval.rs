//! `descent eval RUN`: loss and metrics of a run's best weights on its test split.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::session::Session;
use super::{device, run_folder, table};
use crate::checkpoint;
use crate::config::Config;
use crate::error::Error;
use crate::metrics::{Classes, Tally};
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
    /// Print the share of rows whose class is among the K most probable ones.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    top_k: Option<u32>,
    /// Take NaN and infinite values in the weights as they are.
    #[arg(long)]
    allow_nonfinite: bool,
    /// The number of threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    device::use_threads(arguments.threads)?;
    let path = run_folder::config_of(&arguments.run, "eval")?;
    let config = Config::read(&path, &arguments.set)?;
    // Rows are encoded as they were for training, whatever other rows there are.
    let fitted = run_folder::preprocessing_if_there(&arguments.run)?;
    let Session { splits, network, loss } =
        Session::open(&config, fitted.as_ref(), &device::choose(&arguments.device)?)
            .map_err(|e| config.locate(e))?;
    let weights = arguments.run.join("model.safetensors");
    let state = checkpoint::load_checked(&weights, arguments.allow_nonfinite)?;
    network.params().load(&state).map_err(|e| Error::data(&weights, e.to_string()))?;
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
    let evaluation = trainer::evaluate(&network, &loss, data)?;
    let names = splits.preprocessing.class_names().unwrap_or_default();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}_loss {:.6}", evaluation.loss)?;
    for (metric, value) in evaluation.metrics {
        writeln!(out, "{name}_{metric} {value:.6}")?;
    }
    match (evaluation.tally, arguments.top_k) {
        (Tally::Classes(classes), k) => {
            if let Some(k) = k {
                writeln!(out, "{name}_top{k}_accuracy {:.6}", classes.top_k(k as usize))?;
            }
            write!(out, "\n{}", by_class(&classes, names))?;
        }
        (_, Some(_)) => return Err(Error::Config("--top-k is for classes".to_owned()).into()),
        _ => {}
    }
    Ok(())
}

/// Precision, recall and F1 of each class, and the confusion matrix where it fits a screen.
fn by_class(classes: &Classes, names: &[String]) -> String {
    const WIDEST: usize = 30;
    let name =
        |class: usize| names.get(class).map_or_else(|| class.to_string(), |name| table::printable(name));
    let header = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut rows = vec![header(&["class", "precision", "recall", "f1", "rows"])];
    for (class, score) in classes.by_class().into_iter().enumerate() {
        let shares = [score.precision, score.recall, score.f1].map(|share| format!("{share:.4}"));
        rows.push([name(class)].into_iter().chain(shares).chain([score.support.to_string()]).collect());
    }
    let mut text = table::render(&rows);
    let confusion = classes.confusion();
    if confusion.len() <= WIDEST {
        let mut rows = vec![header(&["is \\ predicted"])];
        rows[0].extend((0..confusion.len()).map(name));
        for (class, counts) in confusion.iter().enumerate() {
            rows.push(std::iter::once(name(class)).chain(counts.iter().map(u64::to_string)).collect());
        }
        text.push('\n');
        text.push_str(&table::render(&rows));
    }
    text
}
