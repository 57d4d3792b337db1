//! The data and the network of a config, for training and for evaluation.

use candle_core::{DType, Device};

use crate::config::Config;
use crate::data::preprocess::TableEncoder;
use crate::data::split::Bag;
use crate::data::stored::StoredWriter;
use crate::data::{Preprocessing, Request, Splits};
use crate::distributed::{Communicator, Single};
use crate::error::{Error, Result};
use crate::loss::Losses;
use crate::model::{Network, NetworkOptions, NetworkShape};
use crate::optim::Optimizer;
use crate::optim::schedule::SchedulePlan;
use crate::trainer::Trainer;

/// The data and the network of a config.
pub(crate) struct Session {
    /// The rows.
    pub splits: Splits,
    /// The network with its initial weights, not yet fitted to the training rows.
    pub network: Network,
    /// The loss, as the training rows make it.
    pub loss: Losses,
}

impl Session {
    /// Loads the data and builds the network on `device`. `fitted` is the preprocessing of an earlier process of the run.
    pub(crate) fn open(config: &Config, fitted: Option<&Preprocessing>, device: &Device) -> Result<Self> {
        Self::open_on(config, fitted, device, &Single)
    }

    /// The same on each of `ranks`, which read the same rows.
    pub(crate) fn open_on(
        config: &Config,
        fitted: Option<&Preprocessing>,
        device: &Device,
        ranks: &dyn Communicator,
    ) -> Result<Self> {
        let splits = splits_on(config, fitted, device, ranks)?;
        if splits.train.is_weighted() && !device.is_cpu() {
            let problem = "is for the CPU so far; train with `--device cpu`, or leave it out";
            return Err(Error::key("data.weight", problem));
        }
        let loss = config.loss.fit(&splits.train, splits.outputs)?;
        let network = network(config, &splits.preprocessing, loss.width(splits.outputs), device)?;
        Ok(Self { splits, network, loss })
    }
}

/// The rows of a config, on `device`.
pub(super) fn splits(config: &Config, fitted: Option<&Preprocessing>, device: &Device) -> Result<Splits> {
    splits_on(config, fitted, device, &Single)
}

fn splits_on(
    config: &Config,
    fitted: Option<&Preprocessing>,
    device: &Device,
    ranks: &dyn Communicator,
) -> Result<Splits> {
    let of_bag = if fitted.is_none() { preprocessing_of_bag(config, device)? } else { None };
    let request = Request { ranks, ..request(config, fitted.or(of_bag.as_ref())) };
    config.preparation.prepare(config.source.read(&request)?, &request, device)
}

/// The preprocessing that the members of an average share, so that one average of their outputs can be taken: it is fitted
/// on the rows of all folds. `None` if the config is not that of a member.
fn preprocessing_of_bag(config: &Config, device: &Device) -> Result<Option<Preprocessing>> {
    let Some(bag) = config.preparation.bag.filter(|bag| !bag.is_whole()) else { return Ok(None) };
    let mut whole = config.clone();
    whole.preparation.bag = Some(Bag { index: None, ..bag });
    Ok(Some(splits(&whole, None, device)?.preprocessing))
}

/// The error of reading a run's data, with the way out where it was moved.
pub(crate) fn moved(error: Error, config: &Config) -> Error {
    match error {
        // The folder of temporary files is not the data's.
        Error::Io { path, source, .. }
            if source.kind() == std::io::ErrorKind::NotFound && path != StoredWriter::place() =>
        {
            let key = if path == config.source_place() { "data.path" } else { "data.test" };
            let problem =
                format!("the run's data is not there; where it was moved, --set {key}=… names the new place");
            Error::data(path, problem)
        }
        other => other,
    }
}

/// The request that a config makes of its data set.
pub(crate) fn request<'a>(config: &'a Config, fitted: Option<&'a Preprocessing>) -> Request<'a> {
    let dtype: DType = config.train.dtype.into();
    Request {
        task: config.loss.task(),
        standardize: config.loss.standardizes(),
        input: config.model.input(),
        widest: config.model.widest(),
        seed: config.seed,
        dtype,
        plan: &config.preparation,
        fitted,
        ranks: &Single,
    }
}

/// The network of a config for rows with this preprocessing.
pub(crate) fn network(
    config: &Config,
    preprocessing: &Preprocessing,
    outputs: usize,
    device: &Device,
) -> Result<Network> {
    let embeddings = preprocessing.table().map(TableEncoder::embeddings).unwrap_or_default();
    let features = preprocessing.table().map_or(0, TableEncoder::features);
    let numerical = preprocessing.table().map(TableEncoder::numerical);
    let columns = preprocessing.table().map(TableEncoder::column_widths);
    let shape = NetworkShape {
        row: &preprocessing.row,
        features,
        embeddings: &embeddings,
        numerical: numerical.as_deref(),
        columns: columns.as_deref(),
        outputs,
    };
    let build =
        || Network::with_embeddings(&config.model, shape, config.seed, network_options(config, device));
    let Some(bag) = config.preparation.bag.filter(|bag| bag.is_whole()) else { return build() };
    let members = (0..bag.of).map(|_| build()).collect::<Result<_>>()?;
    Network::averaged(members, config.loss.output().average()?)
}

/// The device and the numeric types of a config's network.
pub(crate) fn network_options<'a>(config: &Config, device: &'a Device) -> NetworkOptions<'a> {
    let precision = config.train.precision;
    precision.set_for_gpus();
    NetworkOptions { dtype: config.train.dtype.into(), device, precision }
}

/// A trainer of this network by the config and its plan for the run; `loss` is fitted to the training rows.
pub(crate) fn trainer(
    config: &Config,
    plan: SchedulePlan,
    network: Network,
    loss: Losses,
) -> Result<Trainer> {
    let optimizer = Optimizer::new(config.optimizer.clone(), plan, network.params())?;
    Trainer::new(network, loss, optimizer, config.train.clone(), config.seed)
}
