//! A GPU beside the CPU: `DESCENT_TEST_DEVICE=cuda`.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use descent::kernels::cuda;

use crate::common::{config, dataset, device, repository, succeed, trainer};
use crate::configs::write_mnist;

/// The numbers of this name in a run's log, and those of its end.
fn numbers(run: &Path, name: &str) -> Vec<f64> {
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter_map(|line| line.get(name)?.as_f64()).collect()
}

fn configs() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(repository("configs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

/// A folder with the data that configs/ names.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mnist = folder.path().join("data/mnist");
    fs::create_dir_all(&mnist).unwrap();
    write_mnist(&mnist, 150);
    std::os::unix::fs::symlink(repository("tests"), folder.path().join("tests")).unwrap();
    folder
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn every_config_has_the_cpus_losses() {
    let folder = folder();
    for path in configs() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for more in ["train.cuda_graph=false", "train.cuda_graph=true"] {
            let run = |device: &str| {
                let out = format!("{name}-{device}-{more}");
                let config = path.to_str().unwrap();
                let steps =
                    ["--set", "train.max_steps=6", "--set", "train.measure_train=true", "--set", more];
                succeed(
                    folder.path(),
                    &[&["train", config, "--device", device, "--out", &out][..], &steps].concat(),
                );
                folder.path().join(out)
            };
            let (cpu, gpu) = (run("cpu"), run("cuda"));
            for number in ["train_end_loss", "test_loss"] {
                let (expected, found) = (numbers(&cpu, number), numbers(&gpu, number));
                assert_eq!(expected.len(), found.len(), "{name}");
                for (a, b) in expected.iter().zip(found) {
                    assert!((a - b).abs() <= 1e-4 * a.abs(), "{name}, {more}, {number}: {a} and {b}");
                }
            }
        }
    }
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn the_memory_is_flat_over_a_thousand_updates() {
    let networks = [
        "[model]\nname = 'mlp'\nhidden = [64]\nbatch_norm = true\ndropout = 0.2\n",
        "[model]\nname = 'mlp'\nhidden = [32]\nlayer_norm = true\n",
        "[model]\nname = 'lstm'\nhidden_size = 16\n",
    ];
    for network in networks {
        let config = config(&format!(
            "{network}[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n[train]\nbatch_size = 32\nclip_grad_norm = 1.0\n"
        ));
        let recurrent = network.contains("lstm");
        let shape: &[usize] = if recurrent { &[320, 5, 8] } else { &[320, 40] };
        let xs = Tensor::randn(0f32, 1.0, shape, &candle_core::Device::Cpu).unwrap();
        let ys = Tensor::from_iter((0..320).map(|row| row % 10), &candle_core::Device::Cpu).unwrap();
        let data = dataset(&config, &xs, &ys);
        let mut trainer = trainer(&config, &shape[1..], 10);
        assert!(device().is_cuda());
        let mut free = Vec::new();
        for epoch in 1..=100 {
            for rows in trainer.batches(&data, epoch) {
                trainer.queue(&data, &rows, epoch).unwrap();
            }
            while !trainer.settle(&data).unwrap().is_empty() {}
            free.push(cuda::devices().unwrap()[0].memory.0);
        }
        // What the first updates take stays.
        let (early, late) = (free[10], *free.last().unwrap());
        assert!(early.saturating_sub(late) < 1 << 20, "{network}{early} bytes were free, then {late}");
    }
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn a_run_on_the_gpu_resumes_to_the_same_bits() {
    let folder = folder();
    for name in ["batch-norm", "dropout", "rnn-rows"] {
        let config = repository(&format!("configs/{name}.toml"));
        let config = config.to_str().unwrap();
        let run = |out: &str, steps: &str| {
            let steps = format!("train.max_steps={steps}");
            succeed(folder.path(), &["train", config, "--device", "cuda", "--out", out, "--set", &steps]);
        };
        let (whole, parts) = (format!("{name}-whole"), format!("{name}-parts"));
        run(&whole, "5");
        run(&parts, "2");
        let more = ["train", "--resume", &parts, "--device", "cuda", "--set", "train.max_steps=5"];
        succeed(folder.path(), &more);
        let model = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
        assert!(model(&whole) == model(&parts), "{name}");
    }
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn an_update_that_is_not_finite_is_not_made_and_is_repeated() {
    let folder = folder();
    let config = repository("configs/mini-batch.toml");
    let arguments =
        ["train", config.to_str().unwrap(), "--device", "cuda", "--set", "optimizer.lr=1e30", "--out", "run"];
    let error = crate::common::fail(folder.path(), &arguments, 1);
    assert!(error.contains("not finite") || error.contains("is NaN") || error.contains("is inf"), "{error}");
    let replayed = succeed(folder.path(), &["replay", "run", "--device", "cuda"]);
    assert!(replayed.contains("repeated to the bit"), "{replayed}");
}
