//! The JSON Schema of a config file, for editors: <https://json-schema.org/draft/2020-12>.
//!
//! It constrains each key by itself. Combinations of keys are checked by `descent config check`.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::RunConfig;
use crate::data::{Preparation, Sources};
use crate::loss::Losses;
use crate::model::Model;
use crate::optim::Grouped;
use crate::optim::schedule::SchedulePlan;
use crate::registry::schema;
use crate::trainer::TrainOptions;

/// The schema of a whole config.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let seed = json_schema!({ "type": "integer", "minimum": 0, "default": 0 });
    let sections = [
        ("seed", "The seed of everything random: weights, order, dropout, splits.", seed),
        ("data", "The data set, its splits and its preprocessing.", data(&mut generator)),
        ("model", "The network.", Model::json_schema(&mut generator)),
        ("loss", "The loss function.", Losses::json_schema(&mut generator)),
        ("optimizer", "The optimizer.", Grouped::json_schema(&mut generator)),
        ("schedule", "The learning-rate schedule.", SchedulePlan::json_schema(&mut generator)),
        (
            "train",
            "Batches, number of epochs, clipping, and what is evaluated and saved.",
            train(&mut generator),
        ),
    ];
    let mut whole = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "descent config",
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

/// The options of each source, and those that all sources share.
fn data(generator: &mut SchemaGenerator) -> Schema {
    let shared = schema::properties::<Preparation>(generator);
    let mut entries = Sources::schemas(generator);
    for entry in &mut entries {
        schema::add(entry, shared.clone());
    }
    schema::by_name(&entries)
}

/// The options of the trainer and those of the run.
fn train(generator: &mut SchemaGenerator) -> Schema {
    let mut train = TrainOptions::json_schema(generator);
    schema::add(&mut train, schema::properties::<RunConfig>(generator));
    train
}

/// Adds a description where editors look for it: inside an `allOf`, not beside it.
fn describe(section: &mut Value, description: &str) {
    if let Some(first) = section.pointer_mut("/allOf/0") {
        describe(first, description);
    } else if let Value::Object(section) = section {
        section.insert("description".to_owned(), description.into());
    }
}

/// Removes null, which TOML does not have, the names of Rust's number types, and line breaks within sentences.
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
        // Editors ignore keys beside a `$ref`.
        let beside = schema.as_object_mut().map(std::mem::take).unwrap_or_default();
        let parts = if beside.is_empty() { vec![reference] } else { vec![beside.into(), reference] };
        schema.insert("allOf".to_owned(), parts.into());
    }
}

/// Removes and returns the reference of a schema that is one, or that was one or null.
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
