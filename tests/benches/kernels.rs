//! Every fused kernel against its reference implementation in tensor operations, forward and backward, at sizes of a small net.
//!
//!     cargo bench                     # all
//!     cargo bench -- linear           # those whose name has `linear`

use std::hint::black_box;
use std::time::Duration;

use candle_core::{DType, Device, Result, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use descent::distributed::Shards;
use descent::kernels::cross_entropy::Weighting;
use descent::kernels::pairwise::Pairwise;
use descent::kernels::real::Real;
use descent::kernels::recurrent::CellKind;
use descent::kernels::update::GradTransform;
use descent::kernels::{
    Accumulate, Activation, GradOut, MatmulPrecision, activation, autograd, batch_norm, cross_entropy,
    dropout, gather, layer_norm, linear, norm, pairwise, recurrent, update,
};
use descent::optim::adam::Adam;
use descent::optim::{ElementwiseRule, StepContext};
use descent::rng::{Purpose, Stream};
use rand::Rng;
use rand_distr::Normal;

/// Rows of a batch.
const N: usize = 64;
/// Width of a layer.
const H: usize = 256;

/// Normal numbers, the same for the same shape.
fn random(shape: &[usize]) -> Tensor {
    let mut stream = Stream::new(1, Purpose::Init, 0);
    let normal = Normal::new(0.0, 0.5).expect("a deviation");
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| stream.sample(normal)).collect();
    Tensor::from_vec(numbers, shape, &Device::Cpu).expect("a small tensor fits")
}

/// A kernel and its reference side by side. What fails stops the bench: there is no one to report to.
fn side_by_side(
    c: &mut Criterion,
    name: &str,
    fused: impl Fn() -> Result<()>,
    reference: impl Fn() -> Result<()>,
) {
    let mut group = c.benchmark_group(name);
    group.bench_function("fused", |b| b.iter(|| fused().expect("the kernel runs")));
    group.bench_function("reference", |b| b.iter(|| reference().expect("the reference runs")));
    group.finish();
}

fn outs(buffers: &[Tensor]) -> impl Iterator<Item = GradOut<'_>> {
    buffers.iter().map(|buffer| GradOut { buffer, accumulate: Accumulate::REPLACE })
}

fn linear_layer(c: &mut Criterion) {
    let (xs, w, b) = (random(&[N, 784]), random(&[H, 784]), random(&[H]));
    let (grad, buffers) = (random(&[N, H]), [w.zeros_like().expect("fits"), b.zeros_like().expect("fits")]);
    let (act, precision) = (Some(Activation::Relu), MatmulPrecision::F32);
    let fused = || {
        let output = linear::forward(&xs, &w, &b, act, precision)?;
        let mut outs = outs(&buffers);
        let back = linear::backward(linear::Through { w: &w, act, precision }, &output, &grad, true)?;
        linear::gradients(&xs, &back.grad, [outs.next(), outs.next()], precision)?;
        drop(black_box(back));
        candle_core::Result::Ok(())
    };
    let reference = || {
        autograd::vjp(&[&xs, &w, &b], &grad, |t| linear::reference(&t[0], &t[1], &t[2])?.relu())
            .map(|grads| drop(black_box(grads)))
    };
    side_by_side(c, "linear and relu", fused, reference);
}

fn normalizations(c: &mut Criterion) {
    let (xs, w, b, grad) = (random(&[N, H]), random(&[H]), random(&[H]), random(&[N, H]));
    let buffers = [w.zeros_like().expect("fits"), b.zeros_like().expect("fits")];
    let pair = || {
        let mut outs = outs(&buffers);
        [outs.next().expect("two"), outs.next().expect("two")]
    };
    let whole = Shards::default();
    let affine = batch_norm::ChannelAffine { weight: &w, bias: &b, act: Some(Activation::Relu) };
    let fused = || {
        let [xs, grad] = [&xs, &grad].map(std::slice::from_ref);
        let output = batch_norm::forward(xs, affine, 1e-5, &whole)?;
        batch_norm::backward(xs, affine, &output, grad, &[pair()], &whole).map(|dx| drop(black_box(dx)))
    };
    let reference = || {
        autograd::vjp(&[&xs, &w, &b], &grad, |t| batch_norm::reference(&t[0], &t[1], &t[2], 1e-5)?.relu())
            .map(|grads| drop(black_box(grads)))
    };
    side_by_side(c, "batch norm and relu", fused, reference);
    let fused = || {
        let output = layer_norm::forward(&xs, &w, &b, 1e-5)?;
        layer_norm::backward(&xs, [&w, &b], &output, &grad, pair()).map(|dx| drop(black_box(dx)))
    };
    let reference = || {
        autograd::vjp(&[&xs, &w, &b], &grad, |t| layer_norm::reference(&t[0], &t[1], &t[2], 1e-5))
            .map(|grads| drop(black_box(grads)))
    };
    side_by_side(c, "layer norm", fused, reference);
}

fn elementwise(c: &mut Criterion) {
    let (xs, grad) = (random(&[N, H]), random(&[N, H]));
    let fused = || {
        let ys = activation::forward(Activation::Tanh, &xs)?;
        activation::backward(Activation::Tanh, &xs, &ys, &grad).map(|dx| drop(black_box(dx)))
    };
    let reference = || autograd::vjp(&[&xs], &grad, |t| t[0].tanh()).map(|grads| drop(black_box(grads)));
    side_by_side(c, "tanh", fused, reference);

    let fused = || {
        let stream = &Stream::new(1, Purpose::Dropout, 1);
        let draw = dropout::DropoutDraw { p: 0.5, stream, first: 0, step_counter: None };
        let output = dropout::forward(&xs, draw)?;
        dropout::apply(&output.ys, &output.mask).map(|dx| drop(black_box(dx)))
    };
    let reference = || {
        autograd::vjp(&[&xs], &grad, |t| candle_nn::ops::dropout(&t[0], 0.5))
            .map(|grads| drop(black_box(grads)))
    };
    side_by_side(c, "dropout", fused, reference);

    let images = Tensor::ones((10_000, 784), DType::U8, &Device::Cpu).expect("fits");
    let indices: Vec<u32> = (0..10_000).step_by(157).collect();
    let affine = gather::Affine { scale: 0.1, shift: -0.5 };
    let fused = || {
        gather::rows(&images, &indices, &images.dims()[1..], affine, DType::F32, None)
            .map(|xs| drop(black_box(xs)))
    };
    let reference = || {
        gather::reference(&images, &indices, &images.dims()[1..], affine, DType::F32)
            .map(|xs| drop(black_box(xs)))
    };
    side_by_side(c, "gather", fused, reference);

    let many = random(&[784, H]);
    let fused = || norm::euclidean_norm(&[&many]).map(|norm| assert!(black_box(norm) > 0.0));
    let reference = || many.sqr()?.sum_all()?.sqrt().map(|norm| drop(black_box(norm)));
    side_by_side(c, "norm", fused, reference);
}

struct SquaredError;

impl Pairwise for SquaredError {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, y: R, _: R) -> (R, R) {
        ((x - y) * (x - y), (x - y).scale(2.0))
    }
}

fn losses(c: &mut Criterion) {
    let logits = random(&[N, 10]);
    let targets: Vec<i64> = (0..10).cycle().take(N).collect();
    let targets = Tensor::new(targets, &Device::Cpu).expect("fits");
    let how = Weighting { class_weight: None, label_smoothing: 0.0, ignore_index: -100 };
    let fused =
        || cross_entropy::value_and_grad(&logits, &targets, &how, 64.0).map(|result| drop(black_box(result)));
    let one = Tensor::new(1f32, &Device::Cpu).expect("fits");
    let reference = || {
        autograd::vjp(&[&logits], &one, |t| cross_entropy::reference(&t[0], &targets, &how, None))
            .map(|grads| drop(black_box(grads)))
    };
    side_by_side(c, "cross entropy", fused, reference);

    let (xs, ys) = (random(&[N, H]), random(&[N, H]));
    let fused =
        || pairwise::value_and_grad(&SquaredError, &xs, &ys, 64.0).map(|result| drop(black_box(result)));
    let reference =
        || pairwise::reference(&SquaredError, &xs, &ys, None, 64.0).map(|result| drop(black_box(result)));
    side_by_side(c, "squared error", fused, reference);
}

fn sequences(c: &mut Criterion) {
    let (steps, features, hidden) = (28, 28, 128);
    let (xs, grad) = (random(&[steps, N, features]), random(&[steps, N, hidden]));
    for (name, kind) in
        [("rnn", CellKind::Elman(Activation::Tanh)), ("lstm", CellKind::Lstm), ("gru", CellKind::Gru)]
    {
        let rows = kind.gates() * hidden;
        let cell = [random(&[rows, features]), random(&[rows, hidden]), random(&[rows]), random(&[rows])];
        let buffers = cell.each_ref().map(|p| p.zeros_like().expect("fits"));
        let fused = || {
            let output = recurrent::forward(kind, &xs, cell.each_ref(), false.into())?;
            let pass = recurrent::ForwardPass { kind, xs: &xs, output, order: false.into() };
            let outs = buffers.each_ref().map(|buffer| GradOut { buffer, accumulate: Accumulate::REPLACE });
            recurrent::backward(pass, cell.each_ref(), &grad, outs, false).map(|dx| drop(black_box(dx)))
        };
        let reference = || {
            autograd::vjp(&[&xs, &cell[0], &cell[1], &cell[2], &cell[3]], &grad, |t| {
                recurrent::reference(kind, &t[0], [&t[1], &t[2], &t[3], &t[4]], false.into())
            })
            .map(|grads| drop(black_box(grads)))
        };
        side_by_side(c, name, fused, reference);
    }
}

fn updates(c: &mut Criterion) {
    let var = || Var::from_tensor(&random(&[H, 784])).expect("fits");
    let (param, grad, slots) = (var(), random(&[H, 784]), [var(), var()]);
    let first = StepContext { t: 1, lr: 1e-3, numbers_before: [0.0; 2], numbers: [0.0; 2] };
    let adam = Adam::default().formula(first);
    let fused = || update::update(&adam, &GradTransform::NONE, &param, &grad, &slots);
    let reference = || update::reference(&adam, &GradTransform::NONE, &param, &grad, slots.each_ref());
    side_by_side(c, "adam", fused, reference);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = linear_layer, normalizations, elementwise, losses, sequences, updates
}
criterion_main!(benches);
