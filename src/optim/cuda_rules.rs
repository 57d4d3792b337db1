//! Generates `kernels/cuda/rules.cuh`, the kernels of all optimizers' formulas, from the registry: `make rules`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use toml::{Table, Value};

use super::{Rule, StepContext, UpdateKind, UpdateRule};
use crate::kernels::recorded::Recording;
use crate::kernels::update::shared_recordings;
use crate::registry::FromTable;

const FILE: &str = "src/kernels/cuda/rules.cuh";

/// With this variable set, the test writes the file.
const WRITE: &str = "DESCENT_WRITE_RULES";

/// The file's first lines.
const HEAD: &str = "\
// Generated from the optimizers' formulas by `make rules`.
// Each kernel's name ends in a hash of its operations; c has the constants in the order of the formula.
";

/// The other values that an option is given: those at which a formula may take another way.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Boolean(yes) => vec![Value::Boolean(!yes)],
        Value::Float(_) => vec![Value::Float(0.0), Value::Float(0.5)],
        Value::Integer(_) => vec![Value::Integer(0), Value::Integer(2)],
        Value::Array(items) => {
            let with = |(index, item): (usize, &Value)| {
                let replaced = |other| {
                    let mut items = items.clone();
                    items[index] = other;
                    Value::Array(items)
                };
                others(item).into_iter().map(replaced).collect::<Vec<_>>()
            };
            items.iter().enumerate().flat_map(with).collect()
        }
        _ => Vec::new(),
    }
}

/// The optimizer of this name with every combination of its switches and every two of its other options changed.
fn variants(name: &str) -> Vec<Rule> {
    let named = Table::from_iter([("name".to_owned(), name.into())]);
    let defaults = Table::try_from(Rule::from_table(named).unwrap()).unwrap();
    let (switches, others): (Vec<_>, Vec<_>) = defaults
        .iter()
        .flat_map(|(key, value)| others(value).into_iter().map(move |other| (key, other)))
        .partition(|(_, other)| other.is_bool());
    let mut tables = vec![defaults.clone()];
    for (key, value) in switches {
        let switched = tables.clone().into_iter().map(|table| with(table, key, &value));
        tables.extend(switched.collect::<Vec<_>>());
    }
    let mut all = tables.clone();
    for table in tables {
        for (first, (key, value)) in others.iter().enumerate() {
            let one = with(table.clone(), key, value);
            all.extend(others[first + 1..].iter().map(|(key, value)| with(one.clone(), key, value)));
            all.push(one);
        }
    }
    let rules = all.into_iter().map(|table| Rule::from_table(table).unwrap());
    rules.filter(|rule| rule.validate().is_ok()).collect()
}

fn with(mut table: Table, key: &str, value: &Value) -> Table {
    table.insert(key.to_owned(), value.clone());
    table
}

/// The recordings that a GPU runs for this rule in its first steps and much later, and after a schedule has moved its momentum.
fn recordings(rule: &Rule) -> Vec<Vec<Recording>> {
    let UpdateKind::Parameter(start) = rule.update_kind() else { return Vec::new() };
    let slots = start.slots(&[3, 4]).len();
    let mut all = Vec::new();
    for momentum in [None, Some(0.0), Some(0.5)] {
        let mut moved = rule.clone();
        if let (Some(own), Some(momentum)) = (moved.momentum_mut(), momentum) {
            *own = momentum;
        }
        if let UpdateKind::Parameter(moved) = moved.update_kind() {
            all.extend([1, 2, 3, 7, 5000].map(|t| moved.recordings(step(moved, t), slots)));
        }
    }
    all
}

fn step(rule: &dyn UpdateRule, t: u64) -> StepContext {
    let lr = 0.1;
    let mut numbers = rule.initial_numbers(lr);
    let before = StepContext { t, lr, numbers_before: numbers, numbers };
    rule.advance(&mut numbers, before);
    // Only the first step starts with the numbers that a rule begins with.
    let numbers_before = if t == 1 { before.numbers } else { numbers };
    StepContext { numbers_before, numbers, ..before }
}

/// A kernel's source and the optimizers that launch it.
type Kernels = BTreeMap<String, (String, Vec<&'static str>)>;

fn kernels() -> Kernels {
    let mut kernels: Kernels = BTreeMap::new();
    let mut add = |recording: &Recording, user: &'static str| {
        let (source, users) =
            kernels.entry(recording.kernel()).or_insert_with(|| (recording.source(), Vec::new()));
        assert_eq!(*source, recording.source(), "two formulas have one hash: rename one of them");
        if !users.contains(&user) {
            users.push(user);
        }
    };
    for recording in shared_recordings() {
        add(&recording, "rules that look at more than one element");
    }
    for name in Rule::NAMES {
        for rule in variants(name) {
            for recording in recordings(&rule).iter().flatten() {
                add(recording, name);
            }
        }
    }
    kernels
}

fn file(kernels: &Kernels) -> String {
    let mut text = HEAD.to_owned();
    for (source, users) in kernels.values() {
        let _ = write!(text, "\n// {}\n{source}", users.join(", "));
    }
    text
}

#[test]
fn the_kernels_file_is_what_the_formulas_generate() {
    let generated = file(&kernels());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == generated,
        "{FILE} is out of date with the optimizers' formulas: `make rules` writes it again"
    );
}

/// A captured graph launches the kernel that the update had when it was captured.
#[test]
fn a_formula_is_one_kernel_at_every_step_and_momentum() {
    for name in Rule::NAMES {
        for rule in variants(name) {
            let all = recordings(&rule);
            let kernels = |step: &Vec<Recording>| step.iter().map(Recording::kernel).collect::<Vec<_>>();
            assert!(all.iter().all(|step| kernels(step) == kernels(&all[0])), "{rule:?}");
            for recording in all.iter().flatten() {
                assert!(
                    recording.constants.len() <= 12,
                    "{rule:?} has {} constants",
                    recording.constants.len()
                );
            }
        }
    }
}
