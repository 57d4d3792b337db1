//! The trained model of a run, as exporters read it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};

use crate::config::Config;
use crate::data::Preprocessing;
use crate::data::preprocess::{Column, Operation, Step, TargetCurve};
use crate::error::{Error, Result};
use crate::kernels::MatmulPrecision;
use crate::loss::NetworkOutput;
use crate::nn::Op;
use crate::run::trained::TrainedRun;
use crate::run::{self, Columns, Predictor};
use crate::trainer::FloatType;

/// The best weights of a run in f32, with all that is around them.
pub(super) struct TrainedModel {
    /// The folder of the run.
    pub(super) folder: PathBuf,
    /// The run's config.
    pub(super) config: Config,
    /// What predicts, in f32 on the CPU.
    pub(super) predictor: Predictor,
    /// The layers; of a bag those of one member under its own names, which all of them have.
    pub(super) ops: Vec<Op>,
    /// The layers of each network whose predictions are averaged, under the names of the state dict; one, where it is no bag.
    pub(super) members: Vec<Vec<Op>>,
    state: BTreeMap<String, Tensor>,
}

impl TrainedModel {
    /// The model of the run in `folder`. Exports compute in f32, whatever type the run has.
    pub(super) fn open(folder: &Path, allow_nonfinite: bool) -> Result<Self> {
        let mut run = TrainedRun::open(folder, "export", &[])?.allow_nonfinite(allow_nonfinite);
        let config = run.config.clone();
        let train = &mut run.config.train;
        if train.dtype == FloatType::Bf16 || train.precision == MatmulPrecision::Bf16 {
            tracing::warn!(
                "the run rounds to fewer bits than f32, in which the export computes: its answers differ from those \
                 of `predict` by this rounding"
            );
        }
        (train.dtype, train.precision) = (FloatType::F32, MatmulPrecision::F32);
        let predictor = Predictor::of(run, Device::Cpu)?;
        let network = predictor.network();
        let state = network.params().state().into_iter();
        let state = state.map(|(name, tensor)| (name.to_owned(), tensor)).collect();
        let folder = folder.to_path_buf();
        let (ops, members) = (network.describe(), network.describe_members());
        Ok(Self { folder, config, predictor, ops, members, state })
    }

    /// The name of the run's folder.
    pub(super) fn name(&self) -> String {
        let path = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        path.file_name().map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// What was fitted on the training rows.
    pub(super) fn preprocessing(&self) -> &Preprocessing {
        self.predictor.preprocessing()
    }

    /// What the network's values mean.
    pub(super) fn output(&self) -> NetworkOutput {
        self.predictor.loss().output()
    }

    /// Whether it is the average of several networks (`train --bag`).
    pub(super) fn is_bag(&self) -> bool {
        self.predictor.network().is_averaged()
    }

    /// Whether the network gives values of several members, (N, M, K).
    pub(super) fn is_ensemble(&self) -> bool {
        self.config.model.members().is_some()
    }

    /// The columns of predictions.
    pub(super) fn columns(&self) -> Columns {
        self.predictor.output_columns()
    }

    /// The bytes of `model.safetensors`, in the type of the run.
    pub(super) fn safetensors(&self) -> Result<Vec<u8>> {
        let weights = run::folder::model(&self.folder);
        std::fs::read(&weights).map_err(Error::io("read", &weights))
    }

    /// The state dict, a copy.
    pub(super) fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.predictor.network().params().copy()
    }

    /// Takes other weights for predictions; [`Self::tensor`] goes with them.
    pub(super) fn load(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.predictor.network().params().load(state)
    }

    /// The bytes of `data.toml`: the preprocessing that was fitted, and the fingerprint of the rows.
    pub(super) fn saved_preprocessing(&self) -> Result<Vec<u8>> {
        let path = self.folder.join(run::names::DATA);
        std::fs::read(&path).map_err(Error::io("read", &path))
    }

    /// The bytes of `residuals.json`, from which `descent predict --interval` makes intervals; none where the run has no such
    /// file.
    pub(super) fn residuals(&self) -> Result<Option<Vec<u8>>> {
        let path = self.folder.join(run::names::RESIDUALS);
        path.is_file().then(|| std::fs::read(&path).map_err(Error::io("read", &path))).transpose()
    }

    /// Checks that nothing is mapped by quantiles, for which a target has no operator.
    pub(super) fn require_no_quantiles(&self, target: &str) -> Result<()> {
        let preprocessing = self.preprocessing();
        let of_column = |column: &Column| {
            column.operations.iter().any(|operation| matches!(operation, Operation::QuantileToNormal(_)))
        };
        let of_inputs = preprocessing.steps().iter().any(|step| match step {
            Step::Column(column) => of_column(column),
            Step::Elements(elements) => !elements.quantiles.is_empty(),
        });
        let of_target = preprocessing.target_scale().map(|scale| scale.curve);
        let key = match of_target {
            _ if of_inputs => "normalize",
            Some(TargetCurve::Quantile(_)) => "target_transform",
            _ => return Ok(()),
        };
        Err(Error::Config(format!(
            "--to {target}: the run has `data.{key} = \"quantile\"`, which only --to torch can write; train with another one"
        )))
    }

    /// A tensor of the state dict.
    pub(super) fn tensor(&self, name: &str) -> Result<Weights> {
        let missing = || Error::Weights(format!("the network has no tensor `{name}`"));
        let tensor = self.state.get(name).ok_or_else(missing)?;
        let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok(Weights { shape: tensor.dims().to_vec(), values })
    }
}

/// The numbers of a tensor, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    /// The dimensions.
    pub(super) shape: Vec<usize>,
    /// The numbers.
    pub(super) values: Vec<f32>,
}
