//! The columns of predictions, and how scores become their cells.

use crate::data::preprocess::{TableEncoder, Target};
use crate::data::{Decision, Preprocessing, Task};

/// The columns of predictions.
#[derive(Debug, Clone)]
pub(crate) enum Columns {
    /// The most probable class, and the probability of each.
    Classes {
        names: Vec<String>,
        /// Whether the names are whole numbers, and not text in the training file.
        numbers: bool,
        decision: Option<Decision>,
    },
    /// Values.
    Values {
        columns: Vec<String>,
        /// For each the decimal places that 32 bits give in its own units.
        places: Option<Vec<i32>>,
    },
    /// For each of several labels the more probable word, and the probability of the second.
    Labels { columns: Vec<String>, words: Vec<[String; 2]> },
}

/// A cell of a prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// The name of a class, or the word for a label.
    Text(&'a str),
    /// A whole number of the input, as a row's key.
    Integer(i64),
    /// A number of a JSON file, as a row's key: its text, and the nearest double.
    Written(&'a str, f64),
    /// A class whose name is a number, or a value in the target's own units.
    Number(f64),
    /// A probability, or a value that the network gave in 32 bits.
    Single(f32),
    /// Nothing: the row has no whole window of a series before it.
    Missing,
}

impl<'a> Cell<'a> {
    /// The cell as text, where it is one.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Written(text, _) => Some(text),
            _ => None,
        }
    }

    /// The cell as a number, where it is one.
    pub fn number(self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "the nearest number")]
            Self::Integer(number) => Some(number as f64),
            Self::Number(number) | Self::Written(_, number) => Some(number),
            Self::Single(number) => Some(f64::from(number)),
            Self::Text(_) | Self::Missing => None,
        }
    }
}

impl Columns {
    pub(super) fn new(preprocessing: &Preprocessing, task: Task, more: &[&str]) -> Self {
        Self::of_steps(preprocessing, task, more, preprocessing.horizon())
    }

    /// The columns of a series whose lines have one of the predicted steps each.
    pub(super) fn of_one_step(preprocessing: &Preprocessing, task: Task, more: &[&str]) -> Self {
        Self::of_steps(preprocessing, task, more, &[1])
    }

    fn of_steps(preprocessing: &Preprocessing, task: Task, more: &[&str], steps: &[usize]) -> Self {
        let targets = preprocessing.table().map(|encoder| &encoder.target);
        let names = targets.map(|target| target.names().to_vec()).unwrap_or_default();
        let each = preprocessing.outputs / preprocessing.horizon().len().max(1);
        let numbered = |prefix: &str| -> Vec<String> {
            let of_step = match (each, names.len()) {
                (1, _) => vec![prefix.to_owned()],
                (count, named) if count == named => {
                    names.iter().map(|name| format!("{prefix}_{name}")).collect()
                }
                (count, _) => (0..count).map(|index| format!("{prefix}_{index}")).collect(),
            };
            match steps {
                [_] => of_step,
                _ => steps
                    .iter()
                    .flat_map(|step| of_step.iter().map(move |name| format!("{name}_{step}")))
                    .collect(),
            }
        };
        match task {
            Task::Classes { .. } => Self::of_classes(preprocessing, preprocessing.outputs),
            Task::Labels if preprocessing.outputs == 1 => Self::of_classes(preprocessing, 2),
            Task::Values => {
                // On a curve the deviation is in other units.
                let scale = preprocessing
                    .target_scale()
                    .filter(|scale| scale.curve.is_identity() && scale.is_standardized());
                let places = scale
                    .map(|scale| scale.std.iter().take(each).map(|std| places(*std)).collect::<Vec<_>>());
                // Behind the values are their standard deviations, where the loss learns them, and the bounds of intervals.
                let prefixes = [&["prediction"], more].concat();
                Self::Values {
                    columns: prefixes.iter().flat_map(|prefix| numbered(prefix)).collect(),
                    places: places.map(|places| places.repeat(steps.len() * prefixes.len())),
                }
            }
            Task::Labels => Self::of_labels(preprocessing, &numbered("prediction"), &numbered("probability")),
        }
    }

    fn of_labels(preprocessing: &Preprocessing, predictions: &[String], probabilities: &[String]) -> Self {
        let words = match preprocessing.table().map(|encoder| &encoder.target) {
            Some(Target::Labels { words, .. }) => words.clone(),
            _ => vec![["0".to_owned(), "1".to_owned()]; preprocessing.outputs],
        };
        let columns = predictions.iter().zip(probabilities);
        let columns = columns.flat_map(|(prediction, probability)| [prediction.clone(), probability.clone()]);
        Self::Labels { columns: columns.collect(), words }
    }

    fn of_classes(preprocessing: &Preprocessing, count: usize) -> Self {
        let named = preprocessing.class_names().map(<[String]>::to_vec);
        let names = named.unwrap_or_else(|| (0..count).map(|class| class.to_string()).collect());
        // Others are written as text: an f64 does not tell them apart.
        let is_exact = |n: i64| n.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS;
        let is_number =
            |name: &String| name.parse().is_ok_and(|n: i64| is_exact(n) && n.to_string() == *name);
        let is_text = |encoder: &TableEncoder| encoder.target.has_text_classes();
        let numbers = names.iter().all(is_number) && !preprocessing.table().is_some_and(is_text);
        Self::Classes { names, numbers, decision: preprocessing.decision }
    }

    /// Their names, `prediction` first.
    pub(super) fn names(&self) -> Vec<String> {
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

    /// Replaces `cells` by those of a row with these scores.
    pub(crate) fn cells<'a>(&'a self, scores: &[f64], cells: &mut Vec<Cell<'a>>) {
        cells.clear();
        match self {
            Self::Classes { names, numbers, decision } => {
                // The network has one output, the probability of the second class, or one for each class.
                let pair;
                let scores = match scores {
                    [second] if names.len() == 2 => {
                        pair = [1.0 - second, *second];
                        &pair
                    }
                    all => all,
                };
                let name = names.get(Decision::predicted(*decision, scores)).map_or("", String::as_str);
                cells.push(word(name, *numbers));
                cells.extend(scores.iter().map(|probability| single(*probability)));
            }
            Self::Values { places: None, .. } => cells.extend(scores.iter().map(|value| single(*value))),
            Self::Values { places: Some(places), .. } => {
                let rounded = |(value, places): (&f64, &i32)| {
                    let unit = 10f64.powi(*places);
                    Cell::Number((value * unit).round() / unit)
                };
                cells.extend(scores.iter().zip(places).map(rounded));
            }
            Self::Labels { words, .. } => {
                for (place, (probability, [no, yes])) in scores.iter().zip(words).enumerate() {
                    let answer = if *probability > 0.5 { yes } else { no };
                    cells.extend([word(answer, !self.is_text(2 * place)), single(*probability)]);
                }
            }
        }
    }
}

/// The decimal places of numbers that are known to seven digits of this unit.
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
