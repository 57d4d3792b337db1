//! People's own tables, series and pictures, from the file to the predictions.

mod bad;
mod baselines;
mod calendar;
mod continuation;
mod dates;
mod drop_missing_target;
mod far_numbers;
mod forecasts;
mod formats;
mod gaps;
mod groups;
mod gzip;
pub(super) mod images;
mod limit;
mod missing;
mod na_values;
mod names;
mod old_runs;
mod predict;
mod predict_blocks;
mod real;
mod series;
mod splits;
mod time;
mod transforms;
mod weights;
mod wide;

use std::path::{Path, PathBuf};

use crate::common::{descent, fail, repository};

/// A file of tests/tables.
pub(super) fn table(name: &str) -> PathBuf {
    repository("tests/tables").join(name)
}

/// The config of a table: `data` are further lines of its section.
pub(super) fn config(source: &str, path: &Path, target: &str, data: &str, loss: &str) -> String {
    format!(
        "seed = 1\n[data]\nname = \"{source}\"\npath = '{}'\ntarget = {target:?}\n{data}\n[model]\nname = \"mlp\"\n\
         hidden = [16]\n[loss]\nname = \"{loss}\"\n[optimizer]\nname = \"adam\"\nlr = 0.01\n[train]\nbatch_size = 16\n\
         epochs = 3\n",
        path.display()
    )
}

/// Writes a file in `folder`; gives its path.
pub(super) fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A header, and a line for each number up to `count`.
pub(super) fn lines(header: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    std::iter::once(header.to_owned()).chain((0..count).map(line)).map(|line| line + "\n").collect()
}

/// The number behind a name in the output of `train` or `eval`.
pub(super) fn metric(output: &str, name: &str) -> f64 {
    let line = output.lines().find(|line| line.split_whitespace().next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name}: {output}")).split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The cells of a CSV text without quotes.
pub(super) fn cells(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}

/// What a run learnt of its data.
pub(super) fn learnt(run: &Path) -> toml::Table {
    std::fs::read_to_string(run.join("data.toml")).unwrap().parse().unwrap()
}

/// The numbers of a tensor of a run's best weights.
pub(super) fn weights(run: &Path, name: &str) -> Vec<f64> {
    let state = descent::checkpoint::load(&run.join("model.safetensors")).unwrap();
    let tensor = state[name].to_dtype(candle_core::DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// What a run learnt of a column.
pub(super) fn column(run: &Path, name: &str) -> toml::Table {
    let learnt = learnt(run);
    let columns = learnt["how"]["recipe"]["columns"].as_array().unwrap();
    columns.iter().find(|column| column["name"].as_str() == Some(name)).unwrap().as_table().unwrap().clone()
}

/// The strings of a list.
pub(super) fn strings(list: &toml::Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Trains on a table for one epoch into the folder `out`; gives what is said on standard error.
pub(super) fn train(folder: &Path, config: &str, out: &str) -> String {
    write(folder, "c.toml", config.replace("epochs = 3", "epochs = 1"));
    let output = descent(folder, &["train", "c.toml", "--out", out]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    messages
}

/// The error of a table that training refuses.
pub(super) fn refused(folder: &Path, config: &str) -> String {
    write(folder, "c.toml", config);
    fail(folder, &["train", "c.toml", "--out", "refused"], 1)
}

/// The error of a config that is refused.
pub(super) fn fail_config(folder: &Path, config: &str) -> String {
    write(folder, "c.toml", config);
    fail(folder, &["train", "c.toml", "--out", "refused"], 2)
}
