//! Rows of a data set, found where its numbers are.

use candle_core::Tensor;

/// The rows of an update.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    numbers: RowNumbers<'a>,
    targets: Tensor,
    /// The weight of each row, (N) of F64; `None`: they count alike.
    weights: Option<Tensor>,
}

/// The numbers of rows.
#[derive(Debug, Clone)]
pub(super) enum RowNumbers<'a> {
    /// For data that the host gathers.
    Host(&'a [u32]),
    /// For data that a device gathers: (N) of U32.
    Device(Tensor),
}

impl<'a> Selection<'a> {
    pub(super) fn new(numbers: RowNumbers<'a>, targets: Tensor) -> Self {
        Self { numbers, targets, weights: None }
    }

    pub(super) fn with_weights(self, weights: Option<Tensor>) -> Self {
        Self { weights, ..self }
    }

    pub(super) fn numbers(&self) -> &RowNumbers<'a> {
        &self.numbers
    }

    /// Targets that count as those of the rows do: classes, or of values, whose number alone counts, any.
    pub fn targets(&self) -> &Tensor {
        &self.targets
    }

    /// The weight of each row, (N) of F64; `None`: they count alike.
    pub fn weights(&self) -> Option<&Tensor> {
        self.weights.as_ref()
    }

    /// The numbers of the rows, where a device gathers them.
    pub fn on_device(&self) -> Option<&Tensor> {
        match &self.numbers {
            RowNumbers::Host(_) => None,
            RowNumbers::Device(numbers) => Some(numbers),
        }
    }

    /// The same rows, whose numbers the device finds in this tensor.
    pub fn with_numbers(&self, numbers: &Tensor) -> Self {
        let numbers = RowNumbers::Device(numbers.clone());
        Self { numbers, targets: self.targets.clone(), weights: self.weights.clone() }
    }
}
