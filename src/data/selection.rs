//! Rows of a data set, found where its numbers are.

use candle_core::Tensor;

/// The rows of an update.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    numbers: RowNumbers<'a>,
    targets: Tensor,
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
        Self { numbers, targets }
    }

    pub(super) fn numbers(&self) -> &RowNumbers<'a> {
        &self.numbers
    }

    /// Targets that count as those of the rows do: classes, or of values, whose number alone counts, any.
    pub fn targets(&self) -> &Tensor {
        &self.targets
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
        Self { numbers: RowNumbers::Device(numbers.clone()), targets: self.targets.clone() }
    }
}
