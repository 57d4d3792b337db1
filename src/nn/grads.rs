//! Gradients on their way from the layers to the optimizer.
//!
//! All gradients of a network are in one contiguous buffer with a view for each parameter, as in
//! `DistributedDataParallel`'s buckets (Li et al. 2020, <https://arxiv.org/abs/2006.15704>): a sum over ranks is one pass. They
//! have three phases, each a type of its own: the memory, a [`GradBuffer`]; a [`GradWriter`], which layers write to during the
//! backward pass; and [`Gradients`], which are complete.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use candle_core::{DType, Device, Tensor};

use super::{Param, Params};
use crate::distributed::Shards;
use crate::error::{Error, Result};
use crate::kernels::norm::{all_finite, sum_of_magnitudes};
use crate::kernels::{Accumulate, GradOut, MatmulPrecision, is_fused, linear, ranks};

/// Each view begins at a multiple of this many bytes: a cache line.
const ALIGNMENT: usize = 64;

/// The memory of a network's gradients, written anew in every update.
#[derive(Debug)]
pub struct GradBuffer {
    params: Vec<Param>,
    /// One view for each parameter, with the parameter's shape.
    views: Vec<Tensor>,
    /// The gradients of the parameters that are trained, one after the other. Those of frozen ones follow it.
    flat: Tensor,
    is_trained: Vec<bool>,
}

impl GradBuffer {
    /// Memory for the gradients of all parameters.
    pub fn new(params: &Params) -> Result<Self> {
        Self::with_frozen(params, |_| false)
    }

    /// Memory for the gradients of all parameters. Layers write the gradients of frozen ones too, but norms and checks
    /// leave them out.
    pub fn with_frozen(params: &Params, is_frozen: impl Fn(&Param) -> bool) -> Result<Self> {
        let params = params.trainable().to_vec();
        let is_trained = params.iter().map(|param| !is_frozen(param)).collect();
        Self::allocate(params, is_trained)
    }

    /// Memory for other gradients of the same parameters.
    pub fn another(&self) -> Result<Self> {
        Self::allocate(self.params.clone(), self.is_trained.clone())
    }

    fn allocate(params: Vec<Param>, is_trained: Vec<bool>) -> Result<Self> {
        let (dtype, device) = match params.first() {
            Some(param) => (param.value().dtype(), param.value().device().clone()),
            None => (DType::F32, Device::Cpu),
        };
        let unit = ALIGNMENT / dtype.size_in_bytes();
        let mut starts = vec![0; params.len()];
        let mut end = 0;
        let mut trained = 0;
        for wanted in [true, false] {
            for (param, start) in
                params.iter().zip(&mut starts).filter(|(p, _)| is_trained[p.index()] == wanted)
            {
                *start = end;
                end += param.value().elem_count().next_multiple_of(unit);
            }
            trained = if wanted { end } else { trained };
        }
        let buffer = Tensor::zeros(end.max(1), dtype, &device)?;
        let view = |(param, start): (&Param, &usize)| {
            let shape = param.value().shape();
            Ok(buffer.narrow(0, *start, shape.elem_count())?.reshape(shape)?)
        };
        let views = params.iter().zip(&starts).map(view).collect::<Result<_>>()?;
        Ok(Self { params, views, flat: buffer.narrow(0, 0, trained.max(1))?, is_trained })
    }

    /// The indices of the parameters that are trained.
    fn trained(&self) -> impl Iterator<Item = usize> {
        (0..self.views.len()).filter(|index| self.is_trained[*index])
    }

    /// The device of the gradients.
    pub fn device(&self) -> &Device {
        self.flat.device()
    }

    /// Starts a backward pass. All gradients are missing, whatever the buffer holds.
    pub fn writer(&mut self) -> GradWriter<'_> {
        let state = vec![Cell::new(GradState::Missing); self.views.len()];
        GradWriter { buffer: self, state, defers: false, factors: RefCell::default() }
    }

    /// As [`Self::writer`], but the gradients of linear layers are kept as their factors, where the kernels can add their
    /// product to a weight in one pass.
    pub fn deferring_writer(&mut self) -> GradWriter<'_> {
        let defers = linear::adds_in_place(&self.flat);
        GradWriter { defers, ..self.writer() }
    }

    /// The gradients that the buffer holds, complete without a writer: a replayed backward pass has written them.
    pub fn as_written(&self) -> Dense<'_> {
        Dense(self)
    }
}

/// The gradients of a linear layer's weight and bias as their factors: `gradᵀ xs`, and the sum of `grad` over the rows.
#[derive(Debug)]
pub struct Factors {
    /// The indices of weight and bias among the parameters.
    pub of: [usize; 2],
    /// The layer's input, (N, in).
    pub xs: Tensor,
    /// The gradient of the layer's value, (N, out).
    pub grad: Tensor,
    /// The precision of the product.
    pub precision: MatmulPrecision,
}

impl Factors {
    /// Writes the gradients of weight and bias to those that have an output.
    pub fn multiply(&self, outs: [Option<GradOut<'_>>; 2]) -> Result<()> {
        Ok(linear::gradients(&self.xs, &self.grad, outs, self.precision)?)
    }

    /// Whether no element of the product can overflow: no sum of products exceeds the product of the sums of magnitudes.
    fn are_bounded(&self) -> Result<bool> {
        let limit = if self.xs.dtype() == DType::F64 { 1e300 } else { 1e38 };
        // The bias has the sum of the gradient alone. NaN is not smaller.
        Ok((1.0 + sum_of_magnitudes(&self.xs)?) * sum_of_magnitudes(&self.grad)? < limit)
    }
}

/// The state of a parameter's gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GradState {
    Missing,
    Written,
    Factored,
}

/// Takes the gradients of a backward pass. What several parts of a batch write to one parameter adds up.
#[derive(Debug)]
pub struct GradWriter<'a> {
    buffer: &'a GradBuffer,
    state: Vec<Cell<GradState>>,
    defers: bool,
    factors: RefCell<Vec<Factors>>,
}

impl<'a> GradWriter<'a> {
    /// The output of the gradient of `param`, which the caller writes.
    pub fn out(&self, param: &Param) -> GradOut<'a> {
        self.out_at(param.index())
    }

    fn out_at(&self, index: usize) -> GradOut<'a> {
        let before = self.state[index].replace(GradState::Written);
        let accumulate = if before == GradState::Written { Accumulate::ADD } else { Accumulate::REPLACE };
        GradOut { buffer: &self.buffer.views[index], accumulate }
    }

    /// Takes the gradients of a linear layer's weight and bias.
    pub fn put(&self, factors: Factors) -> Result<()> {
        if !self.defers {
            return self.multiply(&factors);
        }
        for index in factors.of {
            self.state[index].set(GradState::Factored);
        }
        self.factors.borrow_mut().push(factors);
        Ok(())
    }

    /// As [`Self::finish`]; where no row has written anything, all gradients are zero.
    pub fn finish_or_zero(self) -> Result<Dense<'a>> {
        if self.state.iter().all(|state| state.get() == GradState::Missing) {
            self.buffer.flat.zero_set()?;
            return Ok(Dense(self.buffer));
        }
        self.finish()?.into_dense()
    }

    fn multiply(&self, factors: &Factors) -> Result<()> {
        factors.multiply(factors.of.map(|index| Some(self.out_at(index))))
    }

    /// Ends the backward pass.
    ///
    /// # Errors
    /// [`Error::NoGradient`] with the first parameter whose gradient is missing.
    pub fn finish(self) -> Result<Gradients<'a>> {
        let states = self.buffer.params.iter().zip(&self.state);
        if let Some((param, _)) = states.into_iter().find(|(_, state)| state.get() == GradState::Missing) {
            return Err(Error::NoGradient(param.name().to_owned()));
        }
        if self.factors.borrow().is_empty() {
            return Ok(Gradients::Dense(Dense(self.buffer)));
        }
        Ok(Gradients::Factored(self))
    }
}

/// The gradients of all parameters, complete.
#[derive(Debug)]
pub enum Gradients<'a> {
    /// All of them are in the buffer.
    Dense(Dense<'a>),
    /// The gradients of linear layers are kept as their factors, the others are in the buffer.
    Factored(GradWriter<'a>),
}

impl<'a> Gradients<'a> {
    /// The gradient of `param`; `None` if it is kept as factors.
    pub fn get(&self, param: &Param) -> Option<&'a Tensor> {
        match self {
            Self::Dense(dense) => Some(dense.get(param)),
            Self::Factored(writer) => {
                let is_written = writer.state[param.index()].get() == GradState::Written;
                is_written.then(|| &writer.buffer.views[param.index()])
            }
        }
    }

    /// Calls `f` with all factors.
    pub fn for_each_factors(&self, f: impl FnMut(&Factors) -> Result<()>) -> Result<()> {
        match self {
            Self::Dense(_) => Ok(()),
            Self::Factored(writer) => writer.factors.borrow().iter().try_for_each(f),
        }
    }

    /// The same gradients, all in the buffer.
    pub fn into_dense(self) -> Result<Dense<'a>> {
        match self {
            Self::Dense(dense) => Ok(dense),
            Self::Factored(writer) => {
                writer.factors.take().iter().try_for_each(|factors| writer.multiply(factors))?;
                Ok(Dense(writer.buffer))
            }
        }
    }

    /// The same gradients, without factors whose product may overflow.
    pub fn bounded(self) -> Result<Self> {
        let mut are_bounded = true;
        self.for_each_factors(|factors| {
            are_bounded = are_bounded && factors.are_bounded()?;
            Ok(())
        })?;
        if are_bounded { Ok(self) } else { self.into_dense().map(Self::Dense) }
    }

    /// Whether the gradients of all trained parameters are finite. Factors are taken to be [`Self::bounded`].
    pub fn are_finite(&self) -> Result<bool> {
        let writer = match self {
            Self::Dense(dense) => return Ok(all_finite(&dense.parts())?),
            Self::Factored(writer) => writer,
        };
        let is_written = |index: &usize| writer.state[*index].get() == GradState::Written;
        let written = writer.buffer.trained().filter(is_written);
        Ok(all_finite(&written.map(|index| &writer.buffer.views[index]).collect::<Vec<_>>())?)
    }
}

/// Gradients that are all in the buffer.
#[derive(Debug, Clone, Copy)]
pub struct Dense<'a>(&'a GradBuffer);

impl<'a> Dense<'a> {
    /// The gradient of `param`.
    pub fn get(&self, param: &Param) -> &'a Tensor {
        &self.0.views[param.index()]
    }

    /// The gradients of all trained parameters for a sum over their elements: one for each parameter where the CPU's kernels
    /// divide them among the threads as their update does, else [`Self::flat`], which is one pass.
    pub fn parts(&self) -> Vec<&'a Tensor> {
        let views = self.0.trained().map(|index| &self.0.views[index]);
        if is_fused(self.flat()) { views.collect() } else { vec![self.flat()] }
    }

    /// Adds the gradients of all trained parameters of these shards, and those of other ranks, into the first.
    ///
    /// # Errors
    /// No shard, or a rank that cannot be reached.
    pub fn sum(parts: &[Self], shards: &Shards) -> Result<()> {
        let mut flats: Vec<&Tensor> = parts.iter().map(Self::flat).collect();
        Ok(ranks::sum(&mut flats, shards)?)
    }

    /// The gradients of all trained parameters one after the other, with zeros between them.
    pub fn flat(&self) -> &'a Tensor {
        &self.0.flat
    }
}
