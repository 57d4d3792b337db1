//! What helps with configs and shells.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use descent::config::Config;

use crate::common::{configs, descent, fail, repository, succeed};

#[test]
fn a_config_is_checked_without_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(repository("configs/mini-batch.toml")).unwrap();
    fs::write(folder.path().join("c.toml"), &text).unwrap();
    assert_eq!(succeed(folder.path(), &["config", "check", "c.toml"]), "c.toml can be trained\n");
    let error = fail(folder.path(), &["config", "check", "c.toml", "--set", "optimizer.lrr=1"], 2);
    assert!(error.contains("did you mean `lr`"), "{error}");
    fs::write(folder.path().join("c.toml"), text.replace("[train]", "[trian]")).unwrap();
    assert!(fail(folder.path(), &["config", "check", "c.toml"], 2).contains("did you mean `train`"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_a_config_comes_to_is_shown_with_the_place_of_each_value() {
    let folder = tempfile::tempdir().unwrap();
    let text = "seed = 4\n[data]\nname = 'waves'\nvalidation = 0.2\n[model]\nname = 'mlp'\n\
                init = { hidden = 'kaiming_normal' }\n[loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\n\
                [[optimizer.groups]]\nmatch = '*.bias'\nlr = 0.5\n[train]\nepochs = 3\n";
    fs::write(folder.path().join("c.toml"), text).unwrap();
    let set = ["--set", "optimizer.lr=0.25", "--set", "train.early_stopping={ patience = 7 }"];
    let shown = succeed(folder.path(), &[&["config", "show", "c.toml"], &set[..]].concat());
    let place = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{key} = ")));
        line.unwrap_or_else(|| panic!("{key}: {shown}")).split('#').nth(1).unwrap().trim()
    };
    for (key, expected) in [
        ("seed", "line 1"),
        ("validation", "line 4"),
        ("hidden", "default"),
        ("lr", "--set"),
        ("momentum", "default"),
        ("match", "line 12"),
        ("epochs", "line 16"),
        ("patience", "--set"),
        ("batch_size", "default"),
    ] {
        assert_eq!(place(key), expected, "{key}: {shown}");
    }
    // It is a config, the same one.
    let set: Vec<String> = set.into_iter().skip(1).step_by(2).map(str::to_owned).collect();
    let config = Config::parse(text, "c.toml", &set).unwrap();
    assert_eq!(Config::parse(&shown, "shown", &[]).unwrap(), config);
    for path in configs() {
        let shown = succeed(folder.path(), &["config", "show", path.to_str().unwrap()]);
        assert_eq!(Config::parse(&shown, "shown", &[]).unwrap(), Config::read(&path, &[]).unwrap());
    }
}

#[test]
fn shells_get_completions_and_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = succeed(folder.path(), &["completions", shell]);
        for word in ["train", "resume", "replay"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    let written = succeed(folder.path(), &["man", "man1"]);
    for page in ["descent.1", "descent-train.1", "descent-eval.1", "descent-replay.1"] {
        assert!(written.contains(page), "{written}");
        let text = fs::read_to_string(folder.path().join("man1").join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}

/// A run's log: so many epochs of so many updates and rows, whose loss is halved each time.
fn write_log(run: &Path, epochs: u32, (updates, rows, seconds): (u32, u32, f64)) {
    fs::create_dir_all(run).unwrap();
    let mut text = String::new();
    for epoch in 1..=epochs {
        let (loss, step) = (f64::from(epoch).exp2().recip(), epoch * updates);
        writeln!(
            text,
            "{{\"kind\":\"epoch\",\"epoch\":{epoch},\"step\":{step},\"train_loss\":{loss},\"val_accuracy\":{},\
             \"lr\":0.1,\"seconds\":{seconds},\"samples\":{rows}}}",
            1.0 - loss
        )
        .unwrap();
    }
    writeln!(
        text,
        "{{\"kind\":\"final\",\"epoch\":{epochs},\"step\":1,\"test_loss\":0.125,\"seconds\":1.0}}"
    )
    .unwrap();
    fs::write(run.join("metrics.jsonl"), text).unwrap();
}

#[test]
fn runs_are_compared_over_every_axis() {
    let folder = tempfile::tempdir().unwrap();
    write_log(&folder.path().join("full"), 4, (1, 1000, 0.5));
    write_log(&folder.path().join("mini"), 2, (16, 1000, 1.0));
    let text = succeed(folder.path(), &["compare", "full", "mini"]);
    let blocks: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(blocks.len(), 5, "{text}");
    let cells = |block: usize, row: usize| -> Vec<&str> {
        blocks[block].lines().nth(row).unwrap().split_whitespace().collect()
    };
    assert_eq!(cells(0, 1), ["full", "4", "4", "4,000", "2.00", "0.0625", "0.1250"]);
    assert_eq!(cells(0, 2), ["mini", "2", "32", "2,000", "2.00", "0.2500", "0.1250"]);
    // After two epochs both have halved twice; by then mini has made 32 updates, and full 2.
    assert_eq!(blocks[1].lines().next().unwrap(), "train_loss over epochs");
    assert_eq!(cells(1, 3), ["2", "0.2500", "0.2500"]);
    assert_eq!(cells(2, 3), ["2", "0.2500", "-"]);
    assert_eq!(cells(2, 6), ["16", "0.0625", "0.5000"]);
    assert_eq!(cells(4, 3), ["1.00", "0.2500", "0.5000"]);
    let accuracy = succeed(folder.path(), &["compare", "full", "mini", "--metric", "val_accuracy"]);
    assert!(accuracy.contains("val_accuracy over seconds") && accuracy.contains("0.9375"), "{accuracy}");
    let error = fail(folder.path(), &["compare", "full", "mini", "--metric", "val_loss"], 1);
    assert!(error.contains("it has train_loss, val_accuracy"), "{error}");
    fs::write(folder.path().join("mini/metrics.jsonl"), "{\"kind\":\"epoch\"}\n").unwrap();
    let error = fail(folder.path(), &["compare", "full", "mini"], 1);
    assert!(error.contains("line 1: there is no number `samples`"), "{error}");
    assert_eq!(descent(folder.path(), &["compare", "full"]).status.code(), Some(2));
    fail(folder.path(), &["compare", "full", "nowhere"], 1);
}
