//! Tests of the preparation of rows.

use super::*;
use crate::data::{InputKind, order};

fn rows(labels: &[i64]) -> RawRows {
    let n = labels.len();
    let xs: Vec<f64> = (0..n * 2).map(|i| f64::from(u32::try_from(i).unwrap())).collect();
    RawRows {
        train: Rows {
            xs: Tensor::from_vec(xs, (n, 2), &Device::Cpu).unwrap(),
            ys: Tensor::from_slice(labels, n, &Device::Cpu).unwrap(),
            weights: None,
        },
        validation: None,
        test: None,
        test_share: 0.0,
        outputs: 2,
        ordered: false,
        pictures: None,
        bytes: Bytes::default(),
        room: MemoryLimit::of_free(),
    }
}

fn prepare(text: &str, raw: RawRows, input: InputKind) -> Result<Splits> {
    let plan: Preparation = toml::from_str(text).unwrap();
    let task = Task::Classes { ignored: -100, probabilities: false };
    let (dtype, plan) = (DType::F64, &plan);
    let request = Request { input, seed: 1, dtype, ..Request::new(task, plan) };
    plan.prepare(Loaded::Raw(raw), &request, &Device::Cpu)
}

#[test]
fn the_validation_share_is_held_out_of_every_class() {
    let labels: Vec<i64> = (0..100).map(|i| i64::from(i % 10 == 0)).collect();
    let splits = prepare("validation = 0.2", rows(&labels), InputKind::Features).unwrap();
    let validation = splits.validation.unwrap();
    assert_eq!((splits.train.len(), validation.len()), (80, 20));
    let targets = validation.targets(&order(20, false, 0, 0)).unwrap().to_vec1::<i64>().unwrap();
    assert_eq!(targets.iter().sum::<i64>(), 2);
    // The only row of a class is trained on.
    assert!(prepare("validation = 0.01", rows(&[0, 1]), InputKind::Features).is_err());
}

#[test]
fn fitted_normalisation_knows_the_training_rows_alone() {
    let mut loaded = rows(&[0, 1, 0, 1]);
    loaded.test = Some(Rows {
        xs: Tensor::new(&[[100.0, 1.0]], &Device::Cpu).unwrap(),
        ys: loaded.train.ys.narrow(0, 0, 1).unwrap(),
        weights: None,
    });
    let splits = prepare("normalize = 'minmax'", loaded, InputKind::Features).unwrap();
    let train = splits.train.inputs(&order(4, false, 0, 0)).unwrap().to_vec2::<f64>().unwrap();
    assert_eq!(train[0], [0.0, 0.0]);
    assert_eq!(train[3], [1.0, 1.0]);
    let test = splits.test.unwrap().inputs(&[0]).unwrap().to_vec2::<f64>().unwrap();
    assert!((test[0][0] - 100.0 / 6.0).abs() < 1e-12);
    let splits = prepare("normalize = 'standard'", rows(&[0, 1]), InputKind::Features).unwrap();
    assert_eq!(
        splits.train.inputs(&order(2, false, 0, 0)).unwrap().to_vec2::<f64>().unwrap(),
        [[-1.0, -1.0], [1.0, 1.0]]
    );
    let splits = prepare("normalize = { mean = 1, std = 2 }", rows(&[0, 1]), InputKind::Features).unwrap();
    assert_eq!(
        splits.train.inputs(&order(2, false, 0, 0)).unwrap().to_vec2::<f64>().unwrap(),
        [[-0.5, 0.0], [0.5, 1.0]]
    );
}

#[test]
fn rows_become_sequences_where_the_model_reads_them() {
    let splits = prepare("sequence = [2, 1]", rows(&[0, 1]), InputKind::Sequences).unwrap();
    assert_eq!(splits.train.row_shape(), [2, 1]);
    let error = prepare("sequence = [3, 1]", rows(&[0, 1]), InputKind::Sequences).unwrap_err().to_string();
    assert!(error.contains("T · F must be 2"), "{error}");
    assert!(prepare("", rows(&[0, 1]), InputKind::Sequences).is_err());
    assert!(prepare("sequence = [2, 1]", rows(&[0, 1]), InputKind::Features).is_err());
}
