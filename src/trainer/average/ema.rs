//! The exponential moving average of the weights, torch's `get_ema_multi_avg_fn`: Polyak and Juditsky 1992.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Averaging;
use crate::registry::KeyError;

/// `a ← decay · a + (1 - decay) · p` after every update; the first a is p.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ema {
    /// How much of the average is kept.
    #[schemars(range(min = 0, max = 1))]
    pub decay: f64,
}

impl Default for Ema {
    fn default() -> Self {
        Self { decay: 0.999 }
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

    fn share(&self, _: u64) -> f64 {
        1.0 - self.decay
    }
}
