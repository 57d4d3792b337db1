//! Weights of classes, for the losses of classes.

use std::borrow::Cow;
use std::fmt;

use candle_core::Tensor;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Result;
use crate::names::{counted, first_few};
use crate::registry::KeyError;

/// Weights of classes or labels, as a list or by their names.
#[derive(Debug, Clone, PartialEq)]
pub enum Weights {
    /// One for each, in order.
    List(Vec<f64>),
    /// For those that are named; the others weigh 1, as in scikit-learn's `class_weight`.
    ByName(Vec<(String, f64)>),
}

impl Weights {
    /// The weights in order; `None` before [`Self::in_order`].
    pub(super) fn list(&self) -> Option<&[f64]> {
        match self {
            Self::List(weights) => Some(weights),
            Self::ByName(_) => None,
        }
    }

    /// Validates them, as the option `key`: finite and 0 or more.
    pub(super) fn check(&self, key: &str) -> Result<(), KeyError> {
        let is_wrong = |weight: &f64| !weight.is_finite() || *weight < 0.0;
        let place = match self {
            Self::List(weights) => weights.iter().position(is_wrong).map(|at| format!("{key}[{at}]")),
            Self::ByName(weights) => {
                let wrong = weights.iter().find(|(_, weight)| is_wrong(weight));
                wrong.map(|(name, _)| format!("{key}.{}", name.escape_debug()))
            }
        };
        place.map_or(Ok(()), |place| Err(KeyError::new(place, "is not a finite number of 0 or more")))
    }

    /// The weights in the order of these names.
    ///
    /// # Errors
    /// A name that is none of them.
    pub(super) fn in_order(&self, key: &str, names: &[String]) -> Result<Vec<f64>, KeyError> {
        let weights = match self {
            Self::List(weights) => return Ok(weights.clone()),
            Self::ByName(weights) => weights,
        };
        let mut ordered = vec![1.0; names.len()];
        for (name, weight) in weights {
            let Some(class) = names.iter().position(|known| known == name) else {
                return Err(unknown(key, name, names));
            };
            ordered[class] = *weight;
        }
        Ok(ordered)
    }
}

fn unknown(key: &str, name: &str, names: &[String]) -> KeyError {
    if names.is_empty() {
        return KeyError::new(key, "is by name, and the targets have no names; give a list");
    }
    let known = first_few(names.iter().map(|known| format!("`{}`", known.escape_debug())));
    let path = format!("{key}.{}", name.escape_debug());
    KeyError::new(path, format!("is for no class of the data; it has {known}"))
}

impl Serialize for Weights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::List(weights) => weights.serialize(serializer),
            Self::ByName(weights) => {
                serializer.collect_map(weights.iter().map(|(name, weight)| (name, weight)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Weights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Weights;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers, or a table by class names as in { yes = 5.0 }")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Weights, A::Error> {
                let mut weights = Vec::new();
                while let Some(weight) = seq.next_element()? {
                    weights.push(weight);
                }
                Ok(Weights::List(weights))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Weights, A::Error> {
                let mut weights = Vec::new();
                while let Some((name, weight)) = map.next_entry()? {
                    weights.push((name, weight));
                }
                if weights.is_empty() {
                    return Err(A::Error::custom("is empty; name a class, as in { yes = 5.0 }"));
                }
                Ok(Weights::ByName(weights))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Weights {
    fn schema_name() -> Cow<'static, str> {
        "Weights".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let weight = serde_json::json!({ "type": "number", "minimum": 0 });
        json_schema!({ "anyOf": [
            { "type": "array", "items": weight },
            { "type": "object", "additionalProperties": weight, "minProperties": 1 }
        ] })
    }
}

/// The classes of the training rows, or their labels.
#[derive(Debug, Clone, Copy)]
pub struct TrainingClasses<'a> {
    /// Their names.
    pub names: &'a [String],
    /// The rows of each; all 0 where targets are labels.
    pub counts: &'a [f64],
}

/// Class weights computed from the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// `rows / (classes · rows of the class)`, as scikit-learn's `class_weight="balanced"`.
    Balanced,
}

/// Validates class weights: finite, 0 or more, not all 0, and given by one option only.
pub(super) fn check(weight: Option<&Weights>, class_weight: Option<ClassWeight>) -> Result<(), KeyError> {
    let Some(weight) = weight else { return Ok(()) };
    if class_weight.is_some() {
        return Err(KeyError::new("class_weight", "cannot be used with `weight`; choose one"));
    }
    if weight.list().is_some_and(|weights| weights.iter().all(|w| *w == 0.0)) {
        return Err(KeyError::new("weight", "has no class that counts; one must be greater than 0"));
    }
    weight.check("weight")
}

/// Requires one weight for each class; rows of the class `ignored` do not count.
pub(super) fn check_count(weight: Option<&Weights>, classes: usize, ignored: i64) -> Result<(), KeyError> {
    let Some(weight) = weight.and_then(Weights::list).filter(|weight| weight.len() != classes) else {
        return Ok(());
    };
    let mut problem =
        format!("has {} for {classes} classes; give one a class", counted(weight.len(), "number"));
    // A class that only rows have that are left out has no output, unless the number of classes is given.
    let with_ignored =
        usize::try_from(ignored).ok().filter(|ignored| *ignored == classes).map(|last| last + 1);
    if with_ignored == Some(weight.len()) {
        problem = format!(
            "{problem}, or set `data.classes = {}`: the highest class, {ignored}, is `ignore_index`, and without \
             `data.classes` the network has no output for it",
            weight.len()
        );
    }
    Err(KeyError::new("weight", problem))
}

/// The weights of the classes of the training rows, which have `counts` rows: the given or the balanced ones.
pub(super) fn fit(
    weight: Option<&Weights>,
    class_weight: Option<ClassWeight>,
    classes: &TrainingClasses<'_>,
) -> Result<Option<Weights>, KeyError> {
    match (weight, class_weight) {
        (_, Some(ClassWeight::Balanced)) => Ok(Some(Weights::List(balance(classes.counts)))),
        (Some(weight), None) => {
            let weight = Weights::List(weight.in_order("weight", classes.names)?);
            check(Some(&weight), None)?;
            Ok(Some(weight))
        }
        (None, None) => Ok(None),
    }
}

/// Adds the rows of each class to `counts`, as often as their weights say, (N) of F64; a target of probabilities adds its
/// probabilities.
pub(super) fn count(ys: &Tensor, rows: Option<&Tensor>, ignored: i64, counts: &mut [f64]) -> Result<()> {
    if ys.rank() == 2 {
        let ys = ys.to_dtype(candle_core::DType::F64)?;
        let ys = rows.map_or(Ok(ys.clone()), |rows| ys.broadcast_mul(&rows.unsqueeze(1)?))?;
        let shares: Vec<f64> = ys.sum(0)?.to_vec1()?;
        counts.iter_mut().zip(shares).for_each(|(count, share)| *count += share);
        return Ok(());
    }
    let rows = match rows {
        Some(rows) => rows.to_vec1::<f64>()?,
        None => vec![1.0; ys.dims()[0]],
    };
    for (y, row) in ys.to_vec1::<i64>()?.into_iter().zip(rows).filter(|(y, _)| *y != ignored) {
        if let Some(count) = usize::try_from(y).ok().and_then(|y| counts.get_mut(y)) {
            *count += row;
        }
    }
    Ok(())
}

/// The weights that give every class that occurs the same total weight.
pub(super) fn balance(counts: &[f64]) -> Vec<f64> {
    let rows: f64 = counts.iter().sum();
    let classes: f64 = counts.iter().filter(|count| **count > 0.0).map(|_| 1.0).sum();
    counts.iter().map(|count| if *count > 0.0 { rows / (classes * count) } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn names() -> Vec<String> {
        ["no", "yes", "maybe"].map(str::to_owned).to_vec()
    }

    #[test]
    fn weights_by_name_are_put_in_order_and_the_others_weigh_one() {
        let weights: Weights = serde_json::from_str(r#"{ "maybe": 5.0 }"#).unwrap();
        assert_eq!(weights.in_order("weight", &names()).unwrap(), [1.0, 1.0, 5.0]);
        let error = Weights::ByName(vec![("ja".to_owned(), 2.0)]).in_order("weight", &names()).unwrap_err();
        assert_eq!(error.path, "weight.ja");
        assert!(error.problem.contains("`no`, `yes`, `maybe`"), "{}", error.problem);
    }

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2]) gives [2/3, 2, 1].
        let ys = Tensor::new(&[0i64, 0, 0, 1, 2, 2, -100], &Device::Cpu).unwrap();
        let mut counts = [0.0; 3];
        count(&ys, None, -100, &mut counts).unwrap();
        let weights = balance(&counts);
        for (weight, expected) in weights.iter().zip([2.0 / 3.0, 2.0, 1.0]) {
            assert!((weight - expected).abs() < 1e-12);
        }
        assert!(balance(&[3.0, 0.0])[1] == 0.0);
    }
}
