//! A GPU beside the CPU: `DESCENT_TEST_DEVICE=cuda`.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use descent::kernels::cuda;

use candle_core::Device;
use descent::config::Config;
use descent::optim::Rule;

use crate::common::{config, dataset, dataset_on, device, repository, succeed, trainer, trainer_on};
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

/// Trains a config for a few updates on a device, and gives the run's folder.
fn train(folder: &Path, config: &Path, device: &str, options: &[&str]) -> PathBuf {
    let name = format!("{}-{device}{}", config.file_stem().unwrap().to_string_lossy(), options.join(""));
    let out = name.replace(|c: char| !c.is_alphanumeric(), "-");
    let mut arguments = vec!["train", config.to_str().unwrap(), "--device", device, "--out", &out];
    let sets = ["train.measure_train=true", "train.tensorboard=false"];
    arguments.extend(sets.iter().chain(options).flat_map(|option| ["--set", option]));
    succeed(folder, &arguments);
    folder.join(out)
}

/// In f32 three updates: later ones of Adam's on a few rows have followed the rounding elsewhere, on the CPU too. In f64
/// more.
#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn every_config_has_the_cpus_losses() {
    let folder = folder();
    for path in configs() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for (dtype, steps, tolerance) in [("f32", 3, 1e-4), ("f64", 7, 1e-8)] {
            let dtype = format!("train.dtype=\"{dtype}\"");
            let steps = format!("train.max_steps={steps}");
            let options: [&str; 2] = [&dtype, &steps];
            let cpu = train(folder.path(), &path, "cpu", &options);
            for graph in ["train.cuda_graph=false", "train.cuda_graph=true"] {
                let gpu = train(folder.path(), &path, "cuda", &[&options[..], &[graph]].concat());
                // A bias in front of BatchNorm has no gradient but rounding, and Adam makes steps of it. In training that
                // changes no loss; in evaluation it does, until the running mean has caught up.
                let evaluated =
                    if name.contains("norm") { &[][..] } else { &["train_end_loss", "test_loss"] };
                for number in ["train_loss"].iter().chain(evaluated) {
                    let (expected, found) = (numbers(&cpu, number), numbers(&gpu, number));
                    assert_eq!(expected.len(), found.len(), "{name}");
                    for (a, b) in expected.iter().zip(found) {
                        let off = (a - b).abs() / a.abs();
                        assert!(off <= tolerance, "{name}, {dtype}, {graph}, {number}: {a} and {b}, {off}");
                    }
                }
            }
        }
    }
}

/// What the emulated GPU counted in a run; nothing on a real one.
fn counted(folder: &Path, config: &str, options: &[&str]) -> Option<serde_json::Value> {
    let log = folder.join("counted.json");
    let mut arguments = vec!["train", config, "--device", "cuda", "--out", "counted"];
    let sets = ["train.epochs=1", "data.limit=150", "train.batch_size=2", "train.checkpoint_every=\"never\""];
    arguments.extend(sets.iter().chain(options).flat_map(|option| ["--set", option]));
    let output =
        crate::common::program(folder, &arguments).env("DESCENT_EMULATOR_LOG", &log).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_dir_all(folder.join("counted")).unwrap();
    let counted = fs::read(&log).ok()?;
    Some(serde_json::from_slice(&counted).unwrap())
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn nothing_inside_an_update_waits() {
    let folder = folder();
    let losses =
        ["loss.name=\"nll\"", "loss.name=\"focal\"", "train.clip_grad_value=0.1", "train.accumulate=2"];
    let more = |name: &str| if name == "mini-batch" { losses.to_vec() } else { vec!["seed=1"] };
    for name in ["mini-batch", "adagrad", "batch-norm", "dropout", "rnn-rows", "momentum"] {
        for more in more(name) {
            for graph in ["train.cuda_graph=false", "train.cuda_graph=true"] {
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
fn precisions_are_those_of_the_products() {
    let folder = folder();
    let config = repository("configs/mini-batch.toml");
    for precision in ["tf32", "bf16"] {
        let precision = format!("train.precision=\"{precision}\"");
        let options = [precision.as_str(), "train.max_steps=3"];
        let [cpu, gpu] = ["cpu", "cuda"].map(|device| train(folder.path(), &config, device, &options));
        let (cpu, gpu) = (numbers(&cpu, "train_loss"), numbers(&gpu, "train_loss"));
        // Factors of 7 or 10 bits; on the CPU tf32 is f32.
        assert!(cpu.iter().zip(&gpu).all(|(a, b)| (a - b).abs() <= 1e-2 * a.abs()), "{cpu:?} {gpu:?}");
        if let Some(counted) = counted(folder.path(), config.to_str().unwrap(), &options) {
            let products = counted
                [if precision.contains("tf32") { "products in tf32" } else { "products in bf16" }]
            .as_i64();
            assert!(products > Some(10), "{counted}");
        }
    }
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn a_gpu_that_is_full_is_a_sentence() {
    let folder = folder();
    let config = repository("configs/mini-batch.toml");
    let mut command = crate::common::program(
        folder.path(),
        &[
            "train",
            config.to_str().unwrap(),
            "--device",
            "cuda",
            "--set",
            "model.hidden=[8192]",
            "--set",
            "train.batch_size=64",
            "--out",
            "run",
        ],
    );
    // Of an emulated one; a real one has room.
    let output = command.env("DESCENT_EMULATOR_MEMORY", "65000000").output().unwrap();
    if output.status.success() {
        return;
    }
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = error.lines().last().unwrap();
    assert!(
        last.contains("memory") && last.contains("train.batch_size") && last.contains("accumulate"),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(1), "{error}");
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
        let xs = Tensor::randn(0f32, 1.0, shape, &candle_core::Device::Cpu).unwrap();
        let ys = Tensor::from_iter((0i64..80).map(|row| row % 10), &candle_core::Device::Cpu).unwrap();
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

/// The losses of some updates on a device, and the weights behind them.
fn updates(
    device: &Device,
    config: &Config,
    xs: &Tensor,
    ys: &Tensor,
    outputs: usize,
) -> (Vec<f64>, Vec<f64>) {
    let mut config = config.clone();
    let data = dataset_on(device, &config, xs, ys);
    config.loss = config.loss.fit(&data, outputs).unwrap();
    let mut trainer = trainer_on(device, &config, &xs.dims()[1..], config.loss.width(outputs));
    let mut losses = Vec::new();
    for epoch in 1..=4 {
        for rows in trainer.batches(&data, epoch) {
            losses.extend(trainer.queue(&data, &rows, epoch).unwrap().iter().map(|update| update.loss_sum));
        }
        losses.extend(trainer.settle(&data).unwrap().iter().map(|update| update.loss_sum));
        trainer.end_epoch(epoch).unwrap();
        let raw = trainer.enter_average(&data).unwrap();
        losses.push(trainer.evaluate(&data).unwrap().loss);
        trainer.leave_average(raw).unwrap();
    }
    let params = trainer.network().params().copy().unwrap();
    let numbers = |tensor: &Tensor| tensor.to_dtype(candle_core::DType::F64).unwrap().flatten_all().unwrap();
    (losses, params.values().flat_map(|tensor| numbers(tensor).to_vec1::<f64>().unwrap()).collect())
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn every_optimizer_loss_and_network_goes_where_the_cpu_goes() {
    let mlp = "[model]\nname = 'mlp'\nhidden = [9]\nactivation = 'tanh'\n";
    let classes = "[loss]\nname = 'cross_entropy'\n";
    let sgd = "[optimizer]\nname = 'sgd'\nlr = 0.05\n";
    let mut cases: Vec<(String, bool)> = Vec::new();
    for name in Rule::NAMES {
        // By batches L-BFGS goes astray, and multiplies its rounding on the way.
        let whole = if *name == "lbfgs" {
            "line_search_fn = 'strong_wolfe'\n[train]\nbatch_size = 'full'\n"
        } else {
            ""
        };
        cases.push((format!("{mlp}{classes}[optimizer]\nname = '{name}'\nlr = 0.01\n{whole}"), false));
    }
    for loss in [
        "'cross_entropy'\nlabel_smoothing = 0.1\nclass_weight = 'balanced'",
        "'nll'",
        "'nll'\nfrom_logits = false",
        "'focal'\nweight = [1.0, 2.0, 0.5, 1.0]",
        "'cross_entropy'\nreduction = 'sum'",
        "'cross_entropy'\nignore_index = 2",
    ] {
        cases.push((format!("{mlp}[loss]\nname = {loss}\n{sgd}"), false));
    }
    for loss in [
        "'mse'",
        "'l1'",
        "'smooth_l1'",
        "'huber'",
        "'poisson_nll'",
        "'gaussian_nll'",
        "'mse'\nreduction = 'sum'",
    ] {
        cases.push((format!("{mlp}[loss]\nname = {loss}\n[optimizer]\nname = 'sgd'\nlr = 0.001\n"), true));
    }
    for model in [
        "name = 'mlp'\nhidden = [8, 7]\nactivation = 'gelu'\nlayer_norm = true\ndropout = 0.3",
        "name = 'mlp'\nhidden = [8]\nactivation = 'silu'\nbatch_norm = true",
        "name = 'mlp'\nhidden = [8]\nactivation = 'selu'",
        "name = 'mlp'\nhidden = []",
    ] {
        cases.push((format!("[model]\n{model}\n{classes}{sgd}"), false));
    }
    for model in [
        "rnn'\nnonlinearity = 'relu",
        "lstm'\nbidirectional = true\nhead = 'mean",
        "gru'\nnum_layers = 2\ndropout = 0.4\nname_of = '",
    ] {
        let model = model.replace("\nname_of = '", "\nhead = 'last");
        cases.push((format!("[model]\nname = '{model}'\nhidden_size = 6\n{classes}{sgd}"), false));
    }
    for train in [
        "average = { name = 'ema', decay = 0.9 }",
        "average = { name = 'swa', start_epoch = 2 }",
        "clip_grad_norm = 0.1",
        "clip_grad_value = 0.01",
        "accumulate = 3",
        "batch_size = 'full'",
    ] {
        cases.push((format!("{mlp}{classes}[optimizer]\nname = 'adam'\n[train]\n{train}\n"), false));
    }
    let random = |shape: &[usize]| Tensor::randn(0f64, 1.0, shape, &Device::Cpu).unwrap();
    let (table, series) = (random(&[23, 5]), random(&[23, 4, 5]));
    let labels = Tensor::from_iter((0i64..23).map(|row| row * 7 % 4), &Device::Cpu).unwrap();
    let numbers = (random(&[23, 2]).abs().unwrap() + 0.1).unwrap();
    for (sections, are_values) in cases {
        for graph in [false, true] {
            let separate = if sections.contains("[train]\n") { "" } else { "[train]\n" };
            let batch = if sections.contains("batch_size") { "" } else { "batch_size = 6\n" };
            let config = config(&format!(
                "{sections}{separate}dtype = 'f64'\ncuda_graph = {graph}\nepochs = 4\n{batch}"
            ));
            let recurrent = sections.contains("hidden_size");
            let xs = if recurrent { &series } else { &table };
            let (ys, outputs) = if are_values { (&numbers, 2) } else { (&labels, 4) };
            let cpu = updates(&Device::Cpu, &config, xs, ys, outputs);
            let gpu = updates(&device(), &config, xs, ys, outputs);
            // Muon's iteration is in bfloat16, whose numbers lie far apart.
            let tolerance = if sections.contains("muon") { 1e-2 } else { 1e-9 };
            for (cpu, gpu) in [(&cpu.0, &gpu.0), (&cpu.1, &gpu.1)] {
                assert_eq!(cpu.len(), gpu.len(), "{sections}");
                for (a, b) in cpu.iter().zip(gpu) {
                    let off = (a - b).abs() / a.abs().max(1.0);
                    assert!(off <= tolerance, "{a} and {b}, {off}: {sections}");
                }
            }
        }
    }
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
    let refused = crate::common::fail(folder.path(), &["train", "--device", "cuda:77", "--out", "other"], 2);
    assert!(refused.contains("--device cuda:77") && refused.contains("descent list devices"), "{refused}");
}
