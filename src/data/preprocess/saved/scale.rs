//! A number's scale and what fills a missing one, as a run keeps them.

use serde::{Deserialize, Serialize};

use crate::data::preprocess::column::Operation;
use crate::data::preprocess::quantiles::Quantiles;

#[derive(Serialize, Deserialize)]
pub(super) struct SavedScale {
    pub(super) offset: f64,
    pub(super) scale: f64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) smooth_clip: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) quantiles: Option<Quantiles>,
    #[serde(flatten)]
    pub(super) filled: SavedFill,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct SavedFill {
    /// Left out: a missing cell is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fill: Option<f64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) indicator: bool,
}

impl SavedScale {
    pub(super) fn after(self, first: Operation) -> Vec<Operation> {
        let Self { offset, scale, smooth_clip, quantiles, filled: SavedFill { fill, indicator } } = self;
        let fill = fill.map(Operation::Impute);
        let indicator = indicator.then_some(Operation::MissingIndicator);
        let curve = smooth_clip.then_some(Operation::SmoothClip);
        let curve = curve.into_iter().chain(quantiles.map(Operation::QuantileToNormal));
        let scale = Operation::Scale { offset, scale };
        [first].into_iter().chain(fill).chain([scale]).chain(curve).chain(indicator).collect()
    }
}
