//! The optimizer around its rules: state, groups, clipping, decay.

use candle_core::{DType, Device};

use super::*;
use crate::nn::{GradBuffer, Init};
use crate::registry::FromTable;

#[test]
fn weights_that_decay_to_subnormal_numbers_become_zero_and_the_others_are_torchs() {
    for (rule, decay) in [("sgd", "weight_decay = 0.1"), ("adamw", "weight_decay = 0.1")] {
        let mut params = Params::new(1, DType::F32, &Device::Cpu);
        let param = params.param("w", &[1, 3], &Init::named("ones").unwrap()).unwrap();
        // The first is subnormal after 64 updates: 1.5e-38 · 0.99⁶⁴ is 7.9e-39.
        let start = Tensor::new(&[[1.5e-38f32, 3e-38, 1.0]], &Device::Cpu).unwrap();
        param.var().set(&start).unwrap();
        let table = format!("name = '{rule}'\nlr = 0.1\n{decay}").parse().unwrap();
        let options = Grouped::from_table(table).unwrap();
        let mut optimizer = Optimizer::new(options, SchedulePlan::default(), &params).unwrap();
        let mut buffer = GradBuffer::new(&params).unwrap();
        let writer = buffer.writer();
        let out = writer.out(&param);
        crate::kernels::autograd::store(out, &start.zeros_like().unwrap()).unwrap();
        let mut expected = [1.5e-38f32, 3e-38, 1.0];
        for step in 1..=64 {
            let time = ScheduleTime { step, ..ScheduleTime::FIRST };
            optimizer.step(&Gradients::Dense(buffer.as_written()), Clipping::NONE, time).unwrap();
            // torch: `param.mul_(1 - lr * weight_decay)`, and for sgd `param.add_(grad + weight_decay * param, alpha=-lr)`.
            for value in &mut expected {
                *value = if rule == "sgd" { *value - 0.1 * (0.1 * *value) } else { *value * 0.99 };
            }
        }
        let weights = param.value().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(weights[0].to_bits(), 0, "{rule}");
        for (ours, torchs) in weights.iter().zip(expected).skip(1) {
            // 64 products, each rounded to 24 bits by itself.
            assert!((ours - torchs).abs() <= 64.0 * f32::EPSILON * torchs, "{rule}: {ours} {torchs}");
        }
    }
}
