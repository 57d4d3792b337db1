//! Signals, a rank that does not answer, and errors on one rank.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::kill::{ends_within, ranks_with, signal};
use super::{Mpi, said, succeed, systems};
use crate::durability::{count_checkpoints, result, wait_for};

const LONG: &str = "train.epochs=100000";

/// A job that trains for long, once it has saved twice.
fn begin(mpi: Mpi, folder: &Path, ranks: usize, arguments: &[&str]) -> Child {
    let child = spawn(mpi, folder, ranks, arguments);
    wait_for(|| count_checkpoints(&folder.join("run")) > 1);
    child
}

/// A job that trains for long.
fn spawn(mpi: Mpi, folder: &Path, ranks: usize, arguments: &[&str]) -> Child {
    let (_, config) = systems().into_iter().find(|(name, _)| name == "coupled").unwrap();
    fs::write(folder.join("c.toml"), config + "shards = 4\ncheckpoint_every = 7\n").unwrap();
    let all = [&["c.toml", "--out", "run", "--set", LONG][..], arguments].concat();
    let mut command = mpi.train(folder, ranks, &all);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Goes on with a job to a step, and compares it with the undisturbed run.
fn require_same_as_undisturbed(mpi: Mpi, folder: &Path) {
    let limit = "train.max_steps=600";
    succeed(&mut mpi.train(folder, 1, &["-q", "c.toml", "--out", "whole", "--set", LONG, "--set", limit]));
    succeed(&mut mpi.train(folder, 1, &["-q", "--resume", "run", "--set", limit]));
    assert!(result(&folder.join("run")) == result(&folder.join("whole")), "the run differs");
}

#[test]
fn an_error_that_rank_0_alone_has_before_the_data_is_read_ends_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = begin(Mpi::Open, folder.path(), 1, &[]);
    let mut second = Mpi::Open.train(folder.path(), 2, &["--resume", "run"]);
    let mut second = second.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let ended = ends_within(&mut second, Duration::from_secs(10));
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(ended, "the ranks wait for each other");
    let output = second.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert_eq!(said(&output).matches("error: ").count(), 1, "{}", said(&output));
}

#[test]
fn sigterm_to_any_rank_saves_and_ends_all_at_one_step() {
    for (mpi, victim) in Mpi::all().into_iter().zip([1, 0]) {
        let folder = tempfile::tempdir().unwrap();
        let mut job = begin(mpi, folder.path(), 2, &["--set", "train.max_steps=590"]);
        signal(ranks_with(&mpi.program(), "run")[victim], Signal::TERM);
        assert!(ends_within(&mut job, Duration::from_secs(10)));
        let output = job.wait_with_output().unwrap();
        assert!(!output.status.success());
        assert_eq!(said(&output).matches("after saving at step").count(), 1, "{}", said(&output));
        require_same_as_undisturbed(mpi, folder.path());
    }
}

#[test]
fn sigusr1_to_any_rank_saves_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut job = spawn(Mpi::Open, folder.path(), 4, &["--set", "train.checkpoint_every=1000000"]);
    wait_for(|| fs::read(run.join("metrics.jsonl")).is_ok_and(|lines| !lines.is_empty()));
    assert_eq!(count_checkpoints(&run), 0);
    let ranks = ranks_with(&Mpi::Open.program(), "run");
    for (count, rank) in [(1, 3), (2, 0)] {
        signal(ranks[rank], Signal::USR1);
        wait_for(|| count_checkpoints(&run) == count);
    }
    assert!(job.try_wait().unwrap().is_none(), "it goes on");
    signal(ranks[0], Signal::TERM);
    assert!(ends_within(&mut job, Duration::from_secs(10)));
}

#[test]
fn a_rank_that_does_not_answer_ends_the_job_after_the_timeout() {
    for mpi in Mpi::all() {
        let folder = tempfile::tempdir().unwrap();
        let mut job = begin(mpi, folder.path(), 2, &["--rank-timeout", "2"]);
        let start = Instant::now();
        signal(ranks_with(&mpi.program(), "run")[1], Signal::STOP);
        assert!(ends_within(&mut job, Duration::from_secs(12)));
        assert!(start.elapsed() > Duration::from_millis(1500));
        assert!(said(&job.wait_with_output().unwrap()).contains("--rank-timeout"));
        require_same_as_undisturbed(mpi, folder.path());
    }
}

#[test]
fn an_error_of_the_disk_on_rank_0_ends_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = begin(Mpi::Open, folder.path(), 2, &[]);
    fs::rename(folder.path().join("run"), folder.path().join("moved")).unwrap();
    assert!(ends_within(&mut job, Duration::from_secs(10)));
    let output = job.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: ") && said.contains("was moved") && !said.contains("rank 1"), "{said}");
}

#[test]
fn an_error_on_another_rank_is_said_with_its_number_and_ends_all() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..4000).map(|row| format!("{row},{}\n", row % 7)).collect();
    fs::write(folder.path().join("t.csv"), format!("x,y\n{}", rows.concat())).unwrap();
    let config = "[data]\nname = 'csv'\npath = 't.csv'\ntarget = 'y'\nmemory = 0\n[model]\nname = 'mlp'\n[loss]\n\
                  name = 'mse'\n[optimizer]\nname = 'sgd'\nlr = 1e-9\n[train]\nepochs = 100000\ncheckpoint_every = 7\n";
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let mut command = Mpi::Open.train(folder.path(), 2, &["c.toml", "--out", "run"]);
    let mut job = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(|| count_checkpoints(&folder.path().join("run")) > 1);
    // The file with the rows of rank 1, which has no name any more.
    let rank = ranks_with(&Mpi::Open.program(), "run")[1];
    for entry in fs::read_dir(format!("/proc/{rank}/fd")).unwrap().flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        if target.to_string_lossy().contains("(deleted)")
            && fs::metadata(entry.path()).unwrap().len() > 30_000
        {
            let _ = fs::OpenOptions::new().write(true).open(entry.path()).and_then(|file| file.set_len(0));
        }
    }
    assert!(ends_within(&mut job, Duration::from_secs(10)));
    let output = job.wait_with_output().unwrap();
    assert!(said(&output).contains("rank 1: error: "), "{}", said(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_divergence_is_said_once_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (_, config) = systems().into_iter().find(|(name, _)| name == "momentum").unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let arguments = ["c.toml", "--out", "run", "--set", "optimizer.lr=1e30"];
    let output = Mpi::Open.train(folder.path(), 2, &arguments).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("the update was not made").count(), 1, "{said}");
    assert!(folder.path().join("run/failure").is_dir(), "{said}");
}
