//! The program's messages about a GPU.

use std::fs;

use super::folder;
use crate::common::{fail, program, repository, succeed};

/// A real GPU has room for any network of this test: `run.sh` leaves it out there.
#[test]
#[ignore = "needs the emulated GPU: make cuda-check"]
fn an_emulated_gpu_that_is_full_is_a_sentence() {
    let folder = folder();
    let config = repository("configs/mini-batch.toml");
    let sets = ["model.hidden=[8192]", "train.batch_size=64"];
    let mut arguments = vec!["train", config.to_str().unwrap(), "--device", "cuda", "--out", "run"];
    arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
    let mut command = program(folder.path(), &arguments);
    let output = command.env("DESCENT_EMULATOR_MEMORY", "65000000").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = error.lines().last().unwrap();
    for word in ["memory", "train.batch_size", "accumulate"] {
        assert!(last.contains(word), "{error}");
    }
    assert_eq!(output.status.code(), Some(1), "{error}");
}

/// A real GPU captures what the emulated one does: `run.sh` leaves it out there.
#[test]
#[ignore = "needs the emulated GPU: make cuda-check"]
fn an_emulated_gpu_that_captures_nothing_trains_all_the_same() {
    let folder = folder();
    let config = repository("configs/batch-norm.toml");
    let model = |out: &str, graph: bool| {
        let options = [format!("train.cuda_graph={graph}"), "train.max_steps=9".to_owned()];
        let mut arguments = vec!["train", config.to_str().unwrap(), "--device", "cuda", "--out", out];
        let average = "train.average={name=\"ema\",decay=0.5}";
        arguments.extend([average, &options[0], &options[1]].into_iter().flat_map(|set| ["--set", set]));
        let mut command = program(folder.path(), &arguments);
        let output = command.env("DESCENT_EMULATOR_CAPTURES_NOTHING", "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert_eq!(said.contains("cannot be captured as a CUDA graph"), graph, "{said}");
        fs::read(folder.path().join(out).join("model.safetensors")).unwrap()
    };
    assert!(model("launched", false) == model("captured", true));
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn a_run_says_what_it_ran_on_and_its_weights_answer_on_both_devices() {
    let folder = folder();
    let config = repository("configs/iris.toml");
    let run =
        ["train", config.to_str().unwrap(), "--device", "cuda:0", "--set", "train.epochs=3", "--out", "run"];
    succeed(folder.path(), &run);
    let written = fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
    let first = written.lines().next().unwrap();
    assert!(
        first.starts_with("# on cuda:0: ") && first.contains("candle 0.") && first.contains("CUDA"),
        "{first}"
    );
    let [cpu, gpu] =
        ["cpu", "cuda"].map(|device| succeed(folder.path(), &["eval", "run", "--device", device]));
    assert_eq!(cpu, gpu);
    for device in ["cpu", "cuda"] {
        let answers = format!("{device}.csv");
        let input = "tests/tables/iris.csv";
        succeed(
            folder.path(),
            &["predict", "run", "--input", input, "--output", &answers, "--device", device],
        );
    }
    let classes = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines().map(|line| line.split(',').next().unwrap().to_owned()).collect()
    };
    assert_eq!(classes("cpu.csv"), classes("cuda.csv"));
    let listed = succeed(folder.path(), &["list", "devices"]);
    assert!(listed.lines().any(|line| line.starts_with("cuda:0  ") && line.contains("GiB free")), "{listed}");
    let refused = fail(folder.path(), &["train", "--device", "cuda:77", "--out", "other"], 2);
    assert!(refused.contains("--device cuda:77") && refused.contains("descent list devices"), "{refused}");
}
