//! Suggestions for unknown keys: the section they belong to, or our name for them.

use toml::Table;

use super::RunConfig;
use super::foreign::FOREIGN;
use crate::data::{Preparation, Sources};
use crate::loss::Losses;
use crate::model::Model;
use crate::names::first_few;
use crate::optim::Rule;
use crate::optim::schedule::{Schedules, Timing};
use crate::registry::{Entry, KeyError, is_same, options};
use crate::trainer::{Averages, EarlyStopping, TrainOptions};

/// A key of the config, in a table with this path.
struct Place {
    table: &'static str,
    /// The entry of the table's registry that has it, if not all do.
    entry: Option<&'static str>,
    key: String,
}

impl Place {
    fn path(&self) -> String {
        if self.table.is_empty() { self.key.clone() } else { format!("{}.{}", self.table, self.key) }
    }

    /// Whether the table, as the config has it, can have the key.
    fn fits(&self, config: &Table) -> bool {
        let name = entry_of(config, self.table);
        self.entry.is_none() || name.is_none() || self.entry == name
    }
}

/// The error of an unknown key, with where it belongs.
pub(super) fn explain(error: KeyError, config: &Table) -> KeyError {
    let Some(known) = &error.known else { return error };
    let (table, key) = error.path.rsplit_once('.').unwrap_or(("", &error.path));
    if known.iter().any(|own| is_same(own, key)) {
        return error;
    }
    match hint(table, key, known, config) {
        Some(hint) => KeyError::unknown(error.path.clone(), Some(&hint), known.clone()),
        None => error,
    }
}

/// The key that an unknown key of a table may have meant.
fn hint(table: &str, key: &str, known: &[String], config: &Table) -> Option<String> {
    let places = places();
    let foreign = FOREIGN.iter().find(|(name, _)| is_same(name, key)).map_or(&[][..], |(_, ours)| ours);
    if let Some(argument) = foreign.first().filter(|ours| ours.starts_with("--")) {
        return Some(format!("did you mean the argument `{argument}`?"));
    }
    let root = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
    let leaf = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let here = foreign
        .iter()
        .find(|path| known.contains(&leaf(path)) && (root(path) == root(table) || table.is_empty()));
    if let Some(path) = here {
        return Some(format!("did you mean `{}`?", leaf(path)));
    }
    let has =
        |path: &&&str| !path.contains('.') || places.iter().any(|p| p.path() == ***path && p.fits(config));
    if let Some(path) = foreign.iter().find(has) {
        return Some(format!("did you mean {}?", named(path)));
    }
    let same: Vec<&Place> = places.iter().filter(|place| is_same(&place.key, key)).collect();
    let mut elsewhere: Vec<String> =
        same.iter().filter(|p| p.table != table && p.fits(config)).map(|p| p.path()).collect();
    elsewhere.dedup();
    // Within the table that it was written in, if it is there.
    let mut within = elsewhere.iter().filter(|path| path.starts_with(&format!("{table}.")));
    if let Some(path) = within.next().cloned() {
        elsewhere = vec![path];
    }
    if !elsewhere.is_empty() {
        let paths: Vec<String> = elsewhere.iter().map(|path| named(path)).collect();
        return Some(format!("did you mean {}?", paths.join(" or ")));
    }
    let of = first_few(same.iter().filter_map(|p| p.entry).map(|entry| format!("`{entry}`")));
    let own = entry_of(config, same.first()?.table)?;
    (!of.is_empty()).then(|| format!("it is an option of {of}, not of `{own}`;"))
}

/// The dotted path of the key that an argument of this name, without its dashes, means: a key of the config, or another
/// tool's name of one.
pub(crate) fn key_of_flag(flag: &str) -> Option<String> {
    /// The tables that are looked at, the likeliest first.
    const SECTIONS: [&str; 8] =
        ["", "train", "optimizer", "train.early_stopping", "data", "model", "schedule", "loss"];
    let places = places();
    if SECTIONS.contains(&flag) && places.iter().any(|place| place.table == flag && place.key == "name") {
        return Some(format!("{flag}.name"));
    }
    if let Some(place) = places.iter().find(|place| place.path() == flag) {
        return Some(place.path());
    }
    let in_section = |section: &&str| {
        let own = places.iter().find(|place| place.table == *section && is_same(&place.key, flag));
        own.filter(|place| place.key != "name").map(Place::path)
    };
    let foreign = FOREIGN.iter().filter(|(name, _)| is_same(name, flag)).flat_map(|(_, ours)| *ours);
    let mut foreign = foreign.filter(|ours| ours.contains('.'));
    SECTIONS.iter().find_map(in_section).or_else(|| foreign.next().map(|ours| (*ours).to_owned()))
}

/// A path of the config for a message, with its place where that is not in a section.
fn named(path: &str) -> String {
    match path {
        "seed" => "`seed` at the top of the file".to_owned(),
        path if path.contains('.') => format!("`{path}`"),
        section => format!("the section `[{section}]`"),
    }
}

/// The `name` in a table of the config.
fn entry_of<'c>(config: &'c Table, path: &str) -> Option<&'c str> {
    let mut parts = path.split('.');
    let first = config.get(parts.next()?)?;
    parts.try_fold(first, |table, key| table.get(key))?.get("name")?.as_str()
}

/// Every key of a config, except those within lists.
fn places() -> Vec<Place> {
    let registries: [(&'static str, Vec<Entry>); 6] = [
        ("optimizer", Rule::entries()),
        ("model", Model::entries()),
        ("loss", Losses::entries()),
        ("data", Sources::entries()),
        ("schedule", Schedules::entries()),
        ("train.average", Averages::entries()),
    ];
    let shared = [
        ("train", options::<TrainOptions>()),
        ("train", options::<RunConfig>()),
        ("data", options::<Preparation>()),
        ("schedule", options::<Timing>()),
        ("train.early_stopping", options::<EarlyStopping>()),
    ];
    let mut places = vec![Place { table: "", entry: None, key: "seed".to_owned() }];
    for (table, entries) in registries {
        places.push(Place { table, entry: None, key: "name".to_owned() });
        for Entry { name, options } in entries {
            places.extend(options.into_iter().map(|(key, _)| Place { table, entry: Some(name), key }));
        }
    }
    for (table, options) in shared {
        places.extend(options.into_iter().map(|(key, _)| Place { table, entry: None, key }));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    /// The error of a config with this further text at its head or in a section.
    fn error(section: &str, text: &str) -> String {
        let mut config = String::new();
        for (name, own) in [
            ("", "seed = 1"),
            ("data", "name = 'mnist-sample'"),
            ("model", "name = 'mlp'"),
            ("loss", "name = 'cross_entropy'"),
            ("optimizer", "name = 'adam'"),
            ("train", "epochs = 2"),
        ] {
            if !name.is_empty() {
                config += "[";
                config += name;
                config += "]\n";
            }
            config += own;
            config += "\n";
            if name == section {
                config += text;
                config += "\n";
            }
        }
        Config::parse(&config, "x.toml", &[]).unwrap_err().to_string()
    }

    #[test]
    fn keys_of_other_tools_and_other_sections_are_shown_their_place() {
        for (section, text, expected) in [
            ("optimizer", "learning_rate = 0.1", "did you mean `lr`?"),
            ("train", "learning_rate = 0.1", "did you mean `optimizer.lr`?"),
            ("train", "lr = 0.1", "did you mean `optimizer.lr`?"),
            ("", "lr = 0.1", "did you mean `optimizer.lr`?"),
            ("", "epochs = 3", "did you mean `train.epochs`?"),
            ("model", "epochs = 3", "did you mean `train.epochs`?"),
            ("train", "n_epochs = 3", "did you mean `epochs`?"),
            ("", "max_epochs = 3", "did you mean `train.epochs`?"),
            ("data", "batch_size = 3", "did you mean `train.batch_size`?"),
            ("optimizer", "batchsize = 3", "did you mean `train.batch_size`?"),
            ("train", "weight_decay = 0.1", "did you mean `optimizer.weight_decay`"),
            ("train", "dropout = 0.1", "did you mean `model.dropout`"),
            ("model", "hidden_layer_sizes = [3]", "did you mean `hidden`?"),
            ("model", "hidden_size = 3", "did you mean `hidden`?"),
            ("", "random_state = 3", "did you mean `seed`?"),
            ("train", "patience = 3", "did you mean `train.early_stopping.patience`?"),
            ("train", "validation_split = 0.1", "did you mean `data.validation`?"),
            ("train", "device = 'cuda'", "did you mean the argument `--device`?"),
            ("", "scheduler = { name = 'step' }", "did you mean `schedule`?"),
            ("model", "Hidden = [3]", "did you mean `hidden`?"),
            ("optimizer", "momentum = 0.9", "it is an option of `sgd`, "),
            ("", "momentum = 0.9", "it is an option of `sgd`, "),
            ("train", "T_max = 3", "did you mean `schedule.T_max`?"),
            ("data", "seed = 3", "did you mean `seed` at the top of the file?"),
            ("train", "seed = 3", "did you mean `seed` at the top of the file?"),
            ("train", "optimizer = 'adam'", "did you mean the section `[optimizer]`?"),
            ("train", "scheduler = 'step'", "did you mean the section `[schedule]`?"),
        ] {
            let error = error(section, text);
            assert!(error.contains(expected), "{section} {text}: {error}");
            assert!(
                error.contains("is an unknown key; ") && error.contains("; known are `")
                    || error.contains("? known are `"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_section_is_no_word() {
        let text = "optimizer = 'adam'\nmodel = 3\n[data]\nname = 'waves'\n[loss]\nname = 'mse'\n";
        let error = |text: &str| Config::parse(text, "x.toml", &[]).unwrap_err().to_string();
        assert!(error(text).contains("`model` is 3; it must be a section, `[model]`"), "{}", error(text));
        let named = text.replace("model = 3\n", "") + "[model]\nname = 'mlp'\n";
        assert!(
            error(&named).contains("write a section, `[optimizer]` with name = \"adam\""),
            "{}",
            error(&named)
        );
    }
}
