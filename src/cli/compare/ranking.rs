//! The ranking of variants, with confidence intervals.

use std::fmt::Write as _;

use super::arguments::Arguments;
use super::variant::Variant;
use crate::cli::spread::Spread;
use crate::cli::table::{printable, render};
use crate::error::{Error, Result};
use crate::metrics::{self, Direction};
use crate::numbers::number;

/// A variant and its metric over the seeds.
struct RankedVariant<'a> {
    variant: &'a Variant,
    values: Vec<f64>,
    spread: Spread,
}

/// The metric to compare: that of `--metric`, or the accuracy, the error or the loss.
pub(super) fn metric(arguments: &Arguments, variants: &[Variant]) -> Result<String> {
    if let Some(metric) = &arguments.metric {
        return Ok(metric.clone());
    }
    let has = |wanted: &&str| {
        let mut runs = variants.iter().flat_map(|variant| &variant.runs);
        runs.all(|run| run.metrics.is_empty() || run.metrics.iter().any(|(name, _)| name == wanted))
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

/// The variants from best to worst, and by how much each is worse than the best.
pub(super) fn verdict(variants: &[Variant], metric: &str) -> Result<String> {
    let direction = metrics::direction(metric).ok_or_else(|| {
        let problem = "has no better direction; `descent list metrics` shows the metrics";
        Error::Config(format!("--metric {}: it {problem}", metric.escape_debug()))
    })?;
    let smaller = direction == Direction::LowerIsBetter;
    let ranked = ranked(variants, metric, smaller)?;
    let header = ["variant", "runs", "mean", "std", "95 % interval"].map(str::to_owned);
    let mut rows = vec![header.to_vec()];
    for RankedVariant { variant, spread: Spread { mean, std, half }, .. } in &ranked {
        let within = interval(*mean, *half, metrics::range(metric));
        rows.push(vec![variant.name(), variant.count(), known(*mean), known(*std), within]);
    }
    let mut text = format!("{}, {}\n{}", printable(metric), direction.words(), render(&rows));
    let [best, others @ ..] = ranked.as_slice() else { return Ok(text) };
    for other in others.iter().filter(|other| !other.spread.mean.is_nan()) {
        let (best_name, name) = (best.variant.name(), other.variant.name());
        let _ = write!(text, "\n{best_name} is better than {name} {}", margin(best, other, smaller));
    }
    text.push('\n');
    Ok(text)
}

/// The variants from best to worst.
fn ranked<'a>(variants: &'a [Variant], metric: &str, smaller: bool) -> Result<Vec<RankedVariant<'a>>> {
    let one = |variant: &'a Variant| {
        let values = variant.values(metric)?;
        let spread = Spread::of(&values);
        Ok(RankedVariant { variant, values, spread })
    };
    let mut ranked: Vec<RankedVariant<'_>> = variants.iter().map(one).collect::<Result<_>>()?;
    // A variant that diverged has no value and comes last.
    ranked.sort_by(|a, b| match (a.spread.mean.is_nan(), b.spread.mean.is_nan()) {
        (false, false) if smaller => a.spread.mean.total_cmp(&b.spread.mean),
        (false, false) => b.spread.mean.total_cmp(&a.spread.mean),
        (a, b) => a.cmp(&b),
    });
    Ok(ranked)
}

/// By how much the best variant is better than another. The difference is paired by seed, which removes the variance that
/// seeds have in common.
fn margin(best: &RankedVariant<'_>, other: &RankedVariant<'_>, smaller: bool) -> String {
    let pairs = best.values.iter().zip(&other.values);
    let better: Vec<f64> = pairs.map(|(a, b)| if smaller { b - a } else { a - b }).collect();
    let Spread { mean, half, .. } = Spread::of(&better);
    let is_sure = mean - half > 0.0;
    let [mean, low, high] = [mean, mean - half, mean + half].map(number);
    if half.is_nan() {
        format!("by {mean}; --seeds 3 tells how sure that is")
    } else if is_sure {
        format!("by {mean}, with 95 % between {low} and {high}")
    } else {
        format!("by {mean}, which may be chance: 95 % lie between {low} and {high}")
    }
}

fn known(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { number(value) }
}

/// The interval within what the metric can be: Student's t knows no bounds, and an accuracy is never above 1.
fn interval(mean: f64, half: f64, (least, greatest): (f64, f64)) -> String {
    if half.is_nan() {
        return "-".to_owned();
    }
    format!("{} to {}", number((mean - half).max(least)), number((mean + half).min(greatest)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::variant::VariantRun;
    use super::*;

    #[test]
    fn an_interval_stays_within_what_the_metric_can_be() {
        assert_eq!(interval(0.9255, 0.0798, metrics::range("val_accuracy")), "0.8457 to 1.0000");
        assert_eq!(interval(0.1, 0.3, metrics::range("test_rmse")), "0.0000 to 0.4000");
        assert_eq!(interval(0.1, 0.3, metrics::range("test_mcc")), "-0.2000 to 0.4000");
        assert_eq!(interval(0.1, 0.3, metrics::range("val_loss")), "-0.2000 to 0.4000");
    }

    #[test]
    fn the_verdict_goes_seed_by_seed() {
        let run = |value| VariantRun {
            folder: PathBuf::new(),
            metrics: vec![("test_loss".to_owned(), value)],
            failure: None,
        };
        let variant = |name: &str, values: [f64; 3]| Variant {
            set: vec![name.to_owned()],
            runs: values.iter().map(|value| run(*value)).collect(),
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
