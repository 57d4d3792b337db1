//! The table of results, a row for each run.

use std::fmt::Write as _;

use super::numbering::Numbering;
use super::table::{self, HtmlTable, head};
use crate::report::data::RunData;
use crate::report::numbers::{NONE, count, number, seconds};
use crate::report::text::{escape, readable};
use crate::run::history::Axis;

/// The most columns that fit a page.
const WIDEST: usize = 9;

pub(super) fn section(runs: &[RunData], numbers: &mut Numbering) -> String {
    let loss = loss_of(runs);
    let mut tests: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|run| &run.tests) {
        if !tests.contains(&name.as_str()) {
            tests.push(name);
        }
    }
    let mut table = HtmlTable { numbers_from: 1, head: head(&["run"]), ..HtmlTable::default() };
    table.head.extend(Axis::ALL.map(|axis| axis.name().to_owned()));
    table.head.extend(["last", "best"].map(|which| format!("{which} {}", escape(&readable(loss)))));
    table.head.push("at epoch".to_owned());
    table.head.extend(tests.iter().map(|name| escape(&readable(name))));
    for (index, run) in runs.iter().enumerate() {
        table.rows.push(row(run, index, loss, &tests));
    }
    if table.head.len() > WIDEST && runs.len() < WIDEST {
        table = turned(table);
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

/// The table with a row for each of its columns: runs are few, and their metrics many.
fn turned(table: HtmlTable) -> HtmlTable {
    let mut lines = std::iter::once(table.head).chain(table.rows).map(Vec::into_iter).collect::<Vec<_>>();
    let mut next = || lines.iter_mut().map_while(Iterator::next).collect::<Vec<String>>();
    let mut turned = HtmlTable { numbers_from: 1, head: next(), ..HtmlTable::default() };
    "result".clone_into(&mut turned.head[0]);
    turned.rows.extend(std::iter::from_fn(|| Some(next()).filter(|row| !row.is_empty())));
    turned
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
    fn a_table_of_many_metrics_is_turned() {
        let tests: Vec<_> = (0..11).map(|index| (format!("test_m{index}"), f64::from(index))).collect();
        let run = |name: &str| RunData { name: name.to_owned(), tests: tests.clone(), ..RunData::default() };
        let html = section(&[run("a"), run("b")], &mut Numbering::default());
        // A column for each run, a row for each of 4 lengths, 3 losses and 11 metrics.
        let (head, rows) = html.split_once("</thead>").unwrap();
        assert_eq!((head.matches("<th ").count(), rows.matches("<tr>").count()), (3, 18), "{html}");
        let few = RunData { tests: tests[..1].to_vec(), ..run("c") };
        let html = section(&[few], &mut Numbering::default());
        assert_eq!(html.split_once("</thead>").unwrap().1.matches("<tr>").count(), 1, "{html}");
    }

    #[test]
    fn a_run_without_epochs_is_a_row_of_gaps() {
        assert!(row(&RunData::default(), 0, "val_loss", &[])[1..].iter().all(|cell| cell == NONE));
    }
}
