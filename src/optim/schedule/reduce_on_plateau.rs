//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html>

mod rate;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metrics::{self, Direction};
use crate::registry::schema::below_one;

/// Multiplies the learning rate by `factor` when a metric stops improving. The only schedule that depends on more than the
/// step: on the number of reductions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// Whether the metric should decrease or increase; default: the metric's own direction.
    pub mode: Option<PlateauMode>,
    /// The factor by which the learning rate is multiplied.
    #[schemars(transform = below_one)]
    pub factor: f64,
    /// Number of epochs without improvement that are tolerated before a reduction.
    pub patience: u64,
    /// The smallest change that counts as an improvement.
    #[schemars(range(min = 0))]
    pub threshold: f64,
    /// Whether the threshold is relative to the best value or absolute.
    pub threshold_mode: ThresholdMode,
    /// Number of epochs after a reduction that are not counted.
    pub cooldown: u64,
    /// Minimum learning rate.
    #[schemars(range(min = 0))]
    pub min_lr: f64,
    /// Reductions smaller than this are skipped.
    #[schemars(range(min = 0))]
    pub eps: f64,
    /// The metric: "`val_loss`", "`val_accuracy`" …; default: the validation loss, or the training loss without
    /// validation rows.
    pub monitor: Option<String>,
}

/// The direction of an improvement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Mode")]
pub enum PlateauMode {
    /// A decrease.
    Min,
    /// An increase.
    Max,
}

/// Whether a threshold is relative or absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdMode {
    /// The best value.
    Rel,
    /// Nothing: it is absolute.
    Abs,
}

impl Default for ReduceOnPlateau {
    fn default() -> Self {
        Self {
            mode: None,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
            monitor: None,
        }
    }
}

impl ReduceOnPlateau {
    fn mode(&self) -> PlateauMode {
        // Without a monitor it is a loss that is watched.
        let direction = || metrics::direction(self.monitor.as_ref()?);
        match (self.mode, direction()) {
            (Some(mode), _) => mode,
            (None, Some(Direction::HigherIsBetter)) => PlateauMode::Max,
            (None, Some(Direction::LowerIsBetter) | None) => PlateauMode::Min,
        }
    }

    fn better(&self, value: f64, best: f64) -> bool {
        match (self.mode(), self.threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Rel) => value < best * (1.0 - self.threshold),
            (PlateauMode::Min, ThresholdMode::Abs) => value < best - self.threshold,
            (PlateauMode::Max, ThresholdMode::Rel) => value > best * (1.0 + self.threshold),
            (PlateauMode::Max, ThresholdMode::Abs) => value > best + self.threshold,
        }
    }
}

/// Counts the epochs without improvement, and the reductions.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    #[serde(skip_serializing_if = "Option::is_none")]
    best: Option<f64>,
    bad_epochs: u64,
    cooldown: u64,
    /// The reductions so far.
    pub reductions: u64,
}

impl Plateau {
    /// Takes the metric of an epoch.
    pub fn see(&mut self, schedule: &ReduceOnPlateau, value: f64) {
        if self.best.is_none_or(|best| schedule.better(value, best)) {
            self.best = Some(value);
            self.bad_epochs = 0;
        } else {
            self.bad_epochs += 1;
        }
        if self.cooldown > 0 {
            self.cooldown -= 1;
            self.bad_epochs = 0;
        }
        if self.bad_epochs > schedule.patience {
            self.reductions += 1;
            self.cooldown = schedule.cooldown;
            self.bad_epochs = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_that_is_left_out_is_the_metrics_own_direction() {
        let reductions = |monitor: Option<&str>, mode, values: [f64; 3]| {
            let monitor = monitor.map(str::to_owned);
            let schedule = ReduceOnPlateau { patience: 0, monitor, mode, ..ReduceOnPlateau::default() };
            let mut plateau = Plateau::default();
            for value in values {
                plateau.see(&schedule, value);
            }
            plateau.reductions
        };
        let (rising, falling) = ([0.1, 0.2, 0.3], [0.3, 0.2, 0.1]);
        assert_eq!([rising, falling].map(|v| reductions(Some("val_accuracy"), None, v)), [0, 2]);
        assert_eq!([rising, falling].map(|v| reductions(Some("val_log_loss"), None, v)), [2, 0]);
        assert_eq!([rising, falling].map(|v| reductions(None, None, v)), [2, 0]);
        // An explicit mode wins.
        assert_eq!(reductions(Some("val_accuracy"), Some(PlateauMode::Min), rising), 2);
    }
}
