//! `descent eval RUN`: evaluates a run's best weights on its test split, or on all rows of a file.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::device::Compute;
use super::finished_run::FinishedRun;
use super::settings::Settings;
use super::{paths, table};
use crate::error::Error;
use crate::metrics::ClassCounts;
use crate::numbers::number_to;
use crate::run::baselines::Verdict;
use crate::run::doubts::log_class_doubts;
use crate::run::scoring::Evaluator;
use crate::run::trained::TrainedRun;
use crate::trainer::Evaluation;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: FinishedRun,
    /// Score all rows of this file: of a table CSV, JSONL or Parquet, by its extension.
    #[arg(long, value_name = "FILE", value_parser = paths::path())]
    input: Option<PathBuf>,
    #[command(flatten)]
    set: Settings,
    /// Two classes: predict the positive class from this probability on, in place of data.threshold.
    #[arg(long, value_name = "P", value_parser = probability)]
    threshold: Option<f64>,
    /// Also print the fraction of rows whose class is among the K most probable.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    top_k: Option<u32>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: Compute,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.compute.use_threads()?;
    let set = arguments.set.as_strs();
    let FinishedRun { folder, allow_nonfinite } = &arguments.run;
    let trained = TrainedRun::open(folder, "eval", &set)?.allow_nonfinite(*allow_nonfinite);
    let trained = match arguments.threshold {
        Some(threshold) => trained.with_threshold(threshold, "--threshold")?,
        None => trained,
    };
    let device = arguments.compute.device()?;
    let scoring = match &arguments.input {
        Some(file) => trained.file(file, &device)?,
        None => trained.held_out(&set, &device)?,
    };
    let mut evaluation = scoring.evaluate()?;
    if let Some(k) = arguments.top_k {
        let classes = evaluation.classes.as_ref();
        let classes = classes.ok_or_else(|| Error::Config("--top-k is for classes".to_owned()))?;
        evaluation.metrics.push((format!("top{k}_accuracy"), classes.top_k(k as usize)));
    }
    if scoring.is_weighted() {
        tracing::info!("rows count by their weights, in the loss and all metrics");
    }
    log_class_doubts(scoring.part.described(), &evaluation, scoring.classes());
    let baselines = scoring.baselines(&evaluation)?;
    if let Some(verdict) = Verdict::of(&evaluation.metrics, &baselines) {
        verdict.log();
    }
    let text = if arguments.json {
        let mut object = object(&scoring, &evaluation);
        object.extend(baselines.into_iter().map(|(name, value)| (name, json!(value))));
        format!("{}\n", Value::from(object))
    } else {
        lines(&scoring, &evaluation, &baselines)
    };
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// A number from 0 to 1.
fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "a probability is a number from 0 to 1".to_owned())
}

/// A line per metric and the number of rows, and tables of the classes.
fn lines(scoring: &Evaluator, evaluation: &Evaluation, baselines: &[(String, f64)]) -> String {
    let name = scoring.part.prefix();
    let mut text = format!("{name}_loss {}\n", number_to(evaluation.loss, 6));
    for (metric, value) in &evaluation.metrics {
        let _ = writeln!(text, "{name}_{} {}", table::printable(metric), number_to(*value, 6));
    }
    for (metric, reason) in &evaluation.left_out {
        tracing::info!("`{name}_{}` is left out: {reason}", metric.escape_debug());
    }
    for (name, value) in baselines {
        let _ = writeln!(text, "{} {}", table::printable(name), number_to(*value, 6));
    }
    let _ = writeln!(text, "rows {}", scoring.rows());
    if let Some(threshold) = scoring.threshold() {
        let _ = writeln!(text, "threshold {}", number_to(threshold, 6));
    }
    if let Some(classes) = &evaluation.classes {
        let _ = write!(text, "\n{}", by_class(classes, scoring.classes()));
    }
    text
}

/// The same as a JSON object.
fn object(scoring: &Evaluator, evaluation: &Evaluation) -> Map<String, Value> {
    let name = scoring.part.prefix();
    let mut object = Map::new();
    object.insert("split".to_owned(), scoring.part.name().into());
    object.insert("rows".to_owned(), scoring.rows().into());
    object.extend(scoring.threshold().map(|threshold| ("threshold".to_owned(), json!(threshold))));
    object.insert(format!("{name}_loss"), json!(evaluation.loss));
    object
        .extend(evaluation.metrics.iter().map(|(metric, value)| (format!("{name}_{metric}"), json!(value))));
    let left_out: Map<String, Value> = evaluation
        .left_out
        .iter()
        .map(|(metric, reason)| (format!("{name}_{metric}"), reason.to_string().into()))
        .collect();
    object.insert("left_out".to_owned(), left_out.into());
    if let Some(classes) = &evaluation.classes {
        let names = scoring.classes();
        let class = |(class, score): (usize, crate::metrics::ClassScore)| {
            json!({
                "class": names.get(class).map_or_else(|| class.to_string(), Clone::clone),
                "precision": score.precision,
                "recall": score.recall,
                "f1": score.f1,
                "rows": count(score.support),
            })
        };
        let all: Vec<Value> = classes.by_class().into_iter().enumerate().map(class).collect();
        object.insert("classes".to_owned(), all.into());
        let counts: Vec<Value> =
            classes.confusion().iter().map(|row| row.iter().copied().map(count).collect()).collect();
        object.insert("confusion".to_owned(), counts.into());
    }
    object
}

/// Rows that count as often as their weights say: a whole number where they are.
fn count(rows: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole")]
    if rows.fract() == 0.0 && rows < 9e15 { json!(rows as u64) } else { json!(rows) }
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
        rows.push(
            [name(class)].into_iter().chain(shares).chain([count(score.support).to_string()]).collect(),
        );
    }
    let mut text = table::render(&rows);
    let confusion = classes.confusion();
    if confusion.len() <= WIDEST {
        let mut rows = vec![header(&["true \\ predicted"])];
        rows[0].extend((0..confusion.len()).map(name));
        for (class, counts) in confusion.iter().enumerate() {
            rows.push(
                std::iter::once(name(class))
                    .chain(counts.iter().map(|rows| count(*rows).to_string()))
                    .collect(),
            );
        }
        text.push('\n');
        text.push_str(&table::render(&rows));
    }
    text
}
