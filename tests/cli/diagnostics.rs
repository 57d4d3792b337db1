//! What a PyTorch user looks for in the log: norms of gradients, learning rates of groups, what is frozen.

use std::fs;
use std::path::Path;

use crate::common::{descent, fail, succeed};

const CONFIG: &str = "seed = 1\n[data]\nname = 'mnist-sample'\nlimit = 320\n[model]\nname = 'mlp'\nhidden = [4]\n\
                      [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\nlr = 0.01\n[train]\n\
                      batch_size = 32\nepochs = 2\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG).unwrap();
    folder
}

/// The first line of the log of a run with these settings.
fn first_epoch(folder: &Path, sets: &[&str], out: &str) -> serde_json::Value {
    let sets = sets.iter().flat_map(|set| ["--set", *set]);
    let arguments: Vec<&str> = ["train", "c.toml", "-q", "--out", out].into_iter().chain(sets).collect();
    succeed(folder, &arguments);
    let text = fs::read_to_string(folder.join(out).join("metrics.jsonl")).unwrap();
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

#[test]
fn the_log_has_the_norm_of_the_gradients_and_how_often_it_was_clipped() {
    let folder = folder();
    let plain = first_epoch(folder.path(), &[], "adam");
    assert!(plain["grad_norm"].as_f64().unwrap() > 0.0 && plain["clipped"].is_null(), "{plain}");
    // Every norm is above a tiny limit and below a huge one; it is that before clipping.
    let always = first_epoch(folder.path(), &["train.clip_grad_norm=1e-6", "train.max_steps=1"], "tiny");
    let never = first_epoch(folder.path(), &["train.clip_grad_norm=1e6", "train.max_steps=1"], "huge");
    assert_eq!((always["clipped"].as_f64(), never["clipped"].as_f64()), (Some(1.0), Some(0.0)));
    assert_eq!(always["grad_norm"], never["grad_norm"]);
    // Plain descent never has all its gradients at once.
    let sgd = first_epoch(folder.path(), &["optimizer={ name = 'sgd', lr = 0.1 }"], "sgd");
    assert!(sgd["grad_norm"].is_null(), "{sgd}");
    let table = fs::read_to_string(folder.path().join("tiny/metrics.csv")).unwrap();
    assert!(table.lines().next().unwrap().contains(",lr,grad_norm,clipped,seconds,samples"), "{table}");
    for name in ["grad_norm", "clipped"] {
        assert!(events(&folder.path().join("tiny")).contains(name), "{name}");
    }
    let page = ["report", "tiny", "-q", "--no-data", "--output", "r.html"];
    succeed(folder.path(), &page);
    assert!(fs::read_to_string(folder.path().join("r.html")).unwrap().contains("orm of the gradients"));
}

/// What can be read of a run's event file.
fn events(run: &Path) -> String {
    let files = fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.to_string_lossy().contains("tfevents")).unwrap();
    String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()
}

#[test]
fn every_group_has_its_learning_rate_in_the_log() {
    let folder = folder();
    let groups = "optimizer.groups=[{ match = '*.bias', lr = 0.5 }, { match = 'layer1.*', frozen = true }, \
                  { match = 'layer2.*', lr = 0.25 }]";
    let schedule = "schedule={ name = 'exponential', gamma = 0.5 }";
    let epoch = first_epoch(folder.path(), &[groups, schedule], "run");
    assert_eq!((epoch["lr"].as_f64(), epoch["lr_1"].as_f64()), (Some(0.01), Some(0.5)), "{epoch}");
    assert!(epoch["lr_2"].is_null() && epoch["lr_3"].as_f64() == Some(0.25), "{epoch}");
    let text = fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    assert!(text.lines().nth(1).unwrap().contains("\"lr_1\":0.25,\"lr_3\":0.125"), "{text}");
    assert!(events(&folder.path().join("run")).contains("lr_3"));
}

#[test]
fn what_is_frozen_and_which_group_it_is_in_is_shown() {
    let folder = folder();
    let groups = "optimizer.groups=[{ match = '*.bias', lr = 0.5 }, { match = 'layer1.*', frozen = true }]";
    let planned = succeed(folder.path(), &["train", "c.toml", "--dry-run", "--set", groups]);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run", "--set", groups]);
    for table in [planned, succeed(folder.path(), &["inspect", "run"])] {
        let group = |name: &str| {
            let line = table.lines().find(|line| line.starts_with(name)).unwrap();
            line.split("  ").last().unwrap().trim().to_owned()
        };
        assert_eq!(group("layer1.bias"), "*.bias", "{table}");
        assert_eq!(group("layer1.weight"), "layer1.* (frozen)", "{table}");
        assert_eq!(group("layer2.weight"), "40", "{table}");
        assert!(table.contains("3,190 parameters, 3,136 of them frozen"), "{table}");
    }
}

#[test]
fn a_group_that_another_hides_is_an_error() {
    let folder = folder();
    for (groups, words) in [
        (
            "[{ match = 'layer*' }, { match = '*.bias' }]",
            &["groups[1].match", "`*.bias`", "`layer*` before it", "put this one first"][..],
        ),
        (
            "[{ match = '*.bias' }, { match = '*.weight' }, { match = 'layer2.*', frozen = true }]",
            &["groups[2].match", "before it leaves this group none"],
        ),
        (
            "[{ match = 'layer1.bias' }, { match = 'layer?.bias' }, { match = 'layer2.bias' }]",
            &["groups[2].match", "`layer?.bias`"],
        ),
    ] {
        let set = format!("optimizer.groups={groups}");
        let error = fail(folder.path(), &["train", "c.toml", "-q", "--out", "run", "--set", &set], 2);
        for word in words {
            assert!(error.contains(word), "no {word} in {error}");
        }
        assert!(!folder.path().join("run").exists());
    }
    // A group may lose some of what it matches.
    let set = "optimizer.groups=[{ match = 'layer1.*' }, { match = '*.bias' }]";
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run", "--set", set]);
}

#[test]
fn an_average_that_keeps_its_start_is_warned_of_and_can_warm_up() {
    let folder = folder();
    let train = |average: &str, out: &str| {
        let set = format!("train.average={average}");
        let output = descent(
            folder.path(),
            &["train", "c.toml", "--out", out, "--set", &set, "--set", "train.epochs=6"],
        );
        assert!(output.status.success());
        let text = fs::read_to_string(folder.path().join(out).join("metrics.jsonl")).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        (String::from_utf8_lossy(&output.stderr).into_owned(), last["test_accuracy"].as_f64().unwrap())
    };
    let (messages, stale) = train("{ name = 'ema', decay = 0.999 }", "stale");
    assert!(
        messages.contains("train.average.decay")
            && messages.contains("94 %")
            && messages.contains("warmup = true"),
        "{messages}"
    );
    let (messages, warm) = train("{ name = 'ema', decay = 0.999, warmup = true }", "warm");
    assert!(!messages.contains("WARN"), "{messages}");
    assert!(warm > stale + 0.1, "{warm} {stale}");
}
