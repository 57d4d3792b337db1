//! Random tensors for tests: the same in every run.

use std::cell::Cell;

use candle_core::{Device, Shape, Tensor};
use rand::Rng;
use rand_distr::StandardNormal;

use crate::rng::{Purpose, Stream};

/// Draws from the crate's counter-based generator; each draw has a stream of its own.
pub(crate) struct Draws {
    seed: u64,
    drawn: Cell<u64>,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: Cell::new(0) }
    }

    /// Normally distributed numbers in f64, of mean 0.
    pub(crate) fn normal(&self, shape: impl Into<Shape>, std: f64) -> Tensor {
        let shape = shape.into();
        self.drawn.set(self.drawn.get() + 1);
        let mut stream = Stream::new(self.seed, Purpose::Data, self.drawn.get());
        let numbers =
            (0..shape.elem_count()).map(|_| std * stream.sample::<f64, _>(StandardNormal)).collect();
        Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
    }
}
