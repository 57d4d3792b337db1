//! Updates that are queued: what they wait for, what they hold, and those that are not made.

use std::fs;

use candle_core::{DType, Device, Tensor};
use descent::kernels::cuda;

use super::{counted, folder, graph_options, graphs};
use crate::common::{
    config, dataset, dataset_on, device, fail, normal, repository, succeed, trainer, trainer_on,
};

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn nothing_inside_an_update_waits() {
    let folder = folder();
    let losses =
        ["loss.name=\"nll\"", "loss.name=\"focal\"", "train.clip_grad_value=0.1", "train.accumulate=2"];
    let more = |name: &str| if name == "mini-batch" { losses.to_vec() } else { vec!["seed=1"] };
    for name in ["mini-batch", "adagrad", "batch-norm", "dropout", "rnn-rows", "momentum"] {
        for more in more(name) {
            for graph in &graph_options() {
                let config = repository(&format!("configs/{name}.toml"));
                let config = config.to_str().unwrap();
                let count = |steps: &str| counted(folder.path(), config, &[more, graph, steps]);
                let (Some(few), Some(many)) = (count("train.max_steps=10"), count("train.max_steps=35"))
                else {
                    return;
                };
                assert_eq!(few["waits"], many["waits"], "{name}, {more}, {graph}");
                assert_eq!(few["device to host"], many["device to host"], "{name}, {more}, {graph}");
                assert!(many["launches"].as_i64() > few["launches"].as_i64() || graph.contains("true"));
                let replays = many["replays"].as_i64().unwrap_or(0);
                assert_eq!(replays, if graph.contains("true") { 33 } else { 0 }, "{name}, {more}");
                assert!(many["refused"].is_null(), "{many}");
            }
        }
    }
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn the_memory_is_flat_over_a_thousand_updates() {
    let networks = [
        "[model]\nname = 'mlp'\nhidden = [16]\nbatch_norm = true\ndropout = 0.2\n",
        "[model]\nname = 'mlp'\nhidden = [16]\nlayer_norm = true\n",
        "[model]\nname = 'lstm'\nhidden_size = 8\n",
    ];
    for network in networks {
        let config = config(&format!(
            "{network}[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n[train]\nbatch_size = 8\nclip_grad_norm = 1.0\n"
        ));
        let recurrent = network.contains("lstm");
        let shape: &[usize] = if recurrent { &[80, 3, 4] } else { &[80, 10] };
        let xs = normal(1, shape).to_dtype(DType::F32).unwrap();
        let ys = Tensor::from_iter((0i64..80).map(|row| row % 10), &Device::Cpu).unwrap();
        let data = dataset(&config, &xs, &ys);
        let mut trainer = trainer(&config, &shape[1..], 10);
        assert!(device().is_cuda());
        let mut free = Vec::new();
        for epoch in 1..=100 {
            for rows in trainer.updates(&data, epoch) {
                trainer.submit(&data, &rows, epoch).unwrap();
            }
            trainer.wait(&data).unwrap();
            assert_eq!(trainer.take_known().len(), 10);
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
    for graph in &graph_options() {
        for name in ["batch-norm", "dropout", "rnn-rows"] {
            let config = repository(&format!("configs/{name}.toml"));
            let config = config.to_str().unwrap();
            let run = |out: &str, steps: &str| {
                let sets = ["--set", &format!("train.max_steps={steps}"), "--set", graph];
                let train = ["train", config, "--device", "cuda", "--out", out];
                succeed(folder.path(), &[&train[..], &sets].concat());
            };
            let (whole, parts) = (format!("{name}-{graph}-whole"), format!("{name}-{graph}-parts"));
            run(&whole, "5");
            run(&parts, "2");
            let more = ["train", "--resume", &parts, "--device", "cuda", "--set", "train.max_steps=5"];
            succeed(folder.path(), &more);
            let model = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
            assert!(model(&whole) == model(&parts), "{name}, {graph}");
        }
    }
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn an_update_that_is_not_finite_is_not_made_and_is_repeated() {
    let folder = folder();
    let config = repository("configs/mini-batch.toml");
    for graph in graph_options() {
        let sets = ["--set", "optimizer.lr=1e30", "--set", &graph];
        let train = ["train", config.to_str().unwrap(), "--device", "cuda", "--out", &graph];
        let error = fail(folder.path(), &[&train[..], &sets].concat(), 1);
        assert!(
            error.contains("not finite") || error.contains("is NaN") || error.contains("is inf"),
            "{error}"
        );
        let replayed = succeed(folder.path(), &["replay", &graph, "--device", "cuda"]);
        assert!(replayed.contains("repeated to the bit"), "{replayed}");
    }
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn what_is_queued_behind_an_update_that_is_not_finite_moves_nothing() {
    for graph in graphs() {
        let config = config(&format!(
            "[model]\nname = 'mlp'\nhidden = [6]\nbatch_norm = true\n[loss]\nname = 'cross_entropy'\n\
             [optimizer]\nname = 'nadam'\n[train]\nbatch_size = 4\ndtype = 'f64'\ncuda_graph = {graph}\n"
        ));
        let mut numbers: Vec<f64> = (0..160 * 3).map(|i| (f64::from(i) * 0.7).sin()).collect();
        numbers[3 * 77] = f64::INFINITY;
        let xs = Tensor::from_vec(numbers, (160, 3), &Device::Cpu).unwrap();
        let ys = Tensor::from_iter((0i64..160).map(|row| row % 2), &Device::Cpu).unwrap();
        let run = |device: &Device| {
            let data = dataset_on(device, &config, &xs, &ys);
            let mut trainer = trainer_on(device, &config, &[3], 2);
            let made = trainer.updates(&data, 1).try_for_each(|rows| trainer.submit(&data, &rows, 1));
            let error = made.and_then(|()| trainer.wait(&data)).unwrap_err().to_string();
            let failed = (error, trainer.failed_rows().unwrap().to_vec());
            let losses: Vec<f64> = trainer.take_known().iter().map(|update| update.loss_sum).collect();
            let params = trainer.network().params().copy().unwrap();
            let flat =
                |t: &Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let state: Vec<f64> = params.values().flat_map(flat).collect();
            (losses, failed, state, trainer.steps())
        };
        let (cpu, gpu) = (run(&Device::Cpu), run(&device()));
        assert_eq!((&cpu.1, cpu.3), (&gpu.1, gpu.3));
        assert!(cpu.0.len() > 3 && cpu.0.len() < 39, "{}", cpu.0.len());
        for (cpu, gpu) in [(&cpu.0, &gpu.0), (&cpu.2, &gpu.2)] {
            assert_eq!(cpu.len(), gpu.len());
            assert!(cpu.iter().zip(gpu).all(|(a, b)| (a - b).abs() < 1e-9), "{cpu:?} {gpu:?}");
        }
    }
}
