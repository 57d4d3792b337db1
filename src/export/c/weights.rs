//! The constants of a C source.

use std::fmt::Write;

use super::names::Names;
use super::quantized::Quantized;
use super::text::{double, float, items};
use crate::error::Result;
use crate::export::model::Weights;

/// A matrix, and what is added to its product.
pub(super) struct Matrix<'a> {
    /// The tensor's name.
    pub(super) name: &'a str,
    /// (rows, columns)
    pub(super) weight: &'a Weights,
    /// A factor of each row, of a BatchNorm behind it; empty for none.
    pub(super) factor: &'a [f64],
    /// (rows); none of a table of vectors.
    pub(super) bias: Option<&'a [f32]>,
}

/// The constants so far.
#[derive(Default)]
pub(super) struct Constants {
    /// Whether matrices have 8 bits a weight.
    pub(super) is_int8: bool,
    /// The definitions.
    pub(super) text: String,
    /// Their size.
    pub(super) bytes: usize,
    names: Names,
}

impl Constants {
    /// No constants yet.
    pub(super) fn new(is_int8: bool) -> Self {
        let mut constants = Self { is_int8, ..Self::default() };
        // Names of the source, and of the C library.
        let reserved = [
            "main", "matrix", "encode", "rows", "expected", "labels", "linear", "embed", "apply", "pick",
            "gamma", "seconds", "second", "day", "weekday", "month", "circle", "last",
        ];
        for own in reserved {
            constants.names.unique(own, "layer");
        }
        constants
    }

    /// An array of f32; gives its name.
    pub(super) fn floats(&mut self, name: &str, values: &[f32]) -> String {
        self.bytes += values.len() * 4;
        self.array("float", name, values.len(), &items(values.iter().map(|value| float(*value))))
    }

    /// An array of f64; gives its name.
    pub(super) fn doubles(&mut self, name: &str, values: &[f64]) -> String {
        self.bytes += values.len() * 8;
        self.array("double", name, values.len(), &items(values.iter().map(|value| double(*value))))
    }

    /// An array of the places of numbers in a row; gives its name.
    pub(super) fn places(&mut self, name: &str, places: &[usize]) -> String {
        self.bytes += places.len() * 4;
        self.array("int", name, places.len(), &items(places.iter().map(usize::to_string)))
    }

    /// A matrix; gives its name.
    ///
    /// # Errors
    /// 8 bits a weight, and one that is not finite.
    pub(super) fn matrix(&mut self, matrix: &Matrix<'_>) -> Result<String> {
        let Matrix { name, weight, factor, bias } = matrix;
        let layer = name.replacen(".weight", "", 1);
        let (rows, columns) = (weight.shape[0], weight.shape[1]);
        let weights = if self.is_int8 {
            let Quantized { weights, mut scale } = Quantized::of(name, weight)?;
            for (scale, factor) in scale.iter_mut().zip(factor.iter()) {
                *scale = crate::export::fold::narrow(f64::from(*scale) * factor);
            }
            self.bytes += weights.len();
            let written = items(weights.iter().map(i8::to_string));
            let weights = self.array("int8_t", name, weights.len(), &written);
            let scale = self.floats(&format!("{layer}_scale"), &scale);
            format!("{weights}, {scale}")
        } else {
            self.floats(name, &weight.values)
        };
        let bias = bias.map_or("0".to_owned(), |bias| self.floats(&format!("{layer}_bias"), bias));
        let own = self.names.unique(&layer, "layer");
        let _ =
            writeln!(self.text, "static const matrix {own} = {{{rows}, {columns}, {weights}, {bias}}};\n");
        Ok(own)
    }

    fn array(&mut self, kind: &str, name: &str, length: usize, items: &str) -> String {
        let own = self.names.unique(name, "layer");
        let _ = writeln!(self.text, "static const {kind} {own}[{length}] = {{\n{items}}};\n");
        own
    }
}
