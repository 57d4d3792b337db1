//! Preprocessing fitted on the training rows, as data: a list of steps that are applied to other rows, saved as a run's
//! `data.toml`, and described.

mod calendar;
mod categories;
mod cell_error;
mod column;
mod element_range;
mod elements;
mod feature_rows;
mod features;
mod name_rule;
mod normalize;
mod quantiles;
mod saved;
mod series;
mod step;
mod table;
mod target;
mod target_fit;
mod target_scale;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Decision;
use super::subtract_last::SubtractLast;
use super::table::read::{Dialect, Format, MissingCells};
use super::units::Units;
use crate::error::{Error, Result};

pub use calendar::CalendarPart;
pub use categories::{Categories, MissingName};
pub use cell_error::CellError;
pub use column::{Column, Operation, smooth_clip};
pub use elements::Elements;
pub(crate) use elements::{ScaledInputs, makes_zero};
pub use features::Features;
pub use name_rule::NameRule;
pub use normalize::Normalize;
pub use quantiles::Quantiles;
pub use series::{CalendarStep, Fill, MonthDay, SeriesOrder};
pub use step::Step;
pub use table::{EmbeddingSize, PastTarget, TableEncoder};
pub use target::Target;
pub(in crate::data) use target_fit::{TargetFit, TrainingValues};
pub use target_scale::{TargetCurve, TargetScale, TargetTransform};

/// Preprocessing fitted on the training rows, and the shape of the rows that it makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessing {
    /// The shape of a row as the network reads it: `[F]` or `[T, F]`.
    pub row: Vec<usize>,
    /// The number of classes, or of values.
    pub outputs: usize,
    /// The version of the rules that split the rows: [`super::split::RULES`] of the run.
    pub split_rules: u32,
    /// The decision between two classes, if `data.threshold` sets a threshold or one was chosen on the validation rows.
    pub decision: Option<Decision>,
    /// The data that the steps are applied to.
    pub source: PreprocessingSource,
}

/// The data that preprocessing is applied to.
#[derive(Debug, Clone, PartialEq)]
pub enum PreprocessingSource {
    /// The rows of a table.
    Table {
        /// The format of its file.
        format: TableFormat,
        /// The steps.
        encoder: TableEncoder,
    },
    /// Windows of the rows of a table.
    Series {
        /// The format of its file.
        format: TableFormat,
        /// The rows that a prediction is made from.
        window: usize,
        /// The rows after the window that are predicted, counted from 1, in order.
        steps: Vec<usize>,
        /// Whether a window is read without its last values, and targets are their changes since.
        subtract_last: bool,
        /// The order of its rows.
        order: SeriesOrder,
        /// The steps.
        encoder: TableEncoder,
    },
    /// Pictures.
    Images {
        /// Their height in pixels.
        height: usize,
        /// Their width in pixels.
        width: usize,
        /// 1 of grey, 3 of coloured pictures.
        channels: usize,
        /// The names of the classes.
        classes: Vec<String>,
        /// The step.
        elements: Step,
    },
    /// Arrays of numbers or bytes.
    Arrays {
        /// The step.
        elements: Step,
        /// From targets to the values that the network learns, where these are others.
        target: Option<TargetScale>,
    },
}

/// The rules by which the text of a table becomes cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableFormat {
    /// The format of its file.
    pub format: Format,
    /// The dialect of its cells.
    #[serde(flatten)]
    pub dialect: Dialect,
}

impl Preprocessing {
    /// Reads `data.toml`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        let read: Self = toml::from_str(&text).map_err(|e| Error::data(path, e.message().to_owned()))?;
        read.check()
            .map_err(|problem| Error::data(path, format!("{problem}; it was changed: train again")))?;
        Ok(read)
    }

    /// Checks that the parts fit together.
    fn check(&self) -> Result<(), String> {
        let width: usize = self.row.iter().product();
        let (features, outputs) = match &self.source {
            PreprocessingSource::Table { encoder, .. } => (encoder.features(), encoder.target.outputs()),
            PreprocessingSource::Series { encoder, window, steps, order, .. } => {
                order.check()?;
                if steps.is_empty() || steps[0] == 0 || steps.windows(2).any(|pair| pair[0] >= pair[1]) {
                    return Err(format!("it predicts the rows {steps:?} after a window"));
                }
                let outputs = encoder.target.outputs().saturating_mul(steps.len());
                (encoder.features().saturating_mul(*window), outputs)
            }
            PreprocessingSource::Images { height, width, channels, classes, .. } => {
                (height.saturating_mul(*width).saturating_mul(*channels), classes.len())
            }
            PreprocessingSource::Arrays { .. } => (width, self.outputs),
        };
        if (features, outputs) == (width, self.outputs) {
            return Ok(());
        }
        Err(format!(
            "it has {features} features and {outputs} outputs, and says {width} and {}",
            self.outputs
        ))
    }

    /// As `data.toml` has it.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::Config(e.to_string()))
    }

    /// The steps from a row of the source to the network's inputs: one per column of a table, one for arrays and
    /// pictures.
    pub fn steps(&self) -> &[Step] {
        match &self.source {
            PreprocessingSource::Table { encoder, .. } | PreprocessingSource::Series { encoder, .. } => {
                encoder.steps()
            }
            PreprocessingSource::Images { elements, .. } | PreprocessingSource::Arrays { elements, .. } => {
                std::slice::from_ref(elements)
            }
        }
    }

    /// The steps of a table.
    pub fn table(&self) -> Option<&TableEncoder> {
        match &self.source {
            PreprocessingSource::Table { encoder, .. } | PreprocessingSource::Series { encoder, .. } => {
                Some(encoder)
            }
            PreprocessingSource::Images { .. } | PreprocessingSource::Arrays { .. } => None,
        }
    }

    /// The step of pictures and arrays.
    pub fn elements(&self) -> Option<&Elements> {
        self.steps().iter().find_map(|step| match step {
            Step::Elements(elements) => Some(elements),
            Step::Column(_) => None,
        })
    }

    /// From the targets of each output to the values that the network learns, if these are others.
    pub fn target_scale(&self) -> Option<TargetScale> {
        let scale = match &self.source {
            PreprocessingSource::Table { encoder, .. } | PreprocessingSource::Series { encoder, .. } => {
                match &encoder.target {
                    Target::Values { scale, .. } => Some(scale),
                    _ => None,
                }
            }
            PreprocessingSource::Arrays { target, .. } => target.as_ref(),
            PreprocessingSource::Images { .. } => None,
        }?;
        // The last value stands for the mean.
        let mean = if self.subtracts_last() { vec![0.0; scale.mean.len()] } else { scale.mean.clone() };
        let is_needed = self.subtracts_last() || !scale.is_identity();
        is_needed.then(|| TargetScale { mean, ..scale.clone() }.repeat(self.horizon().len()))
    }

    /// The transformation of predictions back to the targets' own units, if they were learnt in others.
    pub fn units(&self) -> Option<Units> {
        self.target_scale().map(Units::new)
    }

    fn subtracts_last(&self) -> bool {
        matches!(self.source, PreprocessingSource::Series { subtract_last: true, .. })
    }

    /// The values subtracted from the windows of a series, if `data.subtract_last` asks for it.
    pub(crate) fn subtract_last(&self) -> Option<SubtractLast> {
        self.table().filter(|_| self.subtracts_last()).and_then(SubtractLast::of)
    }

    /// The rows after a window that are predicted, of a series; of any other row itself.
    pub fn horizon(&self) -> &[usize] {
        match &self.source {
            PreprocessingSource::Series { steps, .. } => steps,
            _ => &[1],
        }
    }

    /// The dialect of a table's text, where rows come from a table.
    pub fn dialect(&self) -> Option<&Dialect> {
        match &self.source {
            PreprocessingSource::Table { format, .. } | PreprocessingSource::Series { format, .. } => {
                Some(&format.dialect)
            }
            PreprocessingSource::Images { .. } | PreprocessingSource::Arrays { .. } => None,
        }
    }

    /// The words and numbers that stand for a missing cell in a column of a table.
    pub fn missing_cells(&self, column: &str) -> MissingCells {
        self.dialect().map(|dialect| dialect.missing_cells(column)).unwrap_or_default()
    }

    /// The names of the classes, where they have some.
    pub fn class_names(&self) -> Option<&[String]> {
        match &self.source {
            PreprocessingSource::Images { classes, .. } => Some(classes),
            _ => self.table()?.target.class_names(),
        }
    }
}
