//! Metrics against scikit-learn's. `scripts/golden-metrics.py` made the file.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Device, Tensor};
use descent::data::{TargetInfo, Task};
use descent::metrics::{self, Measured, MetricCollection};
use serde_json::Value;

use crate::common::repository;

const TOLERANCE: f64 = 1e-12;

const CLASSES: Task = Task::Classes { ignored: -100, probabilities: false };

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn cases() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(repository("tests/golden/metrics.json")).unwrap()).unwrap()
}

/// A case's task, predictions and targets.
struct Case {
    task: Task,
    predictions: Tensor,
    targets: Tensor,
    info: TargetInfo,
}

impl Case {
    fn of(case: &Value) -> Self {
        let task = match case["task"].as_str().unwrap() {
            "classes" => CLASSES,
            "labels" => Task::Labels,
            _ => Task::Values,
        };
        let rows = case["predictions"].as_array().unwrap().len();
        let tensor = |values: &Value| Tensor::new(numbers(values), &Device::Cpu).unwrap();
        let dtype = if case["dtype"] == "f32" { DType::F32 } else { DType::F64 };
        let predictions = tensor(&case["predictions"]).reshape((rows, ())).unwrap().to_dtype(dtype).unwrap();
        let targets = tensor(&case["targets"]);
        let targets =
            if task.classes() { targets.to_dtype(DType::I64) } else { targets.reshape((rows, ())) }.unwrap();
        let columns = case["columns"].as_array().into_iter().flatten();
        let info = TargetInfo {
            positive: case["positive"].as_u64().map_or(1, |positive| usize::try_from(positive).unwrap()),
            targets: columns.map(|name| name.as_str().unwrap().to_owned()).collect(),
            ..TargetInfo::default()
        };
        Self { task, predictions, targets, info }
    }

    /// The same two classes as `bce_with_logits` has them: the probability of the second one, and 0 or 1.
    fn as_one_output(&self) -> Self {
        Self {
            task: Task::Labels,
            predictions: self.predictions.narrow(1, 1, 1).unwrap(),
            targets: self.targets.to_dtype(self.predictions.dtype()).unwrap().unsqueeze(1).unwrap(),
            info: self.info.clone(),
        }
    }

    /// Counts the rows in two parts, as an evaluation in batches does.
    fn collect(&self) -> MetricCollection {
        let rows = self.targets.dims()[0];
        let mut metrics = MetricCollection::new(self.task, &self.info);
        for (start, count) in [(0, 17), (17, rows - 17)] {
            let part = |t: &Tensor| t.narrow(0, start, count).unwrap();
            metrics.add(&part(&self.predictions), &part(&self.targets)).unwrap();
        }
        metrics
    }
}

fn require_equal(case: &Value, ours: &[Measured]) {
    let (name, expected) = (&case["name"], case["metrics"].as_object().unwrap());
    let values: BTreeMap<&str, Option<f64>> =
        ours.iter().map(|metric| (metric.name.as_str(), metric.value.ok())).collect();
    assert_eq!(values.len(), ours.len(), "{name}: a name is there twice");
    assert_eq!(
        values.keys().copied().collect::<Vec<_>>(),
        expected.keys().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
        "{name}"
    );
    // scikit-learn adds up logarithms in the predictions' own type.
    let tolerance = if case["dtype"] == "f32" { f64::from(f32::EPSILON) } else { TOLERANCE };
    // scikit-learn's `uniform_average` adds up the errors of columns whatever their units; they have none here.
    let columns = case["columns"].as_array().map_or(0, Vec::len);
    let is_mixed = |metric: &str| columns > 1 && ["rmse", "mae", "mse"].contains(&metric);
    for (metric, expected) in expected {
        match (values[metric.as_str()], expected.as_f64().filter(|_| !is_mixed(metric))) {
            (None, None) => {}
            (Some(value), Some(expected)) => assert!(
                (value - expected).abs() <= tolerance * expected.abs().max(1.0),
                "{name}, {metric}: {value} is not {expected}"
            ),
            (value, expected) => panic!("{name}, {metric}: {value:?} is not {expected:?}"),
        }
    }
}

#[test]
fn every_metric_is_scikit_learns() {
    let mut seen = BTreeSet::new();
    for case in cases() {
        let ours = Case::of(&case).collect().values();
        require_equal(&case, &ours);
        seen.extend(ours.into_iter().map(|metric| metric.name));
    }
    for name in [CLASSES, Task::Labels, Task::Values].into_iter().flat_map(metrics::names) {
        assert!(seen.contains(name), "no golden value for {name}");
    }
}

#[test]
fn two_classes_have_the_same_metrics_whether_the_network_gives_one_number_or_two() {
    let two = |case: &Case| case.task == CLASSES && case.predictions.dims()[1] == 2;
    let mut seen = 0;
    for value in cases() {
        let case = Case::of(&value);
        if two(&case) {
            require_equal(&value, &case.as_one_output().collect().values());
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn every_class_alone_is_scikit_learns() {
    for value in cases() {
        let case = Case::of(&value);
        let Some(counts) = case.collect().into_counts() else { continue };
        if let Some(expected) = value["top2"].as_f64() {
            assert!((counts.top_k(2) - expected).abs() < TOLERANCE, "{}", value["name"]);
        }
        let confusion: Vec<f64> = counts.confusion().iter().flatten().copied().collect();
        assert_eq!(confusion, numbers(&value["confusion"]));
        let scores = counts.by_class().into_iter();
        let ours: Vec<f64> = scores.flat_map(|s| [s.precision, s.recall, s.f1, s.support]).collect();
        for (own, expected) in ours.iter().zip(numbers(&value["by_class"])) {
            assert!((own - expected).abs() < TOLERANCE, "{}: {own} is not {expected}", value["name"]);
        }
    }
}

/// A row of weight 3 is as three rows, and one of weight 0 as none.
#[test]
fn a_weight_is_as_many_rows() {
    for value in cases() {
        let case = Case::of(&value);
        let rows = case.predictions.dims()[0];
        let weights: Vec<u32> = (0..rows).map(|row| [1, 3, 0, 2, 1][row % 5]).collect();
        let repeated: Vec<u32> =
            (0..).zip(&weights).flat_map(|(row, times)| vec![row; *times as usize]).collect();
        let repeated = Tensor::new(repeated, &Device::Cpu).unwrap();
        let pick = |tensor: &Tensor| tensor.index_select(&repeated, 0).unwrap();
        let mut expected = MetricCollection::new(case.task, &case.info);
        expected.add(&pick(&case.predictions), &pick(&case.targets)).unwrap();
        let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
        let weights = Tensor::new(weights, &Device::Cpu).unwrap();
        let mut weighted = MetricCollection::new(case.task, &case.info);
        weighted.add_weighted(&case.predictions, &case.targets, Some(&weights)).unwrap();
        for (own, expected) in weighted.values().iter().zip(expected.values()) {
            let name = format!("{}: {}", value["name"], own.name);
            assert_eq!(own.name, expected.name);
            match (own.value, expected.value) {
                (Ok(own), Ok(expected)) => {
                    assert!(
                        (own - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                        "{name}: {own} is not {expected}"
                    );
                }
                (own, expected) => assert_eq!(own, expected, "{name}"),
            }
        }
    }
}

#[test]
fn rows_with_an_ignored_class_do_not_count() {
    let case = cases().into_iter().find(|case| case["name"] == "3 classes").unwrap();
    let Case { predictions, targets, info, .. } = Case::of(&case);
    let mut collection = MetricCollection::new(Task::Classes { ignored: 7, probabilities: false }, &info);
    collection.add(&predictions, &targets).unwrap();
    collection.add(&predictions, &(targets.ones_like().unwrap() * 7.0).unwrap()).unwrap();
    require_equal(&case, &collection.values());
}

#[test]
fn rows_of_a_single_class_have_metrics_too() {
    let predictions = Tensor::ones((4, 1), DType::F64, &Device::Cpu).unwrap();
    let targets = Tensor::zeros(4, DType::I64, &Device::Cpu).unwrap();
    let mut collection = MetricCollection::new(CLASSES, &TargetInfo::default());
    collection.add(&predictions, &targets).unwrap();
    let values = collection.values();
    let value = |name: &str| values.iter().find(|metric| metric.name == name).unwrap().value;
    assert_eq!([value("accuracy"), value("precision"), value("f1_macro")].map(Result::ok), [Some(1.0); 3]);
    assert!(value("roc_auc").is_err());
}
