//! The gradients of learnt vectors of names, alone and beside embeddings of numbers.

use candle_core::{Device, Tensor};
use descent::nn::{Embeddings, GradBuffer, Layer, Mode, Numerical, NumericalEmbeddings, Params, Tape};
use descent::registry::FromTable;

use super::{Draws, assert_close, elements, params, slopes};

#[test]
fn learnt_vectors_of_names() {
    let mut params = params();
    let sizes = [(4, 3).into(), (3, 2).into()];
    let embeddings = Embeddings::new(&mut params, 4, &sizes, None).unwrap();
    let numbers = [[0.5, -1.0, 3.0, 1.0], [1.5, 2.0, 0.0, 2.0], [-0.5, 0.1, 3.0, 1.0], [0.0, 0.2, 2.0, 0.0]];
    for shape in [vec![4, 4], vec![2, 2, 4]] {
        let xs = Tensor::new(&numbers, &Device::Cpu).unwrap().reshape(shape).unwrap();
        let mut tape = Tape::new(5, 1, 0);
        let ys = embeddings.forward(&xs, &mut Mode::Train(&mut tape)).unwrap();
        assert_eq!(ys.dims().last(), Some(&7));
        let rows = ys.reshape(((), 7)).unwrap().to_vec2::<f64>().unwrap();
        let table = params.trainable()[0].value().to_vec2::<f64>().unwrap();
        assert_eq!((&rows[0][..2], &rows[0][2..5]), (&numbers[0][..2], &table[3][..]));
        // A name that is not known is 0, and nothing is learnt of it.
        assert_eq!(rows[1][2..5], [0.0; 3]);
        check_names(&[Box::new(embeddings.clone())], &params, &xs);
    }
    for options in [
        "name = 'periodic'",
        "name = 'piecewise_linear'\nn_bins = 3\nd_embedding = 2",
        "name = 'piecewise_linear'\nn_bins = 3\nd_embedding = 2\nversion = 'A'\nactivation = true",
    ] {
        let mut params = super::params();
        let embeddings = Embeddings::new(&mut params, 4, &sizes, None).unwrap();
        let options = Numerical::from_table(options.parse().unwrap()).unwrap();
        let numerical = NumericalEmbeddings::new(&mut params, &options, &[0, 1], 7).unwrap();
        numerical.fit(&Draws::new().normal(&[20, 7]), None).unwrap();
        for param in params.trainable().iter().filter(|param| param.name().starts_with("numerical")) {
            // Version B starts at 0.
            param.var().set(&Draws::new().normal(param.value().dims())).unwrap();
        }
        let layers: [Box<dyn Layer>; 2] = [Box::new(embeddings), Box::new(numerical)];
        check_names(&layers, &params, &Tensor::new(&numbers, &Device::Cpu).unwrap());
    }
}

/// Checks the gradients of a chain that begins with learnt vectors of names, whose numbers `xs` has.
fn check_names(layers: &[Box<dyn Layer>], params: &Params, xs: &Tensor) {
    let forward = |mut mode: Mode<'_>| {
        layers.iter().try_fold(xs.clone(), |xs, layer| layer.forward(&xs, &mut mode)).unwrap()
    };
    let mut tape = Tape::new(5, 1, 0);
    let weights = Draws::new().normal(forward(Mode::Train(&mut tape)).dims());
    let mut buffer = GradBuffer::new(params).unwrap();
    let writer = buffer.writer();
    tape.backward(weights.clone(), &writer).unwrap();
    let grads = writer.finish().unwrap();
    let value = || (forward(Mode::Eval) * &weights).unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap();
    for param in params.trainable() {
        // Row 0 is for names that are not known.
        let is_table = param.name().starts_with("embedding");
        let skipped = if is_table { param.value().dims()[1] } else { 0 };
        let ours = elements(grads.get(param).unwrap());
        assert_eq!(ours[..skipped], vec![0.0; skipped]);
        assert!(ours[skipped..].iter().any(|slope| *slope != 0.0), "{}", param.name());
        assert_close(param.name(), &ours[skipped..], &slopes(param.var(), value)[skipped..]);
    }
}
