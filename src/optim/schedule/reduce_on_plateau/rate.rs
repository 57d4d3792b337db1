//! The learning rate after a number of reductions.

use super::ReduceOnPlateau;
use crate::optim::schedule::Schedule;
use crate::registry::KeyError;

impl Schedule for ReduceOnPlateau {
    fn check(&self) -> Result<(), KeyError> {
        if !(0.0..1.0).contains(&self.factor) {
            let problem = format!("is {}; it must be at least 0 and less than 1", self.factor);
            return Err(KeyError::new("factor", problem));
        }
        for (key, value) in [("threshold", self.threshold), ("min_lr", self.min_lr), ("eps", self.eps)] {
            if !value.is_finite() || value < 0.0 {
                return Err(KeyError::new(key, format!("is {value}; it must be a finite number, 0 or more")));
            }
        }
        Ok(())
    }

    /// The learning rate after `k` reductions.
    fn lr(&self, base: f64, k: u64) -> f64 {
        let mut lr = base;
        for _ in 0..k {
            let reduced = (lr * self.factor).max(self.min_lr);
            // Reductions only get smaller.
            if lr - reduced <= self.eps {
                break;
            }
            lr = reduced;
        }
        lr
    }

    fn plateau(&self) -> Option<&ReduceOnPlateau> {
        Some(self)
    }
}
