//! Collective operations of a run: all ranks take part.

use std::sync::atomic::Ordering;

use super::Run;
use crate::distributed::Numbers;
use crate::error::Result;
use crate::kernels;

impl Run {
    /// The value of rank 0, on all ranks.
    pub(super) fn as_rank_0(&self, own: bool) -> Result<bool> {
        let ranks = &*self.options.ranks;
        if ranks.size() == 1 {
            return Ok(own);
        }
        let mut known = [f64::from(u8::from(own))];
        ranks.broadcast(Numbers::F64(&mut known), 0).map_err(candle_core::Error::wrap)?;
        Ok(known[0] > 0.0)
    }

    /// Takes the weights of rank 0's network into that of every rank.
    pub(super) fn share_weights(&self) -> Result<()> {
        let ranks = &*self.options.ranks;
        if ranks.size() == 1 {
            return Ok(());
        }
        let params = self.trainer.network().params();
        let state = params.copy()?;
        for tensor in state.values() {
            kernels::ranks::broadcast(tensor, 0, ranks)?;
        }
        params.load(&state)
    }

    /// Whether the time of the run is up, as the ranks have agreed.
    pub(super) fn is_time_up(&self) -> bool {
        match &self.time_is_up {
            Some(agreed) => agreed.load(Ordering::Relaxed),
            None => self.seconds() >= self.config.run.max_time,
        }
    }
}
