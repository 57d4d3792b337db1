//! Tables that compare runs, and the picture of their curves.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Map;

use super::arguments::Arguments;
use super::names;
use crate::cli::differences;
use crate::cli::table::{printable, render, thousands};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::numbers::number;
use crate::report::RunData;
use crate::run::folder;
use crate::run::history::{Axis, History};
use crate::run::names::{require_kind, require_no_run_file};

/// The most rows of a table over one axis.
const ROWS: usize = 10;

/// Runs, and what they are called in tables.
struct Compared {
    runs: Vec<History>,
    names: Vec<String>,
}

impl Compared {
    fn read(paths: &[PathBuf], differences: &[(String, Vec<String>)]) -> Result<Self> {
        let runs: Vec<History> = paths.iter().map(|path| History::read(path)).collect::<Result<_>>()?;
        if let Some(run) = runs.iter().find(|run| run.epochs.is_empty()) {
            return Err(Error::data(&run.path, "no epoch of this run has finished yet"));
        }
        Ok(Self { runs, names: names::of_runs(paths, differences) })
    }
}

/// Writes the picture of --svg.
pub(super) fn draw(arguments: &Arguments, runs: &[PathBuf]) -> Result<()> {
    let Some(path) = &arguments.svg else { return Ok(()) };
    require_no_run_file("--svg", path)?;
    require_kind("--svg", path, &["svg"])?;
    let Compared { runs: histories, names } = Compared::read(runs, &differences_of(runs)?)?;
    let mut drawn = Vec::new();
    for (run, name) in runs.iter().zip(names) {
        let config = Config::of_run(&folder::config_of(run, "compare")?, &[])?;
        drawn.push(RunData { name, ..crate::cli::report::curves(run, &config)? });
    }
    let known = arguments.metric.as_deref().filter(|metric| histories.iter().all(|run| run.has(metric)));
    let metric = known.unwrap_or_else(|| default_metric(&histories));
    let axis = arguments.axis.first().copied().unwrap_or(Axis::Epochs);
    files::write(&Local, path, crate::report::curve_svg(&drawn, metric, axis, false).as_bytes())
}

/// The validation loss, or the training loss if a run has none.
fn default_metric(runs: &[History]) -> &'static str {
    if runs.iter().all(|run| run.has("val_loss")) { "val_loss" } else { "train_loss" }
}

/// Tables that compare runs: how each ended, the keys in which they differ, and a metric over each of these axes.
pub(super) fn side_by_side(paths: &[PathBuf], metric: Option<&str>, axes: &[Axis]) -> Result<String> {
    let differences = differences_of(paths)?;
    let compared = Compared::read(paths, &differences)?;
    let metric = metric.unwrap_or_else(|| default_metric(&compared.runs));
    let of_test = metric.starts_with("test_");
    let lacks = |run: &&History| if of_test { run.test(metric).is_none() } else { !run.has(metric) };
    if let Some(run) = compared.runs.iter().find(lacks) {
        let which = if of_test { "its final line does not have" } else { "no epoch of it has" };
        let problem = format!("{which} `{}`; it has {}", metric.escape_debug(), run.names().join(", "));
        return Err(Error::data(&run.path, problem));
    }
    let mut text = summary(&compared, metric);
    text.push_str(&apart(&compared, differences));
    // The test split is measured once, at the end.
    for axis in axes.iter().filter(|_| !of_test) {
        let _ = write!(text, "\n{metric} over {}\n{}", axis.name(), over(&compared, metric, *axis));
    }
    Ok(text)
}

/// The config keys whose values differ; none if a folder has no config.
fn differences_of(paths: &[PathBuf]) -> Result<Vec<(String, Vec<String>)>> {
    let known: Option<Vec<PathBuf>> =
        paths.iter().map(|path| folder::config_of(path, "compare").ok()).collect();
    let configs: Vec<Config> =
        known.unwrap_or_default().iter().map(|path| Config::of_run(path, &[])).collect::<Result<_>>()?;
    differences::between(&configs)
}

/// A row for each config key whose values differ.
fn apart(compared: &Compared, differences: Vec<(String, Vec<String>)>) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let mut rows = vec![vec!["config".to_owned()]];
    rows[0].extend(compared.names.iter().cloned());
    for (key, values) in differences {
        rows.push([vec![printable(&key)], values.iter().map(|value| printable(value)).collect()].concat());
    }
    format!("\n{}", render(&rows))
}

/// A row per run: how long it took, the metric at its end, the results on the test split, and its folder.
fn summary(Compared { runs, names }: &Compared, metric: &str) -> String {
    let mut tests: Vec<&str> = Vec::new();
    for name in runs.iter().flat_map(|run| &run.last).flat_map(Map::keys) {
        if name.starts_with("test_") && !tests.contains(&name.as_str()) {
            tests.push(name);
        }
    }
    // What fits a terminal; the files have them all.
    tests.sort_by_key(|name| *name != metric);
    tests.truncate(2);
    let of_test = metric.starts_with("test_");
    let paths: Vec<String> = runs.iter().map(|run| printable(&run.path.display().to_string())).collect();
    let with_paths = paths != *names;
    let mut rows = vec![vec!["run".to_owned()]];
    rows[0].extend(Axis::ALL.iter().map(|axis| axis.name().to_owned()));
    rows[0].extend((!of_test).then(|| format!("last {metric}")));
    rows[0].extend(tests.iter().map(|name| (*name).to_owned()));
    rows[0].extend(with_paths.then(|| "folder".to_owned()));
    for ((run, name), path) in runs.iter().zip(names).zip(paths) {
        let Some(last) = run.epochs.last() else { continue };
        let mut row = vec![name.clone()];
        row.extend(Axis::ALL.iter().map(|axis| place(*axis, last.at[*axis as usize])));
        row.extend((!of_test).then(|| known(last.value(metric))));
        row.extend(tests.iter().map(|name| known(run.test(name))));
        row.extend(with_paths.then_some(path));
        rows.push(row);
    }
    render(&rows)
}

/// The metric of each run at some places of an axis: that of the last epoch that had ended by then.
fn over(Compared { runs, names }: &Compared, metric: &str, axis: Axis) -> String {
    let epochs = runs.iter().flat_map(|run| &run.epochs);
    let mut places: Vec<f64> = epochs.map(|epoch| epoch.at[axis as usize]).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    if places.len() > ROWS {
        // By equal factors: a batch of one row makes thousands of updates where a full batch makes one.
        let (first, last) = (places[0].max(1e-3), places[places.len() - 1]);
        #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
        let power = |row: usize| first * (last / first).powf(row as f64 / (ROWS - 1) as f64);
        places = (0..ROWS).map(power).collect();
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
    rows[0].extend(names.iter().cloned());
    for at in places {
        let mut row = vec![place(axis, at)];
        row.extend(runs.iter().map(|run| {
            let reached = run.epochs.iter().rev().find(|epoch| epoch.at[axis as usize] <= at);
            // It has no such epoch, though it may have taken as long.
            let reached = reached
                .filter(|_| axis != Axis::Epochs || run.epochs.last().is_some_and(|last| last.at[0] >= at));
            known(reached.and_then(|epoch| epoch.value(metric)))
        }));
        rows.push(row);
    }
    render(&rows)
}

/// A place on an axis.
fn place(axis: Axis, value: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    if axis == Axis::Seconds { format!("{value:.2}") } else { thousands(value as u64) }
}

fn known(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), number)
}
