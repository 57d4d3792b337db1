//! Embeddings of numbers as statements.

use std::fmt::Write;

use super::helpers::{Helper, Helpers};
use super::limits::beyond;
use super::weights::Constants;
use crate::error::Result;
use crate::export::model::TrainedModel;
use crate::nn::{Activation, NumericalOp};

/// The columns of a row that are embedded, and those that follow their embeddings.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) places: &'a [usize],
    pub(super) others: &'a [usize],
}

/// The buffers of a layer.
#[derive(Clone, Copy)]
pub(super) struct Buffers {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

/// A network's constants and functions.
pub(super) struct Parts<'a> {
    pub(super) constants: &'a mut Constants,
    pub(super) helpers: &'a mut Helpers,
    pub(super) model: &'a TrainedModel,
}

impl Parts<'_> {
    fn floats(&mut self, tensor: &str) -> Result<String> {
        Ok(self.constants.floats(tensor, &self.model.tensor(tensor)?.values))
    }

    /// The statements that embed some columns.
    ///
    /// # Errors
    /// An embedding that C source cannot have.
    pub(super) fn embed(
        &mut self,
        Columns { places, others }: Columns<'_>,
        embedding: &NumericalOp,
        Buffers { from, to }: Buffers,
    ) -> Result<String> {
        let NumericalOp::PiecewiseLinear { slopes, offsets, linear0, weight, bias, sizes, has_relu } =
            embedding
        else {
            return Err(beyond("model.numerical.name = \"periodic\""));
        };
        let ([features, bins, width], mut text) = (*sizes, String::new());
        let bias = bias.as_ref().map_or(Ok("0".to_owned()), |bias| self.floats(bias))?;
        let tables = [self.floats(slopes)?, self.floats(offsets)?, self.floats(weight)?].join(", ");
        let place = self.constants.places("numerical_places", places);
        self.helpers.add(Helper::PiecewiseLinear);
        let _ = writeln!(
            text,
            "    piecewise_linear({place}, {features}, {bins}, {width}, {tables}, {bias}, {from}, {to});"
        );
        if *has_relu {
            let relu = self.helpers.activation(Activation::Relu);
            self.helpers.add(Helper::Apply);
            let _ = writeln!(text, "    apply({relu}, {}, {to});", features * width);
        }
        if let Some(linear) = linear0 {
            text += &self.numbers([features, width], &place, linear, Buffers { from, to })?;
        }
        if !others.is_empty() {
            text += &self.others(others, features * width, Buffers { from, to });
        }
        Ok(text)
    }

    /// The statement that adds a linear embedding of each number; `place` is the array of its columns.
    fn numbers(
        &mut self,
        [features, width]: [usize; 2],
        place: &str,
        [weight, bias]: &[String; 2],
        Buffers { from, to }: Buffers,
    ) -> Result<String> {
        let (weight, bias) = (self.floats(weight)?, self.floats(bias)?);
        self.helpers.add(Helper::AddNumbers);
        Ok(format!("    add_numbers({place}, {features}, {width}, {weight}, {bias}, {from}, {to});\n"))
    }

    /// The statement that copies columns behind the first numbers of the value.
    fn others(&mut self, others: &[usize], start: usize, Buffers { from, to }: Buffers) -> String {
        let place = self.constants.places("other_places", others);
        self.helpers.add(Helper::Pick);
        format!("    pick({place}, {}, {from}, {to} + {start});\n", others.len())
    }
}
