//! `descent replay RUN`: repeats the update at which a run diverged, and shows where the first value is not finite.

use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use clap::Args;

use super::device::Compute;
use super::table;
use crate::checkpoint::{self, FailedUpdate, Failure};
use crate::config::Config;
use crate::data::{Affine, Dataset};
use crate::error::{Error, Result};
use crate::model::{Network, NetworkShape};
use crate::nn::Tape;
use crate::run::session;
use crate::trainer::Update;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folder, or its `failure` folder.
    folder: PathBuf,
    #[command(flatten)]
    compute: Compute,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.compute.use_threads()?;
    let inner = arguments.folder.join("failure");
    let folder = if inner.is_dir() { &inner } else { &arguments.folder };
    let problem =
        |what: &str| Error::data(folder, format!("{what}; replay takes the folder `failure` of a run"));
    let none = || problem("no failure record found");
    if !folder.join("batch.safetensors").is_file() {
        return Err(none().into());
    }
    let FailedUpdate { progress, snapshot, batch } = checkpoint::read_failure(folder)?;
    let failure = progress.failure.as_ref().ok_or_else(none)?;
    let array = |name: &str| batch.get(name).ok_or_else(|| problem(&format!("the batch has no `{name}`")));
    let config = Config::parse(&progress.config, &folder.join("progress.toml").display().to_string(), &[])?;
    let (dtype, device) = (DType::from(config.train.dtype), arguments.compute.device()?);
    let weights =
        batch.get("weights").map(|weights| weights.to_dtype(DType::F64)?.to_vec1::<f64>()).transpose()?;
    let data =
        Dataset::new(array("xs")?, array("ys")?, Affine::IDENTITY, dtype, &device)?.with_weights(weights);
    let options = session::network_options(&config, &device);
    let network = Network::with_embeddings(&config.model, shape(&data, failure), config.seed, options)?;
    let mut trainer = session::trainer(&config, config.schedule.clone(), network, config.loss.clone())?;
    trainer.restore(&snapshot)?;
    let rows: Vec<u32> = (0..u32::try_from(data.len())?).collect();
    let mut out = std::io::stdout().lock();
    write!(out, "{}", layers(trainer.network(), &data, &rows, Tape::new(config.seed, failure.step, 0))?)?;
    match trainer.update(&data, &rows, progress.epoch) {
        Err(error @ Error::Diverged { .. }) => {
            if is_same(&error, failure) {
                return Ok(writeln!(out, "\nrepeated to the bit:\n{error}")?);
            }
            writeln!(out, "\nthe update failed, but differently:\n{error}")?;
            Err(problem("the failure differs from the recorded one").into())
        }
        Err(other) => Err(other.into()),
        Ok(update) => Err(did_not_fail(folder, &update).into()),
    }
}

/// The shape of the network that failed.
fn shape<'a>(data: &'a Dataset, failure: &'a Failure) -> NetworkShape<'a> {
    NetworkShape {
        row: data.row_shape(),
        features: failure.features,
        embeddings: &failure.embeddings,
        numerical: failure.numerical.as_deref(),
        columns: None,
        outputs: failure.outputs,
    }
}

fn did_not_fail(folder: &Path, update: &Update) -> Error {
    let loss = update.loss_sum / update.total;
    let problem = format!(
        "step {} did not fail this time: the loss is {loss}; was it written by another machine, device or version?",
        update.step
    );
    Error::data(folder, problem)
}

fn is_same(error: &Error, failure: &Failure) -> bool {
    match error {
        Error::Diverged { what, value, step, lr, first, .. } => {
            // One NaN is as good as another.
            let equal = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            *what == failure.what
                && equal(*value, failure.value)
                && *step == failure.step
                && equal(*lr, failure.lr)
                && *first == failure.first
        }
        _ => false,
    }
}

/// A table of every layer's output: the largest absolute value, and how many values are not finite.
fn layers(network: &Network, data: &Dataset, rows: &[u32], mut tape: Tape) -> Result<String> {
    let inputs = data.inputs(rows)?;
    let tracked = network.params().copy_buffers()?;
    let values = network.trace(&inputs, &mut tape);
    network.params().restore_buffers(&tracked)?;
    let mut table = vec![["layer", "shape", "largest", "not finite"].map(str::to_owned).to_vec()];
    for (name, value) in std::iter::once(("inputs".to_owned(), inputs)).chain(values?) {
        let TensorRange { largest, not_finite } = extent(&value)?;
        table.push(vec![
            name,
            format!("{:?}", value.dims()),
            format!("{largest:.4e}"),
            not_finite.to_string(),
        ]);
    }
    Ok(table::render(&table))
}

/// The range of a tensor's elements.
struct TensorRange {
    /// The largest absolute finite value.
    largest: f64,
    /// The number of elements that are not finite.
    not_finite: usize,
}

fn extent(value: &Tensor) -> Result<TensorRange> {
    let numbers = value.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let finite = numbers.iter().filter(|x| x.is_finite());
    let (count, largest) =
        finite.fold((0, 0.0), |(count, most): (usize, f64), x| (count + 1, most.max(x.abs())));
    Ok(TensorRange { largest, not_finite: numbers.len() - count })
}
