//! `descent export`: what the files hold, and that nothing is left where an export fails. What other tools make of them,
//! `make export-check` shows.

use std::fs;
use std::path::Path;

use onnx_rs::ast::{Graph, Model, TypeValue};

use super::tables::{config, lines, write};
use crate::common::{descent, fail, succeed};

/// A run on a number, a name and a word for yes or no, some of them missing.
fn trained(folder: &Path) {
    let colours = ["red", "grün", ""];
    let rows = lines("x,colour,flag,label,class", 60, |i| {
        let word = if i % 2 == 0 { "yes" } else { "no" };
        let class = if i % 2 == 0 { "a" } else { "é" };
        format!("{},{},{word},{},{class}", i * 3, colours[i % 3], i % 5)
    });
    let path = write(folder, "t.csv", rows);
    let data = "missing = 'category'\nnormalize = 'standard'";
    write(folder, "c.toml", config("csv", &path, "class", data, "cross_entropy"));
    succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
}

/// The names of inputs or outputs, and the numbers of their types.
fn typed(values: &[onnx_rs::ast::ValueInfo<'_>]) -> Vec<(String, i64)> {
    let kind =
        |value: &onnx_rs::ast::ValueInfo<'_>| match value.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            Some(TypeValue::Tensor(tensor)) => tensor.elem_type as i64,
            _ => 0,
        };
    values.iter().map(|value| (value.name.to_owned(), kind(value))).collect()
}

#[test]
fn an_onnx_file_has_the_columns_the_preprocessing_and_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let written = succeed(folder.path(), &["export", "run", "--to", "onnx", "--output", "m.onnx"]);
    assert_eq!(written, "m.onnx\nm.test.npz\n");
    let bytes = fs::read(folder.path().join("m.onnx")).unwrap();
    let Model { ir_version, opset_import, metadata_props, graph, .. } = onnx_rs::parse(&bytes).unwrap();
    assert_eq!(ir_version, 8);
    let opsets: Vec<_> = opset_import.iter().map(|opset| (opset.domain, opset.version)).collect();
    assert_eq!(opsets, [("", 17), ("ai.onnx.ml", 3)]);
    let Graph { input, output, initializer, node, .. } = graph.unwrap();
    // TensorProto.DataType: DOUBLE 11, STRING 8, INT64 7, FLOAT 1. A column that has an output's name gives way.
    let expected = [("x", 11), ("colour", 8), ("flag", 8), ("label_", 11)];
    assert_eq!(typed(&input), expected.map(|(name, kind)| (name.to_owned(), kind)));
    let expected = [("label", 8), ("probabilities", 1)];
    assert_eq!(typed(&output), expected.map(|(name, kind)| (name.to_owned(), kind)));
    let weight = initializer.iter().find(|tensor| tensor.name() == "layer1.weight").unwrap();
    assert_eq!(weight.dims(), [16, 6], "x, two names and missing, flag, label");
    let kinds: Vec<&str> = node.iter().map(|node| node.op_type.as_str()).collect();
    assert!(kinds.contains(&"LabelEncoder") && kinds.contains(&"Gemm"), "{kinds:?}");
    let property = |key: &str| metadata_props.iter().find(|property| property.key == key).unwrap().value;
    assert_eq!(property("classes"), r#"["a","é"]"#);
    let columns: serde_json::Value = serde_json::from_str(property("columns")).unwrap();
    assert_eq!((&columns[3]["name"], &columns[3]["input"]), (&"label".into(), &"label_".into()));
    assert_eq!((&columns[1]["kind"], &columns[2]["kind"]), (&"category".into(), &"boolean".into()));
    assert!(columns[1]["cells"].as_str().unwrap().contains("strip cells first"));
    assert!(columns[0]["cells"].is_null());
    assert!(property("config").contains("cross_entropy"));
    // The file leaves the house without the names of its folders.
    let place = folder.path().to_str().unwrap();
    assert!(!bytes.windows(place.len()).any(|part| part == place.as_bytes()));
    // Again, to the default place.
    let written = succeed(folder.path(), &["export", "run", "--to", "onnx"]);
    assert_eq!(written, "run/model.onnx\nrun/model.test.npz\n");
    assert_eq!(fs::read(folder.path().join("run/model.onnx")).unwrap(), bytes);
    // The run goes on to be one.
    succeed(folder.path(), &["eval", "run", "--input", "t.csv"]);
}

#[test]
fn an_export_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let export = |more: &[&str], code| fail(folder.path(), &[&["export"], more].concat(), code);
    assert!(export(&["none", "--to", "onnx", "--output", "m.onnx"], 1).contains("none"));
    let error = export(&["run", "--to", "onnx", "--output", "run/model.safetensors"], 2);
    assert!(error.contains("a file of a run"), "{error}");
    assert!(export(&["run", "--to", "onnx", "--output", "-"], 2).contains("name a path"));
    assert!(export(&["run", "--to", "onnx", "--output", "none/m.onnx"], 1).contains("none"));
    let config = fs::read(folder.path().join("c.toml")).unwrap();
    let error = export(&["run", "--to", "onnx", "--output", "c.toml"], 2);
    assert!(error.contains("--output c.toml: this file is there and does not end in .onnx"), "{error}");
    assert!(fs::read(folder.path().join("c.toml")).unwrap() == config);
    fs::create_dir(folder.path().join("folder")).unwrap();
    assert!(export(&["run", "--to", "onnx", "--output", "folder"], 1).contains("a folder lies where"));
    // Weights that are damaged.
    let model = folder.path().join("run/model.safetensors");
    let bytes = fs::read(&model).unwrap();
    fs::write(&model, &bytes[..bytes.len() - 8]).unwrap();
    export(&["run", "--to", "onnx", "--output", "m.onnx"], 1);
    let mut left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["c.toml", "folder", "run", "t.csv"]);
}

#[test]
fn pytorch_source_is_a_folder_that_replaces_none() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    assert_eq!(succeed(folder.path(), &["export", "run", "--to", "torch", "--output", "out"]), "out\n");
    let mut names: Vec<_> = fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["model.py", "model.safetensors", "test_batch.npz"]);
    let source = fs::read_to_string(folder.path().join("out/model.py")).unwrap();
    for line in [
        "        self.layer1 = nn.Linear(6, 16)\n",
        "        one_hot(df[\"colour\"], [\"grün\", \"red\"], 3, missing=2),\n",
        "CLASSES = [\"a\", \"é\"]\n",
        "    return torch.optim.Adam(model.parameters(), lr=0.01,",
        "    return nn.CrossEntropyLoss(label_smoothing=0.0,",
    ] {
        assert!(source.contains(line), "{line}: {source}");
    }
    let error = fail(folder.path(), &["export", "run", "--to", "torch", "--output", "out"], 2);
    assert!(error.contains("not empty"), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("out/model.py")).unwrap(), source);
    // By default it is in the run folder.
    assert_eq!(succeed(folder.path(), &["export", "run", "--to", "torch"]), "run/torch\n");
}

/// That the same cells are missing and the same numbers read as in `predict`, `make export-check` shows.
#[test]
fn pytorch_source_reads_numbers_by_the_marks_and_the_missing_words_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x;day;y", 60, |i| {
        let x = if i % 7 == 0 { "-999,0".to_owned() } else { format!("{}.000,5", i % 5) };
        format!("{x};{};{i}", if i % 9 == 0 { "1900-01-01" } else { "2024-02-03" })
    });
    let path = write(folder.path(), "t.csv", rows);
    let data = "missing = 'mean'\ndecimal = ','\nthousands = '.'\nna_values = [-999, '1900-01-01', 'gone']";
    write(folder.path(), "c.toml", config("csv", &path, "y", data, "mse"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    succeed(folder.path(), &["export", "run", "--to", "torch"]);
    let source = fs::read_to_string(folder.path().join("run/torch/model.py")).unwrap();
    for line in [
        "\"null\", \"-999\", \"1900-01-01\", \"gone\", \"-999.0\"]\n",
        "MISSING_NUMBERS = [-999.0]  #",
        // 1900-01-01
        "MISSING_DATES = [-25567.0]  #",
        "NUMBER = re.compile(\"([+-]?[0-9]*(?:(?:\\\\.[0-9]{2,3})*\\\\.[0-9]{3})?)(?:,([0-9]*))?([eE][+-]?[0-9]+)?\")",
    ] {
        assert!(source.contains(line), "{line}: {source}");
    }
}

/// The names of the files in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_folder_for_the_hub_has_a_card_and_is_a_run_without_paths_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let odd = "it's \"a\": #1, é";
    fs::rename(folder.path().join("run"), folder.path().join(odd)).unwrap();
    assert_eq!(succeed(folder.path(), &["export", odd, "--to", "hub", "--output", "hub"]), "hub\n");
    let hub = folder.path().join("hub");
    let files = ["README.md", "config.json", "config.toml", "data.toml", "model.onnx", "model.safetensors"];
    assert_eq!(names(&hub), files);
    for file in files {
        let bytes = fs::read(hub.join(file)).unwrap();
        let place = folder.path().to_str().unwrap().as_bytes();
        assert!(!bytes.windows(place.len()).any(|part| part == place), "{file} has the path");
    }
    let card = fs::read_to_string(hub.join("README.md")).unwrap();
    for part in [
        "---\n# The license is yours to choose",
        "\nlibrary_name: descent\npipeline_tag: tabular-classification\ntags:\n- mlp\n",
        "\n# it's \"a\": #1, é\n",
        "| colour | category |",
        "    \"colour\": np.array([[\"grün\"]], object),\n",
        "        self.layer1 = nn.Linear(6, 16)\n",
        "candle_nn::linear(6, 16, weights.pp(\"layer1\"))?.forward(&x)?;\n",
        "No rows were held out",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(hub.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["id2label"], serde_json::json!({ "0": "a", "1": "é" }));
    assert_eq!(config["layers"][0]["tensors"], serde_json::json!(["layer1.weight", "layer1.bias"]));
    // The folder predicts as the run does.
    let predict = |run: &str| succeed(folder.path(), &["predict", run, "--input", "t.csv"]);
    assert_eq!(predict("hub"), predict(odd));
    let error = fail(folder.path(), &["export", odd, "--to", "hub", "--output", "hub"], 2);
    assert!(error.contains("not empty"), "{error}");
}

#[test]
fn the_card_has_the_metrics_of_the_test_split_in_the_schema_of_the_hub() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x,y", 60, |i| format!("{i},{}", i * i));
    let path = write(folder.path(), "a: \"b\".csv", rows);
    write(folder.path(), "c.toml", config("csv", &path, "y", "test = 0.2\nnormalize = 'standard'", "mse"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    succeed(folder.path(), &["export", "run", "--to", "hub"]);
    let card = fs::read_to_string(folder.path().join("run/hub/README.md")).unwrap();
    for part in [
        "pipeline_tag: tabular-regression\n",
        "model-index:\n- name: \"run\"\n  results:\n  - task:\n      type: tabular-regression\n",
        "    dataset:\n      type: \"csv\"\n      name: \"a: \\\"b\\\".csv\"\n      split: test\n    metrics:\n",
        "    - type: \"r_squared\"\n",
        "On the 12 test rows, which were not trained on:\n\n| metric | value |\n",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
}

/// Compiles a source with every warning and `-DTEST`, and runs it; gives what it prints. None without a compiler.
pub(super) fn run_c(source: &Path) -> Option<String> {
    let program = source.with_extension("test");
    let flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-DTEST"];
    let compiler =
        std::process::Command::new("cc").args(flags).arg(source).arg("-o").arg(&program).arg("-lm").output();
    let compiled = compiler.ok()?;
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let run = std::process::Command::new(program).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    Some(String::from_utf8(run.stdout).unwrap())
}

#[test]
fn c_source_compiles_without_warnings_and_answers_the_test_batch() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let export = ["export", "run", "--to", "c", "--output", "int.c"];
    assert_eq!(succeed(folder.path(), &export), "int.h\nint.c\n");
    let header = fs::read_to_string(folder.path().join("int.h")).unwrap();
    for part in [
        // (16 · 6 + 16 + 2 · 16 + 2) · 4
        " * Weights: 584 bytes, float;",
        "    MODEL_INT_COLOUR_UNKNOWN = 0, /* a name that training has not seen */\n    MODEL_INT_COLOUR_GR_N = 1, /* \"grün\" */\n",
        "    MODEL_INT_COLOUR_MISSING = 3 /* a missing cell */\n} model_int_colour;\n",
        "    model_int_colour colour; /* \"colour\": category of 3: one-hot, where missing a category of its own */\n",
        "void model_int_predict(const model_int_input *row, float out[MODEL_INT_OUTPUTS]);\n",
        "extern const char *const model_int_classes[2];\n",
    ] {
        assert!(header.contains(part), "{part}: {header}");
    }
    if let Some(printed) = run_c(&folder.path().join("int.c")) {
        assert!(printed.ends_with(", 0 labels differ\n"), "{printed}");
    }
    // Again, over its own files, with 8 bits a weight: 16 · 6 + 2 · 16 + 4 · 2 · (16 + 2).
    let output = descent(folder.path(), &[&export[..], &["--int8"]].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("int8: the loss of accuracy was not measured: the run has no test split"),
        "{told}"
    );
    let header = fs::read_to_string(folder.path().join("int.h")).unwrap();
    assert!(header.contains(" * Weights: 272 bytes, int8 with a float scale a row;"), "{header}");
    run_c(&folder.path().join("int.c"));
}

#[test]
fn int8_says_what_it_costs_on_the_test_split() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x,class", 60, |i| format!("{i},{}", if i % 3 == 0 { "a" } else { "b" }));
    let path = write(folder.path(), "t.csv", rows);
    write(
        folder.path(),
        "c.toml",
        config("csv", &path, "class", "test = 0.2\nnormalize = 'standard'", "cross_entropy"),
    );
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let output = descent(folder.path(), &["export", "run", "--to", "c", "--int8"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("int8: on the 12 rows of the test split test_loss "), "{told}");
    assert!(told.contains("; test_accuracy "), "{told}");
}

#[test]
fn c_source_replaces_no_file_of_another_origin() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    write(folder.path(), "main.c", "int main(void) { return 0; }\n");
    let export = |more: &[&str]| fail(folder.path(), &[&["export", "run", "--to"], more].concat(), 2);
    let error = export(&["c", "--output", "main.h"]);
    assert!(error.contains("main.c: this file is there and was not written by export"), "{error}");
    assert!(export(&["c", "--output", "net.cpp"]).contains("name one of them"));
    assert!(export(&["onnx", "--int8"]).contains("--int8 is for --to c"));
    assert_eq!(names(folder.path()), ["c.toml", "main.c", "run", "t.csv"]);
    let main = fs::read_to_string(folder.path().join("main.c")).unwrap();
    assert_eq!(main, "int main(void) { return 0; }\n");
}
