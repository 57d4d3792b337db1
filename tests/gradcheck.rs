//! Gradients against finite differences in f64: every layer, every loss, whole networks.

mod losses;
mod names;

use std::cell::Cell;

use candle_core::{Device, Tensor, Var};
use descent::nn::{
    Activate, Activation, BatchNorm1d, CellKind, Dropout, EnsembleLinear, EnsembleScale, FrontScale,
    GradBuffer, LastStep, Layer, LayerInit, LayerNorm, Linear, MeanOfSteps, Mode, Numerical,
    NumericalEmbeddings, ParametricActivation, Params, Recurrent, RecurrentOptions, ScalingInit, Tape,
    TimeMajor,
};
use descent::registry::FromTable;
use descent::rng::{Purpose, Stream};
use rand::Rng;
use rand_distr::StandardNormal;

use crate::common::{config, dataset, trainer};

/// The step h of the differences: a power of two, so that 2h is exact.
const STEP: f64 = 1.0 / 4096.0;

/// How far a slope may be from a gradient, relative to 1 and to the gradient.
///
/// The difference of fourth order in [`slopes`] errs by h⁴/30 · f⁽⁵⁾, which is 1.2e-16 f⁽⁵⁾, and by the rounding of f: each of
/// the four values is off by at most δ, the slope by (8 + 8 + 1 + 1) δ / 12 h = 1.5 δ / h. Here f is a sum of at most 100
/// terms of size 10 at most, through fewer than 100 operations: δ ≤ 1e3 u with u = 1.1e-16, and 1.5 δ / h ≤ 7e-10.
const TOLERANCE: f64 = 1e-9;

/// Draws from the crate's counter-based generator; each draw has a stream of its own.
struct Draws(Cell<u64>);

impl Draws {
    fn new() -> Self {
        Self(Cell::new(0))
    }

    /// Normally distributed numbers of mean 0 and standard deviation 1.
    fn normal(&self, shape: &[usize]) -> Tensor {
        self.0.set(self.0.get() + 1);
        let mut stream = Stream::new(7, Purpose::Data, self.0.get());
        let count = shape.iter().product();
        let numbers: Vec<f64> = (0..count).map(|_| stream.sample(StandardNormal)).collect();
        Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
    }
}

fn elements(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The slope of `value` along each element of `at`, which is set there and back, by the central difference of fourth
/// order.
fn slopes(at: &Var, mut value: impl FnMut() -> f64) -> Vec<f64> {
    let start = at.as_detached_tensor().copy().unwrap();
    let base = elements(&start);
    let mut slopes = Vec::new();
    for index in 0..base.len() {
        let mut at_offset = |offset: f64| {
            let mut moved = base.clone();
            moved[index] += offset;
            at.set(&Tensor::from_vec(moved, start.shape(), &Device::Cpu).unwrap()).unwrap();
            value()
        };
        let [near, far] = [STEP, 2.0 * STEP].map(|h| at_offset(h) - at_offset(-h));
        slopes.push((8.0 * near - far) / (12.0 * STEP));
    }
    at.set(&start).unwrap();
    slopes
}

fn assert_close(what: &str, ours: &[f64], slopes: &[f64]) {
    assert_eq!(ours.len(), slopes.len(), "{what}");
    for (a, b) in ours.iter().zip(slopes) {
        assert!((a - b).abs() <= TOLERANCE * (1.0 + b.abs()), "{what}: {a} is not {b}");
    }
}

/// Checks a chain of layers at an input of this shape: the gradients of `Σ ys · weights` for the input and every
/// parameter.
fn check_layers(what: &str, layers: &[Box<dyn Layer>], params: &Params, shape: &[usize]) {
    let draws = Draws::new();
    let xs = &draws.normal(shape);
    let forward = |xs: &Tensor, tape: &mut Tape| {
        let mut mode = Mode::Train(tape);
        layers.iter().try_fold(xs.clone(), |xs, layer| layer.forward(&xs, &mut mode)).unwrap()
    };
    let tape = || Tape::new(5, 1, 0);
    let mut recorded = tape();
    let ys = forward(xs, &mut recorded);
    let weights = draws.normal(ys.dims());
    let mut in_training = tape();
    forward(xs, &mut in_training);
    let mut buffer = GradBuffer::new(params).unwrap();
    let writer = buffer.writer();
    in_training.backward(weights.clone(), &writer).unwrap();
    let grads = writer.finish().unwrap();
    let of_training: Vec<_> =
        params.trainable().iter().map(|param| elements(grads.get(param).unwrap())).collect();
    let mut buffer = GradBuffer::new(params).unwrap();
    let writer = buffer.writer();
    let input_grad = recorded.backward_to_input(weights.clone(), &writer).unwrap().unwrap();
    let grads = writer.finish().unwrap();
    let input = Var::from_tensor(xs).unwrap();
    let value = || {
        let ys = forward(&input.as_detached_tensor(), &mut tape());
        (ys * &weights).unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap()
    };
    assert_close(&format!("{what}, input"), &elements(&input_grad), &slopes(&input, value));
    for (param, of_training) in params.trainable().iter().zip(of_training) {
        let ours = elements(grads.get(param).unwrap());
        assert_eq!(of_training, ours, "{what}, {}: the gradient of the data changes it", param.name());
        assert_close(&format!("{what}, {}", param.name()), &ours, &slopes(param.var(), value));
    }
}

fn params() -> Params {
    Params::new(3, candle_core::DType::F64, &Device::Cpu)
}

#[test]
fn linear_with_every_activation() {
    for name in Activation::NAMES {
        let activation: Activation = toml::Value::from(*name).try_into().unwrap();
        let mut params = params();
        let layer = Linear::new(&mut params, "l", 4, 3, LayerInit::default(), Some(activation)).unwrap();
        check_layers(name, &[Box::new(layer)], &params, &[5, 4]);
        check_layers(name, &[Box::new(Activate(activation))], &self::params(), &[5, 4]);
    }
}

#[test]
fn batch_norm_and_dropout() {
    let activations = Activation::NAMES.iter().map(|name| Some(toml::Value::from(*name).try_into().unwrap()));
    for activation in activations.chain([None]) {
        let mut params = params();
        let layer = BatchNorm1d::new(&mut params, "bn", 3, activation).unwrap();
        check_layers(&format!("batch_norm, {activation:?}"), &[Box::new(layer)], &params, &[6, 3]);
    }
    let mut params = self::params();
    let layer = LayerNorm::new(&mut params, "ln", 3).unwrap();
    check_layers("layer_norm", &[Box::new(layer)], &params, &[6, 3]);
    check_layers("dropout", &[Box::new(Dropout { p: 0.4 })], &self::params(), &[6, 3]);
}

#[test]
fn scales_and_parametric_activations() {
    let mut params = params();
    let layer = FrontScale::new(&mut params, "scale", 3).unwrap();
    check_layers("scale", &[Box::new(layer)], &params, &[6, 3]);
    for name in Activation::NAMES {
        let activation: Activation = toml::Value::from(*name).try_into().unwrap();
        let mut params = self::params();
        let layer = ParametricActivation::new(&mut params, "act1", 3, activation).unwrap();
        // Away from the start, at which the activation alone is taken.
        let weight = params.trainable()[0].var();
        weight.set(&Draws::new().normal(&[3])).unwrap();
        check_layers(&format!("parametric {name}"), &[Box::new(layer)], &params, &[6, 3]);
    }
}

#[test]
fn embeddings_of_numerical_features() {
    for options in [
        "name = 'periodic'\nn_frequencies = 3\nd_embedding = 2\nfrequency_init_scale = 0.4\nactivation = false",
        "name = 'periodic'\nn_frequencies = 3\nd_embedding = 2\nfrequency_init_scale = 0.4",
        "name = 'periodic'\nvariant = 'pbld'\nn_frequencies = 3",
        "name = 'piecewise_linear'\nn_bins = 3\nd_embedding = 2",
        "name = 'piecewise_linear'\nn_bins = 3\nd_embedding = 2\nversion = 'A'\nactivation = true",
    ] {
        let options_of = Numerical::from_table(options.parse().unwrap()).unwrap();
        for places in [vec![0, 1], vec![1, 3]] {
            let mut params = params();
            let layer = NumericalEmbeddings::new(&mut params, &options_of, &places, 4).unwrap();
            layer.fit(&Draws::new().normal(&[20, 4]), None).unwrap();
            for param in params.trainable() {
                // Version B starts at 0.
                param.var().set(&Draws::new().normal(param.value().dims())).unwrap();
            }
            check_layers(options, &[Box::new(layer)], &params, &[5, 4]);
        }
    }
}

#[test]
fn members_of_an_ensemble() {
    let mut params = params();
    let scale = EnsembleScale::new(&mut params, 3, &[1, 2, 1], ScalingInit::Normal).unwrap();
    let sizes = [3, 4, 2];
    let linear = EnsembleLinear::new(&mut params, "l", sizes, LayerInit::default()).unwrap();
    check_layers("ensemble", &[Box::new(scale), Box::new(linear)], &params, &[5, 4]);
}

#[test]
fn recurrent_layers_in_both_directions() {
    for bidirectional in [false, true] {
        let elman = [Activation::Tanh, Activation::Sigmoid].map(CellKind::Elman);
        for kind in elman.into_iter().chain([CellKind::Lstm, CellKind::Gru]) {
            let mut params = params();
            let options = RecurrentOptions { kind, features: 3, hidden: 4, bidirectional };
            let layer = Recurrent::new(&mut params, "l", 0, options, LayerInit::default()).unwrap();
            let layers: Vec<Box<dyn Layer>> = vec![Box::new(TimeMajor), Box::new(layer)];
            check_layers(&format!("{kind:?}"), &layers, &params, &[2, 5, 3]);
        }
        check_layers("last step", &[Box::new(LastStep)], &self::params(), &[5, 2, 3]);
        check_layers("mean", &[Box::new(MeanOfSteps)], &self::params(), &[5, 2, 3]);
    }
}

/// Models by their options, and the shapes of the rows that they read.
const MODELS: [(&str, &[usize]); 8] = [
    ("name = 'mlp'\nhidden = [4, 3]\nactivation = 'tanh'", &[9, 5]),
    ("name = 'mlp'\nhidden = [4, 3]\nactivation = 'silu'\nbatch_norm = true", &[9, 5]),
    ("name = 'mlp'\nhidden = [4, 3]\nactivation = 'tanh'\nlayer_norm = true", &[9, 5]),
    (
        "name = 'mlp'\nhidden = [4, 3]\nactivation = 'tanh'\nfront_scale = true\nparametric_activation = true",
        &[9, 5],
    ),
    (
        "name = 'mlp'\nhidden = [4, 3]\nactivation = 'mish'\nnumerical = { name = 'periodic', variant = 'pbld' }",
        &[9, 5],
    ),
    ("name = 'lstm'\nhidden_size = 4\nnum_layers = 2\nbidirectional = true", &[9, 4, 2]),
    ("name = 'gru'\nhidden_size = 4\nnum_layers = 2\nhead = 'mean'", &[9, 4, 2]),
    ("name = 'rnn'\nhidden_size = 4\nnum_layers = 2\nbidirectional = true", &[9, 4, 2]),
];

/// One step of plain SGD moves every parameter by its gradient: the whole way from rows to update is right.
#[test]
fn whole_networks() {
    let draws = Draws::new();
    for (model, shape) in MODELS {
        let sections = format!(
            "[model]\n{model}\n[loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\nlr = 1.0\n[train]\nbatch_size = 'full'\ndtype = 'f64'\n"
        );
        let config = config(&sections);
        let (xs, ys) = (draws.normal(shape), draws.normal(&[9, 2]));
        let mut trainer = trainer(&config, &shape[1..], 2);
        let data = dataset(&config, &xs, &ys);
        let rows: Vec<u32> = (0..9).collect();
        let before = trainer.network().params().copy().unwrap();
        let params: Vec<_> = trainer.network().params().trainable().to_vec();
        let expected: Vec<Vec<f64>> = params
            .iter()
            .map(|param| {
                slopes(param.var(), || {
                    let ys_ = trainer.network().train(&xs, &mut Tape::new(0, 1, 0)).unwrap();
                    trainer_loss(&ys_, &ys)
                })
            })
            .collect();
        trainer.update(&data, &rows, 1).unwrap();
        for (param, expected) in params.iter().zip(expected) {
            let moved = (&before[param.name()] - param.value()).unwrap();
            assert_close(&format!("{model} {}", param.name()), &elements(&moved), &expected);
        }
    }
}

fn trainer_loss(predictions: &Tensor, ys: &Tensor) -> f64 {
    (predictions - ys).unwrap().sqr().unwrap().mean_all().unwrap().to_scalar().unwrap()
}
