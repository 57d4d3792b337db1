//! `descent eval RUN`: evaluates a run's best weights on its test split.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::device::Compute;
use super::table;
use crate::error::Error;
use crate::metrics::ClassCounts;
use crate::run::session::Session;
use crate::run::trained::TrainedRun;
use crate::trainer;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folder.
    run: PathBuf,
    /// Change a key of the run's config, as in --set data.path='"other"' (repeatable).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Two classes: predict the positive one from this probability on, in place of `data.threshold`.
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    /// Also print the fraction of rows whose class is among the K most probable ones.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    top_k: Option<u32>,
    /// Accept NaN and infinite values in the weights.
    #[arg(long)]
    allow_nonfinite: bool,
    #[command(flatten)]
    compute: Compute,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.compute.use_threads()?;
    let threshold = arguments.threshold.map(|threshold| format!("data.threshold={threshold:?}"));
    let set: Vec<String> = arguments.set.iter().cloned().chain(threshold).collect();
    let trained = TrainedRun::open(&arguments.run, "eval", &set)?.allow_nonfinite(arguments.allow_nonfinite);
    let Session { splits, network, loss } = trained.session(&arguments.compute.device()?)?;
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
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}_loss {:.6}", evaluation.loss)?;
    for (metric, value) in evaluation.metrics {
        writeln!(out, "{name}_{} {value:.6}", table::printable(&metric))?;
    }
    for (metric, reason) in evaluation.left_out {
        tracing::info!("`{name}_{}` is left out: {reason}", metric.escape_debug());
    }
    match (evaluation.classes, arguments.top_k) {
        (Some(classes), k) => {
            if let Some(k) = k {
                writeln!(out, "{name}_top{k}_accuracy {:.6}", classes.top_k(k as usize))?;
            }
            write!(out, "\n{}", by_class(&classes, &data.target_info().classes))?;
        }
        (None, Some(_)) => return Err(Error::Config("--top-k is for classes".to_owned()).into()),
        (None, None) => {}
    }
    Ok(())
}

/// Precision, recall and F1 of each class, and the confusion matrix if it fits a screen.
fn by_class(classes: &ClassCounts, names: &[String]) -> String {
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
        let mut rows = vec![header(&["true \\ predicted"])];
        rows[0].extend((0..confusion.len()).map(name));
        for (class, counts) in confusion.iter().enumerate() {
            rows.push(std::iter::once(name(class)).chain(counts.iter().map(u64::to_string)).collect());
        }
        text.push('\n');
        text.push_str(&table::render(&rows));
    }
    text
}
