//! When training stops early.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::Task;
use crate::metrics::{self, Direction};
use crate::registry::{self, KeyError};

/// When training stops early. The best weights are kept either way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without getting better after which training stops.
    pub patience: u64,
    /// The smallest improvement that counts.
    #[schemars(range(min = 0))]
    pub min_delta: f64,
    /// The metric that is watched: "`val_loss`", "`val_accuracy`" …
    pub monitor: String,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 3, min_delta: 0.0, monitor: "val_loss".to_owned() }
    }
}

impl EarlyStopping {
    /// Validates the monitored metric and the delta.
    pub(crate) fn check(&self, task: Task, validated: bool) -> Result<(), KeyError> {
        if !self.min_delta.is_finite() || self.min_delta < 0.0 {
            return Err(KeyError::new("min_delta", format!("is {}; it must be 0 or more", self.min_delta)));
        }
        check_monitor(&self.monitor, task, validated)
    }

    /// The direction in which the monitored metric improves.
    pub(crate) fn direction(&self) -> Direction {
        // Another name does not pass `check`.
        metrics::direction(&self.monitor).unwrap_or(Direction::LowerIsBetter)
    }
}

/// Refuses a metric that a run of this kind of targets does not have, and one that needs validation where no rows are
/// held out.
pub fn check_monitor(monitor: &str, task: Task, validated: bool) -> Result<(), KeyError> {
    let own =
        monitor.strip_prefix("val_").is_some_and(|name| name == "loss" || metrics::is_known(task, name));
    if monitor != "train_loss" && !own {
        let mut known = vec!["train_loss".to_owned(), "val_loss".to_owned()];
        known.extend(metrics::names(task).iter().map(|name| format!("val_{name}")));
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let (monitor, hint) = (monitor.escape_debug(), registry::did_you_mean(monitor, &names));
        return Err(KeyError::new(
            "monitor",
            format!("is `{monitor}`;{hint} known are {}", known.join(", ")),
        ));
    }
    if monitor.starts_with("val_") && !validated {
        let problem = format!("is `{monitor}`, but `data.validation` is 0; hold out a share of the rows");
        return Err(KeyError::new("monitor", problem));
    }
    Ok(())
}
