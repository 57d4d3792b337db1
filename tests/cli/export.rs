//! `descent export`: what the files hold, and that nothing is left where an export fails. What other tools make of them,
//! `make export-check` shows.

use std::fs;
use std::path::Path;

use onnx_rs::ast::{Graph, Model, TypeValue};

use super::tables::{config, lines, write};
use crate::common::{fail, succeed};

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
    assert!(property("config").contains("cross_entropy"));
    // Again, to the default place.
    assert_eq!(
        succeed(folder.path(), &["export", "run", "--to", "onnx"]),
        "run/model.onnx\nrun/model.test.npz\n"
    );
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
