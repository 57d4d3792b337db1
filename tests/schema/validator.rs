//! The part of JSON Schema 2020-12 that the config's schema uses; a keyword that it does not know fails the test.
//!
//! It is not the crate `jsonschema` (0.61, MIT), which without its default features brings 19 more crates and over 70 s of
//! compiling to every build of the tests.

use serde_json::{Map, Value};

/// What a schema refuses: the path of the key, as the config's own errors have it, and why.
pub(super) type Refusal = (String, String);

/// Everything in `value` that the schema refuses.
pub(super) fn refusals(schema: &Value, value: &Value) -> Vec<Refusal> {
    let mut found = Vec::new();
    Validator { root: schema }.check(schema, value, "", &mut found);
    found
}

struct Validator<'a> {
    root: &'a Value,
}

impl Validator<'_> {
    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut found = Vec::new();
        self.check(schema, value, "", &mut found);
        found.is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, path: &str, found: &mut Vec<Refusal>) {
        let schema = schema.as_object().expect("no schema here is true or false");
        for (keyword, rule) in schema {
            let fits = match keyword.as_str() {
                "$ref" => {
                    self.check(self.definition(rule), value, path, found);
                    true
                }
                "if" => {
                    let branch = if self.fits(rule, value) { "then" } else { "else" };
                    self.all(schema.get(branch), value, path, found);
                    true
                }
                "allOf" => {
                    self.all(list(rule), value, path, found);
                    true
                }
                "anyOf" => {
                    let fits = list(rule).iter().any(|part| self.fits(part, value));
                    // The reasons of each, which name the keys further in.
                    self.all(list(rule).iter().filter(|_| !fits), value, path, found);
                    fits
                }
                "oneOf" => list(rule).iter().filter(|part| self.fits(part, value)).count() == 1,
                "not" => !self.fits(rule, value),
                "properties" | "additionalProperties" => {
                    self.properties(keyword, schema, value, path, found);
                    true
                }
                "prefixItems" | "items" => {
                    self.items(keyword, schema, value, path, found);
                    true
                }
                _ => asserts(keyword, rule, value),
            };
            if !fits {
                found.push((path.to_owned(), format!("{value} does not fit {keyword}: {rule}")));
            }
        }
    }

    fn definition(&self, name: &Value) -> &Value {
        let target = self.root.pointer(name.as_str().unwrap().trim_start_matches('#'));
        target.unwrap_or_else(|| panic!("{name}"))
    }

    fn all<'s>(
        &self,
        parts: impl IntoIterator<Item = &'s Value>,
        value: &Value,
        path: &str,
        found: &mut Vec<Refusal>,
    ) {
        for part in parts {
            self.check(part, value, path, found);
        }
    }

    fn properties(
        &self,
        keyword: &str,
        schema: &Map<String, Value>,
        value: &Value,
        path: &str,
        found: &mut Vec<Refusal>,
    ) {
        for (key, value) in value.as_object().into_iter().flatten() {
            let known = schema.get("properties").and_then(|known| known.get(key));
            match (known, keyword, schema.get("additionalProperties")) {
                (Some(part), "properties", _) => self.check(part, value, &under(path, key), found),
                (None, "additionalProperties", Some(Value::Bool(false))) => {
                    found.push((under(path, key), "unknown key".to_owned()));
                }
                (None, "additionalProperties", Some(part)) => {
                    self.check(part, value, &under(path, key), found);
                }
                _ => {}
            }
        }
    }

    fn items(
        &self,
        keyword: &str,
        schema: &Map<String, Value>,
        value: &Value,
        path: &str,
        found: &mut Vec<Refusal>,
    ) {
        let prefix = schema.get("prefixItems").map_or(&[][..], list);
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            let part = match (prefix.get(index), keyword) {
                (Some(part), "prefixItems") => part,
                (None, "items") => &schema["items"],
                _ => continue,
            };
            self.check(part, item, &format!("{path}[{index}]"), found);
        }
    }
}

/// The keywords that look at a value alone.
fn asserts(keyword: &str, rule: &Value, value: &Value) -> bool {
    let count = |length: Option<usize>, fits: fn(&u64, &u64) -> bool| {
        length.is_none_or(|length| fits(&(length as u64), &rule.as_u64().unwrap()))
    };
    match keyword {
        "$schema" | "$defs" | "title" | "description" | "default" | "then" | "else" => true,
        "type" => is_of(value, rule.as_str().unwrap()),
        "const" => value == rule,
        "enum" => list(rule).contains(value),
        "required" => value
            .as_object()
            .is_none_or(|object| list(rule).iter().all(|key| object.contains_key(key.as_str().unwrap()))),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
            within(keyword, rule.as_f64().unwrap(), value)
        }
        "minProperties" => count(value.as_object().map(serde_json::Map::len), u64::ge),
        "minItems" => count(value.as_array().map(Vec::len), u64::ge),
        "maxItems" => count(value.as_array().map(Vec::len), u64::le),
        "maxLength" => {
            value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap())
        }
        "minLength" => count(value.as_str().map(str::len), u64::ge),
        "pattern" => {
            assert_eq!(rule, "^[A-Za-z0-9_]+$", "the one pattern that this validator knows");
            let is_word =
                |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            value.as_str().is_none_or(is_word)
        }
        other => panic!("the validator does not know `{other}`"),
    }
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().map_or_else(|| panic!("{rule} is no list"), Vec::as_slice)
}

fn under(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the validator does not know the type `{other}`"),
    }
}

fn within(keyword: &str, bound: f64, value: &Value) -> bool {
    value.as_f64().is_none_or(|number| match keyword {
        "minimum" => number >= bound,
        "maximum" => number <= bound,
        "exclusiveMinimum" => number > bound,
        _ => number < bound,
    })
}
