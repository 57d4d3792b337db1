//! `descent compare --train CONFIG --vary KEY=A,B`: trains variants of a config on the same seeds and ranks them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::messages::say;
use crate::cli::multi_run::{Ended, MultiRun};
use crate::cli::signals::Stop;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::run::{self, Run, RunOptions};

use super::arguments::Arguments;
use super::ranking::{metric, verdict};
use super::tables::{draw, side_by_side};
use super::variant::{Variant, VariantRun};

/// A run that is to be trained.
struct Planned {
    variant: usize,
    folder: PathBuf,
    config: Config,
}

/// Trains all variants and ranks them.
pub(super) fn run(arguments: &Arguments, config: &Path, quiet: bool) -> anyhow::Result<ExitCode> {
    let name = config.file_stem().map_or("config".into(), |name| name.to_string_lossy());
    let out = arguments.out.clone().unwrap_or_else(|| run::default_folder(&format!("compare-{name}")));
    let mut variants: Vec<Variant> =
        combinations(&arguments.vary)?.into_iter().map(|set| Variant { set, runs: Vec::new() }).collect();
    let planned = plan(arguments, config, &out, &variants)?;
    if let Some(signal) = train_all(arguments, planned, &mut variants, quiet)? {
        return Ok(ExitCode::from(signal.exit_code()));
    }
    let metric = metric(arguments, &variants)?;
    let mut text = verdict(&variants, &metric)?;
    let firsts = variants.iter().filter_map(|variant| variant.runs.first());
    let firsts: Vec<PathBuf> =
        firsts.filter(|run| !run.metrics.is_empty()).map(|run| run.folder.clone()).collect();
    let _ = writeln!(text, "\nThe first seed's runs, in {}:\n", out.display());
    text.push_str(&side_by_side(&firsts, None)?);
    draw(arguments, &firsts)?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The runs of all variants on all seeds. Every config is read and every folder checked before the first is trained.
fn plan(arguments: &Arguments, config: &Path, out: &Path, variants: &[Variant]) -> Result<Vec<Planned>> {
    let mut planned = Vec::new();
    for seed in 0..arguments.seeds {
        for (index, variant) in variants.iter().enumerate() {
            let set = [arguments.set.as_slice(), &variant.set].concat();
            let config = Config::read(config, &set)?;
            let config = Config { seed: config.seed.wrapping_add(seed), ..config };
            let folder = out.join(format!("{}-seed-{}", folder_name(index, variant), config.seed));
            run::require_free_folder(&folder)?;
            planned.push(Planned { variant: index, folder, config });
        }
    }
    Ok(planned)
}

/// Trains the runs and gives their metrics to the variants; returns the signal that ended them early.
fn train_all(
    arguments: &Arguments,
    planned: Vec<Planned>,
    variants: &mut [Variant],
    quiet: bool,
) -> Result<Option<Stop>> {
    let runs = MultiRun::listen()?;
    for Planned { variant, folder, config } in planned {
        let variant = &mut variants[variant];
        let options = RunOptions {
            folder: Some(folder.clone()),
            device: arguments.compute.device()?,
            interrupt: runs.interrupt().clone(),
            ..RunOptions::default()
        };
        let (seed, run) = (config.seed, Run::create(config, options)?);
        match runs.train(run, true) {
            Err(error @ Error::Diverged { .. }) => {
                tracing::warn!("{}, seed {seed}: {error}", variant.name());
                variant.runs.push(VariantRun { folder, metrics: Vec::new() });
            }
            Err(error) => return Err(error),
            Ok(Ended::Stopped(_, signal)) => return Ok(Some(signal)),
            Ok(Ended::Finished(finished)) => {
                variant.runs.push(VariantRun { folder, metrics: finished.metrics() });
                if !quiet {
                    say(&format!("{}, seed {seed}: {:.2} s", variant.name(), finished.seconds));
                }
            }
        }
    }
    Ok(None)
}

/// All combinations of the values of all keys.
fn combinations(vary: &[String]) -> Result<Vec<Vec<String>>> {
    let mut all = vec![Vec::new()];
    for argument in vary {
        let bad = |problem: &str| Error::Config(format!("--vary {}: {problem}", argument.escape_debug()));
        let (key, values) = argument
            .split_once('=')
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
            Some(toml::Value::Array(values)) => values.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        },
        Err(_) => values.split(',').map(|value| value.trim().to_owned()).collect(),
    }
}

/// The name of a variant's folder: its number and its values, without special characters.
fn folder_name(index: usize, variant: &Variant) -> String {
    let values = variant.set.iter().filter_map(|set| set.split_once('=')).map(|(_, value)| value);
    let plain: String = values
        .collect::<Vec<_>>()
        .join("-")
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c))
        .take(40)
        .collect();
    format!("{}-{plain}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_as_toml() {
        assert_eq!(split("\"full\",64,1"), ["\"full\"", "64", "1"]);
        assert_eq!(split("[1, 2],[3]"), ["[1, 2]", "[3]"]);
        assert_eq!(split("adam, sgd"), ["adam", "sgd"]);
        let all = combinations(&["a=1,2".to_owned(), "b = 3,4".to_owned()]).unwrap();
        assert_eq!(all, [["a=1", "b=3"], ["a=1", "b=4"], ["a=2", "b=3"], ["a=2", "b=4"]]);
        assert!(combinations(&["a=1".to_owned()]).is_err());
        assert!(combinations(&["a".to_owned()]).is_err());
    }
}
