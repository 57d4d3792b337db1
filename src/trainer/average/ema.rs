//! The exponential moving average of the weights: torch's `get_ema_multi_avg_fn`,
//! <https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Averaging;
use crate::names::counted;
use crate::registry::KeyError;

/// `a ← decay · a + (1 - decay) · p` after every update; the first a is p.
///
/// With `warmup` the decay of the t-th update after the first is `min(decay, (1 + t) / (10 + t))`, as in TensorFlow's
/// `ExponentialMovingAverage(num_updates=…)`: the start is forgotten soon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ema {
    /// The fraction of the average that an update keeps.
    #[schemars(range(min = 0, max = 1))]
    pub decay: f64,
    /// Start with a smaller decay, so that a short run does not keep its first weights.
    pub warmup: bool,
}

impl Default for Ema {
    fn default() -> Self {
        Self { decay: 0.999, warmup: false }
    }
}

impl Averaging for Ema {
    fn check(&self, _: u64) -> Result<(), KeyError> {
        if (0.0..=1.0).contains(&self.decay) {
            return Ok(());
        }
        Err(KeyError::new("decay", format!("is {}; it lies between 0 and 1", self.decay)))
    }

    fn joins(&self, _: u64, end: bool) -> bool {
        !end
    }

    #[allow(clippy::cast_precision_loss, reason = "a count of updates")]
    fn share(&self, count: u64) -> f64 {
        let t = count as f64;
        1.0 - if self.warmup { self.decay.min((1.0 + t) / (10.0 + t)) } else { self.decay }
    }

    #[allow(clippy::cast_precision_loss, reason = "a count of updates")]
    fn warning(&self, updates: u64) -> Option<KeyError> {
        let left = self.decay.powf(updates as f64);
        let fits = (0.1_f64.ln() / updates.max(1) as f64).exp();
        // Rounded down, so that it leaves a tenth at most.
        let fits = (100.0 * fits).floor() / 100.0;
        let problem = format!(
            "is {}, so that after {} {:.0} % of the average are still the first weights: set \
             `warmup = true`, or a decay of {fits} or less",
            self.decay,
            counted(updates, "update"),
            100.0 * left
        );
        (!self.warmup && left > 0.1).then(|| KeyError::new("decay", problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_up_is_tensorflows() {
        let ema = Ema { decay: 0.5, warmup: true };
        // 1 - min(decay, (1 + t) / (10 + t))
        for (t, expected) in [(1, 9.0 / 11.0), (2, 9.0 / 12.0), (8, 0.5), (100, 0.5)] {
            assert!((ema.share(t) - expected).abs() < 1e-15, "{t}");
        }
        assert!((Ema { warmup: false, ..ema }.share(1) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn an_average_that_keeps_its_start_is_warned_of() {
        // 0.999^79 is 0.924; 0.97^79 is 0.0902, 0.98^79 is 0.203.
        let warning = Ema::default().warning(79).unwrap().problem;
        assert!(warning.contains("92 %") && warning.contains("0.97 or less"), "{warning}");
        assert!(Ema { decay: 0.97, ..Ema::default() }.warning(79).is_none());
        assert!(Ema { warmup: true, ..Ema::default() }.warning(79).is_none());
        assert!(Ema::default().warning(10_000).is_none());
    }
}
