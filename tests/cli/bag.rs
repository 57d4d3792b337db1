//! `train --bag K`: the runs of K folds as one model that averages.

use std::fs;
use std::path::Path;

use super::export::run_c;
use super::npz::{self, Array};
use super::tables::{cells, config, lines, metric, write};
use crate::common::{descent, fail, program, succeed};

/// A table with a number, names and a target, and its config.
fn begin(folder: &Path, loss: &str) {
    let rows = lines("x,color,y", 120, |i| {
        let y = i * 37 % 101;
        let y = if loss == "mse" { y.to_string() } else { ["low", "high"][usize::from(y > 50)].to_owned() };
        format!("{}.5,{},{y}", i * 13 % 29, ["red", "green", "blue"][i % 3])
    });
    let path = write(folder, "t.csv", rows);
    let data = "test = 0.2\nvalidation = 0.2\nnormalize = \"standard\"";
    write(folder, "c.toml", config("csv", &path, "y", data, loss));
}

/// The rows of predictions as numbers, the first columns left out.
fn numbers(text: &str, skip: usize) -> Vec<Vec<f64>> {
    cells(text)[1..]
        .iter()
        .map(|row| row[skip..].iter().map(|cell| cell.parse().unwrap()).collect())
        .collect()
}

#[test]
fn a_bag_predicts_the_mean_of_its_members() {
    for (loss, skip) in [("mse", 0), ("cross_entropy", 1)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        begin(path, loss);
        let out = succeed(path, &["train", "c.toml", "--bag", "3", "--out", "bag"]);
        for name in ["oof_loss", "test_loss", "updates", "seconds"] {
            assert!(out.contains(name), "{out}");
        }
        let predict = |run: &str| numbers(&succeed(path, &["predict", run, "--input", "t.csv"]), skip);
        let members: Vec<_> = (1..=3).map(|index| predict(&format!("bag/folds/{index}"))).collect();
        for (row, own) in predict("bag").iter().enumerate() {
            for (column, own) in own.iter().enumerate() {
                let mean = members.iter().map(|member| member[row][column]).sum::<f64>() / 3.0;
                assert!((own - mean).abs() < 1e-5 * mean.abs().max(1.0), "row {row}: {own}, {mean}");
            }
        }
        // Its own test split, and files, as of any run.
        let scored = succeed(path, &["eval", "bag"]);
        assert!((metric(&scored, "test_loss") - metric(&out, "test_loss")).abs() < 1e-4, "{scored} {out}");
        assert!(succeed(path, &["eval", "bag", "--input", "t.csv"]).contains("rows 120"));
        assert!(succeed(path, &["inspect", "bag"]).contains("member3.layer2.weight"));
        succeed(path, &["report", "bag", "--output", "r.html"]);
        // The networks have the epochs.
        assert!(!fs::read_to_string(path.join("r.html")).unwrap().contains("best epoch"));
        let compared = descent(path, &["compare", "bag", "bag/folds/1", "bag/folds/2"]);
        let said = String::from_utf8(compared.stderr).unwrap();
        assert!(compared.status.success() && said.contains("bag: it is the average of networks"), "{said}");
        assert!(fs::read_to_string(path.join("r.html")).unwrap().contains("oof"));
        succeed(path, &["export", "bag/folds/2", "--to", "onnx", "--output", "m.onnx"]);
    }
}

/// What other tools answer by them, `make export-check` shows.
#[test]
fn a_bag_is_exported_as_one_network_that_averages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "cross_entropy");
    succeed(path, &["train", "c.toml", "--bag", "3", "--out", "bag", "-q"]);
    let export =
        |to: &str, more: &[&str]| succeed(path, &[&["export", "bag", "--to", to, "--output"], more].concat());
    export("onnx", &["m.onnx"]);
    let bytes = fs::read(path.join("m.onnx")).unwrap();
    let graph = onnx_rs::parse(&bytes).unwrap().graph.unwrap();
    let inputs: Vec<_> = graph.input.iter().map(|input| input.name).collect();
    assert_eq!(inputs, ["x", "color"], "all members read the same columns");
    let means = graph.node.iter().filter(|node| node.op_type.as_str() == "Mean");
    assert_eq!(means.map(|node| node.input.len()).collect::<Vec<_>>(), [3]);
    export("torch", &["torch"]);
    let source = fs::read_to_string(path.join("torch/model.py")).unwrap();
    for line in
        ["class Member(nn.Module):\n", "        for number in range(3):\n", "            train(member, "]
    {
        assert!(source.contains(line), "{line}: {source}");
    }
    let weights = |folder: &str| fs::read(path.join(folder).join("model.safetensors")).unwrap();
    assert_eq!(weights("torch"), weights("bag"));
    for more in [&["net.c"][..], &["net.c", "--int8"]] {
        export("c", more);
        run_c(&path.join("net.c"));
    }
    export("hub", &["hub"]);
    let text = fs::read(path.join("hub/config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let tensors = ["member3.layer1.weight", "member3.layer1.bias"];
    assert_eq!(config["members"][2]["layers"][0]["tensors"], serde_json::json!(tensors));
    let predict = |run: &str| succeed(path, &["predict", run, "--input", "t.csv"]);
    assert_eq!(predict("hub"), predict("bag"));
}

#[test]
fn every_row_is_scored_once_by_a_network_that_did_not_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "mse");
    succeed(path, &["train", "c.toml", "--bag", "4", "--out", "bag"]);
    let rows: Vec<usize> = (1..=4)
        .map(|index| {
            let own = fs::read_to_string(path.join(format!("bag/folds/{index}/data.toml"))).unwrap();
            let own: toml::Table = own.parse().unwrap();
            usize::try_from(own["fingerprint"]["validation"]["rows"].as_integer().unwrap()).unwrap()
        })
        .collect();
    assert_eq!((rows.iter().sum::<usize>(), rows.as_slice()), (96, &[24; 4][..]));
}

/// The members share one preprocessing, but the bins of a network are its own and come from the rows that it is trained on.
#[test]
fn a_member_is_the_run_of_its_own_config_bins_and_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "mse");
    let bins = "hidden = [16]\nnumerical = { name = \"piecewise_linear\", n_bins = 4, d_embedding = 4 }";
    let text = fs::read_to_string(path.join("c.toml")).unwrap();
    write(path, "c.toml", text.replace("hidden = [16]", bins));
    succeed(path, &["train", "c.toml", "-q", "--bag", "3", "--out", "bag"]);
    for index in 1..=3 {
        let member = format!("bag/folds/{index}");
        let model = |run: &str| fs::read(path.join(run).join("model.safetensors")).unwrap();
        let tensors =
            candle_core::safetensors::load_buffer(&model(&member), &candle_core::Device::Cpu).unwrap();
        // One over the widths of the bins.
        let slopes = tensors["numerical.impl.weight"].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(slopes.iter().all(|slope| *slope > 0.0), "fold {index}: {slopes:?}");
        let alone = format!("alone{index}");
        succeed(path, &["train", &format!("{member}/config.toml"), "-q", "--out", &alone]);
        assert_eq!(model(&alone), model(&member), "fold {index}");
        succeed(path, &["train", "--resume", &member, "-q", "--set", "train.epochs=4"]);
    }
}

#[test]
fn the_loss_of_an_average_has_the_class_weights_of_all_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "cross_entropy");
    let text = fs::read_to_string(path.join("c.toml")).unwrap();
    let text =
        text.replace("name = \"cross_entropy\"", "name = \"cross_entropy\"\nclass_weight = \"balanced\"");
    write(path, "c.toml", &text);
    let out = succeed(path, &["train", "c.toml", "--bag", "3", "--out", "bag"]);
    let scored = succeed(path, &["eval", "bag"]);
    assert!((metric(&scored, "test_loss") - metric(&out, "test_loss")).abs() < 1e-4, "{scored} {out}");
}

#[test]
fn a_bag_that_was_killed_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "cross_entropy");
    let command =
        |out: &'static str| ["train", "c.toml", "--bag", "3", "--out", out, "--set", "train.epochs=40"];
    succeed(path, &command("whole"));
    let model = |run: &str| fs::read(path.join(run).join("model.safetensors")).unwrap();
    let mut stopped = program(path, &command("again")).spawn().unwrap();
    while !path.join("again/folds/2/metrics.jsonl").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    stopped.kill().unwrap();
    stopped.wait().unwrap();
    assert!(!path.join("again/model.safetensors").exists());
    let out = succeed(path, &["train", "--resume", "again"]);
    assert!(out.contains("oof_accuracy"), "{out}");
    assert_eq!(model("again"), model("whole"));
    // The same command again trains nothing, and says the same.
    let seconds = |text: &str| {
        text.lines().filter(|line| line.starts_with("oof_")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(seconds(&succeed(path, &command("again"))), seconds(&out));
    // A config with a bag is one too.
    succeed(path, &["train", "whole/config.toml", "--out", "third"]);
    assert_eq!(model("third"), model("whole"));
    let error = fail(path, &["train", "c.toml", "--bag", "2", "--out", "whole"], 2);
    assert!(error.contains("another config"), "{error}");
}

#[test]
fn a_bag_that_is_resumed_with_other_settings_is_refused_by_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "cross_entropy");
    succeed(path, &["train", "c.toml", "-q", "--bag", "2", "--out", "bag", "--set", "train.epochs=2"]);
    let error = fail(path, &["train", "--resume", "bag", "--set", "train.epochs=3"], 2);
    let words = ["--set: fold 1 in bag/folds/1", "train.epochs = 3 (was 2)", "--bag K"];
    assert!(words.iter().all(|word| error.contains(word)) && !error.contains("--out"), "{error}");
    succeed(path, &["train", "--resume", "bag", "-q"]);
}

#[test]
fn a_bag_that_is_not_finished_says_how_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "cross_entropy");
    succeed(path, &["train", "c.toml", "-q", "--bag", "2", "--out", "bag"]);
    // As it is when the second network is trained.
    for file in ["data.toml", "model.safetensors", "metrics.jsonl"] {
        fs::remove_file(path.join("bag").join(file)).unwrap();
    }
    fs::remove_dir_all(path.join("bag/folds/2")).unwrap();
    for command in [
        &["predict", "bag", "--input", "t.csv"][..],
        &["eval", "bag"],
        &["report", "bag"],
        &["inspect", "bag"],
    ] {
        let error = fail(path, command, 1);
        assert!(error.contains("go on with: descent train --resume bag"), "{error}");
    }
    succeed(path, &["train", "--resume", "bag", "-q"]);
    succeed(path, &["predict", "bag", "--input", "t.csv"]);
}

#[test]
fn what_cannot_be_bagged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "gaussian_nll");
    let rows = lines("x,y", 40, |i| format!("{i},{}", i % 7));
    write(path, "t.csv", rows);
    let error = fail(path, &["train", "c.toml", "--bag", "3", "--out", "bag"], 2);
    assert!(error.contains("gaussian_nll"), "{error}");
    write(
        path,
        "w.toml",
        "[data]\nname = 'waves'\n[model]\nname = 'mlp'\nhidden = [4]\n[loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n",
    );
    let error = fail(path, &["train", "w.toml", "--bag", "3"], 2);
    assert!(error.contains("--bag") && error.contains("--folds"), "{error}");
    assert_eq!(descent(path, &["train", "c.toml", "--bag", "1"]).status.code(), Some(2));
}

#[test]
fn a_bag_of_more_networks_than_rows_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "cross_entropy");
    // Of 120 rows 24 are tested on.
    let refused = |out: &str, set: &[&str], code: i32| {
        let command = ["train", "c.toml", "--out", out, "--set", "data.validation=0.0"];
        let sets = set.iter().flat_map(|set| ["--set", *set]);
        let error = fail(path, &command.into_iter().chain(sets).collect::<Vec<_>>(), code);
        assert!(!path.join(out).exists(), "{error}");
        error
    };
    let bag = |of: u32| format!("data.bag={{ of = {of} }}");
    let error = refused("a", &[&bag(97)], 2);
    assert!(error.contains("96 rows to 97 folds") && error.contains("the largest bag here is 96"), "{error}");
    let error = refused("b", &[&bag(400), "data.test=0.0"], 2);
    assert!(error.contains("the largest bag here is 120"), "{error}");
    let error = refused("c", &[&bag(31), "data.limit=30"], 2);
    assert!(error.contains("the largest bag here is 30"), "{error}");
    let error = fail(path, &["train", "c.toml", "--bag", "97", "--out", "d"], 2);
    assert!(error.contains("the largest bag here is 96") && !path.join("d").exists(), "{error}");
    let error = fail(path, &["train", "c.toml", "--bag", "97"], 2);
    assert!(error.contains("96") && !path.join("runs").exists(), "{error}");
    // Folds likewise.
    let error = fail(path, &["train", "c.toml", "--folds", "121", "--out", "e"], 2);
    assert!(error.contains("at most one fold per row") && !path.join("e").exists(), "{error}");
    let arrays = [
        Array::f32("x_train", &[20, 2], (0..40u8).map(f32::from)),
        Array::i64("y_train", &[20], (0..20).map(|i| i % 2)),
    ];
    npz::write(&path.join("a.npz"), false, &arrays);
    for option in ["--bag", "--folds"] {
        let error = fail(path, &["train", "a.npz", option, "41", "--out", "f"], 2);
        assert!(error.contains("20") && !path.join("f").exists(), "{error}");
    }
}

#[test]
fn the_members_of_a_bag_are_calibrated_each_on_its_own_fold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    begin(path, "cross_entropy");
    let text = fs::read_to_string(path.join("c.toml")).unwrap();
    write(path, "c.toml", text.replace("epochs = 3", "epochs = 80\ncalibrate = true"));
    let out = succeed(path, &["train", "c.toml", "--bag", "3", "--out", "bag"]);
    assert!(out.contains("oof_loss"), "{out}");
    let predict = |run: &str| numbers(&succeed(path, &["predict", run, "--input", "t.csv"]), 1);
    let members: Vec<_> = (1..=3).map(|index| predict(&format!("bag/folds/{index}"))).collect();
    for (row, own) in predict("bag").iter().enumerate() {
        let mean = members.iter().map(|member| member[row][0]).sum::<f64>() / 3.0;
        assert!((own[0] - mean).abs() < 1e-5, "row {row}: {own:?}, {mean}");
    }
    let log = fs::read_to_string(path.join("bag/folds/1/metrics.jsonl")).unwrap();
    assert!(log.contains("\"temperature\""), "{log}");
}
