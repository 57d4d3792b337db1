//! `--init-from` with a part of a file, and the names of torch's `nn.Sequential`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use descent::checkpoint;
use descent::model::{Network, NetworkOptions};

use super::tables::{config, lines, write};
use crate::common::{config as sections, descent, fail, relative_difference, repository, succeed};

/// A table of four numbers and three classes, and a config `c.toml` of an MLP with BatchNorm on it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("a,b,c,d,class", 60, |i| {
        format!("{},{},{},{},{}", i % 7, i * i % 11, i % 5, i * 3 % 13, ["x", "y", "z"][i % 3])
    });
    let path = write(folder.path(), "t.csv", rows);
    let text = config("csv", &path, "class", "", "cross_entropy");
    write(folder.path(), "c.toml", text.replace("hidden = [16]", "hidden = [6, 5]\nbatch_norm = true"));
    folder
}

/// A training with a learning rate of 0, which leaves the weights as they start; BatchNorm's statistics it moves.
fn still<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let set = ["--set", "optimizer.lr=0.0", "--set", "train.epochs=1"];
    [&["train", "c.toml", "--out", out], &set[..], more].concat()
}

fn state(run: &Path) -> BTreeMap<String, Tensor> {
    checkpoint::load(&run.join("model.safetensors")).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Writes tensors with other names.
fn renamed(from: &Path, to: &Path, name: impl Fn(&str) -> Option<String>) {
    let tensors = state(from).into_iter().filter_map(|(old, tensor)| Some((name(&old)?, tensor)));
    let tensors: BTreeMap<String, Tensor> = tensors.collect();
    candle_core::safetensors::save(&tensors.into_iter().collect(), to).unwrap();
}

/// The committed state dicts of torch's `nn.Sequential`.
fn fixtures() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository("tests/golden/sequential")).unwrap();
    let files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 5, "tests/golden/sequential was not found");
    files
}

#[test]
fn the_state_dict_of_a_torch_sequential_loads_by_its_own_names_and_answers_the_same() {
    for path in fixtures() {
        let metadata = checkpoint::inspect(&path).unwrap().metadata;
        let text = format!(
            "[model]\n{}\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'sgd'",
            metadata["model"]
        );
        let config = sections(&text);
        let options = NetworkOptions::new(DType::F64, &Device::Cpu);
        let network = Network::new(&config.model, &[4], 3, 0, options).unwrap();
        network.params().load(&checkpoint::load(&path).unwrap()).unwrap();
        let rows: BTreeMap<String, Vec<Vec<f64>>> = serde_json::from_str(&metadata["rows"]).unwrap();
        let [xs, expected] =
            ["x", "outputs"].map(|name| Tensor::new(rows[name].clone(), &Device::Cpu).unwrap());
        let difference = relative_difference(&network.forward(&xs).unwrap(), &expected);
        assert!(difference < 1e-12, "{}: {difference}", path.display());
    }
}

#[test]
fn a_run_with_sequential_names_starts_from_torch_and_is_exported_as_a_sequential() {
    let folder = folder();
    let file = repository("tests/golden/sequential/batch-norm.safetensors");
    let set = [
        "--set",
        "model={ name = 'mlp', hidden = [6], batch_norm = true, dropout = 0.5, layer_names = 'sequential' }",
    ];
    let start = ["-q", "--init-from", file.to_str().unwrap()];
    succeed(folder.path(), &still("run", &[&start[..], &set].concat()));
    let (ours, theirs) = (state(&folder.path().join("run")), checkpoint::load(&file).unwrap());
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for name in ["0.weight", "1.bias", "4.bias"] {
        assert!(relative_difference(&ours[name], &theirs[name]) < 1e-6, "{name}");
    }
    succeed(folder.path(), &["export", "run", "--to", "torch"]);
    let source = fs::read_to_string(folder.path().join("run/torch/model.py")).unwrap();
    let expected = "class Model(nn.Sequential):\n    def __init__(self):\n        super().__init__(\n            \
                    nn.Linear(4, 6),\n            nn.BatchNorm1d(6, eps=1e-5, momentum=0.1),\n            nn.ReLU(),\n            \
                    nn.Dropout(0.5),\n            nn.Linear(6, 3),\n        )\n";
    assert!(source.contains(expected), "{source}");
    for command in [
        &["export", "run", "--to", "onnx"][..],
        &["eval", "run", "--input", "t.csv"],
        &["predict", "run", "--input", "t.csv"],
    ] {
        succeed(folder.path(), command);
    }
    assert!(succeed(folder.path(), &["inspect", "run"]).contains("1.running_mean"));
    succeed(folder.path(), &["train", "--resume", "run", "--set", "train.epochs=2", "-q"]);
}

#[test]
fn sequential_names_are_refused_where_vectors_of_names_are_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("name,class", 200, |i| format!("n{},{}", i % 60, ["x", "y"][i % 2]));
    let path = write(folder.path(), "t.csv", rows);
    write(folder.path(), "c.toml", config("csv", &path, "class", "", "cross_entropy"));
    let train = |out| ["train", "c.toml", "-q", "--out", out, "--set", "model.layer_names='sequential'"];
    let error = fail(folder.path(), &train("a"), 2);
    assert!(
        error.contains("`model.layer_names` is \"sequential\"") && error.contains("\"onehot\""),
        "{error}"
    );
    let onehot = ["--set", "data.columns={ name = 'onehot' }"];
    succeed(folder.path(), &[&train("b")[..], &onehot].concat());
}

#[test]
fn a_part_of_a_file_is_taken_and_the_rest_is_listed() {
    let folder = folder();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "a"]);
    let path = folder.path();
    let part =
        ["--init-from", "a/model.safetensors", "--init-match", "layer1.*", "--init-match", "bn1.weight"];
    let head = ["--set", "seed=5", "--set", "model.hidden=[6, 9]"];
    let output = descent(path, &still("b", &[&part[..], &head].concat()));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    for line in [
        "taken from the file: bn1.num_batches_tracked, bn1.running_mean, bn1.running_var, bn1.weight, layer1.bias, layer1.weight",
        "left at their initialisation: bn1.bias, bn2.bias,",
        "left in the file: bn1.bias, bn2.bias,",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (a, b) = (state(&path.join("a")), state(&path.join("b")));
    for name in ["layer1.weight", "layer1.bias", "bn1.weight"] {
        assert_eq!(values(&a[name]), values(&b[name]), "{name}");
    }
    assert_eq!(b["layer2.weight"].dims(), [9, 6]);
    // The counter goes on from the file's.
    let counts =
        |state: &BTreeMap<String, Tensor>, layer| values(&state[&format!("{layer}.num_batches_tracked")])[0];
    assert!(counts(&b, "bn1") > counts(&b, "bn2"), "bn2 starts at 0");
    let head = fs::read_to_string(path.join("b/config.toml")).unwrap();
    let first = head.lines().next().unwrap();
    assert!(first.ends_with(r#"--init-match "layer1.*" --init-match "bn1.weight""#), "{first}");
    // Resuming does not read the file again.
    fs::remove_dir_all(path.join("a")).unwrap();
    succeed(path, &["train", "--resume", "b", "--set", "train.epochs=2", "-q"]);
}

#[test]
fn names_of_a_sequential_become_those_of_the_model() {
    let folder = folder();
    let path = folder.path();
    succeed(path, &["train", "c.toml", "-q", "--out", "a", "--set", "model.batch_norm=false"]);
    let number = |name: &str| {
        let (layer, part) = name.split_once('.').unwrap();
        Some(format!("{}.{part}", ["layer1", "layer2", "layer3"].iter().position(|own| *own == layer)? * 2))
    };
    renamed(&path.join("a"), &path.join("w.safetensors"), number);
    let start = ["--init-from", "w.safetensors", "--set", "model.batch_norm=false", "--set", "seed=5"];
    let run = |out, rename| [still(out, &start), vec!["--init-rename", rename]].concat();
    // Without flags the names must be the model's.
    let error = fail(path, &still("x", &start), 1);
    assert!(error.contains("`layer1.weight` [6, 4] is missing in the file"), "{error}");
    let output = descent(path, &run("b", "0.=layer1., 2.=layer2."));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("taken from the file: layer1.bias (0.bias), layer1.weight (0.weight), layer2.bias"),
        "{text}"
    );
    assert!(text.contains("left at their initialisation: layer3.bias, layer3.weight\n"), "{text}");
    assert!(text.contains("left in the file: 4.bias, 4.weight\n"), "{text}");
    let (a, b) = (state(&path.join("a")), state(&path.join("b")));
    assert_eq!(values(&a["layer2.weight"]), values(&b["layer2.weight"]));
    assert!(values(&a["layer3.weight"]) != values(&b["layer3.weight"]));
    // The longest prefix counts, and an empty one is before every name.
    succeed(path, &[&run("d", "=layer,0.=layer1.")[..], &["--init-match", "layer1.*"]].concat());
    assert_eq!(values(&a["layer1.weight"]), values(&state(&path.join("d"))["layer1.weight"]));
}

// layering: long because it is a table of cases.
#[test]
fn what_fits_nothing_says_what_to_write() {
    let folder = folder();
    let path = folder.path();
    succeed(path, &["train", "c.toml", "-q", "--out", "a"]);
    let start = ["--init-from", "a/model.safetensors"];
    let error = |more: &[&str], code| fail(path, &still("b", &[&start[..], more].concat()), code);
    for (more, code, words) in [
        (
            &["--init-match", "layer9.*"][..],
            2,
            &["--init-match \"layer9.*\"", "matches no tensor", "`bn1.bias`"][..],
        ),
        (&["--init-match", "layer1"], 2, &["write \"layer1.*\""]),
        (
            &["--init-match", "layer3.*", "--set", "model.hidden=[6, 7]"],
            1,
            &["`layer3.weight` is [3, 5] in the file"],
        ),
        (
            &["--init-match", "*", "--set", "model.hidden=[6, 7]"],
            1,
            &[
                "`layer2.weight` is [5, 6] in the file, [7, 6]",
                "--init-match \"layer1.*\" --init-match \"bn1.*\"",
            ],
        ),
        (&["--set", "model.hidden=[6, 7]"], 1, &["to take only what fits: --init-match \"layer1.*\""]),
        (&["--init-rename", "3.=layer1."], 2, &["--init-rename \"3.\"", "begins with it", "`bn1.bias`"]),
        (&["--init-rename", "layer1.=layer2."], 2, &["`layer2.bias`", "would both be it"]),
        (&["--init-rename", "layer1.=head."], 2, &["\"head.bias\"", "--init-match"]),
        (&["--init-rename", "layer1.=x.,layer1.=y."], 2, &["given twice"]),
        (&["--init-match", "layer2.*", "--init-rename", "layer2.=x."], 2, &["has none of `layer2.bias`"]),
    ] {
        let error = error(more, code);
        assert!(words.iter().all(|word| error.contains(word)), "{more:?}: {error}");
    }
    for wrong in [&["--init-rename", "layer1"][..], &["--init-match", ""]] {
        let output = descent(path, &still("b", &[&start[..], wrong].concat()));
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    for alone in [&["--init-match", "*"][..], &["--init-rename", "a=b"]] {
        assert_eq!(descent(path, &still("b", alone)).status.code(), Some(2), "{alone:?}");
    }
    assert!(!path.join("b").exists());
}

#[test]
fn a_part_with_numbers_that_are_not_finite_is_refused_and_the_rest_of_the_file_is_not_looked_at() {
    let folder = folder();
    let path = folder.path();
    succeed(path, &["train", "c.toml", "-q", "--out", "a"]);
    let mut tensors = state(&path.join("a"));
    tensors.insert("layer3.bias".to_owned(), Tensor::new(&[f32::NAN, 0.0, 1.0], &Device::Cpu).unwrap());
    candle_core::safetensors::save(&tensors.into_iter().collect(), path.join("w.safetensors")).unwrap();
    let start = |out, pattern| still(out, &["-q", "--init-from", "w.safetensors", "--init-match", pattern]);
    let error = fail(path, &start("b", "layer3.*"), 1);
    assert!(error.contains("`layer3.bias`") && error.contains("--allow-nonfinite"), "{error}");
    succeed(path, &start("b", "layer1.*"));
}

#[test]
fn folds_and_comparisons_start_from_a_part_too() {
    let folder = folder();
    let path = folder.path();
    succeed(path, &["train", "c.toml", "-q", "--out", "a"]);
    let part = ["--init-from", "a/model.safetensors", "--init-match", "layer1.*"];
    let output = descent(path, &still("folds", &[&part[..], &["--folds", "2"]].concat()));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && text.matches("taken from the file: layer1.bias").count() == 1,
        "{text}"
    );
    let vary =
        ["compare", "--train", "c.toml", "--vary", "model.activation='relu','tanh'", "--out", "compared"];
    let set = ["--set", "optimizer.lr=0.0", "--set", "train.epochs=1", "-q"];
    succeed(path, &[&vary[..], &set, &part].concat());
    let runs = fs::read_dir(path.join("compared")).unwrap().map(|entry| entry.unwrap().path());
    let runs: Vec<PathBuf> = runs.chain([path.join("folds/fold-1"), path.join("folds/fold-2")]).collect();
    assert_eq!(runs.len(), 4);
    let expected = values(&state(&path.join("a"))["layer1.weight"]);
    for run in runs {
        assert_eq!(values(&state(&run)["layer1.weight"]), expected, "{}", run.display());
    }
    let error = fail(path, &[&["compare", "a", "folds"][..], &part].concat(), 2);
    assert!(error.contains("--train"), "{error}");
}
