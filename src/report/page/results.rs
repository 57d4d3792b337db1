//! The table of results, a row for each run.

use std::fmt::Write as _;

use super::Numbers;
use super::table::{self, Table, head};
use crate::report::data::RunData;
use crate::report::numbers::{NONE, count, number, seconds};
use crate::report::text::{escape, readable};
use crate::run::history::Axis;

pub(super) fn section(runs: &[RunData], numbers: &mut Numbers) -> String {
    let loss = loss_of(runs);
    let mut tests: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|run| &run.tests) {
        if !tests.contains(&name.as_str()) {
            tests.push(name);
        }
    }
    let mut table = Table { numbers_from: 1, head: head(&["run"]), ..Table::default() };
    table.head.extend(Axis::ALL.map(|axis| axis.name().to_owned()));
    table.head.extend(
        ["last", "best", "at epoch"].map(|which| format!("{which} {}", escape(&loss_title(which, loss)))),
    );
    table.head.extend(tests.iter().map(|name| escape(&readable(name))));
    for (index, run) in runs.iter().enumerate() {
        table.rows.push(row(run, index, loss, &tests));
    }
    let _ = write!(
        table.caption,
        "The length of each run, its last and its best {}, and its results on the test split.",
        escape(&readable(loss))
    );
    if tests.is_empty() {
        table.caption = table
            .caption
            .replace(", and its results on the test split", "")
            .replace("run, its last", "run, and its last");
    }
    format!("<section><h2>Results</h2>{}</section>", table.html(numbers))
}

/// The loss that runs are compared by: on the validation split where any run has one.
pub(super) fn loss_of(runs: &[RunData]) -> &'static str {
    let validated = runs.iter().flat_map(|run| &run.points).any(|point| point.value("val_loss").is_finite());
    if validated { "val_loss" } else { "train_loss" }
}

fn loss_title(which: &str, loss: &str) -> String {
    if which == "at epoch" { String::new() } else { readable(loss) }
}

fn row(run: &RunData, index: usize, loss: &str, tests: &[&str]) -> Vec<String> {
    let mut cells = vec![table::run(index, &run.name)];
    let last = run.points.last();
    cells.extend(Axis::ALL.map(|axis| {
        let write = if axis == Axis::Seconds { seconds } else { count };
        last.map_or_else(|| NONE.to_owned(), |point| write(point.at(axis)))
    }));
    cells.push(last.map_or_else(|| NONE.to_owned(), |point| some(point.value(loss))));
    let best = run.points.iter().filter(|point| point.value(loss).is_finite());
    let best = best.min_by(|a, b| a.value(loss).total_cmp(&b.value(loss)));
    cells.push(best.map_or_else(|| NONE.to_owned(), |point| number(point.value(loss))));
    cells.push(best.map_or_else(|| NONE.to_owned(), |point| count(point.epoch)));
    cells.extend(tests.iter().map(|name| {
        let test = run.tests.iter().find(|(own, _)| own == name);
        test.map_or_else(|| NONE.to_owned(), |(_, value)| number(*value))
    }));
    cells
}

/// A value that may be missing, which is told as NaN.
fn some(value: f64) -> String {
    if value.is_nan() { NONE.to_owned() } else { number(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::Point;

    #[test]
    fn the_best_epoch_is_the_lowest_that_is_a_number() {
        let losses = [0.9, f64::NAN, 0.2, f64::INFINITY, 0.5];
        let points = (1..).zip(losses).map(|(epoch, loss)| Point {
            epoch: f64::from(epoch),
            values: vec![("val_loss".to_owned(), loss)],
            ..Point::default()
        });
        let run = RunData { points: points.collect(), ..RunData::default() };
        let row = row(&run, 0, loss_of(std::slice::from_ref(&run)), &["test_f1"]);
        assert_eq!(row[5..], ["0.5000", "0.2000", "3", NONE]);
    }

    #[test]
    fn a_run_without_epochs_is_a_row_of_gaps() {
        assert!(row(&RunData::default(), 0, "val_loss", &[])[1..].iter().all(|cell| cell == NONE));
    }
}
