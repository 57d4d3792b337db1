//! Every rule's kernel for GPUs against its formula on the CPU: as a C++ compiler makes it for this machine, or with
//! `DESCENT_TEST_DEVICE=cuda` on the first GPU.

use candle_core::{DType, Device, Tensor};

use super::schedule::{SchedulePlan, ScheduleTime};
use super::{Clipping, Grouped, Optimizer, Rule};
use crate::kernels::cuda::{FiniteGuard, SkipFlag, Thresholds};
use crate::kernels::{Accumulate, autograd};
use crate::nn::{GradBuffer, Gradients, Init, Params};
use crate::registry::FromTable;

/// Options that take other ways through the formulas than the defaults.
const VARIANTS: [&str; 16] = [
    "name = 'sgd'\nmomentum = 0.9\nweight_decay = 0.1",
    "name = 'sgd'\nmomentum = 0.9\nnesterov = true\nmaximize = true",
    "name = 'sgd'\nmomentum = 0.8\ndampening = 0.3",
    "name = 'adam'\namsgrad = true\nweight_decay = 0.1",
    "name = 'adamw'\nweight_decay = 0.5\nmaximize = true",
    "name = 'rmsprop'\ncentered = true",
    "name = 'rmsprop'\nmomentum = 0.5",
    "name = 'rmsprop'\nmomentum = 0.5\ncentered = true",
    "name = 'adagrad'\nlr_decay = 0.1\ninitial_accumulator_value = 0.2",
    "name = 'nadam'\nweight_decay = 0.1\ndecoupled_weight_decay = true",
    "name = 'asgd'\nt0 = 2",
    "name = 'radam'\nbetas = [0.5, 0.6]",
    "name = 'asgd'\nschedule = { warmup_steps = 4 }",
    "name = 'rprop'\nschedule = { name = 'linear', interval = 'step' }",
    "name = 'sgd'\ndampening = 0.3\nschedule = { name = 'cyclic', step_size_up = 2, base_momentum = 0, interval = 'step' }",
    "name = 'rmsprop'\nschedule = { name = 'cyclic', step_size_up = 2, base_momentum = 0, interval = 'step' }",
];

/// Six updates: how each clips by value, and the norm to which it clips.
const STEPS: [(Clipping<'static>, Option<f64>); 6] = [
    (Clipping::NONE, None),
    (Clipping { clamp: 0.7, ..Clipping::NONE }, None),
    (Clipping::NONE, Some(1.5)),
    (Clipping::NONE, None),
    (Clipping::NONE, None),
    (Clipping::NONE, None),
];

/// The device that the kernels run on.
fn device() -> Device {
    match std::env::var("DESCENT_TEST_DEVICE").as_deref() {
        Ok("cuda") => crate::kernels::cuda::device(0).unwrap(),
        _ => Device::Cpu,
    }
}

/// Two parameters and their optimizer.
struct Optimized {
    params: Params,
    optimizer: Optimizer,
}

fn optimizer(options: &str, device: &Device) -> Optimized {
    let mut params = Params::new(3, DType::F64, device);
    params.param("a.weight", &[7, 50], &Init::named("normal").unwrap()).unwrap();
    params.param("a.bias", &[7], &Init::named("normal").unwrap()).unwrap();
    let mut table: toml::Table = options.parse().unwrap();
    let plan = match table.remove("schedule") {
        Some(schedule) => SchedulePlan::from_table(schedule.as_table().unwrap().clone()).unwrap(),
        None => SchedulePlan::default(),
    };
    let optimizer = Optimizer::new(Grouped::from_table(table).unwrap(), plan, &params).unwrap();
    Optimized { params, optimizer }
}

/// The same gradients for both, other ones each step.
fn gradients(params: &Params, step: u32) -> GradBuffer {
    let mut buffer = GradBuffer::new(params).unwrap();
    let writer = buffer.writer();
    for param in params.trainable() {
        let count = param.value().elem_count();
        let numbers: Vec<f64> = (1..=u32::try_from(count).unwrap())
            .map(|i| (f64::from(i) * 12.9898 + f64::from(step) * 78.233).sin() * 2.0)
            .collect();
        let grad = Tensor::from_vec(numbers, param.value().shape(), params.device()).unwrap();
        let out = writer.out(param);
        assert_eq!(out.accumulate, Accumulate::REPLACE);
        autograd::store(out, &grad).unwrap();
    }
    buffer
}

fn off(a: &Optimizer, b: &Optimizer, params: [&Params; 2]) -> f64 {
    let mut largest = 0f64;
    let mut see = |a: &Tensor, b: &Tensor| {
        let (a, b) = (a.to_device(&Device::Cpu).unwrap(), b.to_device(&Device::Cpu).unwrap());
        let off = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_dtype(DType::F64).unwrap();
        largest = largest.max(off.to_scalar::<f64>().unwrap());
    };
    let weights = params[0].trainable().iter().zip(params[1].trainable());
    weights.for_each(|(a, b)| see(a.value(), b.value()));
    let (a, b) = (a.state().unwrap(), b.state().unwrap());
    assert_eq!(a.len(), b.len());
    for ((name, a), (other, b)) in a.iter().zip(&b) {
        assert_eq!(name, other);
        see(a, b);
    }
    largest
}

#[test]
fn every_kernel_is_its_rules_formula() {
    let defaults: Vec<String> = Rule::NAMES.iter().map(|name| format!("name = '{name}'")).collect();
    let mut seen = 0;
    for options in defaults.iter().map(String::as_str).chain(VARIANTS) {
        let Optimized { params, optimizer: mut cpu } = optimizer(options, &Device::Cpu);
        let Optimized { params: gpu_params, optimizer: mut gpu } = optimizer(options, &device());
        // lamb's direction is a kernel too, though the step along it needs a norm over all elements.
        let whole = options.contains("lamb") || options.contains("lbfgs");
        if !cpu.is_per_element() && !options.contains("lamb") {
            assert!(["muon", "adafactor", "lbfgs"].iter().any(|name| options.contains(name)), "{options}");
            continue;
        }
        seen += 1;
        let guard = FiniteGuard::new(8, &device()).unwrap();
        for (step, (clipping, norm)) in (1..).zip(STEPS) {
            let time = ScheduleTime { step: step.into(), ..ScheduleTime::FIRST };
            let (grads, gpu_grads) = (gradients(&params, step), gradients(&gpu_params, step));
            let (grads, gpu_grads) = (grads.as_written(), gpu_grads.as_written());
            let own = match norm {
                Some(norm) if !whole => super::Clip::Norm(norm).of(&grads.parts()).unwrap(),
                _ => clipping,
            };
            cpu.step(&Gradients::Dense(grads), own, time).unwrap();
            guard.begin(step.into(), 1.0).unwrap();
            let loss = Tensor::new(1.0, &device()).unwrap();
            let limits = Thresholds { norm: norm.filter(|_| !whole), loss: 10.0 };
            guard.check(&loss, gpu_grads.flat(), limits).unwrap();
            let condition = Some(SkipFlag { guard: &guard, replayed: None });
            gpu.step(&Gradients::Dense(gpu_grads), Clipping { condition, ..clipping }, time).unwrap();
            let off = off(&cpu, &gpu, [&params, &gpu_params]);
            assert!(off < 1e-12, "{options}: {off} after step {step}");
        }
    }
    assert_eq!(seen, Rule::NAMES.len() - 3 + VARIANTS.len());
}

#[test]
fn behind_a_closed_gate_nothing_moves_and_the_optimizer_returns_to_its_position() {
    let Optimized { params, optimizer: mut gpu } = optimizer("name = 'nadam'\nlr = 0.1", &device());
    let guard = FiniteGuard::new(8, &device()).unwrap();
    let mut step = |number: u32, loss: f64| {
        let buffer = gradients(&params, number);
        let grads = buffer.as_written();
        guard.begin(number.into(), 1.0).unwrap();
        let loss = Tensor::new(loss, &device()).unwrap();
        let limits = Thresholds { norm: None, loss: 10.0 };
        guard.check(&loss, grads.flat(), limits).unwrap();
        let position = gpu.position();
        let clipping =
            Clipping { condition: Some(SkipFlag { guard: &guard, replayed: None }), ..Clipping::NONE };
        gpu.step(&Gradients::Dense(grads), clipping, ScheduleTime::FIRST).unwrap();
        (params.copy().unwrap(), position, gpu.state().unwrap())
    };
    let (good, _, _) = step(1, 1.0);
    let (second, position, _) = step(2, f64::NAN);
    let (third, _, _) = step(3, 1.0);
    for other in [&second, &third] {
        for (name, value) in &good {
            let (a, b) = (value.flatten_all().unwrap(), other[name].flatten_all().unwrap());
            assert_eq!(a.to_vec1::<f64>().unwrap(), b.to_vec1::<f64>().unwrap(), "{name}");
        }
    }
    assert_eq!(gpu.steps(), 3);
    gpu.return_to(&position);
    assert_eq!(gpu.steps(), 1);
}
