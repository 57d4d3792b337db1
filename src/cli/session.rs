//! From a config to data and network, for training and evaluation alike.

use candle_core::{DType, Device};

use crate::config::Config;
use crate::data::Splits;
use crate::error::Result;
use crate::loss::Losses;
use crate::model::Network;
use crate::optim::Optimizer;
use crate::trainer::Trainer;

/// The data and the network of a config.
pub(super) struct Session {
    /// The rows.
    pub splits: Splits,
    /// The network with its initial weights.
    pub network: Network,
    /// The loss, as the training rows make it.
    pub loss: Losses,
}

impl Session {
    /// Loads the data and builds the network on `device`.
    pub(super) fn open(config: &Config, device: &Device) -> Result<Self> {
        let want = config.loss.want();
        let dtype: DType = config.train.dtype.into();
        let loaded = config.source.read(want, config.seed)?;
        let input = config.model.input();
        let splits = config.preparation.prepare(loaded, (input, want), config.seed, (dtype, device))?;
        let loss = config.loss.fit(&splits.train, splits.outputs)?;
        let (shape, outputs) = (splits.train.row_shape(), loss.width(splits.outputs));
        let network = Network::new(&config.model, shape, outputs, config.seed, (dtype, device))?;
        Ok(Self { splits, network, loss })
    }
}

/// A trainer of this network as the config says; `loss` is as the training rows make it.
pub(super) fn trainer(config: &Config, network: Network, loss: Losses) -> Result<Trainer> {
    let optimizer = Optimizer::new(config.optimizer.clone(), network.params())?;
    let plan = (optimizer, config.schedule.clone());
    Trainer::new(network, loss, plan, config.train.clone(), config.seed)
}
