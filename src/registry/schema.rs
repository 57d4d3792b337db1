//! The JSON Schema of a registry: an object for each entry, told apart by its `name`.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value as Json, json};

/// The schema of an entry's options with the `name` that picks it.
pub fn named_schema(name: &str, mut schema: Schema, generator: &SchemaGenerator) -> Schema {
    // Options that several entries share are a reference; here they get a name of their own.
    let shared = schema.get("$ref").and_then(Json::as_str).and_then(|path| path.rsplit('/').next());
    let shared = shared.and_then(|key| generator.definitions().get(key)).cloned();
    if let Some(Ok(shared)) = shared.map(Schema::try_from) {
        schema = shared;
    }
    let object = schema.ensure_object();
    let properties = object.entry("properties").or_insert_with(|| Map::new().into());
    if let Some(properties) = properties.as_object_mut() {
        properties.shift_insert(0, "name".to_owned(), json!({ "const": name }));
    }
    match object.get_mut("required").and_then(Json::as_array_mut) {
        Some(required) => required.push("name".into()),
        None => {
            object.insert("required".to_owned(), json!(["name"]));
        }
    }
    object.insert("type".to_owned(), "object".into());
    object.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// A registry's schema whose entries all have these properties besides.
pub fn with_properties(mut schema: Schema, more: &Json) -> Schema {
    let entries = schema.get_mut("oneOf").and_then(Json::as_array_mut);
    for entry in entries.into_iter().flatten() {
        if let (Some(properties), Some(more)) = (entry["properties"].as_object_mut(), more.as_object()) {
            properties.extend(more.clone());
        }
    }
    schema
}
