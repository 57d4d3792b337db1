//! Dropout, <https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html>.

use candle_core::Tensor;

use super::{Layer, Mode, Op, Shape};
use crate::error::Result;
use crate::kernels::dropout::{self, DropoutDraw, DropoutOutput};

/// Drops each element of (N, C) or (T, N, H) with probability `p` in training and scales the others by 1 / (1 - p); does nothing in
/// evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    /// The probability to be dropped, 0 to 1.
    pub p: f64,
}

impl Layer for Dropout {
    fn name(&self) -> String {
        "dropout".to_owned()
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        Ok(input.clone())
    }

    fn describe(&self) -> Vec<Op> {
        vec![Op::Dropout { p: self.p }]
    }

    fn forward(&self, xs: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor> {
        let Mode::Train(tape) = mode else {
            return Ok(xs.clone());
        };
        let (stream, p) = (tape.stream(), self.p * tape.dropout());
        // The stream goes row by row, so that a batch in parts has the mask of the whole.
        let rows = if xs.rank() == 3 { xs.dims()[1] } else { xs.dims()[0] };
        let first = tape.first_row() * (xs.elem_count() / rows.max(1)) as u64;
        let draw = DropoutDraw { p, stream: &stream, first, step_counter: tape.step_tensor() };
        let DropoutOutput { ys, mask } = dropout::forward(xs, draw)?;
        tape.record_without_parameters(move |grad, _, _| Ok(Some(dropout::apply(grad, &mask)?)));
        Ok(ys)
    }
}
