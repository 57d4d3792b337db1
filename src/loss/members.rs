//! The loss of an ensemble whose members a network computes together: the mean of the members' losses is trained, and their
//! predictions are averaged.

use candle_core::{D, Tensor};

use super::Losses;
use crate::error::Result;
use crate::kernels::ValueAndGrad;
use crate::stats::real;

/// Outputs (N, M, K) of M members as (N · M, K), and the targets of each of them.
struct MemberRows {
    outputs: Tensor,
    ys: Tensor,
    members: f64,
}

impl MemberRows {
    fn new(outputs: &Tensor, ys: &Tensor) -> Result<Self> {
        let (rows, members, width) = outputs.dims3()?;
        let shape = [&[rows, members], &ys.dims()[1..]].concat();
        let flat = [&[rows * members], &ys.dims()[1..]].concat();
        Ok(Self {
            outputs: outputs.contiguous()?.reshape((rows * members, width))?,
            ys: ys.unsqueeze(1)?.broadcast_as(shape)?.contiguous()?.reshape(flat)?,
            members: real(members),
        })
    }
}

impl Losses {
    /// As [`Losses::apply`] of outputs (N, M, K): the mean over the members of their sums, and its gradient.
    pub(super) fn apply_to_members(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        weights: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad> {
        let rows = MemberRows::new(outputs, ys)?;
        let members = outputs.dims()[1];
        let repeated = |weights: &Tensor| -> Result<Tensor> {
            let count = weights.elem_count();
            Ok(weights.reshape((count, 1))?.broadcast_as((count, members))?.flatten_all()?)
        };
        let weights = weights.map(repeated).transpose()?;
        let divisor = divisor * rows.members;
        let ValueAndGrad { value, grad } =
            self.weighted_value_and_grad(&rows.outputs, &rows.ys, weights.as_ref(), divisor)?;
        Ok(ValueAndGrad { value: value.over(rows.members)?, grad: grad.reshape(outputs.shape())? })
    }

    /// The predictions (N, K) in the targets' terms; of an ensemble (N, M, K) the mean over its members.
    pub fn predictions(&self, outputs: &Tensor) -> Result<Tensor> {
        if outputs.rank() == 2 {
            return self.predict(outputs);
        }
        let (rows, members, width) = outputs.dims3()?;
        let each = self.predict(&outputs.contiguous()?.reshape((rows * members, width))?)?;
        let each = each.reshape((rows, members, ()))?;
        Ok(each.mean(D::Minus2)?)
    }
}
