//! The errors of simple forecasts, and the skill of the network beside them.

use crate::data::{SeriesBaselines, TargetInfo};
use crate::stats::real;

/// The mean absolute error of each forecast over all steps, of several targets for each; `skill` is 1 − MAE / MAE(seasonal
/// naive), and its mean over several targets.
pub(super) fn numbers(
    errors: &SeriesBaselines,
    info: &TargetInfo,
    results: &[(String, f64)],
) -> Vec<(String, f64)> {
    let targets = info.targets.len().max(1);
    let suffixes: Vec<String> = match info.targets.as_slice() {
        [] | [_] => vec![String::new()],
        several => several.iter().map(|name| format!("_{name}")).collect(),
    };
    let mut numbers = vec![("season_length".to_owned(), real(errors.season_length))];
    let mut skills = Vec::new();
    for (target, suffix) in suffixes.iter().enumerate() {
        for (name, by_output) in errors.each() {
            let steps: Vec<f64> = by_output.iter().skip(target).step_by(targets).copied().collect();
            numbers.push((format!("{name}{suffix}"), steps.iter().sum::<f64>() / real(steps.len())));
        }
        let of = |numbers: &[(String, f64)], wanted: &str| {
            numbers.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value)
        };
        let own = of(results, &format!("mae{suffix}"));
        let seasonal = of(&numbers, &format!("seasonal_naive{suffix}")).filter(|error| *error > 0.0);
        skills.extend(
            own.zip(seasonal).map(|(own, seasonal)| (format!("skill{suffix}"), 1.0 - own / seasonal)),
        );
    }
    if skills.len() > 1 {
        let sum: f64 = skills.iter().map(|(_, skill)| skill).sum();
        numbers.push(("skill".to_owned(), sum / real(skills.len())));
    }
    numbers.extend(skills);
    numbers
}
