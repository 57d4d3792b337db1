//! `descent report RUN …`: one HTML page with all that runs have to show.

mod mistakes;
mod tensors;

use std::path::{Path, PathBuf};

use clap::Args;

use super::history::{Axis, History};
use super::session::Session;
use super::table::thousands;
use super::{device, differences, run_folder, session};
use crate::checkpoint;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::report::{self, Page, Point, RunData};
use crate::trainer::Trainer;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folders.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The page.
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
    /// Show the curves and configs alone, without reading data and weights.
    #[arg(long)]
    no_data: bool,
    /// auto, cpu, cuda or cuda:N.
    #[arg(long, default_value = "auto")]
    device: String,
    /// The number of threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

pub(super) fn run(arguments: &Arguments, quiet: bool) -> anyhow::Result<()> {
    device::use_threads(arguments.threads)?;
    let mut runs = Vec::new();
    let mut configs = Vec::new();
    for path in &arguments.runs {
        let config = Config::read(&run_folder::config_of(path, "report")?, &[])?;
        let mut run = curves(path, &config)?;
        if !arguments.no_data {
            // Data that has moved is no reason to show nothing.
            if let Err(error) = look(path, &config, &arguments.device, &mut run) {
                tracing::warn!("{}: only its curves are shown: {error}", path.display());
            }
        }
        runs.push(run);
        configs.push(config);
    }
    let title = match runs.as_slice() {
        [only] => only.name.clone(),
        all => format!("{} runs", all.len()),
    };
    let page = Page { title, runs, differences: differences::between(&configs)? };
    files::write(&Local, &arguments.output, report::html(&page).as_bytes())?;
    if !quiet {
        super::say(&format!("wrote {}", arguments.output.display()));
    }
    Ok(())
}

/// What the log and the config of a run say.
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
    let is_test = |name: &str| name.starts_with("test_");
    let tests = history.last.as_ref().map(|line| numbers(line, &is_test)).unwrap_or_default();
    let best = history.last.as_ref().and_then(|line| line.get("best_epoch")?.as_u64());
    let mut facts = Vec::new();
    facts.extend(best.map(|epoch| ("best epoch".to_owned(), epoch.to_string())));
    Ok(RunData {
        name: path.display().to_string(),
        points: points.collect(),
        tests,
        config: config.to_toml()?,
        facts,
        ..RunData::default()
    })
}

/// What its weights do on the rows that it was tested on.
fn look(path: &Path, config: &Config, device: &str, run: &mut RunData) -> Result<()> {
    let fitted = run_folder::preprocessing_if_there(path)?;
    let Session { splits, network, loss } = Session::open(config, fitted.as_ref(), &device::choose(device)?)?;
    let weights = path.join("model.safetensors");
    let state = checkpoint::load_checked(&weights, true)?;
    network.params().load(&state).map_err(|e| Error::data(&weights, e.to_string()))?;
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
    let mut trainer: Trainer = session::trainer(config, network, loss)?;
    run.tensors = tensors::of(&mut trainer, &splits.train)?;
    let judged = splits.test.as_ref().map(|test| ("test", test));
    let judged = judged.or(splits.validation.as_ref().map(|validation| ("val", validation)));
    if let Some((split, data)) = judged {
        run.evaluation = Some(mistakes::evaluation(&trainer, split, data, &splits.preprocessing)?);
    }
    Ok(())
}
