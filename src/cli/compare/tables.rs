//! Tables that compare runs, and the picture of their curves.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Map;

use super::arguments::Arguments;
use crate::cli::differences;
use crate::cli::table::{printable, render, thousands};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::run::folder;
use crate::run::history::{Axis, History};

/// The most rows of a table over one axis.
const ROWS: usize = 10;

/// Writes the picture of --svg.
pub(super) fn draw(arguments: &Arguments, runs: &[PathBuf]) -> Result<()> {
    let Some(path) = &arguments.svg else { return Ok(()) };
    let mut drawn = Vec::new();
    for run in runs {
        let config = Config::read(&folder::config_of(run, "compare")?, &[])?;
        drawn.push(crate::cli::report::curves(run, &config)?);
    }
    let histories: Vec<History> = runs.iter().map(|path| History::read(path)).collect::<Result<_>>()?;
    let known = arguments.metric.as_deref().filter(|metric| histories.iter().all(|run| run.has(metric)));
    let metric = known.unwrap_or_else(|| default_metric(&histories));
    files::write(&Local, path, crate::report::curve_svg(&drawn, metric, arguments.axis, false).as_bytes())
}

/// The validation loss, or the training loss if a run has none.
fn default_metric(runs: &[History]) -> &'static str {
    if runs.iter().all(|run| run.has("val_loss")) { "val_loss" } else { "train_loss" }
}

/// Tables that compare runs.
pub(super) fn side_by_side(paths: &[PathBuf], metric: Option<&str>) -> Result<String> {
    let runs: Vec<History> = paths.iter().map(|path| History::read(path)).collect::<Result<_>>()?;
    let metric = metric.unwrap_or_else(|| default_metric(&runs));
    if let Some(run) = runs.iter().find(|run| !run.has(metric)) {
        let problem =
            format!("no epoch of it has `{}`; it has {}", metric.escape_debug(), run.names().join(", "));
        return Err(Error::data(&run.path, problem));
    }
    let mut text = summary(&runs, metric);
    text.push_str(&apart(paths)?);
    for axis in Axis::ALL {
        let _ = write!(text, "\n{metric} over {}\n{}", axis.name(), over(&runs, metric, axis));
    }
    Ok(text)
}

/// A row for each config key whose values differ; nothing if a folder has no config.
fn apart(paths: &[PathBuf]) -> Result<String> {
    let known: Option<Vec<PathBuf>> =
        paths.iter().map(|path| folder::config_of(path, "compare").ok()).collect();
    let Some(known) = known else { return Ok(String::new()) };
    let configs: Vec<Config> = known.iter().map(|path| Config::read(path, &[])).collect::<Result<_>>()?;
    let differences = differences::between(&configs)?;
    if differences.is_empty() {
        return Ok(String::new());
    }
    let mut rows = vec![vec!["config".to_owned()]];
    rows[0].extend(paths.iter().map(|path| printable(&path.display().to_string())));
    for (key, values) in differences {
        rows.push([vec![printable(&key)], values.iter().map(|value| printable(value)).collect()].concat());
    }
    Ok(format!("\n{}", render(&rows)))
}

/// A row per run: how long it took, the metric at its end, and the results on the test split.
fn summary(runs: &[History], metric: &str) -> String {
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
        let mut row = vec![name(run)];
        row.extend(Axis::ALL.iter().map(|axis| place(*axis, last.at[*axis as usize])));
        row.push(number(last.value(metric)));
        let test = |name: &&str| number(run.last.as_ref().and_then(|line| line.get(*name)?.as_f64()));
        row.extend(tests.iter().map(test));
        rows.push(row);
    }
    render(&rows)
}

/// The metric of each run at some places of an axis: that of the last epoch that had ended by then.
fn over(runs: &[History], metric: &str, axis: Axis) -> String {
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
    rows[0].extend(runs.iter().map(name));
    for at in places {
        let mut row = vec![place(axis, at)];
        row.extend(runs.iter().map(|run| {
            let reached = run.epochs.iter().rev().find(|epoch| epoch.at[axis as usize] <= at);
            number(reached.and_then(|epoch| epoch.value(metric)))
        }));
        rows.push(row);
    }
    render(&rows)
}

/// The name of a run in a table.
fn name(run: &History) -> String {
    printable(&run.path.display().to_string())
}

/// A place on an axis.
fn place(axis: Axis, value: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    if axis == Axis::Seconds { format!("{value:.2}") } else { thousands(value as u64) }
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.4}"))
}
