//! The phases of gradients.

use super::*;
use crate::kernels::norm::sum_of_squares;
use crate::nn::Init;

fn params() -> Params {
    let mut params = Params::new(1, DType::F32, &Device::Cpu);
    params.param("w", &[2, 3], &Init::named("normal").unwrap()).unwrap();
    params.param("b", &[2], &Init::named("normal").unwrap()).unwrap();
    params
}

fn factors(x: f32, g: f32) -> Factors {
    let xs = Tensor::full(x, (1, 3), &Device::Cpu).unwrap();
    let grad = Tensor::full(g, (1, 2), &Device::Cpu).unwrap();
    Factors { of: [0, 1], xs, grad, precision: MatmulPrecision::F32 }
}

#[test]
fn a_gradient_that_is_missing_is_named() {
    let params = params();
    let mut buffer = GradBuffer::new(&params).unwrap();
    let error = buffer.writer().finish().unwrap_err().to_string();
    assert!(error.contains("`w`"), "{error}");
    let writer = buffer.writer();
    writer.put(factors(1.0, 1.0)).unwrap();
    assert!(writer.finish().is_ok());
    assert!(buffer.writer().finish().is_err(), "the gradients of the last pass do not count");
}

#[test]
fn the_buffer_is_contiguous_and_aligned_with_frozen_parameters_last() {
    let params = params();
    for frozen in ["", "w", "b"] {
        let mut buffer = GradBuffer::with_frozen(&params, |param| param.name() == frozen).unwrap();
        let writer = buffer.writer();
        for _ in 0..2 {
            writer.put(factors(2.0, 3.0)).unwrap();
        }
        let gradients = writer.finish().unwrap().into_dense().unwrap();
        let [w, b] = params.trainable() else { panic!("two parameters") };
        assert_eq!(gradients.get(w).to_vec2::<f32>().unwrap(), [[12.0; 3]; 2]);
        assert_eq!(gradients.get(b).to_vec1::<f32>().unwrap(), [6.0; 2]);
        // 64 bytes are 16 numbers.
        let (w, b) =
            ([[12.0; 6].as_slice(), &[0.0; 10]].concat(), [[6.0; 2].as_slice(), &[0.0; 14]].concat());
        let expected = match frozen {
            "w" => b,
            "b" => w,
            _ => [w, b].concat(),
        };
        assert_eq!(gradients.flat().to_vec1::<f32>().unwrap(), expected, "{frozen}");
        // Sums over the parameters leave frozen ones out too.
        let [parts, flat] =
            [&gradients.parts()[..], &[gradients.flat()]].map(|of| sum_of_squares(of).unwrap());
        assert!((parts - flat).abs() < 1e-9, "{frozen}: {parts} {flat}");
        let writer = buffer.writer();
        writer.put(factors(f32::NAN, 0.0)).unwrap();
        let gradients = writer.finish().unwrap();
        assert_eq!(gradients.are_finite().unwrap(), frozen == "w", "{frozen}");
    }
}

#[test]
fn factors_are_kept_only_while_their_product_is_sure_to_be_finite() {
    let params = params();
    let mut buffer = GradBuffer::new(&params).unwrap();
    let nan = f32::NAN;
    for (x, g, kept, finite) in [
        (1e10, 1e10, true, true),
        (1e25, 1e25, false, false),
        (1.1e19, 1.1e19, false, true),
        (1.0, nan, false, false),
        (nan, 1.0, false, false),
        (0.0, f32::INFINITY, false, false),
    ] {
        let writer = buffer.deferring_writer();
        writer.put(factors(x, g)).unwrap();
        let gradients = writer.finish().unwrap().bounded().unwrap();
        assert_eq!(params.trainable().iter().all(|p| gradients.get(p).is_none()), kept, "{x} {g}");
        assert_eq!(gradients.are_finite().unwrap(), finite, "{x} {g}");
        let dense = gradients.into_dense().unwrap();
        assert_eq!(all_finite(&[dense.flat()]).unwrap(), finite, "{x} {g}");
    }
}
