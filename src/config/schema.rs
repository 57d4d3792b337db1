//! The JSON Schema of a config file, for editors: <https://json-schema.org/draft/2020-12>.
//!
//! It says what is known of each key by itself. What is wrong with two keys together, `descent config check` says.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::data::{Preparation, Sources};
use crate::loss::Losses;
use crate::model::Model;
use crate::optim::Grouped;
use crate::optim::schedule::Plan;
use crate::registry::schema;
use crate::trainer::TrainOptions;

/// The schema of everything that a config can say.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let seed = json_schema!({ "type": "integer", "minimum": 0, "default": 0 });
    let sections = [
        ("seed", "Decides everything random: weights, order, dropout, splits.", seed),
        ("data", "Where the rows come from, and what is done with them.", data(&mut generator)),
        ("model", "The network.", Model::json_schema(&mut generator)),
        ("loss", "What training makes small.", Losses::json_schema(&mut generator)),
        ("optimizer", "How training changes the weights.", Grouped::json_schema(&mut generator)),
        ("schedule", "How the learning rate goes.", Plan::json_schema(&mut generator)),
        ("train", "For how long, in which batches.", TrainOptions::json_schema(&mut generator)),
    ];
    let mut whole = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A config of descent",
        "type": "object",
        "required": ["data", "model", "loss", "optimizer"],
        "additionalProperties": false,
    });
    for (name, description, section) in sections {
        let mut section = section.to_value();
        describe(&mut section, description);
        schema::add(&mut whole, [(name.to_owned(), section)]);
    }
    whole.insert("$defs".to_owned(), generator.take_definitions(true).into());
    RecursiveTransform(tidy).transform(&mut whole);
    whole.to_value()
}

/// The options of a source, and those that every data set has.
fn data(generator: &mut SchemaGenerator) -> Schema {
    let shared = schema::properties::<Preparation>(generator);
    let mut entries = Sources::schemas(generator);
    for entry in &mut entries {
        schema::add(entry, shared.clone());
    }
    schema::by_name(&entries)
}

/// Describes a section where editors look: not beside an `allOf`, but in it.
fn describe(section: &mut Value, description: &str) {
    if let Some(first) = section.pointer_mut("/allOf/0") {
        describe(first, description);
    } else if let Value::Object(section) = section {
        section.insert("description".to_owned(), description.into());
    }
}

/// Takes out null, which TOML does not have, the names of Rust's number types, and line ends within a sentence.
fn tidy(schema: &mut Schema) {
    if let Some(schema) = schema.as_object_mut() {
        schema.retain(|key, value| key != "format" && !(key == "default" && value.is_null()));
    }
    if let Some(Value::Object(options)) = schema.get_mut("default") {
        options.retain(|_, value| !value.is_null());
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    for (key, null) in [("enum", Value::Null), ("anyOf", json!({ "type": "null" }))] {
        if let Some(Value::Array(values)) = schema.get_mut(key) {
            values.retain(|value| *value != null);
        }
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if let Some(reference) = reference(schema) {
        // What stands beside a `$ref` editors do not see.
        let beside = schema.as_object_mut().map(std::mem::take).unwrap_or_default();
        let parts = if beside.is_empty() { vec![reference] } else { vec![beside.into(), reference] };
        schema.insert("allOf".to_owned(), parts.into());
    }
}

/// Takes a reference out of a schema that is one, or that was one or null.
fn reference(schema: &mut Schema) -> Option<Value> {
    if schema.as_object()?.len() > 1
        && let Some(reference) = schema.remove("$ref")
    {
        return Some(json!({ "$ref": reference }));
    }
    match schema.get("anyOf")?.as_array()?.as_slice() {
        [only] if only.get("$ref").is_some() => schema.remove("anyOf")?.get(0).cloned(),
        _ => None,
    }
}
