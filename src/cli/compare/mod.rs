//! `descent compare RUN RUN …`: runs side by side, over epochs, updates, samples and seconds.

mod variants;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Map;

use super::history::{Axis, History};
use super::table::{printable, render};
use super::{device, differences, run_folder};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::{self, Local};

/// The most rows of a table over one axis.
const ROWS: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folders.
    #[arg(required_unless_present = "train", num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What is compared; left out: the validation loss, or the training loss where a run has none; of variants that are
    /// trained the test accuracy or error.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Write the curves as an SVG picture, too.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// What the picture's curves are drawn over.
    #[arg(long, value_enum, default_value_t = Axis::Epochs)]
    axis: Axis,
    /// Train variants of this config, and say which is better.
    #[arg(long, value_name = "CONFIG", conflicts_with = "runs", requires = "vary")]
    train: Option<PathBuf>,
    /// The variants: a key and its values, as in --vary optimizer.lr=0.1,0.01; of several keys all combinations.
    #[arg(long, value_name = "KEY=A,B,…", requires = "train")]
    vary: Vec<String>,
    /// Train each variant on so many seeds, from the config's on.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=1000),
        requires = "train"
    )]
    seeds: u64,
    /// Change a key of the config that is trained.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "train")]
    set: Vec<String>,
    /// The folder for the runs that are trained; left out: runs/compare-CONFIG-TIME.
    #[arg(long, value_name = "DIR", requires = "train")]
    out: Option<PathBuf>,
    /// The device to train on: auto, cpu, cuda or cuda:N.
    #[arg(long, default_value = "auto")]
    device: String,
    /// The number of threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

pub(super) fn run(arguments: &Arguments, quiet: bool) -> anyhow::Result<ExitCode> {
    device::use_threads(arguments.threads)?;
    if let Some(config) = &arguments.train {
        return variants::run(arguments, config, quiet);
    }
    let text = side_by_side(&arguments.runs, arguments.metric.as_deref())?;
    draw(arguments, &arguments.runs)?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the picture that is asked for.
fn draw(arguments: &Arguments, runs: &[PathBuf]) -> Result<()> {
    let Some(path) = &arguments.svg else { return Ok(()) };
    let mut drawn = Vec::new();
    for run in runs {
        let config = Config::read(&run_folder::config_of(run, "compare")?, &[])?;
        drawn.push(super::report::curves(run, &config)?);
    }
    let histories: Vec<History> = runs.iter().map(|path| History::read(path)).collect::<Result<_>>()?;
    let known = arguments.metric.as_deref().filter(|metric| histories.iter().all(|run| run.has(metric)));
    let metric = known.unwrap_or_else(|| default_metric(&histories));
    let axis = match arguments.axis {
        Axis::Epochs => crate::report::Axis::Epochs,
        Axis::Updates => crate::report::Axis::Updates,
        Axis::Samples => crate::report::Axis::Samples,
        Axis::Seconds => crate::report::Axis::Seconds,
    };
    files::write(&Local, path, crate::report::curve_svg(&drawn, metric, axis, false).as_bytes())
}

/// The validation loss, or the training loss where a run has none.
fn default_metric(runs: &[History]) -> &'static str {
    if runs.iter().all(|run| run.has("val_loss")) { "val_loss" } else { "train_loss" }
}

/// Runs side by side.
fn side_by_side(paths: &[PathBuf], metric: Option<&str>) -> Result<String> {
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

/// A row for each key of the configs that sets the runs apart; nothing where a folder has no config.
fn apart(paths: &[PathBuf]) -> Result<String> {
    let known: Option<Vec<PathBuf>> =
        paths.iter().map(|path| run_folder::config_of(path, "compare").ok()).collect();
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

/// A row a run: how long it took, the metric at its end and at its best, and the results on the test split.
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
fn over(runs: &[History], metric: &str, axis: Axis) -> String {
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
    rows[0].extend(runs.iter().map(History::name));
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
