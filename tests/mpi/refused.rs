//! What is refused before anything is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Mpi, each, mpich, said, systems};

/// Fails with wrong usage, says so once, and leaves no folder.
fn refuse(command: &mut Command, folder: &Path, words: &[&str]) {
    let output = command.output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing: {said}");
    }
    assert!(!folder.join("run").exists(), "{said}");
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (_, config) = systems().into_iter().find(|(name, _)| name == "momentum").unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    folder
}

const TRAIN: [&str; 4] = ["train", "c.toml", "--out", "run"];

#[test]
fn a_program_of_another_mpi() {
    let Some(mpich) = mpich() else { return };
    let folder = folder();
    let mut command = Mpi::Mpich.launcher(folder.path());
    command.args(["-np", "2"]).arg(Mpi::Open.program()).args(TRAIN);
    refuse(&mut command, folder.path(), &["2 processes", "PMI_SIZE", "mpirun"]);
    let mut command = Mpi::Open.launcher(folder.path());
    command.args(["-np", "2"]).arg(mpich).args(TRAIN);
    refuse(&mut command, folder.path(), &["2 processes", "OMPI_COMM_WORLD_SIZE", "mpirun"]);
}

#[test]
fn runs_of_several_trainings() {
    let folder = folder();
    let mut command = Mpi::Open.train(folder.path(), 2, &["c.toml", "--out", "run", "--folds", "3"]);
    refuse(&mut command, folder.path(), &["train --folds"]);
    let mut command = Mpi::Open.launcher(folder.path());
    command.args(["-np", "2"]).arg(Mpi::Open.program());
    command.args(["compare", "--train", "c.toml", "--vary", "optimizer.lr=0.1,0.2", "--out", "run"]);
    refuse(&mut command, folder.path(), &["compare --train"]);
}

#[test]
fn other_configs_programs_and_data() {
    let folder = folder();
    let program = Mpi::Open.program();
    let own = (program.clone(), TRAIN.to_vec());
    let other = (program.clone(), [&TRAIN[..], &["--set", "optimizer.lr=0.01"]].concat());
    refuse(&mut each(folder.path(), [own.clone(), other]), folder.path(), &["rank 1", "another config"]);

    let copy = folder.path().join("descent");
    let mut bytes = fs::read(&program).unwrap();
    bytes.push(0);
    fs::write(&copy, bytes).unwrap();
    fs::set_permissions(&copy, fs::metadata(&program).unwrap().permissions()).unwrap();
    refuse(
        &mut each(folder.path(), [own, (copy, TRAIN.to_vec())]),
        folder.path(),
        &["rank 1", "another program"],
    );

    // Each rank finds another file by the same path.
    for (place, rows) in [("a", "x,y\n1,2\n2,4\n3,6\n4,8\n"), ("b", "x,y\n1,2\n2,4\n3,6\n4,9\n")] {
        fs::create_dir(folder.path().join(place)).unwrap();
        fs::write(folder.path().join(place).join("t.csv"), rows).unwrap();
    }
    let config = "[data]\nname = 'csv'\npath = '/proc/self/cwd/t.csv'\ntarget = 'y'\n[model]\nname = 'mlp'\n[loss]\n\
                  name = 'mse'\n[optimizer]\nname = 'sgd'\n";
    fs::write(folder.path().join("t.toml"), config).unwrap();
    let out = folder.path().join("run");
    let in_place = |place: &str| {
        let (root, program) = (folder.path().display(), program.display());
        format!("cd {root}/{place}; exec {program} train {root}/t.toml --out {}", out.display())
    };
    let [a, b] = ["a", "b"].map(in_place);
    let commands =
        [(PathBuf::from("sh"), vec!["-c", a.as_str()]), (PathBuf::from("sh"), vec!["-c", b.as_str()])];
    refuse(&mut each(folder.path(), commands), folder.path(), &["rank 1", "other data"]);
}

#[test]
fn fewer_rows_than_ranks_and_shards_that_cannot_be_shared() {
    let folder = folder();
    let train = |ranks, set| Mpi::Open.train(folder.path(), ranks, &["c.toml", "--out", "run", "--set", set]);
    refuse(&mut train(4, "train.batch_size=3"), folder.path(), &["train.batch_size", "4 ranks"]);
    refuse(&mut train(3, "train.shards=4"), folder.path(), &["train.shards", "3 ranks"]);
    refuse(&mut train(4, "train.shards=2"), folder.path(), &["train.shards", "4 ranks"]);
}

#[test]
fn mistakes_that_all_ranks_make_are_said_once() {
    let folder = folder();
    let output = Mpi::Open
        .train(folder.path(), 4, &["c.toml", "--out", "run", "--set", "optimizer.lr=-1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(said(&output).matches("error: ").count(), 1, "{}", said(&output));
    // One rank alone has no such file.
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    let program = Mpi::Open.program();
    let lost = format!("cd elsewhere; exec {} train c.toml --out ../run", program.display());
    let commands = [(program, TRAIN.to_vec()), (PathBuf::from("sh"), vec!["-c", lost.as_str()])];
    let output = each(folder.path(), commands).output().unwrap();
    assert!(!output.status.success() && !folder.path().join("run").exists());
    assert_eq!(said(&output).matches("error: ").count(), 1, "{}", said(&output));
}
