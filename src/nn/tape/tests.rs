//! What each layer is asked for on the way back.

use std::sync::Mutex;

use candle_core::{DType, Device};

use super::*;
use crate::nn::{GradBuffer, Params};

/// What each layer is asked for of its input's gradient; nothing where it is not called. Of the layers these learn.
fn asked(learns: &[bool], back: impl FnOnce(Tape, Tensor, &GradWriter<'_>)) -> Vec<Option<InputGrad>> {
    let asked = Arc::new(Mutex::new(vec![None; learns.len()]));
    let mut tape = Tape::new(1, 1, 0);
    for (depth, learns) in learns.iter().enumerate() {
        let asked = Arc::clone(&asked);
        let pullback = move |grad: &Tensor, _: &GradWriter<'_>, read: InputGrad| {
            asked.lock().unwrap()[depth] = Some(read);
            Ok(Some(grad.clone()))
        };
        if *learns { tape.record(pullback) } else { tape.record_fixed(pullback) }
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
}
