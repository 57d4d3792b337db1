//! `data.toml`: preprocessing as a run keeps it. Runs of every version are read.

mod horizon;
mod scale;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::horizon::SavedHorizon;
use self::scale::{SavedFill, SavedScale};
use super::calendar::CalendarPart;
use super::categories::{Categories, MissingName};
use super::column::{Column, Operation};
use super::series::SeriesOrder;
use super::step::Step;
use super::target::Target;
use super::target_scale::TargetScale;
use super::{Elements, NameRule, Preprocessing, PreprocessingSource, TableEncoder, TableFormat};
use crate::data::Decision;
use crate::data::table::dates::DateForm;

/// The whole file.
#[derive(Serialize, Deserialize)]
struct SavedPreprocessing {
    row: Vec<usize>,
    outputs: usize,
    /// Left out: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    split_rules: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    how: SavedSource,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "lowercase")]
enum SavedSource {
    Table {
        table: TableFormat,
        recipe: SavedTable,
    },
    Series {
        table: TableFormat,
        window: usize,
        horizon: SavedHorizon,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        subtract_last: bool,
        #[serde(default, skip_serializing_if = "SeriesOrder::is_plain")]
        order: SeriesOrder,
        recipe: SavedTable,
    },
    Images {
        height: usize,
        width: usize,
        channels: usize,
        classes: Vec<String>,
        transform: Elements,
    },
    Arrays {
        transform: Elements,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<TargetScale>,
    },
}

#[derive(Serialize, Deserialize)]
struct SavedTable {
    target: Target,
    /// Left out: by the rule of the first version.
    #[serde(default = "first_rule", skip_serializing_if = "is_first_rule")]
    names: NameRule,
    columns: Vec<SavedColumn>,
}

fn first_rule() -> NameRule {
    NameRule::Number
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_first_rule(rule: &NameRule) -> bool {
    *rule == first_rule()
}

#[derive(Serialize, Deserialize)]
struct SavedColumn {
    name: String,
    #[serde(flatten)]
    encoding: Encoding,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Encoding {
    Number(SavedScale),
    Boolean(SavedFill),
    Date {
        #[serde(flatten)]
        scaled: SavedScale,
        #[serde(default, skip_serializing_if = "is_iso")]
        form: DateForm,
        /// Further features.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calendar: Vec<CalendarPart>,
    },
    /// The time of a series, as places on circles.
    Calendar {
        #[serde(default, skip_serializing_if = "is_iso")]
        form: DateForm,
        parts: Vec<CalendarPart>,
    },
    Category(SavedNames),
    Embedding {
        #[serde(flatten)]
        named: SavedNames,
        dimension: usize,
    },
    Ignore {
        why: String,
    },
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_iso(form: &DateForm) -> bool {
    *form == DateForm::Iso
}

#[derive(Serialize, Deserialize)]
struct SavedNames {
    categories: Vec<String>,
    #[serde(default)]
    missing: MissingName,
}

impl Serialize for Preprocessing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedPreprocessing::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Preprocessing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SavedPreprocessing::deserialize(deserializer).map(Self::from)
    }
}

impl From<SavedPreprocessing> for Preprocessing {
    fn from(SavedPreprocessing { row, outputs, split_rules, decision, how }: SavedPreprocessing) -> Self {
        let source = match how {
            SavedSource::Table { table, recipe } => {
                PreprocessingSource::Table { format: table, encoder: recipe.into() }
            }
            SavedSource::Series { table, window, horizon, subtract_last, order, recipe } => {
                let (steps, encoder) = (horizon.into(), recipe.into());
                PreprocessingSource::Series { format: table, window, steps, subtract_last, order, encoder }
            }
            SavedSource::Images { height, width, channels, classes, transform } => {
                let elements = Step::Elements(transform);
                PreprocessingSource::Images { height, width, channels, classes, elements }
            }
            SavedSource::Arrays { transform, target } => {
                PreprocessingSource::Arrays { elements: Step::Elements(transform), target }
            }
        };
        Self { row, outputs, split_rules: split_rules.unwrap_or(1), decision, source }
    }
}

impl From<Preprocessing> for SavedPreprocessing {
    fn from(preprocessing: Preprocessing) -> Self {
        let transform = preprocessing.elements().cloned().unwrap_or_else(|| Elements::affine(1.0, 0.0));
        let Preprocessing { row, outputs, split_rules, decision, source } = preprocessing;
        let how = match source {
            PreprocessingSource::Table { format, encoder } => {
                SavedSource::Table { table: format, recipe: (&encoder).into() }
            }
            PreprocessingSource::Series { format, window, steps, subtract_last, order, encoder } => {
                let (horizon, recipe) = (steps.into(), (&encoder).into());
                SavedSource::Series { table: format, window, horizon, subtract_last, order, recipe }
            }
            PreprocessingSource::Images { height, width, channels, classes, .. } => {
                SavedSource::Images { height, width, channels, classes, transform }
            }
            PreprocessingSource::Arrays { target, .. } => SavedSource::Arrays { transform, target },
        };
        Self { row, outputs, split_rules: (split_rules > 1).then_some(split_rules), decision, how }
    }
}

impl From<SavedTable> for TableEncoder {
    fn from(SavedTable { target, names, columns }: SavedTable) -> Self {
        let columns = columns.into_iter().map(|saved| saved.column(names));
        let mut encoder = Self::new(target, columns.collect());
        encoder.names = names;
        encoder
    }
}

impl From<&TableEncoder> for SavedTable {
    fn from(encoder: &TableEncoder) -> Self {
        let columns = encoder.columns().map(SavedColumn::from).collect();
        Self { target: encoder.target.clone(), names: encoder.names, columns }
    }
}

impl SavedColumn {
    /// The column, whose cells are named by this rule.
    fn column(self, rule: NameRule) -> Column {
        let Self { name, encoding } = self;
        let names = |saved: SavedNames| Categories::new(saved.categories, saved.missing).with_rule(rule);
        let operations = match encoding {
            Encoding::Ignore { why } => return Column::ignored(&name, why),
            Encoding::Number(scaled) => scaled.after(Operation::Number),
            Encoding::Date { scaled, form, calendar } => {
                let mut operations = scaled.after(Operation::DateToDays(form));
                operations
                    .extend((!calendar.is_empty()).then_some(Operation::Calendar { form, parts: calendar }));
                operations
            }
            Encoding::Boolean(filled) => {
                let SavedFill { fill, indicator } = filled;
                let indicator = indicator.then_some(Operation::MissingIndicator);
                [Operation::Boolean].into_iter().chain(fill.map(Operation::Impute)).chain(indicator).collect()
            }
            Encoding::Calendar { form, parts } => vec![Operation::Calendar { form, parts }],
            Encoding::Category(saved) => vec![Operation::OneHot(names(saved))],
            Encoding::Embedding { named, dimension } => {
                vec![Operation::CategoryIndex { names: names(named), dimension }]
            }
        };
        Column { name, operations, ignored: None }
    }
}

impl From<&Column> for SavedColumn {
    fn from(column: &Column) -> Self {
        let saved = |names: &Categories| SavedNames {
            categories: names.names().to_vec(),
            missing: names.missing().clone(),
        };
        let (mut filled, mut scale, mut encoding) = (SavedFill::default(), (0.0, 1.0), None);
        let (mut first, mut smooth_clip, mut quantiles) = (None, false, None);
        let mut calendar = Vec::new();
        for operation in &column.operations {
            match operation {
                Operation::Number | Operation::Boolean | Operation::DateToDays(_) => first = Some(operation),
                Operation::Impute(fill) => filled.fill = Some(*fill),
                Operation::Scale { offset, scale: by } => scale = (*offset, *by),
                Operation::SmoothClip => smooth_clip = true,
                Operation::QuantileToNormal(own) => quantiles = Some(own.clone()),
                Operation::MissingIndicator => filled.indicator = true,
                Operation::OneHot(names) => encoding = Some(Encoding::Category(saved(names))),
                Operation::Calendar { parts, .. } if first.is_some() => calendar.clone_from(parts),
                Operation::Calendar { form, parts } => {
                    encoding = Some(Encoding::Calendar { form: *form, parts: parts.clone() });
                }
                Operation::CategoryIndex { names, dimension } => {
                    encoding = Some(Encoding::Embedding { named: saved(names), dimension: *dimension });
                }
            }
        }
        let scaled = |filled| SavedScale { offset: scale.0, scale: scale.1, smooth_clip, quantiles, filled };
        let encoding = encoding.unwrap_or_else(|| match first {
            Some(Operation::Number) => Encoding::Number(scaled(filled)),
            Some(Operation::DateToDays(form)) => {
                Encoding::Date { scaled: scaled(filled), form: *form, calendar }
            }
            Some(_) => Encoding::Boolean(filled),
            None => Encoding::Ignore { why: column.ignored.clone().unwrap_or_default() },
        });
        Self { name: column.name.clone(), encoding }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `data.toml` of a run of version 0.1.0 on a table with a column of each kind.
    const OLD: &str = include_str!("../../../tests/tables/run-0.1.0/data.toml");

    #[test]
    fn a_file_of_the_first_version_is_read_and_written_alike() {
        let read: Preprocessing = toml::from_str(OLD).unwrap();
        assert_eq!(read.table().unwrap().names, NameRule::Number);
        let again = read.to_toml().unwrap();
        assert_eq!(
            toml::from_str::<toml::Table>(&again).unwrap(),
            toml::from_str::<toml::Table>(OLD).unwrap()
        );
        assert_eq!(toml::from_str::<Preprocessing>(&again).unwrap(), read);
    }
}
