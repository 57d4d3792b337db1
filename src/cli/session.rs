//! From a config to data and network, for training and evaluation alike.

use candle_core::{DType, Device};

use crate::config::Config;
use crate::data::Splits;
use crate::error::{Error, Result};
use crate::model::Network;

/// The data and the network of a config.
pub(super) struct Session {
    /// The rows.
    pub splits: Splits,
    /// The network with its initial weights.
    pub network: Network,
}

impl Session {
    /// Loads the data and builds the network on `device`.
    pub(super) fn open(config: &Config, device: &Device) -> Result<Self> {
        let want = config.loss.want();
        let dtype: DType = config.train.dtype.into();
        let loaded = config.source.read(want, config.seed)?;
        let input = config.model.input();
        let splits = config.preparation.prepare(loaded, (input, want), config.seed, (dtype, device))?;
        config.loss.check_outputs(splits.outputs).map_err(|e| Error::Key(e.under("loss")))?;
        let shape = splits.train.row_shape();
        let network = Network::new(&config.model, shape, splits.outputs, config.seed, (dtype, device))?;
        Ok(Self { splits, network })
    }
}
