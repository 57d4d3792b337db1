//! Whether a network beats the best of its baselines, in one sentence.

use crate::numbers::number;
use crate::stats::real;

/// Whether a network beats the best of its baselines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    /// Whether it does.
    pub(crate) is_better: bool,
    /// A sentence without its full stop.
    pub(crate) sentence: String,
}

/// A baseline: its part of a name, and what it is called.
struct BaselineTitle {
    key: &'static str,
    title: &'static str,
}

const SERIES: [BaselineTitle; 3] = [
    BaselineTitle { key: "naive", title: "the last value" },
    BaselineTitle { key: "seasonal_naive", title: "the seasonal naive forecast" },
    BaselineTitle { key: "drift", title: "the drift" },
];

const TABLES: [BaselineTitle; 4] = [
    BaselineTitle { key: "prior", title: "the class prior" },
    BaselineTitle { key: "mean", title: "the mean" },
    BaselineTitle { key: "logistic", title: "logistic regression" },
    BaselineTitle { key: "ridge", title: "ridge regression" },
];

/// The errors of a baseline and of the network, for the same targets.
struct ErrorRatio {
    title: String,
    /// The mean ratio of the network's errors to its own.
    ratio: f64,
    pairs: Vec<(f64, f64)>,
}

/// The ratio of two errors from which on it is no percentage.
const LARGE_RATIO: f64 = 10.0;
/// Errors that differ by less than this percentage, which is shown as 0.0, are about the same.
const LEAST_PERCENT: f64 = 0.05;

impl Verdict {
    /// The verdict on a network with these metrics, without the prefix of a split, beside these baselines: by the MAE of a
    /// series, the log loss of classes, the RMSE of values. Nothing where they cannot be compared.
    pub(crate) fn of(results: &[(String, f64)], baselines: &[(String, f64)]) -> Option<Self> {
        let is_series = baselines.iter().any(|(name, _)| name.starts_with("naive"));
        let metric = if is_series { "mae" } else { judged(baselines)? };
        let season =
            baselines.iter().find(|(name, _)| name == "season_length").map_or(1.0, |(_, rows)| *rows);
        let compared: Vec<ErrorRatio> = if is_series {
            SERIES.iter().filter_map(|named| compare(named.key, named, metric, results, baselines)).collect()
        } else {
            let key = |named: &BaselineTitle| format!("baseline_{}_{metric}", named.key);
            TABLES
                .iter()
                .filter_map(|named| compare(&key(named), named, metric, results, baselines))
                .collect()
        };
        // Of equal ones the first: without a season the naive forecast is the last value's.
        let best =
            compared.into_iter().reduce(|best, other| if other.ratio > best.ratio { other } else { best })?;
        Some(Self::beside(&best, metric, season))
    }

    /// Says it; a network that is no better is warned of.
    pub(crate) fn log(&self) {
        let Self { is_better, sentence } = self;
        if *is_better {
            tracing::info!("{sentence}");
        } else {
            tracing::warn!("{sentence}");
        }
    }

    fn beside(ErrorRatio { title, ratio, pairs }: &ErrorRatio, metric: &str, season: f64) -> Self {
        let is_better = *ratio < 1.0;
        let metric = if metric == "log_loss" { "log loss".to_owned() } else { metric.to_uppercase() };
        let percent = 100.0 * (ratio - 1.0).abs();
        let difference = match *ratio {
            _ if is_better => format!("{percent:.1} % lower"),
            ratio if ratio < LARGE_RATIO => format!("{percent:.1} % higher"),
            ratio if ratio.is_finite() => format!("{} times as high", in_few_digits(ratio)),
            _ => "above 0".to_owned(),
        };
        let season =
            if title.starts_with("the seasonal") { format!(" of {season} rows") } else { String::new() };
        let numbers = match pairs.as_slice() {
            [(own, other)] => format!(", {} against {}", number(*own), number(*other)),
            several => format!(", in the mean of {} targets", several.len()),
        };
        if percent < LEAST_PERCENT {
            let sentence = format!(
                "the network is about as good as the best baseline, {title}{season}: its {metric} differs by less than \
                 {LEAST_PERCENT} %{numbers}"
            );
            return Self { is_better, sentence };
        }
        let beats = if is_better { "beats" } else { "does not beat" };
        let sentence = format!(
            "the network {beats} the best baseline, {title}{season}: its {metric} is {difference}{numbers}"
        );
        Self { is_better, sentence }
    }
}

/// A large ratio in two digits or more: 14.5, 120, 1.2e6.
fn in_few_digits(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 100.0 => format!("{ratio:.1}"),
        ratio if ratio < 1e6 => format!("{ratio:.0}"),
        ratio => format!("{ratio:.1e}"),
    }
}

/// The metric that baselines of a table are compared by.
fn judged(baselines: &[(String, f64)]) -> Option<&'static str> {
    let has = |metric: &&str| {
        let first = [format!("baseline_prior_{metric}"), format!("baseline_mean_{metric}")];
        baselines.iter().any(|(name, _)| first.iter().any(|first| name.starts_with(first)))
    };
    ["log_loss", "rmse"].into_iter().find(has)
}

/// A baseline whose errors are called `key`, with the name of a target behind it where there are several.
fn compare(
    key: &str,
    named: &BaselineTitle,
    metric: &str,
    results: &[(String, f64)],
    baselines: &[(String, f64)],
) -> Option<ErrorRatio> {
    let own = |suffix: &str| {
        let wanted = format!("{metric}{suffix}");
        results.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
    };
    let pair = |(name, value): &(String, f64)| {
        let suffix = name.strip_prefix(key).filter(|rest| rest.is_empty() || rest.starts_with('_'))?;
        Some((own(suffix)?, *value))
    };
    let pairs: Vec<(f64, f64)> = baselines.iter().filter_map(pair).collect();
    let ratio = |(own, other): &(f64, f64)| if own.total_cmp(other).is_eq() { 1.0 } else { own / other };
    let ratio = pairs.iter().map(ratio).sum::<f64>() / real(pairs.len());
    (!pairs.is_empty() && !ratio.is_nan()).then(|| ErrorRatio { title: named.title.to_owned(), ratio, pairs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(named: &[(&str, f64)]) -> Vec<(String, f64)> {
        named.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn the_best_of_the_baselines_is_the_one_to_beat() {
        let baselines = numbers(&[
            ("season_length", 24.0),
            ("naive", 4.0),
            ("seasonal_naive", 2.0),
            ("drift", 5.0),
            ("skill", 0.5),
        ]);
        let better = Verdict::of(&numbers(&[("mae", 1.0), ("rmse", 9.0)]), &baselines).unwrap();
        assert!(better.is_better);
        assert_eq!(
            better.sentence,
            "the network beats the best baseline, the seasonal naive forecast of 24 rows: its MAE is 50.0 % lower, 1.0000 \
             against 2.0000"
        );
        let worse = Verdict::of(&numbers(&[("mae", 3.0)]), &baselines).unwrap();
        assert!(
            !worse.is_better
                && worse.sentence.contains("does not beat")
                && worse.sentence.contains("50.0 % higher")
        );
        let far = Verdict::of(&numbers(&[("mae", 3.0)]), &numbers(&[("naive", 2.58e-6)])).unwrap();
        assert!(far.sentence.ends_with("MAE is 1.2e6 times as high, 3.0000 against 2.58e-6"), "{far:?}");
        let far = Verdict::of(&numbers(&[("mae", 14.539_62)]), &numbers(&[("naive", 1.0)])).unwrap();
        assert!(far.sentence.contains("MAE is 14.5 times as high"), "{far:?}");
        assert_eq!(Verdict::of(&numbers(&[("rmse", 3.0)]), &baselines), None);
        assert_eq!(Verdict::of(&numbers(&[("mae", 3.0)]), &[]), None);
    }

    #[test]
    fn errors_that_differ_by_less_than_is_shown_are_about_the_same() {
        let verdict = |own: f64| {
            let baselines = numbers(&[("baseline_mean_rmse", 900.0), ("baseline_ridge_rmse", 833.2848)]);
            Verdict::of(&numbers(&[("rmse", own)]), &baselines).unwrap()
        };
        let same = "the network is about as good as the best baseline, ridge regression: its RMSE differs by less than";
        assert_eq!(verdict(833.3915).sentence, format!("{same} 0.05 %, 833.3915 against 833.2848"));
        assert_eq!(verdict(833.0).sentence, format!("{same} 0.05 %, 833.0000 against 833.2848"));
        assert!(!verdict(833.3915).is_better && verdict(833.0).is_better);
        assert!(
            verdict(834.0).sentence.contains("does not beat") && verdict(834.0).sentence.contains("0.1 %")
        );
    }

    #[test]
    fn classes_are_compared_by_their_log_loss_and_targets_by_the_mean_of_their_ratios() {
        let baselines = numbers(&[("baseline_prior_log_loss", 0.7), ("baseline_logistic_log_loss", 0.2)]);
        let verdict = Verdict::of(&numbers(&[("log_loss", 0.1), ("accuracy", 1.0)]), &baselines).unwrap();
        assert!(
            verdict.is_better
                && verdict.sentence.contains("logistic regression: its log loss is 50.0 % lower")
        );
        let baselines = numbers(&[
            ("baseline_mean_rmse_a", 10.0),
            ("baseline_mean_rmse_b", 10.0),
            ("baseline_ridge_rmse_a", 2.0),
            ("baseline_ridge_rmse_b", 4.0),
        ]);
        let verdict = Verdict::of(&numbers(&[("rmse_a", 1.0), ("rmse_b", 4.0)]), &baselines).unwrap();
        assert!(verdict.is_better && verdict.sentence.contains("25.0 % lower"), "{}", verdict.sentence);
        assert!(verdict.sentence.contains("ridge") && verdict.sentence.contains("in the mean of 2 targets"));
        // A baseline without an error cannot be beaten.
        let perfect = numbers(&[("baseline_mean_rmse", 0.0)]);
        assert!(!Verdict::of(&numbers(&[("rmse", 0.1)]), &perfect).unwrap().is_better);
    }
}
