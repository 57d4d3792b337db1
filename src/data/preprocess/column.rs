//! The preprocessing of one column of a table: a chain of operations from a cell to features.

use super::calendar::CalendarPart;
use super::categories::Categories;
use super::cell_error::CellError;
use super::features::Features;
use super::quantiles::Quantiles;
use crate::data::table::dates::{self, DateForm};
use crate::data::table::value::Value;
use crate::names::counted;
use crate::numbers::number;

/// One operation on a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// A cell to the number in it.
    Number,
    /// Yes to 1, no to 0.
    Boolean,
    /// A date or time of this form to days since 1970-01-01 UTC.
    DateToDays(DateForm),
    /// A date or time of this form to the sine and the cosine of its place on each of these circles; behind other operations
    /// on the date, as features behind its number.
    Calendar {
        /// The form.
        form: DateForm,
        /// The circles.
        parts: Vec<CalendarPart>,
    },
    /// A missing cell to this number.
    Impute(f64),
    /// `(x - offset) / scale`: standardised, min-max or robust, with the numbers fitted.
    Scale {
        /// Subtracted: a mean, a minimum or a median.
        offset: f64,
        /// Divided by: a standard deviation, a range or the distance of the quartiles.
        scale: f64,
    },
    /// A limit that is approached smoothly: [`smooth_clip`].
    SmoothClip,
    /// The number of the normal distribution with the same share of the training numbers below it.
    QuantileToNormal(Quantiles),
    /// A further feature after the number: 1 if the cell was missing, else 0.
    MissingIndicator,
    /// One-hot encoding: one feature per name, 1 for the cell's name and 0 for the others.
    OneHot(Categories),
    /// A name to its index from 1, for an embedding; 0 is unknown.
    CategoryIndex {
        /// The names.
        names: Categories,
        /// The length of a name's learnt vector.
        dimension: usize,
    },
}

/// A column and its operations.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// The operations on a cell, in order; none for an ignored column.
    pub operations: Vec<Operation>,
    /// Why the column is ignored, if it is.
    pub ignored: Option<String>,
}

impl Column {
    /// Whether its numbers are scaled as those of training, and far ones stay far.
    pub(crate) fn is_scaled_without_bound(&self) -> bool {
        let bounds = |operation: &Operation| {
            matches!(operation, Operation::SmoothClip | Operation::QuantileToNormal(_))
        };
        // The divisor is 1 without normalisation, and where training had no spread.
        let scales = |operation: &Operation| match operation {
            Operation::Scale { scale, .. } => scale.to_bits() != 1f64.to_bits(),
            _ => false,
        };
        self.operations.iter().any(scales) && !self.operations.iter().any(bounds)
    }

    /// A column that is not used.
    pub fn ignored(name: &str, why: String) -> Self {
        Self { name: name.to_owned(), operations: Vec::new(), ignored: Some(why) }
    }

    /// Appends the features of a cell; returns whether it is a category that training did not have.
    ///
    /// # Errors
    /// The cell does not fit the column.
    pub fn apply(&self, cell: Value<'_>, features: &mut Features) -> Result<bool, CellError> {
        let missing = cell == Value::Missing;
        if cell == Value::Nested && self.ignored.is_none() {
            return Err(CellError::Nested);
        }
        let (mut number, mut unscaled, mut indicator) = (None, None, false);
        for operation in &self.operations {
            match operation {
                Operation::Number | Operation::Boolean | Operation::DateToDays(_) => {
                    number = read(operation, cell)?;
                    unscaled = number;
                }
                Operation::Impute(fill) => {
                    number = number.or(Some(*fill));
                    unscaled = number;
                }
                Operation::Scale { offset, scale } => number = number.map(|x| (x - offset) / scale),
                Operation::SmoothClip => number = number.map(smooth_clip),
                Operation::QuantileToNormal(quantiles) => number = number.map(|x| quantiles.to_normal(x)),
                Operation::MissingIndicator => indicator = true,
                Operation::OneHot(names) => return features.push_one_hot(names, cell),
                Operation::CategoryIndex { names, .. } => return features.push_index(names, cell),
                Operation::Calendar { .. } if self.is_clock() => unscaled = read(operation, cell)?,
                Operation::Calendar { .. } => {}
            }
        }
        if self.ignored.is_none() && !self.is_clock() {
            features.dense.push(number.ok_or(CellError::Missing)?);
            if indicator {
                features.dense.push(f64::from(u8::from(missing)));
            }
        }
        if let Some(Operation::Calendar { form, parts }) = self.operations.last() {
            features.push_places(*form, parts, unscaled.ok_or(CellError::Missing)?)?;
        }
        Ok(false)
    }

    /// Whether places in the calendar are among its features.
    pub(crate) fn has_calendar(&self) -> bool {
        self.operations.iter().any(|operation| matches!(operation, Operation::Calendar { .. }))
    }

    /// Whether it is the time of a series, which is nothing but places in the calendar.
    pub(crate) fn is_clock(&self) -> bool {
        matches!(self.operations.first(), Some(Operation::Calendar { .. }))
    }

    /// The number of numeric features.
    pub fn dense_width(&self) -> usize {
        let of = |operation: &Operation| match operation {
            Operation::Number
            | Operation::Boolean
            | Operation::DateToDays(_)
            | Operation::MissingIndicator => 1,
            Operation::OneHot(names) => names.len(),
            Operation::Calendar { parts, .. } => 2 * parts.len(),
            Operation::Impute(_)
            | Operation::Scale { .. }
            | Operation::SmoothClip
            | Operation::QuantileToNormal(_)
            | Operation::CategoryIndex { .. } => 0,
        };
        self.operations.iter().map(of).sum()
    }

    /// The number of features that are indices of an embedding: 0 or 1.
    pub fn index_width(&self) -> usize {
        usize::from(
            self.operations.iter().any(|operation| matches!(operation, Operation::CategoryIndex { .. })),
        )
    }

    /// Whether its cells are names.
    pub fn has_names(&self) -> bool {
        let of_names = |operation: &Operation| {
            matches!(operation, Operation::OneHot(_) | Operation::CategoryIndex { .. })
        };
        self.operations.iter().any(of_names)
    }

    /// The names of the dense features, in order.
    pub(super) fn dense_names(&self) -> Vec<String> {
        let mut features = Vec::new();
        for operation in &self.operations {
            match operation {
                Operation::Number | Operation::Boolean | Operation::DateToDays(_) => {
                    features.push(self.name.clone());
                }
                Operation::MissingIndicator => features.push(format!("{} missing", self.name)),
                Operation::OneHot(names) => features.extend(names.feature_names(&self.name)),
                Operation::Calendar { parts, .. } => {
                    let name = |part: &CalendarPart| {
                        ["sin", "cos"].map(|of| format!("{} {} {of}", self.name, part.name()))
                    };
                    features.extend(parts.iter().flat_map(name));
                }
                Operation::Impute(_)
                | Operation::Scale { .. }
                | Operation::SmoothClip
                | Operation::QuantileToNormal(_)
                | Operation::CategoryIndex { .. } => {}
            }
        }
        features
    }

    fn is_date(&self) -> bool {
        matches!(self.operations.first(), Some(Operation::DateToDays(_)))
    }

    /// A description for people.
    pub fn describe(&self) -> String {
        if let Some(why) = &self.ignored {
            return format!("ignored: {why}");
        }
        let describe = |operation: &Operation| match operation {
            Operation::Impute(fill) if self.is_date() => {
                format!(", where missing {}", dates::written((fill * 86_400.0).round() / 86_400.0))
            }
            Operation::Number => "number".to_owned(),
            Operation::Boolean => "boolean".to_owned(),
            Operation::DateToDays(DateForm::Iso) => "date".to_owned(),
            Operation::DateToDays(form) => format!("date, {}", form.name()),
            Operation::Calendar { parts, .. } => {
                let names: Vec<&str> = parts.iter().map(|part| part.name()).collect();
                let lead = if self.is_clock() { "the time: " } else { "; " };
                format!("{lead}sine and cosine of {}", names.join(", "))
            }
            Operation::Impute(fill) => format!(", where missing {}", number(*fill)),
            Operation::Scale { .. } | Operation::SmoothClip | Operation::QuantileToNormal(_) => String::new(),
            Operation::MissingIndicator => ", and a column that says so".to_owned(),
            Operation::OneHot(names) => format!("category of {}: one-hot{}", names.len(), names.filled()),
            Operation::CategoryIndex { names, dimension } => {
                // One more for unknown names.
                let weights = counted((names.len() as u64 + 1) * *dimension as u64, "weight");
                let vectors = format!("learnt vectors of {dimension} ({weights})");
                format!("category of {}: {vectors}{}", names.len(), names.filled())
            }
        };
        self.operations.iter().map(describe).collect()
    }
}

/// The number within ±3: `x / √(1 + (x/3)²)`, `RealMLP`'s smooth clipping (Holzmüller et al. 2024,
/// <https://arxiv.org/abs/2407.04491>).
pub fn smooth_clip(x: f64) -> f64 {
    x / (1.0 + (x / 3.0).powi(2)).sqrt()
}

/// The number that [`smooth_clip`] maps to `y`, of which none beyond ±3 is one.
pub(super) fn smooth_unclip(y: f64) -> f64 {
    y / (1.0 - (y / 3.0).powi(2)).sqrt()
}

/// The number that an operation reads from a cell, if it reads one and the cell is not missing.
fn read(operation: &Operation, cell: Value<'_>) -> Result<Option<f64>, CellError> {
    let number = match operation {
        _ if cell == Value::Missing => return Ok(None),
        Operation::Number => {
            let read = cell.number().ok_or(CellError::NotNumber)?;
            Some(read).filter(|x| x.is_finite()).ok_or(CellError::NotFinite)?
        }
        Operation::Boolean => f64::from(u8::from(yes(cell).ok_or(CellError::NotBoolean)?)),
        Operation::DateToDays(form) | Operation::Calendar { form, .. } => {
            cell.date(*form).ok_or(CellError::NotDate(*form))?
        }
        _ => return Ok(None),
    };
    Ok(Some(number))
}

/// Yes or no, also as 1 and 0.
#[allow(clippy::float_cmp, reason = "0 and 1 exactly")]
fn yes(value: Value<'_>) -> Option<bool> {
    value.boolean().or_else(|| value.number().filter(|x| *x == 0.0 || *x == 1.0).map(|x| x == 1.0))
}
