//! `descent compare --train CONFIG --vary KEY=A,B`: trains variants of a config on the same seeds and ranks them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::initial_weights;
use crate::cli::messages::Messages;
use crate::cli::multi_run::{self, Member, MultiRun, OutFolder, RunOutcome};
use crate::cli::screen::Screen;
use crate::config::{Config, split_override};
use crate::error::{Error, Result};
use crate::metrics;
use crate::names::as_strs;
use crate::registry::notation;
use crate::run::{PreparedRun, RunOptions};

use super::arguments::Arguments;
use super::ranking::{metric, verdict};
use super::tables::{draw, side_by_side};
use super::variant::{Variant, VariantRun};

/// A run that is to be trained.
struct Planned {
    variant: usize,
    member: Member,
}

/// Trains all variants and ranks them. What an earlier call has trained is not trained again.
pub(super) fn run(arguments: &Arguments, config: &Path, messages: &Messages) -> anyhow::Result<ExitCode> {
    let mut variants: Vec<Variant> =
        combinations(&arguments.vary)?.into_iter().map(|set| Variant { set, runs: Vec::new() }).collect();
    let configs = configs(arguments, config, &variants)?;
    let runs = MultiRun::listen(messages)?;
    let name = config.file_stem().map_or("config".into(), |name| name.to_string_lossy());
    let out = OutFolder::new(arguments.out.as_ref(), &format!("compare-{name}"))?;
    let planned = plan(&out, configs, &variants)?;
    let mut outcomes: Vec<(String, RunOutcome)> = Vec::new();
    for Planned { variant, member } in planned {
        let options = options(arguments, &runs, &member)?;
        let is_first = outcomes.is_empty();
        // What one run does not have, the others do not have either: nothing is trained for nothing.
        let is_refused = Cell::new(false);
        let see = |run: &PreparedRun| {
            if is_first && !messages.is_quiet() {
                initial_weights::describe(run);
            }
            let Some(metric) = &arguments.metric else { return Ok(()) };
            run.require_metric(metric).map_err(|problem| {
                is_refused.set(true);
                no_metric(metric, &problem)
            })
        };
        match runs.train(&member, options, &mut Screen::lines(true), see) {
            Ok(RunOutcome::Failed { error, .. }) if is_refused.get() => return Err(error.into()),
            Ok(outcome) => {
                let outcome = outcome.told(&member.name);
                let (metrics, failure) = (outcome.metrics().to_vec(), outcome.failure());
                variants[variant].runs.push(VariantRun { folder: member.folder, metrics, failure });
                outcomes.push((member.name, outcome));
            }
            Err(signal) => return Ok(multi_run::stopped(out.path(), signal, messages.is_quiet())),
        }
    }
    if outcomes.iter().any(|(_, outcome)| outcome.failure().is_none()) {
        std::io::stdout().lock().write_all(ranking(arguments, &variants, out.path())?.as_bytes())?;
    }
    multi_run::failure(outcomes).map_or(Ok(ExitCode::SUCCESS), Err)
}

/// The options of one of the runs.
fn options(arguments: &Arguments, runs: &MultiRun, member: &Member) -> Result<RunOptions> {
    Ok(arguments.initial.options(RunOptions {
        folder: Some(member.folder.clone()),
        device: arguments.compute.device()?,
        interrupt: runs.interrupt().clone(),
        ..RunOptions::default()
    }))
}

/// The verdict, and the first seed's runs side by side; draws the picture.
fn ranking(arguments: &Arguments, variants: &[Variant], out: &Path) -> Result<String> {
    let metric = metric(arguments, variants)?;
    let mut text = verdict(variants, &metric)?;
    let firsts = variants.iter().filter_map(|variant| variant.runs.first());
    let firsts: Vec<PathBuf> =
        firsts.filter(|run| !run.metrics.is_empty()).map(|run| run.folder.clone()).collect();
    if firsts.is_empty() {
        return Ok(text);
    }
    let _ = writeln!(text, "\nThe first seed's runs, in {}:\n", out.display());
    text.push_str(&side_by_side(&firsts, None, &arguments.axis)?);
    draw(arguments, &firsts)?;
    Ok(text)
}

/// The configs of all variants with each seed, by the variant's index.
///
/// # Errors
/// A config that is wrong, or one that two runs share.
fn configs(arguments: &Arguments, config: &Path, variants: &[Variant]) -> Result<Vec<(usize, Config)>> {
    let mut configs = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..arguments.seeds {
        for (index, variant) in variants.iter().enumerate() {
            let set = arguments.set.with(&variant.set);
            let config = Config::read(config, &as_strs(&set))?;
            let config = Config { seed: config.seed.wrapping_add(seed), ..config };
            require_known(arguments.metric.as_deref(), &config, variant)?;
            if let Some(other) = seen.insert(config.to_toml()?, index) {
                return Err(Error::Config(format!(
                    "--vary: {} and {} are the same run with seed {}; give each value once, and leave the seeds to --seeds",
                    variants[other].name(),
                    variant.name(),
                    config.seed
                )));
            }
            configs.push((index, config));
        }
    }
    Ok(configs)
}

/// Requires that a config has a task that knows the metric to compare.
fn require_known(metric: Option<&str>, config: &Config, variant: &Variant) -> Result<()> {
    let Some(metric) = metric else { return Ok(()) };
    let name = ["val_", "test_"].iter().find_map(|prefix| metric.strip_prefix(prefix));
    let task = config.loss.task();
    match name {
        Some(name) if name != "loss" && !metrics::is_known(task, name) => {
            let known = metrics::names(task).join(", ");
            let whose = format!("{} with the loss of the config has loss, {known}", variant.name());
            Err(no_metric(metric, &format!("is no metric of every variant; {whose}")))
        }
        _ => Ok(()),
    }
}

fn no_metric(metric: &str, problem: &str) -> Error {
    Error::Config(format!("--metric {}: it {problem}", metric.escape_debug()))
}

/// The runs of these configs. Every folder is looked at before the first is trained.
fn plan(out: &OutFolder, configs: Vec<(usize, Config)>, variants: &[Variant]) -> Result<Vec<Planned>> {
    let planned = configs.into_iter().map(|(index, config)| {
        let variant = &variants[index];
        let folder = out.path().join(format!("{}-seed-{}", folder_name(index, variant), config.seed));
        let member = Member::new(format!("{}, seed {}", variant.name(), config.seed), folder, config)?;
        Ok(Planned { variant: index, member })
    });
    let planned: Vec<Planned> = planned.collect::<Result<_>>()?;
    multi_run::require_own(out, planned.iter().map(|planned| &planned.member))?;
    Ok(planned)
}

/// All combinations of the values of all keys.
fn combinations(vary: &[String]) -> Result<Vec<Vec<String>>> {
    let mut all = vec![Vec::new()];
    for argument in vary {
        let bad = |problem: &str| Error::Config(format!("--vary {}: {problem}", argument.escape_debug()));
        let (key, values) = split_override(argument)
            .ok_or_else(|| bad("expected KEY=A,B,…, as in --vary optimizer.lr=0.1,0.01"))?;
        let values = split(values);
        if values.len() < 2 {
            return Err(bad("give two values or more, with commas between them"));
        }
        all = all
            .iter()
            .flat_map(|set: &Vec<String>| {
                values.iter().map(|value| [set.as_slice(), &[format!("{}={value}", key.trim())]].concat())
            })
            .collect();
    }
    Ok(all)
}

/// The values of a list in TOML's notation; bare words are text.
fn split(values: &str) -> Vec<String> {
    match format!("values = [{values}]").parse::<toml::Table>() {
        Ok(table) => match table.get("values") {
            Some(toml::Value::Array(values)) => values.iter().map(notation).collect(),
            _ => Vec::new(),
        },
        Err(_) => values.split(',').map(|value| value.trim().to_owned()).collect(),
    }
}

/// The name of a variant's folder: its number and its values, without special characters.
fn folder_name(index: usize, variant: &Variant) -> String {
    let values = variant.set.iter().filter_map(|set| split_override(set)).map(|(_, value)| value);
    let characters: String = values
        .collect::<Vec<_>>()
        .join("-")
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c))
        .take(40)
        .collect();
    format!("{}-{characters}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_as_toml() {
        assert_eq!(split("\"full\",64,1"), ["\"full\"", "64", "1"]);
        assert_eq!(split("[1, 2],[3]"), ["[1, 2]", "[3]"]);
        assert_eq!(split("adam, sgd"), ["adam", "sgd"]);
        assert_eq!(split("1e30,1e-8,0.5"), ["1e30", "1e-8", "0.5"]);
        let all = combinations(&["a=1,2".to_owned(), "b = 3,4".to_owned()]).unwrap();
        assert_eq!(all, [["a=1", "b=3"], ["a=1", "b=4"], ["a=2", "b=3"], ["a=2", "b=4"]]);
        assert!(combinations(&["a=1".to_owned()]).is_err());
        assert!(combinations(&["a".to_owned()]).is_err());
    }
}
