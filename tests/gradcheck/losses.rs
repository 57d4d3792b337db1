//! Every loss against finite differences.

use candle_core::{Device, Tensor, Var};
use descent::loss::Losses;
use descent::registry::FromTable;

use super::{Draws, assert_close, elements, slopes};

/// Losses by their options, and targets of them for four rows of three numbers.
fn loss_cases(draws: &Draws) -> Vec<(&'static str, Tensor)> {
    let targets = Tensor::new(&[2i64, 0, -100, 1], &Device::Cpu).unwrap();
    let shares = candle_nn::ops::softmax(&draws.normal(&[4, 3]), 1).unwrap();
    let signs = draws.normal(&[4, 3]).gt(0.0).unwrap().to_dtype(candle_core::DType::F64).unwrap();
    let signs = signs.affine(2.0, -1.0).unwrap();
    vec![
        ("name = 'cross_entropy'", targets.clone()),
        ("name = 'cross_entropy'\nweight = [0.5, 2.0, 1.0]\nlabel_smoothing = 0.2", targets.clone()),
        ("name = 'cross_entropy'\nweight = [0.5, 2.0, 1.0]\nlabel_smoothing = 0.2", shares.clone()),
        ("name = 'nll'\nweight = [0.5, 2.0, 1.0]", targets.clone()),
        ("name = 'nll'\nfrom_logits = false", targets.clone()),
        ("name = 'focal'\nweight = [0.5, 2.0, 1.0]", targets.clone()),
        ("name = 'focal'\ngamma = 0.5", targets),
        ("name = 'bce_with_logits'\npos_weight = [0.5, 2.0, 1.0]", shares.clone()),
        ("name = 'mse'", draws.normal(&[4, 3])),
        ("name = 'l1'", draws.normal(&[4, 3])),
        ("name = 'smooth_l1'\nbeta = 0.7", draws.normal(&[4, 3])),
        ("name = 'huber'\ndelta = 0.7", draws.normal(&[4, 3])),
        ("name = 'poisson_nll'\nfull = true", shares.affine(4.0, 0.0).unwrap()),
        ("name = 'poisson_nll'\nlog_input = false\neps = 9.0", shares.clone()),
        ("name = 'gaussian_nll'", draws.normal(&[4, 3])),
        ("name = 'gaussian_nll'\nvariance = 'softplus'\nfull = true", draws.normal(&[4, 3])),
        ("name = 'hinge_embedding'\nmargin = 0.4", signs),
        ("name = 'kl_div'", shares.clone()),
        ("name = 'kl_div'\nlog_target = true\nreduction = 'batchmean'", shares.log().unwrap()),
        ("name = 'kl_div'\nfrom_logits = false", shares),
    ]
}

#[test]
fn losses() {
    let draws = Draws::new();
    let cases = loss_cases(&draws);
    for name in Losses::NAMES {
        assert!(cases.iter().any(|(options, _)| options.contains(name)), "no gradient check for {name}");
    }
    for (options, ys) in cases {
        let loss = Losses::from_table(options.parse().unwrap()).unwrap();
        let xs = Var::from_tensor(&draws.normal(&[4, loss.width(3)])).unwrap();
        let total = loss.total(&ys).unwrap();
        let grad = loss.value_and_grad(&xs.as_detached_tensor(), &ys, total).unwrap().grad;
        let value = || {
            loss.value_and_grad(&xs.as_detached_tensor(), &ys, total).unwrap().value.read().unwrap() / total
        };
        assert_close(options, &elements(&grad), &slopes(&xs, value));
    }
}
