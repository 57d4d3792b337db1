//! Metrics by the names that configs and logs give them: `val_accuracy`, `test_rmse_price`.

use super::{Direction, MetricInfo, class, value};
use crate::data::Task;

/// The names that a task's metrics can have, whatever the number of classes.
pub fn names(task: Task) -> Vec<&'static str> {
    let all = class::METRICS.iter();
    match task {
        Task::Values => value::METRICS.iter().map(|entry| entry.info.name).collect(),
        Task::Classes { .. } => all.map(|entry| entry.info.name).collect(),
        Task::Labels => {
            let two = class::METRICS.iter().filter(|entry| entry.classes.includes(2));
            let several = all.filter_map(|entry| entry.of_labels);
            let mut names: Vec<&str> = two.map(|entry| entry.info.name).collect();
            names.extend(several.filter(|name| !names.contains(name)).collect::<Vec<_>>());
            names
        }
    }
}

/// Whether a task's metrics can include this one, `rmse_price` of several targets among them.
pub fn is_known(task: Task, name: &str) -> bool {
    names(task).iter().any(|own| *own == name || (task == Task::Values && of_target(name, own)))
}

/// The direction of a logged quantity by name, with or without split prefix; `None` for quantities such as `lr`.
pub fn direction(name: &str) -> Option<Direction> {
    match without_split(name) {
        "loss" => Some(Direction::LowerIsBetter),
        name => info(name).map(|info| info.direction),
    }
}

/// The least and the greatest value that this number of a run can have.
pub fn range(name: &str) -> (f64, f64) {
    info(without_split(name)).map_or((f64::NEG_INFINITY, f64::INFINITY), |info| info.range)
}

/// Whether this number of a run is a loss or a metric of one of its splits, by its name.
pub fn is_of_split(name: &str) -> bool {
    of_split(name).is_some()
}

/// The name without a split's prefix.
fn without_split(name: &str) -> &str {
    of_split(name).unwrap_or(name)
}

/// The name after its split prefix, if it has one.
fn of_split(name: &str) -> Option<&str> {
    ["val_", "test_", "oof_", "train_end_", "train_"].iter().find_map(|prefix| name.strip_prefix(prefix))
}

/// The metric of this name, that of one of several targets too.
fn info(name: &str) -> Option<MetricInfo> {
    let values = || value::METRICS.iter().map(|entry| entry.info);
    let mut all = class::METRICS.iter().map(|entry| entry.info).chain(values());
    all.find(|info| info.name == name).or_else(|| values().find(|info| of_target(name, info.name)))
}

/// Whether `name` is this metric of one of several targets.
fn of_target(name: &str, metric: &str) -> bool {
    name.strip_prefix(metric).is_some_and(|rest| rest.len() > 1 && rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_comes_from_the_metric_and_not_from_the_letters_of_its_name() {
        use Direction::{HigherIsBetter, LowerIsBetter};
        for (name, expected) in [
            ("val_loss", Some(LowerIsBetter)),
            ("train_end_loss", Some(LowerIsBetter)),
            ("val_accuracy", Some(HigherIsBetter)),
            ("test_calibration_error", Some(LowerIsBetter)),
            ("val_mcc", Some(HigherIsBetter)),
            ("rmse", Some(LowerIsBetter)),
            ("val_r2", Some(HigherIsBetter)),
            // A target's own name says nothing of the direction.
            ("val_r2_loss", Some(HigherIsBetter)),
            ("val_rmse_accuracy", Some(LowerIsBetter)),
            ("lr", None),
            ("seconds", None),
            ("val_rmse_", None),
        ] {
            assert_eq!(direction(name), expected, "{name}");
        }
    }

    #[test]
    fn a_range_is_that_of_the_metric() {
        assert_eq!(range("val_accuracy"), (0.0, 1.0));
        assert_eq!(range("test_mcc"), (-1.0, 1.0));
        assert_eq!(range("test_rmse_price"), (0.0, f64::INFINITY));
        assert_eq!(range("val_r2"), (f64::NEG_INFINITY, 1.0));
        // A likelihood of a density can be above 1.
        assert_eq!(range("val_loss"), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn names_are_told_apart_by_the_task() {
        let classes = Task::Classes { ignored: -100, probabilities: false };
        assert!(is_known(classes, "precision") && is_known(classes, "precision_macro"));
        assert!(is_known(Task::Labels, "precision_macro") && !is_known(Task::Labels, "top5_accuracy"));
        assert!(is_known(Task::Values, "rmse_price") && !is_known(Task::Values, "accuracy"));
        assert!(!is_known(classes, "precision_price"));
    }
}
