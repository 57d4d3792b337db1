//! `descent report RUN …`: writes one HTML page about runs.

mod batches;
mod importance;
mod mistakes;
mod ranked;
mod series;
mod split;
mod tensors;

use std::path::{Path, PathBuf};

use candle_core::Device;
use clap::Args;

use self::split::EvaluatedSplit;
use super::device::Compute;
use super::differences;
use super::messages::print_line;
use super::paths;
use super::run_folders::run_folders;
use super::table::thousands;
use crate::config::Config;
use crate::data::split::Bag;
use crate::error::Result;
use crate::files::{self, Local};
use crate::numbers::number;
use crate::report::{self, Page, Point, RunData};
use crate::run::baselines::{self, Verdict};
use crate::run::history::{Axis, History};
use crate::run::names::{require_kind, require_no_run_file};
use crate::run::residuals::Residuals;
use crate::run::session::{self, Session};
use crate::run::trained::TrainedRun;
use crate::run::unfinished;
use crate::stats::real;
use crate::trainer::{HeldOut, Trainer};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folders, or folders of runs written by --folds or compare --train.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// HTML file to write.
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
    /// Show only curves and configs, without reading data and weights.
    #[arg(long)]
    no_data: bool,
    #[command(flatten)]
    compute: Compute,
}

pub(super) fn run(arguments: &Arguments, quiet: bool) -> anyhow::Result<()> {
    arguments.compute.use_threads()?;
    let device = arguments.compute.device()?;
    let mut runs = Vec::new();
    let mut configs = Vec::new();
    require_no_run_file("--output", &arguments.output)?;
    require_kind("--output", &arguments.output, &["html", "htm"])?;
    paths::require_folder(&arguments.output)?;
    for path in &run_folders(&arguments.runs)? {
        let trained = TrainedRun::open(path, "report", &[])?.allow_nonfinite(true);
        let mut run = curves(path, &trained.config)?;
        let is_average = trained.config.preparation.bag.is_some_and(Bag::is_whole);
        if run.points.is_empty() && !is_average {
            tracing::warn!("{}: {}", path.display(), unfinished::why_no_epoch(path));
        } else if !arguments.no_data {
            // The data may have moved; the curves are still there.
            if let Err(error) = look(&trained, path, &device, &mut run) {
                tracing::warn!("{}: only its curves are shown: {error}", path.display());
            }
        }
        runs.push(run);
        configs.push(trained.config);
    }
    let title = match runs.as_slice() {
        [only] => only.name.clone(),
        all => format!("{} runs", all.len()),
    };
    let page = Page { title, runs, differences: differences::between(&configs)? };
    files::write(&Local, &arguments.output, report::html(&page).as_bytes())?;
    if !quiet {
        print_line(&format!("wrote {}", arguments.output.display()));
    }
    Ok(())
}

/// The curves, test metrics and config of a run.
pub(super) fn curves(path: &Path, config: &Config) -> Result<RunData> {
    let history = History::read(path)?;
    let place = |at: &[f64; 4], axis: Axis| at[axis as usize];
    let numbers = |line: &serde_json::Map<String, serde_json::Value>, wanted: &dyn Fn(&str) -> bool| {
        let known = line.iter().filter(|(name, _)| wanted(name));
        known.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect::<Vec<_>>()
    };
    let is_metric = |name: &str| !["epoch", "step", "seconds", "samples"].contains(&name);
    let points = history.epochs.iter().map(|epoch| Point {
        epoch: place(&epoch.at, Axis::Epochs),
        updates: place(&epoch.at, Axis::Updates),
        samples: place(&epoch.at, Axis::Samples),
        seconds: place(&epoch.at, Axis::Seconds),
        values: numbers(&epoch.line, &is_metric),
    });
    let points: Vec<Point> = points.collect();
    let is_test =
        |name: &str| name.starts_with("test_") || name.starts_with("oof_") || baselines::is_baseline(name);
    let tests = history.last.as_ref().map(|line| numbers(line, &is_test)).unwrap_or_default();
    let best = history.last.as_ref().and_then(|line| line.get("best_epoch")?.as_u64());
    let mut facts = Vec::new();
    // The average of several networks has no epochs of its own.
    let shown = best.filter(|_| !points.is_empty());
    facts.extend(shown.map(|epoch| ("best epoch".to_owned(), epoch.to_string())));
    let fitted = history.last.as_ref().map(|line| numbers(line, &|name| name.starts_with("val_")));
    let validated = fitted
        .filter(|fitted| !fitted.is_empty())
        .or_else(|| best.and_then(|epoch| best_values(&points, epoch)));
    let verdict = verdict(&tests, &validated.unwrap_or_default());
    facts.extend(verdict.map(|verdict| ("baselines".to_owned(), verdict.sentence)));
    Ok(RunData {
        name: path.display().to_string(),
        points,
        tests,
        config: config.to_toml()?,
        facts,
        ..RunData::default()
    })
}

/// The metrics of the best epoch.
fn best_values(points: &[Point], best: u64) -> Option<Vec<(String, f64)>> {
    let best = real(usize::try_from(best).ok()?);
    points.iter().find(|point| point.epoch.total_cmp(&best).is_eq()).map(|point| point.values.clone())
}

/// Whether the network beats its baselines: by its results on the test rows, or without any by those on the validation rows.
fn verdict(tests: &[(String, f64)], validated: &[(String, f64)]) -> Option<Verdict> {
    let own = baselines::of_split(tests, "test");
    let own = if own.is_empty() { baselines::of_split(validated, "val") } else { own };
    Verdict::of(&own, tests)
}

/// Adds the evaluation of a run's weights on its test split, and their statistics.
fn look(trained: &TrainedRun, path: &Path, device: &Device, run: &mut RunData) -> Result<()> {
    let Session { splits, network, loss } = trained.own_session(device)?;
    let rows = |data: &Option<crate::data::Dataset>| data.as_ref().map_or(0, crate::data::Dataset::len);
    for (what, rows) in [
        ("parameters", network.params().count()),
        ("training rows", splits.train.len()),
        ("validation rows", rows(&splits.validation)),
        ("test rows", rows(&splits.test)),
    ] {
        if rows > 0 {
            run.facts.push((what.to_owned(), thousands(rows as u64)));
        }
    }
    let is_averaged = network.is_averaged();
    let plan = trained.config.plan(splits.train.len());
    let mut trainer: Trainer = session::trainer(&trained.config, plan, network, loss)?;
    if !is_averaged {
        run.tensors = tensors::of(&mut trainer, &splits.train)?;
    }
    if let (Ok(residuals), Some(data)) = (Residuals::read(path), &splits.test) {
        let held_out = HeldOut { network: trainer.network(), loss: trainer.loss(), data };
        run.facts.extend(intervals(&residuals, held_out)?);
    }
    let held_out = splits.test.as_ref().map(|test| ("test", test));
    let held_out = held_out.or(splits.validation.as_ref().map(|validation| ("val", validation)));
    if let Some((split, data)) = held_out {
        let rows = HeldOut { network: trainer.network(), loss: trainer.loss(), data };
        run.importance = importance::of(splits.preprocessing.table(), rows, trained.config.seed)?;
        let preprocessing = &splits.preprocessing;
        let evaluated =
            EvaluatedSplit { trainer: &trainer, config: &trained.config, name: split, data, preprocessing };
        run.evaluation = Some(evaluated.evaluation()?);
    }
    Ok(())
}

/// The half widths of 90 % intervals, and the fraction of the test rows that lie in them.
fn intervals(residuals: &Residuals, test: HeldOut<'_>) -> Result<Vec<(String, String)>> {
    let Ok(intervals) = residuals.intervals(0.9) else { return Ok(Vec::new()) };
    let info = test.data.target_info();
    let names = &info.targets;
    let rows = if test.data.is_weighted() { "test rows by their weights" } else { "test rows" };
    let covered = intervals.covered(test)?;
    let fact = |(index, covered): (usize, f64)| {
        let share = 100.0 * covered;
        let place = index % names.len().max(1);
        let name =
            names.get(place).filter(|_| names.len() > 1).map_or(String::new(), |name| format!(" of {name}"));
        let step = info.steps.get(index / names.len().max(1)).filter(|_| info.steps.len() > 1);
        let ahead = step.map_or(String::new(), |step| format!(", {step} ahead"));
        let half = match intervals.half_widths(index) {
            [least, most] if least < most => {
                format!("± {} to {}, depending on the prediction", number(least), number(most))
            }
            [half, _] => format!("± {}", number(half)),
        };
        (format!("90 % interval{name}{ahead}"), format!("{half}, {share:.1} % of the {rows}"))
    };
    Ok((0..).zip(covered).map(fact).collect())
}
