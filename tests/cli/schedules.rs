//! The length of a schedule beside that of the run.

use std::fs;
use std::path::Path;

use crate::common::{descent, fail, succeed};

const CONFIG: &str = "seed = 1\n[data]\nname = 'mnist-sample'\nlimit = 320\n[model]\nname = 'mlp'\nhidden = [4]\n\
                      [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'sgd'\nlr = 0.1\nmomentum = 0.9\n\
                      [train]\nbatch_size = 32\nepochs = 4\n[schedule]\n";

/// A folder with a config of 4 epochs of 10 updates and this schedule.
fn folder(schedule: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG.to_owned() + schedule).unwrap();
    folder
}

/// The learning rates at the end of each epoch.
fn rates(run: &Path) -> Vec<f64> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter_map(|line| line["lr"].as_f64()).collect()
}

fn trained(schedule: &str, sets: &[&str]) -> Vec<f64> {
    let folder = folder(schedule);
    let sets = sets.iter().flat_map(|set| ["--set", *set]);
    let arguments: Vec<&str> = ["train", "c.toml", "-q", "--out", "run"].into_iter().chain(sets).collect();
    succeed(folder.path(), &arguments);
    rates(&folder.path().join("run"))
}

fn assert_close(ours: &[f64], theirs: &[f64]) {
    let alike = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs();
    assert!(ours.len() == theirs.len() && ours.iter().zip(theirs).all(alike), "{ours:?} {theirs:?}");
}

/// torch 2.15: `CosineAnnealingLR(T_max=4)`, `OneCycleLR(max_lr=0.01, total_steps=40)`, which steps after each update,
/// and `PolynomialLR(total_iters=4)`; the learning rate of the last update of each epoch.
#[test]
fn a_length_that_is_left_out_is_the_runs() {
    let cosine = [0.1, 0.085_355_339_059_327_38, 0.05, 0.014_644_660_940_672_627];
    assert_close(&trained("name = 'cosine_annealing'\n", &[]), &cosine);
    assert_close(&trained("name = 'polynomial'\n", &[]), &[0.1, 0.075, 0.05, 0.025]);
    let one_cycle = [0.009_238_016_957_589_67, 0.008_117_456_539_497_631, 0.002_830_609_982_086_992_4, 4e-8];
    assert_close(&trained("name = 'one_cycle'\ninterval = 'step'\n", &[]), &one_cycle);
    // Half the run, half the schedule.
    let short = trained("name = 'polynomial'\n", &["train.max_steps=20"]);
    assert_close(&short, &[0.1, 0.05]);
}

#[test]
fn one_that_ends_before_the_run_is_an_error_that_says_what_to_write() {
    for (schedule, key, number) in [
        ("name = 'one_cycle'\ntotal_steps = 39\ninterval = 'step'\n", "schedule.total_steps", "write 40"),
        ("name = 'one_cycle'\ntotal_steps = 3\n", "schedule.total_steps", "write 4"),
        ("name = 'cosine_annealing'\nT_max = 1\n", "schedule.T_max", "write 4"),
        ("name = 'polynomial'\ntotal_iters = 2\n", "schedule.total_iters", "write 4"),
        (
            "name = 'sequential'\nmilestones = [1]\nschedules = [{ name = 'linear', total_iters = 1 }, \
             { name = 'cosine_annealing', T_max = 2 }]\n",
            "schedule.schedules[1].T_max",
            "write 3",
        ),
    ] {
        let folder = folder(schedule);
        let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 2);
        assert!(error.contains("c.toml, line ") && error.contains(key) && error.contains(number), "{error}");
        assert!(!folder.path().join("run").exists());
        // What counts epochs is known without the data.
        let by_epoch = !schedule.contains("interval");
        assert_eq!(descent(folder.path(), &["config", "check", "c.toml"]).status.success(), !by_epoch);
    }
}

#[test]
fn one_that_the_run_does_not_reach_is_a_warning() {
    for (schedule, key) in [
        ("name = 'cosine_annealing'\nT_max = 5\n", "schedule.T_max"),
        ("name = 'one_cycle'\ntotal_steps = 41\ninterval = 'step'\n", "schedule.total_steps"),
        ("name = 'multi_step'\nmilestones = [2, 4]\n", "schedule.milestones[1]"),
        ("warmup_steps = 41\n", "schedule.warmup_steps"),
    ] {
        let folder = folder(schedule);
        let output = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        let warnings: Vec<&str> = messages.lines().filter(|line| line.contains("WARN")).collect();
        assert!(output.status.success() && warnings.len() == 1 && warnings[0].contains(key), "{messages}");
    }
}

#[test]
fn a_length_that_may_count_updates_is_told_how() {
    let hint = "where it counts updates, of which the run has 40, set `schedule.interval = \"step\"`";
    for (schedule, hinted) in [
        ("name = 'one_cycle'\ntotal_steps = 40\n", true),
        ("name = 'cosine_annealing'\nT_max = 40\n", true),
        ("name = 'multi_step'\nmilestones = [20]\n", true),
        ("name = 'one_cycle'\ntotal_steps = 41\ninterval = 'step'\n", false),
        ("warmup_steps = 41\n", false),
    ] {
        let folder = folder(schedule);
        let output = descent(folder.path(), &["train", "c.toml", "--dry-run"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("WARN") && said.contains(hint) == hinted, "{schedule}: {said}");
    }
}

#[test]
fn fewer_epochs_than_are_trained_are_a_warning() {
    let folder = folder("");
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    for (epochs, warns) in [(2, true), (4, false)] {
        let set = format!("train.epochs={epochs}");
        let output = descent(folder.path(), &["train", "--resume", "run", "--set", &set]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let warning = "`train.epochs` is 2, but epoch 4 has been trained";
        assert!(output.status.success() && said.contains(warning) == warns, "{said}");
        assert_eq!(rates(&folder.path().join("run")).len(), 4);
    }
}

#[test]
fn a_resumed_run_of_more_epochs_is_checked_anew() {
    let folder = folder("name = 'cosine_annealing'\nT_max = 4\n");
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let more = ["train", "--resume", "run", "-q", "--set", "train.epochs=6"];
    let error = fail(folder.path(), &more, 2);
    assert!(error.contains("schedule.T_max") && error.contains("write 6"), "{error}");
    succeed(folder.path(), &[&more[..], &["--set", "schedule.T_max=6"]].concat());
    assert_eq!(rates(&folder.path().join("run")).len(), 6);
    // What is trained can still be looked at, whatever its schedule.
    fs::write(
        folder.path().join("run/config.toml"),
        fs::read_to_string(folder.path().join("run/config.toml")).unwrap().replace("T_max = 6", "T_max = 2"),
    )
    .unwrap();
    succeed(folder.path(), &["eval", "run"]);
}

#[test]
fn a_run_that_its_time_ends_says_what_it_did_not_reach() {
    let folder = folder("name = 'cosine_annealing'\n");
    let sets = ["train.epochs=1000000", "train.max_time=0.05", "train.average={name='ema',decay=0.999999}"];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    let output = descent(folder.path(), &[&["train", "c.toml", "--out", "cut"], &sets[..]].concat());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    assert!(words.contains("`train.max_time` of 0.05 s ended the run in epoch"), "{words}");
    assert!(words.contains("`schedule.T_max` is 1000000, but the run has"), "{words}");
    assert!(words.contains("`train.average.decay` is 0.999999"), "{words}");
}
