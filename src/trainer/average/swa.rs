//! Stochastic weight averaging: Izmailov et al. 2018, <https://arxiv.org/abs/1803.05407>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Averaging;
use crate::names::counted;
use crate::registry::KeyError;

/// The mean of the weights at the ends of the epochs from `start_epoch` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Swa {
    /// The first epoch whose weights count.
    #[schemars(range(min = 1))]
    pub start_epoch: u64,
}

impl Default for Swa {
    fn default() -> Self {
        Self { start_epoch: 1 }
    }
}

impl Averaging for Swa {
    fn check(&self, epochs: u64) -> Result<(), KeyError> {
        let problem = match self.start_epoch {
            0 => "is 0; epochs count from 1".to_owned(),
            start if start > epochs => format!("is {start}, but the run has {}", counted(epochs, "epoch")),
            _ => return Ok(()),
        };
        Err(KeyError::new("start_epoch", problem))
    }

    fn joins(&self, epoch: u64, end: bool) -> bool {
        end && epoch >= self.start_epoch
    }

    #[allow(clippy::cast_precision_loss, reason = "a count of epochs")]
    fn share(&self, count: u64) -> f64 {
        1.0 / (count as f64 + 1.0)
    }
}
