//! `descent compare --train CONFIG --vary KEY=A,B`: variants of a config trained on the same seeds, and which is better.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::signals::Signals;
use crate::cli::spread::Spread;
use crate::cli::table::{printable, render};
use crate::cli::train::Ended;
use crate::cli::{run_folder, say, several};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::metrics::Tally;

use super::{Arguments, draw, side_by_side};

/// A variant: the settings that make it, as `--set` takes them, and for each seed the numbers of its run.
struct Variant {
    set: Vec<String>,
    runs: Vec<(PathBuf, Vec<(String, f64)>)>,
}

impl Variant {
    fn name(&self) -> String {
        printable(&self.set.join(", "))
    }

    /// The metric of each of its runs.
    fn values(&self, metric: &str) -> Result<Vec<f64>> {
        let value = |(path, numbers): &(PathBuf, Vec<(String, f64)>)| {
            // A run that diverged has no numbers.
            if numbers.is_empty() {
                return Ok(f64::NAN);
            }
            let found = numbers.iter().find(|(name, _)| name == metric).map(|(_, value)| *value);
            found.ok_or_else(|| {
                let names: Vec<&str> = numbers.iter().map(|(name, _)| name.as_str()).collect();
                let problem = format!("it has no `{}`; it has {}", metric.escape_debug(), names.join(", "));
                Error::data(path, problem)
            })
        };
        self.runs.iter().map(value).collect()
    }
}

/// Trains all variants and says which is better.
pub(super) fn run(arguments: &Arguments, config: &Path, quiet: bool) -> anyhow::Result<ExitCode> {
    let name = config.file_stem().map_or("config".into(), |name| name.to_string_lossy());
    let out = arguments.out.clone().unwrap_or_else(|| run_folder::default_path(&format!("compare-{name}")));
    let mut variants = Vec::new();
    for set in combinations(&arguments.vary)? {
        variants.push(Variant { set, runs: Vec::new() });
    }
    // All of them are configs, and no folder is in the way, before the first is trained.
    let mut planned = Vec::new();
    for seed in 0..arguments.seeds {
        for (index, variant) in variants.iter().enumerate() {
            let mut set = arguments.set.clone();
            set.extend(variant.set.iter().cloned());
            let read = Config::read(config, &set)?;
            let read = Config { seed: read.seed.wrapping_add(seed), ..read };
            let path = out.join(format!("{}-seed-{}", folder(index, variant), read.seed));
            run_folder::RunFolder::check(&path)?;
            planned.push((index, path, read));
        }
    }
    let signals = Signals::listen(false)?;
    signals.set_idle(true);
    for (index, path, config) in planned {
        match several::in_folder(&config, &path, &arguments.device, &signals) {
            Err(error) if matches!(error.downcast_ref(), Some(Error::Diverged { .. })) => {
                tracing::warn!("{}, seed {}: {error}", variants[index].name(), config.seed);
                variants[index].runs.push((path, Vec::new()));
            }
            Err(error) => return Err(error),
            Ok(Ended::Stopped(code)) => return Ok(code),
            Ok(Ended::Finished(finished)) => {
                let variant = &mut variants[index];
                variant.runs.push((path, finished.numbers));
                if !quiet {
                    say(&format!("{}, seed {}: {:.2} s", variant.name(), config.seed, finished.seconds));
                }
            }
        }
    }
    let metric = metric(arguments, &variants)?;
    let mut text = verdict(&variants, &metric)?;
    let firsts = variants.iter().filter_map(|variant| variant.runs.first());
    let firsts: Vec<PathBuf> =
        firsts.filter(|(_, numbers)| !numbers.is_empty()).map(|(path, _)| path.clone()).collect();
    let _ = writeln!(text, "\nThe first seed's runs, in {}:\n", out.display());
    text.push_str(&side_by_side(&firsts, None)?);
    draw(arguments, &firsts)?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
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

/// The values of a list as TOML has them; bare words are taken as text.
fn split(values: &str) -> Vec<String> {
    match format!("values = [{values}]").parse::<toml::Table>() {
        Ok(table) => match table.get("values") {
            Some(toml::Value::Array(values)) => values.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        },
        Err(_) => values.split(',').map(|value| value.trim().to_owned()).collect(),
    }
}

/// The name of a variant's folder: its number, and its values as far as they are fit for one.
fn folder(index: usize, variant: &Variant) -> String {
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

/// What is compared: what is asked for, or the accuracy, the error or the loss.
fn metric(arguments: &Arguments, variants: &[Variant]) -> Result<String> {
    if let Some(metric) = &arguments.metric {
        return Ok(metric.clone());
    }
    let has = |wanted: &&str| {
        let mut runs = variants.iter().flat_map(|variant| &variant.runs);
        runs.all(|(_, numbers)| numbers.is_empty() || numbers.iter().any(|(name, _)| name == wanted))
    };
    let known = [
        // What was not looked at to choose is left to judge the choice.
        "val_accuracy",
        "val_rmse",
        "val_loss",
        "test_accuracy",
        "test_rmse",
        "test_loss",
        "train_end_loss",
        "train_loss",
    ];
    known
        .iter()
        .find(|name| has(name))
        .map(|name| (*name).to_owned())
        .ok_or_else(|| Error::Config("the variants have no metric in common; --metric names one".to_owned()))
}

/// The variants from the best to the worst, and for each of the others by how much it is worse.
fn verdict(variants: &[Variant], metric: &str) -> Result<String> {
    let smaller = Tally::smaller_is_better(metric);
    let mut ranked: Vec<(&Variant, Vec<f64>, Spread)> = variants
        .iter()
        .map(|variant| {
            let values = variant.values(metric)?;
            let spread = Spread::of(&values);
            Ok((variant, values, spread))
        })
        .collect::<Result<_>>()?;
    // One that has diverged has no number, and is the last.
    ranked.sort_by(|a, b| match (a.2.mean.is_nan(), b.2.mean.is_nan()) {
        (false, false) if smaller => a.2.mean.total_cmp(&b.2.mean),
        (false, false) => b.2.mean.total_cmp(&a.2.mean),
        (a, b) => a.cmp(&b),
    });
    let header = ["variant", "runs", "mean", "std", "95 % interval"].map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    for (variant, values, Spread { mean, std, half }) in &ranked {
        rows.push(vec![
            variant.name(),
            values.len().to_string(),
            format!("{mean:.4}"),
            known(*std),
            interval(*mean, *half),
        ]);
    }
    let mut text =
        format!("{metric}, {} is better\n{}", if smaller { "less" } else { "more" }, render(&rows));
    let [(best, of_best, _), others @ ..] = ranked.as_slice() else { return Ok(text) };
    for (other, values, _) in others.iter().filter(|(.., spread)| !spread.mean.is_nan()) {
        // Seed by seed: what a seed does to both is not counted.
        let better: Vec<f64> =
            of_best.iter().zip(values).map(|(a, b)| if smaller { b - a } else { a - b }).collect();
        let Spread { mean, half, .. } = Spread::of(&better);
        let said = if half.is_nan() {
            format!("by {mean:.4}; --seeds 3 tells how sure that is")
        } else if mean - half > 0.0 {
            format!("by {mean:.4}, with 95 % between {:.4} and {:.4}", mean - half, mean + half)
        } else {
            format!(
                "by {mean:.4}, which may be chance: 95 % lie between {:.4} and {:.4}",
                mean - half,
                mean + half
            )
        };
        let _ = write!(text, "\n{} is better than {} {said}", best.name(), other.name());
    }
    text.push('\n');
    Ok(text)
}

fn known(number: f64) -> String {
    if number.is_nan() { "-".to_owned() } else { format!("{number:.4}") }
}

fn interval(mean: f64, half: f64) -> String {
    if half.is_nan() { "-".to_owned() } else { format!("{:.4} to {:.4}", mean - half, mean + half) }
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

    #[test]
    fn the_verdict_goes_seed_by_seed() {
        let variant = |name: &str, values: [f64; 3]| Variant {
            set: vec![name.to_owned()],
            runs: values.iter().map(|v| (PathBuf::new(), vec![("test_loss".to_owned(), *v)])).collect(),
        };
        // The seeds differ by far more than the variants, and these by the same each time.
        let text = verdict(&[variant("a=1", [1.1, 5.1, 9.11]), variant("a=2", [1.0, 5.0, 9.0])], "test_loss")
            .unwrap();
        assert!(text.contains("a=2 is better than a=1 by 0.1033, with 95 %"), "{text}");
        let text = verdict(&[variant("a=1", [1.0, 2.0, 3.0]), variant("a=2", [3.0, 2.0, 0.9])], "test_loss")
            .unwrap();
        assert!(text.contains("may be chance"), "{text}");
    }
}
