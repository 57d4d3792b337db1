//! Optimizers, losses and networks on both devices, by the library.

use candle_core::{DType, Device, Tensor};
use descent::config::Config;
use descent::optim::Rule;

use super::graphs;
use crate::common::{config, dataset_on, device, trainer_on};

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
        for rows in trainer.updates(&data, epoch) {
            trainer.submit(&data, &rows, epoch).unwrap();
        }
        trainer.wait(&data).unwrap();
        losses.extend(trainer.take_known().iter().map(|update| update.loss_sum));
        trainer.end_epoch(epoch).unwrap();
        let raw = trainer.enter_average(&data).unwrap();
        losses.push(trainer.evaluate(&data).unwrap().loss);
        trainer.leave_average(raw).unwrap();
    }
    let params = trainer.network().params().copy().unwrap();
    let numbers = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
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
    // The same numbers each time: near a kink two devices may go two ways.
    let random = |shape: &[usize]| {
        let count = u32::try_from(shape.iter().product::<usize>()).unwrap();
        let numbers = (1..=count).map(|i| ((f64::from(i) * 12.9898).sin() * 43758.5453).fract() * 2.0);
        Tensor::from_iter(numbers, &Device::Cpu).unwrap().reshape(shape).unwrap()
    };
    let (table, series) = (random(&[23, 5]), random(&[23, 4, 5]));
    let labels = Tensor::from_iter((0i64..23).map(|row| row * 7 % 4), &Device::Cpu).unwrap();
    let numbers = (random(&[23, 2]).abs().unwrap() + 0.1).unwrap();
    for (sections, are_values) in cases {
        for graph in graphs() {
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
