//! `descent replay FAILURE`: the update again that was not made, and where in it the finite numbers were left.

use std::io::Write;
use std::path::PathBuf;

use candle_core::{DType, Tensor};
use clap::Args;

use super::{device, session, table};
use crate::checkpoint::{self, Failure};
use crate::config::Config;
use crate::data::{Affine, Dataset};
use crate::error::{Error, Result};
use crate::model::Network;
use crate::nn::Tape;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder `failure` of a run, or the run.
    folder: PathBuf,
    /// auto, cpu, cuda or cuda:N.
    #[arg(long, default_value = "auto")]
    device: String,
    /// The number of threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    device::use_threads(arguments.threads)?;
    let inner = arguments.folder.join("failure");
    let folder = if inner.is_dir() { &inner } else { &arguments.folder };
    let problem =
        |what: &str| Error::data(folder, format!("{what}; replay takes the folder `failure` of a run"));
    if !folder.join("batch.safetensors").is_file() {
        return Err(problem("no failure is written down here").into());
    }
    let (progress, snapshot, batch) = checkpoint::read_failure(folder)?;
    let failure = progress.failure.as_ref().ok_or_else(|| problem("no failure is written down here"))?;
    let array = |name: &str| batch.get(name).ok_or_else(|| problem(&format!("the batch has no `{name}`")));
    let config = Config::parse(&progress.config, &folder.join("progress.toml").display().to_string(), &[])?;
    let (dtype, device) = (DType::from(config.train.dtype), device::choose(&arguments.device)?);
    let data = Dataset::new(array("xs")?, array("ys")?, Affine::IDENTITY, dtype, &device)?;
    let network = Network::with_embeddings(
        &config.model,
        (data.row_shape(), failure.features, &failure.embeddings),
        failure.outputs,
        config.seed,
        session::place(&config, &device),
    )?;
    let mut trainer = session::trainer(&config, network, config.loss.clone())?;
    trainer.restore(&snapshot)?;
    let rows: Vec<u32> = (0..u32::try_from(data.len())?).collect();
    let mut out = std::io::stdout().lock();
    write!(out, "{}", layers(trainer.network(), &data, &rows, (config.seed, failure.step))?)?;
    match trainer.update(&data, &rows, progress.epoch) {
        Err(error @ Error::Diverged { .. }) => {
            let same = is_same(&error, failure);
            writeln!(
                out,
                "\n{}",
                if same { "repeated to the bit:" } else { "it fails, but not as it did:" }
            )?;
            writeln!(out, "{error}")?;
            if same { Ok(()) } else { Err(problem("this is not the failure that was written down").into()) }
        }
        Err(other) => Err(other.into()),
        Ok(update) => {
            let loss = update.loss_sum / update.total;
            let said = format!(
                "step {} did not fail this time: the loss is {loss}; was it written by another machine, device or version?",
                failure.step
            );
            Err(Error::data(folder, said).into())
        }
    }
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

/// The values of every layer: how large they are, and how many are not finite.
fn layers(network: &Network, data: &Dataset, rows: &[u32], (seed, step): (u64, u64)) -> Result<String> {
    let inputs = data.inputs(rows)?;
    let tracked = network.params().copy_buffers()?;
    let values = network.trace(&inputs, &mut Tape::new(seed, step, 0));
    network.params().restore_buffers(&tracked)?;
    let mut table = vec![["layer", "shape", "largest", "not finite"].map(str::to_owned).to_vec()];
    for (name, value) in std::iter::once(("inputs".to_owned(), inputs)).chain(values?) {
        let (largest, odd) = extent(&value)?;
        table.push(vec![name, format!("{:?}", value.dims()), format!("{largest:.4e}"), odd.to_string()]);
    }
    Ok(table::render(&table))
}

/// The largest absolute value of those that are finite, and the number of those that are not.
fn extent(value: &Tensor) -> Result<(f64, usize)> {
    let numbers = value.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let finite = numbers.iter().filter(|x| x.is_finite());
    let (count, largest) =
        finite.fold((0, 0.0), |(count, most): (usize, f64), x| (count + 1, most.max(x.abs())));
    Ok((largest, numbers.len() - count))
}
