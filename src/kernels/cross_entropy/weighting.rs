//! The weighting of a classification loss's rows.

use candle_core::{Result, Tensor};

/// The weighting of rows.
#[derive(Debug, Clone, Copy)]
pub struct Weighting<'a> {
    /// A weight for each class; none: 1 for all.
    pub class_weight: Option<&'a [f64]>,
    /// ε: this share of every target is spread over all classes.
    pub label_smoothing: f64,
    /// Rows with this target count for nothing.
    pub ignore_index: i64,
}

impl Weighting<'_> {
    pub(in crate::kernels) fn weight(&self, class: usize) -> f64 {
        self.class_weight.and_then(|weights| weights.get(class)).map_or(1.0, |w| *w)
    }

    /// The class of a target; `None` if the row is ignored.
    pub(super) fn class(&self, target: i64) -> Option<usize> {
        if target == self.ignore_index {
            return None;
        }
        usize::try_from(target).ok()
    }

    /// `Σ w_y` over the rows that count, what torch divides the mean by; each as often as its own weight says, (N) of F64.
    pub fn total(&self, targets: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
        let targets = targets.to_device(&candle_core::Device::Cpu)?.to_vec1::<i64>()?;
        let classes = targets.iter().map(|&y| self.class(y));
        let Some(rows) = rows else {
            return Ok(classes.flatten().map(|class| self.weight(class)).sum());
        };
        let rows = rows.to_device(&candle_core::Device::Cpu)?.to_vec1::<f64>()?;
        let weighted = classes.zip(rows).filter_map(|(class, row)| Some(row * self.weight(class?)));
        Ok(weighted.sum())
    }
}
