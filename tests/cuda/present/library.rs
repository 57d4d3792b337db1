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
    trainer.network().fit(&data).unwrap();
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
        if epoch == 2 {
            // As a run that is resumed, whose graph is captured anew.
            let saved = trainer.snapshot().unwrap();
            trainer.restore(&saved).unwrap();
        }
    }
    let params = trainer.network().params().copy().unwrap();
    let numbers = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    (losses, params.values().flat_map(|tensor| numbers(tensor).to_vec1::<f64>().unwrap()).collect())
}

/// A config's sections, and whether its targets are values.
struct Case {
    sections: String,
    has_values: bool,
}

const MLP: &str = "[model]\nname = 'mlp'\nhidden = [9]\nactivation = 'tanh'\n";
const CLASSES: &str = "[loss]\nname = 'cross_entropy'\n";
const SGD: &str = "[optimizer]\nname = 'sgd'\nlr = 0.05\n";

fn optimizers() -> impl Iterator<Item = Case> {
    Rule::NAMES.iter().map(|name| {
        // By batches L-BFGS goes astray, and multiplies its rounding on the way.
        let whole = if *name == "lbfgs" {
            "line_search_fn = 'strong_wolfe'\n[train]\nbatch_size = 'full'\n"
        } else {
            ""
        };
        let sections = format!("{MLP}{CLASSES}[optimizer]\nname = '{name}'\nlr = 0.01\n{whole}");
        Case { sections, has_values: false }
    })
}

fn losses() -> impl Iterator<Item = Case> {
    let of_classes = [
        "'cross_entropy'\nlabel_smoothing = 0.1\nclass_weight = 'balanced'",
        "'nll'",
        "'nll'\nfrom_logits = false",
        "'focal'\nweight = [1.0, 2.0, 0.5, 1.0]",
        "'cross_entropy'\nreduction = 'sum'",
        "'cross_entropy'\nignore_index = 2",
    ];
    let of_values = [
        "'mse'",
        "'l1'",
        "'smooth_l1'",
        "'huber'",
        "'poisson_nll'",
        "'gaussian_nll'",
        "'mse'\nreduction = 'sum'",
    ];
    let of_classes = of_classes
        .map(|loss| Case { sections: format!("{MLP}[loss]\nname = {loss}\n{SGD}"), has_values: false });
    let of_values = of_values.map(|loss| {
        let sections = format!("{MLP}[loss]\nname = {loss}\n[optimizer]\nname = 'sgd'\nlr = 0.001\n");
        Case { sections, has_values: true }
    });
    of_classes.into_iter().chain(of_values)
}

fn networks() -> impl Iterator<Item = Case> {
    let models = [
        "'mlp'\nhidden = [8, 7]\nactivation = 'gelu'\nlayer_norm = true\ndropout = 0.3",
        "'mlp'\nhidden = [8]\nactivation = 'silu'\nbatch_norm = true",
        "'mlp'\nhidden = [8]\nactivation = 'selu'",
        "'mlp'\nhidden = []",
        "'mlp'\nhidden = [8]\nensemble = 4",
        "'mlp'\nhidden = [8]\nnumerical = { name = 'piecewise_linear', n_bins = 5, d_embedding = 3 }",
        "'mlp'\nhidden = [8]\nnumerical = { name = 'periodic', n_frequencies = 4, d_embedding = 3 }",
        "'rnn'\nhidden_size = 6\nnonlinearity = 'relu'",
        "'lstm'\nhidden_size = 6\nbidirectional = true\nhead = 'mean'",
        "'gru'\nhidden_size = 6\nnum_layers = 2\ndropout = 0.4\nhead = 'last'",
    ];
    models
        .map(|model| Case { sections: format!("[model]\nname = {model}\n{CLASSES}{SGD}"), has_values: false })
        .into_iter()
}

fn ways_to_train() -> impl Iterator<Item = Case> {
    let options = [
        "average = { name = 'ema', decay = 0.9 }",
        "average = { name = 'swa', start_epoch = 2 }",
        "clip_grad_norm = 0.1",
        "clip_grad_value = 0.01",
        "accumulate = 3",
        "batch_size = 'full'",
    ];
    let adam = "[optimizer]\nname = 'adam'\n";
    let plain = options.map(|train| format!("{MLP}{CLASSES}{adam}[train]\n{train}\n"));
    // A graph takes a weight decay that declines along; dropout that does is launched kernel by kernel.
    let declining = ["weight_decay", "dropout"].map(|key| {
        format!("{MLP}dropout = 0.3\n{CLASSES}[optimizer]\nname = 'adamw'\nweight_decay = 0.3\n[schedule]\n{key} = 'flat_cos'\n")
    });
    plain.into_iter().chain(declining).map(|sections| Case { sections, has_values: false })
}

/// The same numbers each time: near a kink two devices may go two ways.
fn random(shape: &[usize]) -> Tensor {
    let count = u32::try_from(shape.iter().product::<usize>()).unwrap();
    let numbers = (1..=count).map(|i| ((f64::from(i) * 12.9898).sin() * 43758.5453).fract() * 2.0);
    Tensor::from_iter(numbers, &Device::Cpu).unwrap().reshape(shape).unwrap()
}

#[test]
#[ignore = "needs a GPU: make cuda-test"]
fn every_optimizer_loss_and_network_goes_where_the_cpu_goes() {
    let (table, series) = (random(&[23, 5]), random(&[23, 4, 5]));
    let labels = Tensor::from_iter((0i64..23).map(|row| row * 7 % 4), &Device::Cpu).unwrap();
    let numbers = (random(&[23, 2]).abs().unwrap() + 0.1).unwrap();
    let cases = optimizers().chain(losses()).chain(networks()).chain(ways_to_train());
    for Case { sections, has_values } in cases {
        for graph in graphs() {
            let separate = if sections.contains("[train]\n") { "" } else { "[train]\n" };
            let batch = if sections.contains("batch_size") { "" } else { "batch_size = 6\n" };
            let config = config(&format!(
                "{sections}{separate}dtype = 'f64'\ncuda_graph = {graph}\nepochs = 4\n{batch}"
            ));
            let recurrent = sections.contains("hidden_size");
            let xs = if recurrent { &series } else { &table };
            let (ys, outputs) = if has_values { (&numbers, 2) } else { (&labels, 4) };
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
