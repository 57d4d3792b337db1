//! Why a TOML value is not what a config wants.

use std::fmt::Display;

use serde::de::{Error, Expected, Unexpected};

use super::key_error::KeyError;

/// Why a value does not fit.
#[derive(Debug)]
pub(super) enum Mismatch {
    /// It is of another type than this.
    Type(String),
    /// It is no table with these keys.
    NoTable(&'static [&'static str]),
    /// It is none of these names.
    NoName(&'static [&'static str]),
    /// It has a key that is none of these.
    UnknownKey(&'static [&'static str]),
    /// It is a name that is none of these.
    UnknownName(&'static [&'static str]),
    /// It lacks this key.
    Missing(&'static str),
    /// A part of it has this error.
    Inside(KeyError),
    /// This is wrong with it.
    Other(String),
}

/// The beginning of a message that carries a [`KeyError`] through serde, and the separator of its parts.
const INSIDE: &str = "\u{1}";

/// A [`KeyError`] of a nested table as a message, which is all that serde passes on.
pub(super) fn packed(error: &KeyError) -> String {
    format!("{INSIDE}{}{INSIDE}{}", error.path, error.problem)
}

impl Error for Mismatch {
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        match message.strip_prefix(INSIDE).and_then(|packed| packed.split_once(INSIDE)) {
            Some((path, problem)) => Self::Inside(KeyError::new(path, problem)),
            None => Self::Other(message),
        }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Type(expected.to_string())
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Type(expected.to_string())
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::Type(expected.to_string())
    }

    fn unknown_variant(_: &str, names: &'static [&'static str]) -> Self {
        Self::UnknownName(names)
    }

    fn unknown_field(_: &str, keys: &'static [&'static str]) -> Self {
        Self::UnknownKey(keys)
    }

    fn missing_field(key: &'static str) -> Self {
        Self::Missing(key)
    }
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Mismatch {}
