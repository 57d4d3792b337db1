//! `descent config schema` against the program: what the one refuses, the other refuses.

mod validator;
mod wrong;

use std::collections::BTreeSet;
use std::fs;

use descent::config::{Config, RunConfig, schema};
use descent::data::{Preparation, Sources};
use descent::loss::Losses;
use descent::model::Model;
use descent::nn::{Init, InitScheme};
use descent::optim::Rule;
use descent::optim::schedule::{Schedules, Timing};
use descent::registry::{Entry, FromTable, options};
use descent::trainer::{Averages, EarlyStopping, TrainOptions};
use serde_json::Value;
use toml::Table;

use crate::common::{configs, repository, succeed};
use validator::refusals;
use wrong::WRONG;

/// A config in which any one of the numbers below can stand.
const BASE: &str = "seed = 1\n[data]\nname = 'mnist'\nvalidation = 0.1\n[model]\nname = 'mlp'\n\
                    [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n[schedule]\nwarmup_steps = 1\n\
                    [train]\nepochs = 2000000\n";

fn table(text: &str) -> Table {
    text.parse().unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn json(table: &Table) -> Value {
    serde_json::to_value(table).unwrap()
}

/// The table with `value`, in TOML, at a dotted path.
fn with(mut table: Table, path: &str, value: &str) -> Table {
    let value = self::table(&format!("value = {value}"))["value"].clone();
    let (sections, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut place = &mut table;
    for section in sections.split('.').filter(|section| !section.is_empty()) {
        let inner = place.entry(section).or_insert_with(|| Table::new().into());
        place = inner.as_table_mut().unwrap();
    }
    place.insert(key.to_owned(), value);
    table
}

/// Options with their defaults, as [`options`] gives them.
type Options = Vec<(String, String)>;

/// What a section can name.
struct Named {
    /// The section that has the name.
    section: &'static str,
    /// Where the schema has the entries.
    place: &'static str,
    entries: Vec<Entry>,
    /// The options that the section has whatever it names.
    shared: Options,
}

fn registries() -> [Named; 7] {
    let groups = vec![("groups".to_owned(), "none".to_owned())];
    [
        ("data", "/properties/data/allOf", Sources::entries(), options::<Preparation>()),
        ("model", "/properties/model/allOf", Model::entries(), vec![]),
        ("loss", "/properties/loss/allOf", Losses::entries(), vec![]),
        ("optimizer", "/properties/optimizer/allOf", Rule::entries(), groups),
        ("schedule", "/properties/schedule/allOf/0/allOf", Schedules::entries(), options::<Timing>()),
        ("train.average", "/$defs/Averages/allOf", Averages::entries(), vec![]),
        ("model.init.hidden", "/$defs/Init/allOf", Init::entries(), vec![]),
    ]
    .map(|(section, place, entries, shared)| Named { section, place, entries, shared })
}

/// The base with this entry in this section, and what must be there before its options can be.
fn naming(section: &str, name: &str) -> Table {
    let mut config = table(BASE);
    let (above, key) = section.rsplit_once('.').unwrap_or(("", section));
    let mut place = &mut config;
    for inner in above.split('.').filter(|inner| !inner.is_empty()) {
        place = place.entry(inner).or_insert_with(|| Table::new().into()).as_table_mut().unwrap();
    }
    place.remove(key);
    let config = with(config, &format!("{section}.name"), &format!("'{name}'"));
    match (section, name) {
        ("schedule", "sequential") => with(config, "schedule.schedules", "[{ name = 'constant' }]"),
        // Dropout is between layers.
        ("model", "rnn" | "lstm" | "gru") => with(config, "model.num_layers", "2"),
        // The upper bound lies above the lower one.
        ("model.init.hidden", "uniform" | "trunc_normal") => with(config, "model.init.hidden.a", "-10.0"),
        _ => config,
    }
}

/// Whether an error is about this key or something in it.
fn is_about(path: &str, key: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[test]
fn the_program_prints_it() {
    let folder = tempfile::tempdir().unwrap();
    let printed = succeed(folder.path(), &["config", "schema"]);
    assert!(
        printed.ends_with("}\n") && !printed.contains("[`"),
        "pretty, without links of the documentation"
    );
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), schema());
}

#[test]
fn it_takes_every_config_as_written_and_as_resolved() {
    let schema = schema();
    let mut texts: Vec<String> = configs().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let reference = fs::read_to_string(repository("configs/README.md")).unwrap();
    let example = reference.split("```toml\nseed").nth(1).unwrap().split("```").next().unwrap();
    texts.push(format!("seed{example}"));
    for Named { section, entries, .. } in registries() {
        texts.extend(entries.iter().map(|entry| naming(section, entry.name).to_string()));
    }
    for rule in Rule::NAMES {
        let config =
            with(naming("optimizer", rule), "optimizer.groups", "[{ match = '*.bias', frozen = true }]");
        texts.push(config.to_string());
    }
    for text in texts {
        assert_eq!(refusals(&schema, &json(&table(&text))), [], "{text}");
        let resolved = Config::parse(&text, "written", &[]).unwrap().to_toml().unwrap();
        assert_eq!(refusals(&schema, &json(&table(&resolved))), [], "{resolved}");
    }
}

#[test]
fn it_refuses_what_the_program_refuses() {
    let schema = schema();
    assert_eq!(refusals(&schema, &json(&table(BASE))), []);
    for (path, value) in WRONG {
        let config = with(table(BASE), path, value);
        assert!(Config::from_table(config.clone()).is_err(), "the program takes {path} = {value}");
        let found = refusals(&schema, &json(&config));
        assert!(!found.is_empty(), "the schema takes {path} = {value}");
        let section = path.split('.').next().unwrap();
        assert!(found.iter().all(|(at, _)| is_about(at, section)), "{path} = {value}: {found:?}");
    }
    for section in ["data", "model", "loss", "optimizer"] {
        let mut config = table(BASE);
        config.remove(section);
        assert!(!refusals(&schema, &json(&config)).is_empty(), "{section} is missing");
        config.insert(section.to_owned(), Table::new().into());
        assert!(!refusals(&schema, &json(&config)).is_empty(), "{section} has no name");
    }
}

#[test]
fn words_for_missing_cells_are_a_word_a_list_or_a_table_of_them() {
    let schema = schema();
    for given in ["-1", "'?'", "[-1, '?']", "{ a = -1, 'b c' = ['?', 9.5] }", "{}"] {
        for source in ["csv", "timeseries"] {
            let data = format!("{{ name = '{source}', path = 'a.csv', target = 'y', na_values = {given} }}");
            let config = with(table(BASE), "data", &data);
            assert!(Config::from_table(config.clone()).is_ok(), "{given}");
            assert_eq!(refusals(&schema, &json(&config)), [], "{given}");
        }
    }
}

/// The option's description and default, where they stand beside a reference too.
fn note<'a>(option: &'a Value, key: &str) -> Option<&'a Value> {
    option.get(key).or_else(|| option.pointer(&format!("/allOf/0/{key}")))
}

/// That an object schema has these options, described and with these defaults, and no others.
fn assert_has(object: &Value, options: &[(String, String)], what: &str) {
    assert_eq!(object["additionalProperties"], false, "{what}");
    let properties = object["properties"].as_object().unwrap();
    let known: BTreeSet<&str> = properties.keys().map(String::as_str).filter(|key| *key != "name").collect();
    let wanted: BTreeSet<&str> = options.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(known, wanted, "{what}");
    for (key, default) in options {
        let option = &properties[key];
        assert!(note(option, "description").is_some_and(|text| text != ""), "{what}: {key} is not described");
        let wanted =
            (default != "none").then(|| json(&table(&format!("value = {default}")))["value"].clone());
        assert_eq!(note(option, "default"), wanted.as_ref(), "{what}: the default of {key}");
    }
}

#[test]
fn it_has_the_options_of_every_entry_and_no_others() {
    let schema = schema();
    for Named { section, place, entries, shared } in registries() {
        let cases = schema.pointer(place).and_then(Value::as_array).unwrap_or_else(|| panic!("{place}"));
        let name = |case: &Value| case["if"]["properties"]["name"]["const"].as_str().map(str::to_owned);
        assert_eq!(cases.iter().filter_map(name).count(), entries.len(), "{section}");
        for entry in entries {
            let case = cases.iter().find(|case| name(case).is_some_and(|name| name == entry.name)).unwrap();
            let what = format!("{section} {}", entry.name);
            assert_has(&case["then"], &[entry.options, shared.clone()].concat(), &what);
            assert_eq!(case["then"]["properties"]["name"]["const"], entry.name);
            assert_eq!(case["then"]["required"][0], "name", "{what}");
            // What editors complete from.
            for key in case["then"]["properties"].as_object().unwrap().keys() {
                assert!(cases[0]["properties"].get(key).is_some(), "{what}: {key} is not in the outline");
            }
        }
    }
    assert_has(&schema["properties"]["train"], &train(), "train");
    assert_has(&schema["properties"]["schedule"]["allOf"][1]["else"], &options::<Timing>(), "schedule");
    assert_has(&schema["$defs"]["EarlyStopping"], &options::<EarlyStopping>(), "early stopping");
    assert_has(&schema["$defs"]["InitScheme"], &options::<InitScheme>(), "init");
}

/// The options of `[train]`: those of the trainer, and those of the run.
fn train() -> Options {
    [options::<TrainOptions>(), options::<RunConfig>()].concat()
}

/// Values of an option of this default that may be within its bounds or not: a number, or a list with one number
/// replaced.
fn probes(default: &str) -> Vec<String> {
    const NUMBERS: &[&str] = &["-2", "-1", "0", "1", "2", "5", "64", "65", "99", "100", "1048576", "1048577"];
    const FRACTIONS: &[&str] = &["-0.5", "0.5", "0.999", "1.5"];
    let default = table(&format!("value = {}", if default == "none" { "[1.0, 1.0]" } else { default }));
    let numbers = |float: bool| NUMBERS.iter().chain(FRACTIONS.iter().filter(move |_| float));
    match &default["value"] {
        toml::Value::Integer(_) => numbers(false).map(ToString::to_string).collect(),
        toml::Value::Float(_) => numbers(true).map(ToString::to_string).collect(),
        toml::Value::Array(items) => (0..items.len())
            .flat_map(|index| numbers(items.iter().any(toml::Value::is_float)).map(move |n| (index, n)))
            .map(|(index, number)| {
                let mut items: Vec<String> = items.iter().map(ToString::to_string).collect();
                (*number).clone_into(&mut items[index]);
                format!("[{}]", items.join(", "))
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn its_bounds_are_those_of_the_checks() {
    let schema = schema();
    let mut places: Vec<(Table, String, Options)> = Vec::new();
    for Named { section, entries, shared, .. } in registries() {
        for entry in entries {
            // What a source refuses shows when it reads.
            let own =
                if section == "data" { shared.clone() } else { [entry.options, shared.clone()].concat() };
            places.push((naming(section, entry.name), section.to_owned(), own));
        }
    }
    places.push((table(BASE), "train".to_owned(), train()));
    places.push((table(BASE), "train.early_stopping".to_owned(), options::<EarlyStopping>()));
    let (mut taken, mut refused) = (0, 0);
    for (base, section, options) in places {
        // A table is no number; serde would read one from a list of its values too.
        for (key, default) in options.into_iter().filter(|(key, _)| key != "early_stopping" && key != "fold")
        {
            let key = format!("{section}.{key}");
            // An option without a default may be a number or a list of them.
            let alone = if default == "none" { probes("1.0") } else { Vec::new() };
            for probe in probes(&default).into_iter().chain(alone) {
                let config = with(base.clone(), &key, &probe);
                let program = Config::from_table(config.clone()).err().filter(|e| is_about(&e.path, &key));
                let schema: Vec<_> = refusals(&schema, &json(&config));
                let schema = schema.into_iter().find(|(path, _)| is_about(path, &key));
                assert_eq!(schema.is_some(), program.is_some(), "{key} = {probe}: {schema:?}, {program:?}");
                if program.is_some() { refused += 1 } else { taken += 1 }
            }
        }
    }
    assert!(taken > 1000 && refused > 1000, "{taken} taken, {refused} refused");
}
