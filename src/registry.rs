//! `registry!`: maps the names in a config to types.
//!
//! A registry is a serde enum tagged by `name`. Error messages, `descent list` and the tests read its `NAMES`, so that a
//! new optimizer, model, data set or loss is one new file, its `pub mod` line and its registry line. An entry can have a
//! `#[cfg(…)]`. Its type derives `JsonSchema` for `descent config schema`.

mod decode;
mod key_error;
mod mismatch;
mod nearest;
mod options;
pub mod schema;
mod strict;
mod synonyms;

use toml::{Table, Value};

use key_error::list;

pub use decode::{decode, decode_value, inside};
pub use key_error::{KeyError, unknown_key};
pub use nearest::{did_you_mean, is_same, nearest};
pub use options::{notation, options};

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
        Some(other) => {
            let problem =
                format!("is {other}; give the name of the {kind} in quotes: one of {}", list(names));
            Err(KeyError::new("name", problem))
        }
        None => Err(KeyError::new("name", format!("is missing; give one of {}", list(names)))),
    }
}

/// The error for an unknown `name`.
pub fn unknown_name(name: &str, kind: &str, names: &[&str]) -> KeyError {
    let hint = did_you_mean(name, names);
    let name = name.escape_debug();
    KeyError::new("name", format!("names an unknown {kind} `{name}`;{hint} known are {}", list(names)))
}

#[cfg(test)]
#[allow(unreachable_pub, reason = "the macro makes what it declares public")]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    pub trait Area {
        fn area(&self) -> f64;
    }

    #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    pub struct Square {
        side: f64,
        label: Option<String>,
    }

    impl Area for Square {
        fn area(&self) -> f64 {
            self.side * self.side
        }
    }

    registry! {
        /// Shapes.
        pub enum Shapes: "shape", Area { "square" => Square(Square) }
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
