//! The columns of a table as fields of a struct, and its names of categories as enumerations.

use super::names::{Names, identifier, part};
use crate::data::preprocess::{Categories, MissingName, Operation};
use crate::export::inputs::{CellKind, ColumnInput};

/// A column as a field.
pub(super) struct Field<'a> {
    pub(super) input: &'a ColumnInput<'a>,
    /// Its identifier.
    pub(super) name: String,
    /// The names, of a category.
    pub(super) names: Option<Enumeration<'a>>,
}

/// The names of a category as constants: 0 is a name that training has not seen, the others are counted from 1.
pub(super) struct Enumeration<'a> {
    pub(super) categories: &'a Categories,
    /// The type.
    pub(super) name: String,
    /// The constant of an unknown name.
    pub(super) unknown: String,
    /// The constants of the names.
    pub(super) constants: Vec<String>,
    /// The constant of a missing name, and its number, where one may be missing.
    pub(super) missing: Option<MissingConstant>,
}

/// The constant of a missing name.
pub(super) struct MissingConstant {
    pub(super) name: String,
    pub(super) number: usize,
}

/// What the header names besides, behind the prefix.
const OWN: [&str; 10] =
    ["input", "predict", "label", "labels", "classes", "words", "h", "inputs", "outputs", "steps"];

/// The fields of the columns of a model whose names begin with `prefix`.
pub(super) fn fields<'a>(columns: &'a [ColumnInput<'a>], prefix: &str) -> Vec<Field<'a>> {
    let (mut members, mut names) = (Names::default(), Names::default());
    for own in OWN {
        names.free(format!("{prefix}_{own}"));
    }
    let mut field = |input: &'a ColumnInput<'a>| {
        let name = members.unique(&input.column.name, "column");
        let categories = input.column.operations.iter().find_map(|operation| match operation {
            Operation::OneHot(names) | Operation::CategoryIndex { names, .. } => Some(names),
            _ => None,
        });
        let own = categories.map(|categories| Enumeration::new(categories, prefix, &name, &mut names));
        Field { input, name, names: own }
    };
    columns.iter().map(&mut field).collect()
}

impl<'a> Enumeration<'a> {
    fn new(categories: &'a Categories, prefix: &str, field: &str, names: &mut Names) -> Self {
        let name = names.free(format!("{prefix}_{field}"));
        let mut constant = |text: &str| {
            // Types and constants are told apart by their case, which `Names` does not see.
            let text = if text.is_empty() { "name" } else { text };
            names.free(format!("{prefix}_{field}_{text}")).to_ascii_uppercase()
        };
        let unknown = constant("unknown");
        let constants: Vec<String> = categories.names().iter().map(|name| constant(&part(name))).collect();
        let number = match categories.missing() {
            MissingName::Error => None,
            MissingName::Unknown => Some(0),
            MissingName::Own => Some(1 + categories.names().len()),
            MissingName::As(name) => {
                categories.names().iter().position(|own| own == name).map(|place| 1 + place)
            }
        };
        let missing = number.map(|number| MissingConstant { name: constant("missing"), number });
        Self { categories, name, unknown, constants, missing }
    }

    /// The constant of a cell of the test batch.
    pub(super) fn of(&self, cell: &str) -> &str {
        let known = self.categories.names().iter().position(|name| name == cell);
        match (known, &self.missing) {
            (Some(place), _) => &self.constants[place],
            (None, Some(missing)) if cell.is_empty() => &missing.name,
            (None, _) => &self.unknown,
        }
    }
}

impl Field<'_> {
    /// Its type in C.
    pub(super) fn kind(&self) -> &str {
        match (&self.names, self.input.kind) {
            (Some(names), _) => &names.name,
            (None, CellKind::Boolean) => "int",
            (None, _) => "double",
        }
    }
}

/// The prefix of a model's names: `name` as an identifier.
pub(super) fn prefix(name: &str) -> String {
    identifier(name, "model")
}
