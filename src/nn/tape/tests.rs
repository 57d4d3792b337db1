//! The way back through layers with parameters and without.

use std::sync::Mutex;

use candle_core::{DType, Device};

use super::*;
use crate::nn::{Activate, Activation, Dropout, GradBuffer, LastStep, Layer, MeanOfSteps, Params, TimeMajor};

/// The part of its input's gradient that each layer is asked for, nothing where it is not called; `learns` says which layers have
/// parameters.
fn asked(learns: &[bool], back: impl FnOnce(Tape, Tensor, &GradWriter<'_>)) -> Vec<Option<InputGrad>> {
    let asked = Arc::new(Mutex::new(vec![None; learns.len()]));
    let mut tape = Tape::new(1, 1, 0);
    for (depth, learns) in learns.iter().enumerate() {
        let asked = Arc::clone(&asked);
        let pullback = move |grad: &Tensor, _: &GradWriter<'_>, read: InputGrad| {
            asked.lock().unwrap()[depth] = Some(read);
            Ok(Some(grad.clone()))
        };
        if *learns { tape.record(pullback) } else { tape.record_without_parameters(pullback) }
    }
    let mut buffer = GradBuffer::new(&Params::new(1, DType::F32, &Device::Cpu)).unwrap();
    let grad = Tensor::zeros((1, 1), DType::F32, &Device::Cpu).unwrap();
    back(tape, grad, &buffer.writer());
    let asked = asked.lock().unwrap();
    asked.clone()
}

#[test]
fn no_gradient_is_taken_below_the_first_layer_that_learns() {
    use InputGrad::{OfLayers, Unread, Whole};
    let update = |learns: &[bool]| asked(learns, |tape, grad, grads| tape.backward(grad, grads).unwrap());
    let jointly = |learns: &[bool]| {
        asked(learns, |tape, grad, grads| {
            Tape::backward_jointly(vec![tape], vec![grad], &[grads]).unwrap();
        })
    };
    for of in [&update as &dyn Fn(&[bool]) -> Vec<Option<InputGrad>>, &jointly] {
        assert_eq!(of(&[true, false, true]), [Some(Unread), Some(OfLayers), Some(OfLayers)]);
        assert_eq!(
            of(&[false, false, true, false, true]),
            [None, None, Some(Unread), Some(OfLayers), Some(OfLayers)]
        );
    }
    let whole = |learns: &[bool]| {
        asked(learns, |tape, grad, grads| {
            assert!(tape.backward_to_input(grad, grads).unwrap().is_some());
        })
    };
    assert_eq!(whole(&[false, true, false]), [Some(Whole); 3]);
    assert_eq!(update(&[false, false]), [None, Some(Unread)]);
}

#[test]
fn a_joint_layer_below_others_is_asked_on_all_shards() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut tapes = vec![Tape::new(1, 1, 0), Tape::new(1, 1, 2)];
    for tape in &mut tapes {
        let asked = Arc::clone(&asked);
        tape.record_without_parameters(move |grad, _, read| {
            asked.lock().unwrap().push(read);
            Ok(Some(grad.clone()))
        });
    }
    let joint = Arc::clone(&asked);
    Tape::record_jointly(&mut tapes, move |values, _| {
        joint.lock().unwrap().push(InputGrad::Whole);
        Ok(values.to_vec())
    });
    for tape in &mut tapes {
        let above = Arc::clone(&asked);
        tape.record(move |grad, _, read| {
            above.lock().unwrap().push(read);
            Ok(Some(grad.clone()))
        });
    }
    let params = Params::new(1, DType::F32, &Device::Cpu);
    let mut buffers = [GradBuffer::new(&params).unwrap(), GradBuffer::new(&params).unwrap()];
    let writers: Vec<_> = buffers.iter_mut().map(GradBuffer::writer).collect();
    let grads = vec![Tensor::zeros((1, 1), DType::F32, &Device::Cpu).unwrap(); 2];
    Tape::backward_jointly(tapes, grads, &writers.iter().collect::<Vec<_>>()).unwrap();
    // Once for both shards, and nothing of the layers below.
    assert_eq!(*asked.lock().unwrap(), [InputGrad::OfLayers, InputGrad::OfLayers, InputGrad::Whole]);
}

#[test]
fn layers_that_only_reshape_or_activate_have_no_parameters() {
    let xs = Tensor::zeros((3, 2, 4), DType::F32, &Device::Cpu).unwrap();
    let layers: [&dyn Layer; 5] =
        [&TimeMajor, &LastStep, &MeanOfSteps, &Activate(Activation::Tanh), &Dropout { p: 0.5 }];
    for layer in layers {
        let mut tape = Tape::new(1, 1, 0);
        layer.forward(&xs, &mut Mode::Train(&mut tape)).unwrap();
        assert_eq!((tape.entries.len(), tape.first_with_parameters()), (1, 1), "{}", layer.name());
    }
}
