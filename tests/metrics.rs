//! Metrics against scikit-learn's. `scripts/golden.py` made the file.

use candle_core::{DType, Device, Tensor};
use descent::data::Task;
use descent::metrics::Tally;
use serde_json::Value;

use crate::common::repository;

const TOLERANCE: f64 = 1e-12;

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

/// Counts a case in two parts, as an evaluation in batches does.
fn tally(case: &Value) -> Tally {
    let want = match case["kind"].as_str().unwrap() {
        "classes" => Task::Classes { ignored: -100, probabilities: false },
        "labels" => Task::Labels,
        _ => Task::Values,
    };
    let rows = case["predictions"].as_array().unwrap().len();
    let tensor = |values: &Value| Tensor::new(numbers(values), &Device::Cpu).unwrap();
    let predictions = tensor(&case["predictions"]).reshape((rows, ())).unwrap();
    let targets = tensor(&case["targets"]);
    let targets =
        if want.classes() { targets.to_dtype(DType::I64) } else { targets.reshape((rows, ())) }.unwrap();
    let mut tally = Tally::new(want);
    for (start, count) in [(0, 17), (17, rows - 17)] {
        let part = |t: &Tensor| t.narrow(0, start, count).unwrap();
        tally.add(&part(&predictions), &part(&targets)).unwrap();
    }
    tally
}

fn cases() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(repository("tests/golden/metrics.json")).unwrap()).unwrap()
}

#[test]
fn every_metric_is_scikit_learns() {
    let mut seen = std::collections::BTreeSet::new();
    for case in cases() {
        let ours = tally(&case).metrics();
        for (name, expected) in case["metrics"].as_object().unwrap() {
            let (_, value) = ours.iter().find(|(own, _)| own == name).unwrap();
            let expected = expected.as_f64().unwrap();
            assert!(
                (value - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
                "{name}: {value} {expected}"
            );
            seen.insert(name.clone());
        }
    }
    let classes = Task::Classes { ignored: -100, probabilities: false };
    for name in [classes, Task::Labels, Task::Values].into_iter().flat_map(Tally::names) {
        assert!(seen.contains(*name), "no golden value for {name}");
    }
}

#[test]
fn every_class_alone_is_scikit_learns() {
    for case in cases() {
        let Tally::Classes(classes) = tally(&case) else { continue };
        assert!((classes.top_k(2) - case["top2"].as_f64().unwrap()).abs() < TOLERANCE);
        let confusion: Vec<f64> =
            classes.confusion().iter().flatten().map(|n| f64::from(u32::try_from(*n).unwrap())).collect();
        assert_eq!(confusion, numbers(&case["confusion"]));
        let scores = classes.by_class().into_iter();
        let ours: Vec<f64> = scores
            .flat_map(|s| [s.precision, s.recall, s.f1, f64::from(u32::try_from(s.support).unwrap())])
            .collect();
        for (value, expected) in ours.iter().zip(numbers(&case["by_class"])) {
            assert!((value - expected).abs() < TOLERANCE, "{value} is not {expected}");
        }
    }
}
