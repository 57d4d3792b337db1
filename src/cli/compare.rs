//! `descent compare RUN RUN …`: runs side by side, over epochs, updates, samples and seconds.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::table::{render, thousands};
use crate::error::{Error, Result};
use crate::files;

/// The most rows of a table over one axis.
const ROWS: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folders.
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What is compared; left out: the validation loss, or the training loss where a run has none.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runs: Vec<Run> = arguments.runs.iter().map(|path| Run::read(path)).collect::<Result<_>>()?;
    let metric = match &arguments.metric {
        Some(metric) => metric.as_str(),
        None if runs.iter().all(|run| run.has("val_loss")) => "val_loss",
        None => "train_loss",
    };
    if let Some(run) = runs.iter().find(|run| !run.has(metric)) {
        let problem =
            format!("no epoch of it has `{}`; it has {}", metric.escape_debug(), run.names().join(", "));
        return Err(Error::data(&run.path, problem).into());
    }
    let mut text = summary(&runs, metric);
    for axis in Axis::ALL {
        let _ = write!(text, "\n{metric} over {}\n{}", axis.name(), over(&runs, metric, axis));
    }
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// What the log of a run says.
struct Run {
    path: PathBuf,
    epochs: Vec<Epoch>,
    last: Option<Map<String, Value>>,
}

/// An epoch, and what the run had come to at its end.
struct Epoch {
    /// In the order of [`Axis::ALL`].
    at: [f64; 4],
    line: Map<String, Value>,
}

/// What a loss can be drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Epochs,
    Updates,
    Samples,
    Seconds,
}

impl Axis {
    const ALL: [Self; 4] = [Self::Epochs, Self::Updates, Self::Samples, Self::Seconds];

    fn name(self) -> &'static str {
        ["epochs", "updates", "samples", "seconds"][self as usize]
    }

    fn write(self, value: f64) -> String {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        if self == Self::Seconds { format!("{value:.2}") } else { thousands(value as u64) }
    }
}

impl Run {
    fn read(path: &Path) -> Result<Self> {
        let place = path.join("metrics.jsonl");
        let (file, _) = files::open(&place)?;
        let text = std::io::read_to_string(file).map_err(Error::io("read", &place))?;
        let mut run = Self { path: path.to_path_buf(), epochs: Vec::new(), last: None };
        let (mut samples, mut seconds) = (0.0, 0.0);
        for (number, text) in (1..).zip(text.lines()) {
            let bad = |e: &dyn std::fmt::Display| Error::data(&place, format!("line {number}: {e}"));
            let line: Map<String, Value> = serde_json::from_str(text).map_err(|e| bad(&e))?;
            let value = |key: &str| {
                line.get(key)
                    .and_then(Value::as_f64)
                    .ok_or_else(|| bad(&format!("there is no number `{key}`")))
            };
            match line.get("kind").and_then(Value::as_str) {
                Some("epoch") => {
                    samples += value("samples")?;
                    seconds += value("seconds")?;
                    let at = [value("epoch")?, value("step")?, samples, seconds];
                    run.epochs.push(Epoch { at, line });
                }
                Some("final") => run.last = Some(line),
                _ => return Err(bad(&"this is no line of a run's log")),
            }
        }
        if run.epochs.is_empty() {
            return Err(Error::data(path, "no epoch of this run is over yet"));
        }
        Ok(run)
    }

    fn has(&self, metric: &str) -> bool {
        self.epochs.iter().all(|epoch| epoch.value(metric).is_some())
    }

    /// The metrics of its epochs.
    fn names(&self) -> Vec<&str> {
        let own = |name: &&String| ["train", "val"].iter().any(|prefix| name.starts_with(prefix));
        self.epochs
            .iter()
            .take(1)
            .flat_map(|epoch| epoch.line.keys().filter(own))
            .map(String::as_str)
            .collect()
    }

    fn name(&self) -> String {
        self.path.display().to_string().escape_debug().to_string()
    }
}

impl Epoch {
    fn value(&self, metric: &str) -> Option<f64> {
        self.line.get(metric).and_then(Value::as_f64)
    }
}

/// A row a run: how long it took, the metric at its end and at its best, and the results on the test split.
fn summary(runs: &[Run], metric: &str) -> String {
    let mut tests: Vec<&str> = Vec::new();
    for name in runs.iter().flat_map(|run| &run.last).flat_map(Map::keys) {
        if name.starts_with("test_") && !tests.contains(&name.as_str()) {
            tests.push(name);
        }
    }
    // What fits a terminal; the files have them all.
    tests.truncate(2);
    let title = |name: &str| name.to_owned();
    let mut rows = vec![Axis::ALL.iter().map(|axis| title(axis.name())).collect::<Vec<_>>()];
    rows[0].insert(0, title("run"));
    rows[0].push(format!("last {metric}"));
    rows[0].extend(tests.iter().map(|name| title(name)));
    for run in runs {
        let Some(last) = run.epochs.last() else { continue };
        let mut row = vec![run.name()];
        row.extend(Axis::ALL.iter().map(|axis| axis.write(last.at[*axis as usize])));
        row.push(number(last.value(metric)));
        let test = |name: &&str| number(run.last.as_ref().and_then(|line| line.get(*name)?.as_f64()));
        row.extend(tests.iter().map(test));
        rows.push(row);
    }
    render(&rows)
}

/// The metric of each run at some places of an axis: that of the last epoch that was over by then, which is the last
/// of all where the run was.
fn over(runs: &[Run], metric: &str, axis: Axis) -> String {
    let epochs = runs.iter().flat_map(|run| &run.epochs);
    let mut places: Vec<f64> = epochs.map(|epoch| epoch.at[axis as usize]).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    if places.len() > ROWS {
        // By equal factors: a batch of one row makes thousands of updates where a full batch makes one.
        let (first, last) = (places[0].max(1e-3), places[places.len() - 1]);
        #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
        let place = |row: usize| first * (last / first).powf(row as f64 / (ROWS - 1) as f64);
        places = (0..ROWS).map(place).collect();
        if axis != Axis::Seconds {
            for place in &mut places {
                *place = place.round();
            }
        }
        // A power is rounded; the end is the end.
        places[ROWS - 1] = last;
        places.dedup();
    }
    let mut rows = vec![vec![axis.name().to_owned()]];
    rows[0].extend(runs.iter().map(Run::name));
    for place in places {
        let mut row = vec![axis.write(place)];
        row.extend(runs.iter().map(|run| {
            let reached = run.epochs.iter().rev().find(|epoch| epoch.at[axis as usize] <= place);
            number(reached.and_then(|epoch| epoch.value(metric)))
        }));
        rows.push(row);
    }
    render(&rows)
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.4}"))
}
