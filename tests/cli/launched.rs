//! Several processes of a program without MPI under one launcher.

use std::fs;
use std::path::Path;

use crate::common::{program, succeed};

/// Starts the program as a launcher does, and gives its exit code and what it says.
fn launch(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = program(folder, arguments);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const TRAIN: [&str; 8] =
    ["train", "--out", "run", "--set", "data.limit=100", "--set", "train.epochs=1", "-q"];

#[test]
fn several_processes_that_know_nothing_of_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for variable in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS", "PMIX_RANK"] {
        let (code, said) = launch(folder.path(), &[(variable, "4")], &TRAIN);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(variable) && said.contains("--features mpi"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "something was written");
    }
    let compare = ["compare", "--train", "c.toml", "--vary", "optimizer.lr=0.1,0.2", "--out", "run"];
    let (code, said) = launch(folder.path(), &[("PMI_SIZE", "2")], &compare);
    assert!(code == Some(2) && said.contains("compare --train"), "{said}");
}

#[test]
fn one_process_under_a_launcher_trains() {
    let folder = tempfile::tempdir().unwrap();
    // mpirun -np 1, and the script of a job of Slurm's, which is one process.
    let launched = [&[("OMPI_COMM_WORLD_SIZE", "1")][..], &[("SLURM_JOB_ID", "7"), ("SLURM_NTASKS", "4")]];
    for (index, variables) in launched.into_iter().enumerate() {
        let out = format!("run-{index}");
        let arguments = TRAIN.map(|word| if word == "run" { out.as_str() } else { word });
        let (code, said) = launch(folder.path(), variables, &arguments);
        assert_eq!(code, Some(0), "{said}");
    }
    // Other commands are as they are, in every process.
    let mut list = program(folder.path(), &["list"]);
    assert!(list.env("PMI_SIZE", "4").output().unwrap().status.success());
    succeed(folder.path(), &["eval", "run-0"]);
}
