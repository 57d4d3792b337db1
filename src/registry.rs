//! `registry!`: maps the names in a config to types.
//!
//! A registry is a serde enum tagged by `name`. Error messages, `descent list` and the tests read its `NAMES`, so that a
//! new optimizer, model, data set or loss is one new file, its `pub mod` line and its registry line. An entry can have a
//! `#[cfg(…)]`. Its type derives `JsonSchema` for `descent config schema`.

mod options;
pub mod schema;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

pub use options::options;

/// An invalid config key: where it is, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyError {
    /// The dotted path of the key, relative to the table that was read: `betas[1]`.
    pub path: String,
    /// What is wrong and what is allowed.
    pub problem: String,
}

impl KeyError {
    /// An error at `path`.
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }

    /// The same error, with its path relative to the table that contains this one under `key`.
    #[must_use]
    pub fn under(self, key: &str) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{key}.{}", self.path) };
        Self { path, ..self }
    }
}

/// A part of the config that is read from a TOML table.
pub trait FromTable: Sized {
    /// Reads the table. Unknown keys and wrong types are errors that name the key.
    fn from_table(table: Table) -> Result<Self, KeyError>;
}

/// One entry of a registry, for `descent list`.
#[derive(Debug)]
pub struct Entry {
    /// Its name in a config.
    pub name: &'static str,
    /// Its options with their defaults.
    pub options: Vec<(String, String)>,
}

/// Declares a serde enum, tagged by `name`, over types that implement a trait. See the module's documentation.
#[macro_export]
macro_rules! registry {
    ($(#[$meta:meta])* pub enum $registry:ident: $kind:literal, $role:path {
        $($(#[$cfg:meta])* $name:literal => $variant:ident($type:ty)),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(tag = "name")]
        #[allow(missing_docs, reason = "each variant is documented at its type")]
        pub enum $registry { $($(#[$cfg])* #[serde(rename = $name)] $variant($type)),+ }

        impl $registry {
            /// All names.
            pub const NAMES: &'static [&'static str] = &[$($(#[$cfg])* $name),+];

            /// The name of this one.
            pub fn name(&self) -> &'static str {
                match self { $($(#[$cfg])* Self::$variant(_) => $name),+ }
            }

            /// Every entry with its options and defaults.
            pub fn entries() -> Vec<$crate::registry::Entry> {
                [$($(#[$cfg])* $crate::registry::Entry {
                    name: $name,
                    options: $crate::registry::options::<$type>(),
                }),+]
                .into()
            }

            /// The JSON Schema of every entry, an object whose `name` is the entry's.
            pub fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<schemars::Schema> {
                [$($(#[$cfg])* $crate::registry::schema::named::<$type>($name, generator)),+].into()
            }
        }

        impl schemars::JsonSchema for $registry {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($registry).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::registry::schema::by_name(&Self::schemas(generator))
            }
        }

        impl std::ops::Deref for $registry {
            type Target = dyn $role;
            fn deref(&self) -> &Self::Target {
                match self { $($(#[$cfg])* Self::$variant(entry) => entry),+ }
            }
        }

        impl std::ops::DerefMut for $registry {
            fn deref_mut(&mut self) -> &mut Self::Target {
                match self { $($(#[$cfg])* Self::$variant(entry) => entry),+ }
            }
        }

        impl $crate::registry::FromTable for $registry {
            fn from_table(mut table: toml::Table) -> Result<Self, $crate::registry::KeyError> {
                let name = $crate::registry::take_name(&mut table, $kind, Self::NAMES)?;
                match name.as_str() {
                    $($(#[$cfg])* $name => Ok(Self::$variant($crate::registry::decode(table)?)),)+
                    _ => Err($crate::registry::unknown_name(&name, $kind, Self::NAMES)),
                }
            }
        }
    };
}

/// Removes `name` from the table and returns it.
pub fn take_name(table: &mut Table, kind: &str, names: &[&str]) -> Result<String, KeyError> {
    match table.remove("name") {
        Some(Value::String(name)) => Ok(name),
        Some(other) => Err(KeyError::new(
            "name",
            format!("expected the name of {kind} in quotes, got {}", other.type_str()),
        )),
        None => Err(KeyError::new("name", format!("missing; give one of {}", list(names)))),
    }
}

/// The error for an unknown `name`.
pub fn unknown_name(name: &str, kind: &str, names: &[&str]) -> KeyError {
    KeyError::new("name", format!("unknown {kind} {}", nearest(name, names)))
}

/// The error for an unknown `key`.
pub fn unknown_key(key: &str, known: &[&str]) -> KeyError {
    KeyError::new(key, format!("unknown key {}", nearest(key, known)))
}

/// "`adm`; did you mean `adam`? known are …"
fn nearest(got: &str, known: &[&str]) -> String {
    let hint = known
        .iter()
        .map(|name| (strsim::jaro_winkler(got, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.75)
        .map(|(_, name)| format!("did you mean `{name}`? "));
    let hint = hint.unwrap_or_default();
    if known.is_empty() {
        format!("`{}`; there are none", got.escape_debug())
    } else {
        format!("`{}`; {hint}known are {}", got.escape_debug(), list(known))
    }
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Deserialises a config struct from its table.
pub fn decode<T: DeserializeOwned>(table: Table) -> Result<T, KeyError> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        explain(&path, error.inner().message())
    })
}

/// The prefix of a serde message that carries a [`KeyError`] of a nested table.
const INSIDE: &str = "inside ";

/// Passes an error through serde, which has messages only; [`decode`] restores its path.
pub fn inside<E: serde::de::Error>(error: &KeyError) -> E {
    E::custom(format!("{INSIDE}{}: {}", error.path, error.problem))
}

/// Rewrites serde's message in the words of this program.
fn explain(path: &str, message: &str) -> KeyError {
    let message = message.trim();
    if let Some((inner, problem)) = message.strip_prefix(INSIDE).and_then(|rest| rest.split_once(": ")) {
        return KeyError::new(inner, problem).under(path);
    }
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (true, [got, known @ ..]) = (message.starts_with("unknown field"), quoted.as_slice()) {
        // serde_path_to_error's path already ends in the unknown key.
        let path = path.to_owned();
        let path = if path.is_empty() { (*got).to_owned() } else { path };
        return KeyError::new(path, format!("unknown key {}", nearest(got, known)));
    }
    if let (true, [got, known @ ..]) = (message.starts_with("unknown variant"), quoted.as_slice()) {
        return KeyError::new(path, format!("unknown value {}", nearest(got, known)));
    }
    let mut problem = message.to_owned();
    for (serde, ours) in [
        ("invalid type: ", "wrong type: "),
        ("expected a map", "expected a table"),
        ("expected a tuple", "expected an array"),
        ("floating point", "number"),
        ("expected f64", "expected a number"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected a boolean", "expected true or false"),
    ] {
        problem = problem.replace(serde, ours);
    }
    // "expected struct EarlyStopping": in TOML that is a table.
    if let Some((before, _)) = problem.split_once("expected struct ") {
        problem = format!("{before}expected a table");
    }
    KeyError::new(path, problem)
}

#[cfg(test)]
#[allow(unreachable_pub, reason = "the macro makes what it declares public")]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    pub trait Shape {
        fn area(&self) -> f64;
    }

    #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    pub struct Square {
        side: f64,
        label: Option<String>,
    }

    impl Shape for Square {
        fn area(&self) -> f64 {
            self.side * self.side
        }
    }

    registry! {
        /// Shapes.
        pub enum Shapes: "shape", Shape { "square" => Square(Square) }
    }

    fn read(text: &str) -> Result<Shapes, KeyError> {
        Shapes::from_table(text.parse().unwrap())
    }

    #[test]
    fn a_name_picks_the_entry_and_its_options() {
        let shape = read("name = 'square'\nside = 3").unwrap();
        assert!((shape.area() - 9.0).abs() < 1e-12);
        assert_eq!(shape.name(), "square");
        let entry = &Shapes::entries()[0];
        assert_eq!(entry.options[0], ("side".to_owned(), "0.0".to_owned()));
        assert_eq!(entry.options[1], ("label".to_owned(), "none".to_owned()));
    }

    #[test]
    fn mistakes_name_the_key_and_the_way_out() {
        let error = read("name = 'squar'").unwrap_err();
        assert!(error.problem.contains("did you mean `square`?"), "{error:?}");
        let error = read("name = 'square'\nsid = 3").unwrap_err();
        assert_eq!(error.path, "sid");
        assert!(error.problem.contains("did you mean `side`?"), "{error:?}");
        let error = read("name = 'square'\nside = 'wide'").unwrap_err();
        assert_eq!(error.path, "side");
        assert!(error.problem.contains("expected a number"), "{error:?}");
        assert!(read("side = 3").unwrap_err().problem.contains("`square`"));
    }
}
