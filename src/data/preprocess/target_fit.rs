//! Fits the transformation of numeric targets to the training rows.

use super::quantiles::Quantiles;
use super::target_scale::{TargetCurve, TargetScale, TargetTransform};
use crate::data::table::moments::Moments;

/// The options of a transformation.
#[derive(Debug, Clone, Copy)]
pub(in crate::data) struct TargetFit {
    /// The transformation that the config names.
    pub(in crate::data) transform: Option<TargetTransform>,
    /// Whether values are standardised.
    pub(in crate::data) standardize: bool,
    /// Whether predictions stay within the range of the training rows.
    pub(in crate::data) clamp: bool,
}

/// The training values of a target.
pub(in crate::data) struct TrainingValues {
    pub(in crate::data) moments: Moments,
    /// In order; may be left empty unless [`TargetFit::needs_numbers`].
    pub(in crate::data) sorted: Vec<f64>,
}

impl TargetFit {
    /// Whether the numbers themselves are needed besides their moments.
    pub(in crate::data) fn needs_numbers(self) -> bool {
        matches!(self.transform, Some(TargetTransform::Log1p | TargetTransform::Quantile))
    }

    /// The problem with rows that count differently, if there is one.
    pub(in crate::data) fn problem_with_weights(self) -> Option<&'static str> {
        self.needs_numbers()
            .then_some("is for rows that count alike; with weights of rows set it to \"standard\"")
    }

    /// The problem with a target whose smallest training value is `min`, if there is one.
    pub(in crate::data) fn problem(self, min: f64) -> Option<String> {
        (self.transform == Some(TargetTransform::Log1p) && min <= -1.0).then(|| {
            format!(
                "its smallest training value is {min}, and `data.target_transform = \"log1p\"` takes numbers greater than -1; \
                 set it to \"quantile\" or \"standard\""
            )
        })
    }

    /// Fits the transformation.
    pub(in crate::data) fn fit(self, targets: &[TrainingValues]) -> TargetScale {
        let range = if self.clamp {
            targets.iter().map(|values| [values.moments.min, values.moments.max]).collect()
        } else {
            Vec::new()
        };
        let scale = TargetScale { range, ..TargetScale::identity(targets.len()) };
        match self.transform {
            Some(TargetTransform::Quantile) => {
                let all = targets.iter().map(|values| Quantiles::fit(&values.sorted));
                TargetScale { curve: TargetCurve::Quantile(all.collect()), ..scale }
            }
            Some(TargetTransform::Log1p) => {
                let moments =
                    targets.iter().map(|values| Moments::of(values.sorted.iter().map(|y| y.ln_1p())));
                self.standardized(TargetScale { curve: TargetCurve::Log1p, ..scale }, moments)
            }
            Some(TargetTransform::Standard) | None => {
                self.standardized(scale, targets.iter().map(|values| values.moments))
            }
        }
    }

    /// The scale for values with these moments on its curve.
    fn standardized(self, scale: TargetScale, moments: impl Iterator<Item = Moments>) -> TargetScale {
        if !self.standardize {
            return scale;
        }
        let (mean, std) = moments.map(|moments| (moments.mean, moments.std())).unzip();
        TargetScale { mean, std, ..scale }
    }
}
