//! What is said of a row.

use crate::data::preprocess::Target;
use crate::data::{Preprocessing, Task};

/// The columns of the output, and how numbers become them.
pub(super) enum Answers {
    /// The most probable class and the probability of each.
    Classes {
        names: Vec<String>,
        /// Whether the names are whole numbers.
        numbers: bool,
    },
    /// Values.
    Values {
        columns: Vec<String>,
        /// For each of them the decimal places that the network's 32 bits give in its own units.
        places: Option<Vec<i32>>,
    },
    /// For each question the more probable answer, and the probability of yes.
    Labels { columns: Vec<String>, words: Vec<[String; 2]> },
}

/// One cell of the output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Number(f64),
    /// What 32 bits say.
    Single(f32),
    Missing,
}

impl Answers {
    pub(super) fn new(preprocessing: &Preprocessing, want: Task) -> Self {
        let targets = preprocessing.table().map(|encoder| &encoder.target);
        let names = targets.map(|target| target.names().to_vec()).unwrap_or_default();
        let numbered = |prefix: &str| -> Vec<String> {
            match (preprocessing.outputs, names.len()) {
                (1, _) => vec![prefix.to_owned()],
                (count, named) if count == named => {
                    names.iter().map(|name| format!("{prefix}_{name}")).collect()
                }
                (count, _) => (0..count).map(|index| format!("{prefix}_{index}")).collect(),
            }
        };
        match want {
            Task::Classes { .. } => {
                let named = preprocessing.class_names().map(<[String]>::to_vec);
                let names = named
                    .unwrap_or_else(|| (0..preprocessing.outputs).map(|class| class.to_string()).collect());
                let numbers =
                    names.iter().all(|name| name.parse::<i64>().is_ok_and(|n| n.to_string() == *name));
                Self::Classes { names, numbers }
            }
            Task::Values => {
                let places = match targets {
                    Some(target @ Target::Values { std, .. }) if target.is_standardized() => {
                        Some(std.iter().map(|std| places(*std)).collect())
                    }
                    _ => None,
                };
                Self::Values { columns: numbered("prediction"), places }
            }
            Task::Labels => {
                let words = match targets {
                    Some(Target::Labels { words, .. }) => words.clone(),
                    _ => vec![["0".to_owned(), "1".to_owned()]; preprocessing.outputs],
                };
                let columns = numbered("prediction").into_iter().zip(numbered("probability"));
                Self::Labels { columns: columns.flat_map(|(said, sure)| [said, sure]).collect(), words }
            }
        }
    }

    /// The header: `prediction` first.
    pub(super) fn columns(&self) -> Vec<String> {
        match self {
            Self::Classes { names, .. } => {
                let probabilities = names.iter().map(|name| format!("probability_{name}"));
                std::iter::once("prediction".to_owned()).chain(probabilities).collect()
            }
            Self::Values { columns, .. } | Self::Labels { columns, .. } => columns.clone(),
        }
    }

    /// Whether a column holds texts.
    pub(super) fn is_text(&self, column: usize) -> bool {
        match self {
            Self::Classes { numbers, .. } => column == 0 && !numbers,
            Self::Values { .. } => false,
            Self::Labels { words, .. } => {
                column.is_multiple_of(2) && words[column / 2].iter().any(|word| word.parse::<f64>().is_err())
            }
        }
    }

    /// The cells of a row of which the network says this.
    pub(super) fn cells<'a>(&'a self, said: &[f64], cells: &mut Vec<Cell<'a>>) {
        cells.clear();
        match self {
            Self::Classes { names, numbers } => {
                // Of equal probabilities the first, as in argmax.
                let first = |best: usize, class: usize| if said[class] > said[best] { class } else { best };
                let name = names.get((0..said.len()).fold(0, first)).map_or("", String::as_str);
                cells.push(word(name, *numbers));
                cells.extend(said.iter().map(|probability| single(*probability)));
            }
            Self::Values { places: None, .. } => cells.extend(said.iter().map(|value| single(*value))),
            Self::Values { places: Some(places), .. } => {
                let rounded = |(value, places): (&f64, &i32)| {
                    let unit = 10f64.powi(*places);
                    Cell::Number((value * unit).round() / unit)
                };
                cells.extend(said.iter().zip(places).map(rounded));
            }
            Self::Labels { words, .. } => {
                for (place, (probability, [no, yes])) in said.iter().zip(words).enumerate() {
                    let answer = if *probability > 0.5 { yes } else { no };
                    cells.extend([word(answer, !self.is_text(2 * place)), single(*probability)]);
                }
            }
        }
    }
}

/// The decimal places of numbers that are known to seven digits of this unit; few enough that they change no other.
#[allow(clippy::cast_possible_truncation, reason = "a small number")]
fn places(unit: f64) -> i32 {
    (7.0 - unit.log10().ceil()).clamp(0.0, 300.0) as i32
}

/// A number that came from 32 bits.
#[allow(clippy::cast_possible_truncation, reason = "it came from an f32")]
fn single(number: f64) -> Cell<'static> {
    Cell::Single(number as f32)
}

fn word(name: &str, number: bool) -> Cell<'_> {
    match name.parse() {
        Ok(value) if number => Cell::Number(value),
        _ => Cell::Text(name),
    }
}
