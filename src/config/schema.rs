//! The JSON Schema of a config, for editors: <https://json-schema.org/draft/2020-12>.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use crate::data::{Preparation, Sources};
use crate::loss::Losses;
use crate::model::Model;
use crate::optim::Grouped;
use crate::optim::schedule::Plan;
use crate::registry;
use crate::trainer::TrainOptions;

/// What a config may have: every section, name and option with its type, default and description.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let data = data(&mut generator);
    let mut sections = json!({
        "seed": {
            "type": "integer", "minimum": 0, "default": 0,
            "description": "Decides init, shuffling, dropout and splits: nothing else is random."
        },
        "data": data,
        "model": Model::json_schema(&mut generator),
        "loss": Losses::json_schema(&mut generator),
        "optimizer": Grouped::json_schema(&mut generator),
        "schedule": Plan::json_schema(&mut generator),
        "train": TrainOptions::json_schema(&mut generator),
    });
    let mut definitions = Value::Object(generator.take_definitions(true));
    clean(&mut sections);
    clean(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A config of descent",
        "type": "object",
        "properties": sections,
        "required": ["data", "model", "loss", "optimizer"],
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// `[data]`: the options of a source, and those that every one has.
fn data(generator: &mut SchemaGenerator) -> Value {
    let shared = Preparation::json_schema(generator).get("properties").cloned().unwrap_or_default();
    registry::with_properties(Sources::json_schema(generator), &shared).into()
}

/// Takes out what TOML does not have, null, and formats that JSON Schema does not know.
fn clean(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.retain(|key, value| key != "format" && !(key == "default" && value.is_null()));
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(any)) = object.get_mut("anyOf") {
                any.retain(|schema| schema["type"] != "null");
            }
            object.values_mut().for_each(clean);
        }
        Value::Array(values) => values.iter_mut().for_each(clean),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Rule;
    use crate::registry::Entry;

    /// The entries of a section with the names of their properties.
    fn properties(section: &Value) -> Vec<(String, Vec<String>)> {
        let entries = section["oneOf"].as_array().unwrap().iter();
        let named = entries.filter(|entry| entry["properties"]["name"]["const"].is_string());
        named
            .map(|entry| {
                let own = entry["properties"].as_object().unwrap();
                let names = own.keys().filter(|key| *key != "name").cloned().collect();
                (own["name"]["const"].as_str().unwrap().to_owned(), names)
            })
            .collect()
    }

    #[test]
    fn every_name_has_all_its_options_and_no_other() {
        let schema = schema();
        let sections = &schema["properties"];
        let cases: [(&str, Vec<Entry>, &[&str]); 5] = [
            ("data", Sources::entries(), &["sequence", "normalize", "validation", "limit", "fold"]),
            ("model", Model::entries(), &[]),
            ("loss", Losses::entries(), &[]),
            ("optimizer", Rule::entries(), &["groups"]),
            ("schedule", crate::optim::schedule::Schedules::entries(), &["interval", "warmup_steps"]),
        ];
        for (section, entries, shared) in cases {
            let found = properties(&sections[section]);
            assert_eq!(found.len(), entries.len(), "{section}");
            for (Entry { name, options }, (found, properties)) in entries.iter().zip(found) {
                assert_eq!(*name, found);
                let mut expected: Vec<&str> = options.iter().map(|(key, _)| key.as_str()).collect();
                expected.extend(shared);
                let mut properties: Vec<&str> = properties.iter().map(String::as_str).collect();
                expected.sort_unstable();
                properties.sort_unstable();
                assert_eq!(properties, expected, "{section} {name}");
            }
        }
        let train: Vec<String> =
            registry::options::<TrainOptions>().into_iter().map(|(key, _)| key).collect();
        let own = sections["train"]["properties"].as_object().unwrap();
        assert!(train.iter().all(|key| own.contains_key(key)) && own.len() == train.len());
    }

    #[test]
    fn no_table_takes_keys_that_are_not_known() {
        fn walk(place: &str, schema: &Value) {
            if let Some(object) = schema.as_object() {
                if object.get("properties").is_some_and(Value::is_object) && object.contains_key("type") {
                    assert_eq!(object.get("additionalProperties"), Some(&Value::Bool(false)), "{place}");
                }
                for (key, value) in object {
                    walk(&format!("{place}.{key}"), value);
                }
            }
            for (index, value) in schema.as_array().into_iter().flatten().enumerate() {
                walk(&format!("{place}[{index}]"), value);
            }
        }
        walk("", &schema());
    }
}
