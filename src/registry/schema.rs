//! JSON Schemas of config types, <https://json-schema.org/draft/2020-12>: what `#[derive(JsonSchema)]` does not cover.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// The object schema of a registry's entry: `name`, which selects it, and the options of `T`.
pub fn named<T: JsonSchema>(name: &str, generator: &mut SchemaGenerator) -> Schema {
    with_name(name, T::json_schema(generator))
}

/// Apart from [`named`], so that it is compiled once instead of once a type.
fn with_name(name: &str, mut schema: Schema) -> Schema {
    let own = std::iter::once(("name".to_owned(), json!({ "type": "string", "const": name })));
    let options = schema.remove("properties").as_ref().and_then(Value::as_object).cloned();
    add(&mut schema, own.chain(options.unwrap_or_default()));
    require(&mut schema, "name");
    schema
}

/// The name of an entry, from its schema.
pub fn name_of(entry: &Schema) -> &str {
    entry.pointer("/properties/name/const").and_then(Value::as_str).unwrap_or_default()
}

/// The schema of a registry: one of these entries, selected by `name`.
pub fn by_name(entries: &[Schema]) -> Schema {
    cases(outline(entries), entries)
}

/// The names and all options of these entries, without bounds and defaults, in which entries differ. Editors use it for
/// completion.
pub fn outline(entries: &[Schema]) -> Schema {
    let names: Vec<&str> = entries.iter().map(name_of).collect();
    let mut whole = json_schema!({ "type": "object", "required": ["name"] });
    add(&mut whole, [("name".to_owned(), json!({ "type": "string", "enum": names }))]);
    add(&mut whole, outlines(entries));
    whole
}

/// An outline, and the entry that `name` selects. A plain `oneOf` would accept the same configs, but of a mistake a
/// validator could only report that no entry matches.
pub fn cases(outline: Schema, entries: &[Schema]) -> Schema {
    let cases = entries.iter().map(|entry| {
        let named = json!({ "required": ["name"], "properties": { "name": { "const": name_of(entry) } } });
        json!({ "if": named, "then": entry })
    });
    let all: Vec<Value> = std::iter::once(outline.to_value()).chain(cases).collect();
    json_schema!({ "allOf": all })
}

fn outlines(entries: &[Schema]) -> Map<String, Value> {
    let mut found: Map<String, Value> = Map::new();
    let options = entries.iter().filter_map(|entry| entry.get("properties")?.as_object()).flatten();
    for (key, option) in options.filter(|(key, _)| *key != "name") {
        let option = without_bounds(option);
        let known = found.entry(key).or_insert_with(|| json!({ "anyOf": [] }));
        if let Some(Value::Array(known)) = known.get_mut("anyOf")
            && !known.contains(&option)
        {
            known.push(option);
        }
    }
    for option in found.values_mut() {
        if let Some([only]) = option["anyOf"].as_array().map(Vec::as_slice) {
            *option = only.clone();
        }
    }
    found
}

fn without_bounds(option: &Value) -> Value {
    const KEPT: &[&str] =
        &["description", "type", "enum", "const", "anyOf", "oneOf", "$ref", "additionalProperties"];
    let Value::Object(option) = option else { return json!({}) };
    let kept = option.iter().filter(|(key, _)| KEPT.contains(&key.as_str()));
    let mut kept: Map<String, Value> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    if let Some(items) = option.get("items") {
        kept.insert("items".to_owned(), without_bounds(items));
    }
    kept.into()
}

/// The properties of the object schema of `T`.
pub fn properties<T: JsonSchema>(generator: &mut SchemaGenerator) -> Map<String, Value> {
    match T::json_schema(generator).remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    }
}

/// Adds properties to an object schema, over those of the same name.
pub fn add(schema: &mut Schema, properties: impl IntoIterator<Item = (String, Value)>) {
    let own = schema.ensure_object().entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(own) = own {
        own.extend(properties);
    }
}

/// Makes a property required.
pub fn require(schema: &mut Schema, key: &str) {
    let required = schema.ensure_object().entry("required").or_insert_with(|| json!([]));
    if let Value::Array(keys) = required {
        keys.push(key.into());
    }
}

/// Requires a number, or every number of an array, to be greater than 0.
pub fn positive(schema: &mut Schema) {
    bound(schema, json!({ "exclusiveMinimum": 0 }));
}

/// Requires a number, or every number of an array, to be in [0, 1).
pub fn below_one(schema: &mut Schema) {
    bound(schema, json!({ "minimum": 0, "exclusiveMaximum": 1 }));
}

fn bound(schema: &mut Schema, bounds: Value) {
    let number = match schema.get_mut("items") {
        Some(Value::Object(items)) => items,
        _ => schema.ensure_object(),
    };
    if let Value::Object(bounds) = bounds {
        number.extend(bounds);
    }
}
