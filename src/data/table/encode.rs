//! From the cells of a row to features and targets, as a recipe says.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::read::{Records, quoted};
use super::recipe::{Column, Encoding, Filled, MissingName, Named, Recipe, Scaled};
use super::row::{Row, Value};
use super::survey::shown;
use super::target::Target;
use crate::error::{Error, Result};

/// Encodes the rows of one file.
pub struct Encoder<'a> {
    path: PathBuf,
    recipe: &'a Recipe,
    /// For each column of the recipe its place in the file.
    places: Vec<usize>,
    /// For each column of the recipe its names with their numbers.
    names: Vec<FxHashMap<&'a str, usize>>,
    targets: Option<Vec<usize>>,
    classes: FxHashMap<&'a str, usize>,
    dense: usize,
    unseen: Vec<Option<Unseen>>,
}

/// Names that training did not have.
#[derive(Debug, Clone)]
struct Unseen {
    count: u64,
    first: String,
    line: u64,
}

impl<'a> Encoder<'a> {
    /// An encoder of a file with these columns, in any order and with others among them. Where `labelled` the targets
    /// must be there.
    ///
    /// # Errors
    /// A column that the recipe needs is not there.
    pub fn new(recipe: &'a Recipe, path: &Path, records: &dyn Records, labelled: bool) -> Result<Self> {
        let columns = records.columns();
        let place = |name: &str| columns.iter().position(|own| own == name);
        let used = recipe.columns.iter().filter(|column| !matches!(column.encoding, Encoding::Ignore { .. }));
        let needed = used.map(|column| column.name.as_str());
        let targets = recipe.target.names().iter().map(String::as_str).filter(|_| labelled);
        let absent: Vec<String> =
            needed.chain(targets).filter(|name| place(name).is_none()).map(quoted).collect();
        if !absent.is_empty() {
            let problem = format!("there is no column {}; {}", absent.join(", "), has(columns));
            return Err(Error::data(path, problem));
        }
        let numbered = |named: &'a Named| named.categories.iter().map(String::as_str).zip(0..).collect();
        let names = recipe.columns.iter().map(|column| match &column.encoding {
            Encoding::Category(named) | Encoding::Embedding { named, .. } => numbered(named),
            _ => FxHashMap::default(),
        });
        let classes = match &recipe.target {
            Target::Classes { classes, .. } => classes.iter().map(String::as_str).zip(0..).collect(),
            _ => FxHashMap::default(),
        };
        Ok(Self {
            path: path.to_path_buf(),
            recipe,
            // What is ignored need not be there.
            places: recipe.columns.iter().map(|column| place(&column.name).unwrap_or(usize::MAX)).collect(),
            names: names.collect(),
            targets: recipe.target.names().iter().map(|name| place(name)).collect(),
            classes,
            dense: recipe.widths().0,
            unseen: vec![None; recipe.columns.len()],
        })
    }

    /// Puts the features of a row into `features`.
    pub fn features(&mut self, row: &Row, features: &mut Vec<f64>) -> Result<()> {
        features.clear();
        let mut learnt = Vec::new();
        let recipe = self.recipe;
        for (index, Column { name, encoding }) in recipe.columns.iter().enumerate() {
            let value = row.value(self.places[index]);
            let problem = |problem: &str| self.at(row, name, value, problem);
            match encoding {
                Encoding::Ignore { .. } => {}
                Encoding::Number(scaled) => match (value, value.number()) {
                    (Value::Missing, _) => scaled.fill(features).ok_or_else(|| problem("is missing"))?,
                    (_, Some(number)) if number.is_finite() => scaled.put(number, features),
                    (_, Some(_)) => return Err(problem("is not finite")),
                    (_, None) => return Err(problem("is no number")),
                },
                Encoding::Date(scaled) => match (value, value.date()) {
                    (Value::Missing, _) => scaled.fill(features).ok_or_else(|| problem("is missing"))?,
                    (_, Some(days)) => scaled.put(days, features),
                    (_, None) => return Err(problem("is no date")),
                },
                Encoding::Boolean(filled) => match (value, yes(value)) {
                    (Value::Missing, _) => {
                        let fill = filled.fill.ok_or_else(|| problem("is missing"))?;
                        filled.put(fill, true, features);
                    }
                    (_, Some(yes)) => filled.put(f64::from(u8::from(yes)), false, features),
                    (_, None) => return Err(problem("is neither yes nor no")),
                },
                Encoding::Category(named) => {
                    let start = features.len();
                    features.resize(start + named.len(), 0.0);
                    if let Some(number) = self.number(index, named, value, row, name)? {
                        features[start + number] = 1.0;
                    }
                }
                Encoding::Embedding { named, .. } => {
                    #[allow(clippy::cast_precision_loss, reason = "there are fewer names than 2^24")]
                    let number = self.number(index, named, value, row, name)?.map_or(0.0, |n| 1.0 + n as f64);
                    learnt.push(number);
                }
            }
        }
        debug_assert_eq!(features.len(), self.dense);
        #[allow(clippy::cast_possible_truncation, reason = "whether it fits is the question")]
        if features.iter().any(|number| !(*number as f32).is_finite()) {
            return Err(self.too_large(row));
        }
        features.append(&mut learnt);
        Ok(())
    }

    /// The error of a row with a number that 32 bits do not hold once it is normalised.
    #[allow(clippy::cast_possible_truncation, reason = "whether it fits is the question")]
    fn too_large(&self, row: &Row) -> Error {
        let large = |(column, place): &(&Column, &usize)| match &column.encoding {
            Encoding::Number(scaled) => {
                let number = row.value(**place).number().unwrap_or(0.0);
                !(((number - scaled.offset) / scaled.scale) as f32).is_finite()
            }
            _ => false,
        };
        let mut columns = self.recipe.columns.iter().zip(&self.places);
        match columns.find(large) {
            Some((column, place)) => self.at(row, &column.name, row.value(*place), "is too large"),
            None => Error::data(&self.path, format!("line {}: a number is too large", row.line)),
        }
    }

    /// The number of a name; nothing where it is not known.
    fn number(
        &mut self,
        index: usize,
        named: &Named,
        value: Value<'_>,
        row: &Row,
        column: &str,
    ) -> Result<Option<usize>> {
        let names = &self.names[index];
        if value == Value::Missing {
            return match &named.missing {
                MissingName::Error => Err(self.at(row, column, value, "is missing")),
                MissingName::Unknown => Ok(None),
                MissingName::Own => Ok(Some(named.categories.len())),
                MissingName::As(name) => Ok(names.get(name.as_str()).copied()),
            };
        }
        let known = match value {
            Value::Text(text) => names.get(text).copied(),
            _ => None,
        };
        let known = known.or_else(|| names.get(value.name()?.as_str()).copied());
        if known.is_none() {
            let unseen = Unseen { count: 0, first: shown(value), line: row.line };
            self.unseen[index].get_or_insert(unseen).count += 1;
        }
        Ok(known)
    }

    /// The class of a row; nothing where it is `ignored`.
    pub fn class(&self, row: &Row, ignored: i64) -> Result<i64> {
        let name = &self.recipe.target.names()[0];
        let value = self.target(row, 0);
        let known = match value {
            Value::Text(text) => self.classes.get(text).copied(),
            _ => None,
        };
        #[allow(
            clippy::float_cmp,
            clippy::cast_precision_loss,
            reason = "a number that is written in a file"
        )]
        if known.is_none() && value.number() == Some(ignored as f64) {
            return Ok(ignored);
        }
        let known = known.or_else(|| self.classes.get(value.name()?.as_str()).copied());
        match known.and_then(|class| i64::try_from(class).ok()) {
            Some(class) => Ok(class),
            None if value == Value::Missing => Err(self.at(row, name, value, "is missing")),
            None => Err(self.at(row, name, value, "is no class that training had")),
        }
    }

    /// Puts the targets of a row into `targets`, as the network is to give them.
    pub fn targets(&self, row: &Row, targets: &mut Vec<f64>) -> Result<()> {
        targets.clear();
        for (index, name) in self.recipe.target.names().iter().enumerate() {
            let value = self.target(row, index);
            let number = match &self.recipe.target {
                Target::Labels { words, .. } => label(value, &words[index]),
                _ => value.number().filter(|number| number.is_finite()),
            };
            let Some(number) = number else {
                let problem =
                    if value == Value::Missing { "is missing" } else { "is no number that can be learnt" };
                return Err(self.at(row, name, value, problem));
            };
            targets.push(match &self.recipe.target {
                Target::Values { mean, std, .. } => (number - mean[index]) / std[index],
                _ => number,
            });
        }
        Ok(())
    }

    fn target<'r>(&self, row: &'r Row, index: usize) -> Value<'r> {
        self.targets.as_ref().map_or(Value::Missing, |places| row.value(places[index]))
    }

    fn at(&self, row: &Row, column: &str, value: Value<'_>, problem: &str) -> Error {
        let shown = if value == Value::Missing { String::new() } else { format!("{} ", shown(value)) };
        let way_out = match problem {
            "is missing" => "; fill it, or train with `data.missing`",
            _ => "; correct the cell",
        };
        let text = format!("line {}, column {}: {shown}{problem}{way_out}", row.line, quoted(column));
        Error::data(&self.path, text)
    }

    /// What is to be said of names that training did not have, a sentence a column.
    pub fn unseen(&self) -> Vec<String> {
        let columns = self.recipe.columns.iter().zip(&self.unseen);
        let said = columns.filter_map(|(column, unseen)| unseen.as_ref().map(|unseen| (column, unseen)));
        said.map(|(column, Unseen { count, first, line })| {
            let (name, path) = (quoted(&column.name), self.path.display());
            format!("{path}: column {name}: {count} values that training did not have count as unknown (the first is {first} in line {line})")
        })
        .collect()
    }
}

/// "it has `a`, `b`"
pub(super) fn has(columns: &[String]) -> String {
    const SHOWN: usize = 30;
    let mut names: Vec<String> = columns.iter().take(SHOWN).map(|name| quoted(name)).collect();
    if columns.len() > SHOWN {
        names.push(format!("and {} more", columns.len() - SHOWN));
    }
    format!("it has {}", names.join(", "))
}

/// Yes or no, also as 1 and 0.
#[allow(clippy::float_cmp, reason = "0 and 1 exactly")]
fn yes(value: Value<'_>) -> Option<bool> {
    value.boolean().or_else(|| value.number().filter(|x| *x == 0.0 || *x == 1.0).map(|x| x == 1.0))
}

/// The number of an answer: one of two words, or a number from 0 to 1.
fn label(value: Value<'_>, [no, yes]: &[String; 2]) -> Option<f64> {
    match value.name()? {
        name if name == *yes => Some(1.0),
        name if name == *no => Some(0.0),
        _ => value.number().filter(|number| (0.0..=1.0).contains(number)),
    }
}

impl Scaled {
    fn put(&self, number: f64, features: &mut Vec<f64>) {
        self.filled.put((number - self.offset) / self.scale, false, features);
    }

    /// Puts what stands in for a missing cell; nothing where that is an error.
    fn fill(&self, features: &mut Vec<f64>) -> Option<()> {
        let fill = self.filled.fill?;
        self.filled.put((fill - self.offset) / self.scale, true, features);
        Some(())
    }
}

impl Filled {
    fn put(&self, number: f64, missing: bool, features: &mut Vec<f64>) {
        features.push(number);
        if self.indicator {
            features.push(f64::from(u8::from(missing)));
        }
    }
}
