//! BatchNorm1d, <https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html>.

use std::slice;

use candle_core::{DType, Device, Tensor};

use super::{Activation, Buffer, Init, Layer, Mode, Op, Param, Params, Shape, Tape};
use crate::error::{Error, Result};
use crate::kernels::batch_norm::{self, ChannelAffine};

/// The share that a batch has in the running statistics. Keras' `momentum` is the complement.
const MOMENTUM: f64 = 0.1;
/// Added to the variance before the square root.
const EPS: f64 = 1e-5;

/// Normalises each channel of (N, C), with the activation after it: in training by the batch's statistics, in evaluation by the
/// running ones.
#[derive(Debug, Clone)]
pub struct BatchNorm1d {
    weight: Param,
    bias: Param,
    activation: Option<Activation>,
    running_mean: Buffer,
    running_var: Buffer,
    num_batches_tracked: Buffer,
}

impl BatchNorm1d {
    /// A layer with parameters `NAME.weight`, `NAME.bias` and torch's three buffers.
    pub fn new(
        params: &mut Params,
        name: &str,
        channels: usize,
        activation: Option<Activation>,
    ) -> Result<Self> {
        let vector = |value: f64| Tensor::full(value, channels, &Device::Cpu);
        Ok(Self {
            weight: params.param(format!("{name}.weight"), &[channels], &Init::Ones(super::init::Ones {}))?,
            bias: params.param(format!("{name}.bias"), &[channels], &Init::Zeros(super::init::Zeros {}))?,
            activation,
            running_mean: params.buffer(format!("{name}.running_mean"), &vector(0.0)?)?,
            running_var: params.buffer(format!("{name}.running_var"), &vector(1.0)?)?,
            num_batches_tracked: params.buffer(
                format!("{name}.num_batches_tracked"),
                &Tensor::zeros((), DType::I64, &Device::Cpu)?,
            )?,
        })
    }

    fn affine(&self) -> ChannelAffine<'_> {
        ChannelAffine { weight: self.weight.value(), bias: self.bias.value(), act: self.activation }
    }

    /// Takes the batch's mean and its unbiased variance into the running statistics, or where those are
    /// `cumulative`, torch's `momentum=None`, into the mean over all batches.
    fn track(&self, output: &batch_norm::BatchNormOutput, cumulative: bool) -> Result<()> {
        let unbiased = output.rows / (output.rows - 1.0);
        let counter = self.num_batches_tracked.var();
        let momentum = if cumulative {
            1.0 / (counter.to_dtype(DType::F64)?.to_scalar::<f64>()? + 1.0)
        } else {
            MOMENTUM
        };
        batch_norm::track(self.running_mean.var(), &output.mean, momentum, 1.0)?;
        batch_norm::track(self.running_var.var(), &output.var, momentum, unbiased)?;
        let next = (counter.as_detached_tensor() + Tensor::ones((), DType::I64, counter.device())?)?;
        Ok(counter.set(&next)?)
    }
}

impl Layer for BatchNorm1d {
    fn name(&self) -> String {
        self.weight.layer().to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        input.require_width(&self.name(), self.weight.value().elem_count())
    }

    fn describe(&self) -> Vec<Op> {
        let norm = Op::BatchNorm {
            weight: self.weight.name().to_owned(),
            bias: self.bias.name().to_owned(),
            running_mean: self.running_mean.name().to_owned(),
            running_var: self.running_var.name().to_owned(),
            num_batches_tracked: self.num_batches_tracked.name().to_owned(),
            channels: self.weight.value().elem_count(),
            eps: EPS,
            momentum: MOMENTUM,
        };
        [norm].into_iter().chain(self.activation.map(Op::Activation)).collect()
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let Mode::Train(tape) = mode else {
            let statistics = [&self.running_mean, &self.running_var].map(|b| b.var().as_detached_tensor());
            return Ok(batch_norm::normalize_by(xs, statistics.each_ref(), self.affine(), EPS)?);
        };
        let ys = self.train_shards(slice::from_ref(xs), slice::from_mut(*tape))?;
        ys.into_iter().next().ok_or_else(one_row)
    }

    fn train_shards(&self, shards: &[Tensor], tapes: &mut [Tape]) -> Result<Vec<Tensor>> {
        let Some(first) = tapes.first() else { return Ok(Vec::new()) };
        let (of, is_cumulative) = (first.shards(), first.is_cumulative());
        let output = batch_norm::forward(shards, self.affine(), EPS, &of)?;
        if output.rows < 2.0 {
            return Err(one_row());
        }
        self.track(&output, is_cumulative)?;
        let (layer, xs, ys) = (self.clone(), shards.to_vec(), output.ys.clone());
        Tape::record_jointly(tapes, move |values, grads| {
            let outs: Vec<_> =
                grads.iter().map(|grads| [grads.out(&layer.weight), grads.out(&layer.bias)]).collect();
            Ok(batch_norm::backward(&xs, layer.affine(), &output, values, &outs, &of)?)
        });
        Ok(ys)
    }
}

/// A batch of one row has no variance.
fn one_row() -> Error {
    Error::Config(
        "batch_norm cannot train on a batch of one row: it has no variance; choose another `train.batch_size`, or \
         `train.drop_last = true`"
            .to_owned(),
    )
}
