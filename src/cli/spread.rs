//! Mean, standard deviation and confidence interval of repeated measurements.

use super::table::render;
use crate::numbers::number;

/// The mean of some numbers and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// Their mean.
    pub(super) mean: f64,
    /// Their standard deviation, with n - 1.
    pub(super) std: f64,
    /// Half the width of the 95 % confidence interval of the mean, by Student's t (1908).
    pub(super) half: f64,
}

impl Spread {
    /// The spread of these numbers; NaN for a single one.
    pub(super) fn of(numbers: &[f64]) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "a count of runs")]
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let std = (squares / (count - 1.0)).sqrt();
        Self { mean, std, half: quantile(numbers.len().saturating_sub(1)) * std / count.sqrt() }
    }
}

/// The 97.5 % quantile of Student's t with these degrees of freedom.
fn quantile(freedom: usize) -> f64 {
    const T: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
        2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
        2.045, 2.042,
    ];
    match freedom.checked_sub(1) {
        None => f64::NAN,
        // Beyond the table its two next terms in 1/n are right to 0.001.
        Some(place) => T.get(place).copied().unwrap_or_else(|| {
            #[allow(clippy::cast_precision_loss, reason = "a count of runs")]
            let n = freedom as f64;
            1.96 + 2.372 / n + 2.822 / (n * n)
        }),
    }
}

/// A row per metric: its mean, its standard deviation, and its value in each of these runs.
pub(super) fn table(results: &[(String, &[(String, f64)])]) -> String {
    let mut rows = vec![vec!["metric".to_owned(), "mean".to_owned(), "std".to_owned()]];
    rows[0].extend(results.iter().map(|(run, _)| run.clone()));
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in results.iter().flat_map(|(_, metrics)| *metrics) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let find = |(_, metrics): &(String, &[(String, f64)])| {
            metrics.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
        };
        // A metric may be undefined in some of the folds.
        let all: Vec<Option<f64>> = results.iter().map(find).collect();
        let known: Vec<f64> = all.iter().flatten().copied().collect();
        let Spread { mean, std, .. } = Spread::of(&known);
        let mut row = vec![name.clone(), number(mean), number(std)];
        row.extend(all.iter().map(|value| value.map_or("-".to_owned(), number)));
        rows.push(row);
    }
    render(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_students() {
        // scipy.stats.t.interval(0.95, 2, loc=3, scale=scipy.stats.sem([1, 2, 6])) is 3 ± 6.5724.
        let spread = Spread::of(&[1.0, 2.0, 6.0]);
        assert!((spread.mean - 3.0).abs() < 1e-12 && (spread.std - 7f64.sqrt()).abs() < 1e-12);
        assert!((spread.half - 6.5724).abs() < 2e-3, "{}", spread.half);
        assert!(Spread::of(&[1.0]).half.is_nan());
    }
}
