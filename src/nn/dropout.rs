//! Dropout, <https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html>.

use candle_core::Tensor;

use super::{Layer, Mode};
use crate::error::Result;
use crate::kernels::dropout;

/// Drops each element with probability `p` in training and scales the others by 1 / (1 - p); does nothing in
/// evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    /// The probability to be dropped, 0 to 1.
    pub p: f64,
}

impl Layer for Dropout {
    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let Mode::Train(tape) = mode else {
            return Ok(xs.clone());
        };
        let stream = tape.stream();
        let row = xs.elem_count() / xs.dims()[0].max(1);
        let mask = dropout::mask(xs, self.p, &stream, tape.first_row() * row as u64)?;
        let ys = dropout::apply(xs, &mask)?;
        tape.record(move |grad, _, _| Ok(Some(dropout::apply(grad, &mask)?)));
        Ok(ys)
    }
}
