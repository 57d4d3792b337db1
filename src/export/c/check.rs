//! The test of a C source: a program that compares with descent's answers to a test batch.

use std::fmt::Write;

use super::fields::Field;
use super::source::Source;
use super::text::{double, float, items};
use crate::export::arrays::{Elements, NamedArray};
use crate::export::batch::{ROWS, TestBatch};
use crate::export::inputs::{CellKind, Inputs, TENSOR};
use crate::export::outputs::{LABEL, PREDICTION, PROBABILITIES, STD};
use crate::run::Columns;

/// The program, behind `#ifdef TEST`.
pub(super) fn text(source: &Source<'_>, batch: &TestBatch) -> String {
    let prefix = &source.prefix;
    let upper = prefix.to_ascii_uppercase();
    let address = if matches!(source.inputs, Inputs::Table(_)) { "&" } else { "" };
    let (constants, labels) = match &source.columns {
        Columns::Values { .. } => (String::new(), String::new()),
        columns => labels(columns, batch, prefix),
    };
    include_str!("code/test.c")
        .replace("/*rows*/", &(rows(source, batch) + &expected(source, batch) + &constants))
        .replace("/*labels*/", &labels)
        .replace("OUTPUTS", &format!("{upper}_OUTPUTS"))
        .replace("ROWS", &ROWS.to_string())
        .replace("predict(&", &format!("{prefix}_predict({address}"))
}

/// The rows of the batch.
fn rows(source: &Source<'_>, batch: &TestBatch) -> String {
    let prefix = &source.prefix;
    let find = |name: &str| batch.inputs.iter().find(|input| input.name == name);
    match source.inputs {
        Inputs::Array { shape } => {
            let width: usize = shape.iter().product();
            let numbers = match find(TENSOR).map(|input| &input.elements) {
                Some(Elements::Single(numbers)) => numbers.as_slice(),
                _ => &[],
            };
            let rows = numbers
                .chunks(width.max(1))
                .map(|row| format!("    {{\n{}}},\n", items(row.iter().map(|number| float(*number)))));
            format!("static const float rows[{ROWS}][{width}] = {{\n{}}};\n\n", rows.collect::<String>())
        }
        Inputs::Table(_) => {
            let rows = (0..ROWS).map(|row| format!("    {},\n", structure(source, batch, 1, row)));
            format!("static const {prefix}_input rows[{ROWS}] = {{\n{}}};\n\n", rows.collect::<String>())
        }
        Inputs::Series { window, .. } => {
            let window = *window;
            let row = |row: usize| {
                let steps = (0..window)
                    .map(|step| format!("    {},\n", structure(source, batch, window, row * window + step)));
                format!("    {{\n{}    }},\n", steps.collect::<String>())
            };
            let rows: String = (0..ROWS).map(row).collect();
            format!("static const {prefix}_input rows[{ROWS}][{window}] = {{\n{rows}}};\n\n")
        }
    }
}

/// The struct of cell number `cell` of each column; windows have so many steps.
fn structure(source: &Source<'_>, batch: &TestBatch, steps: usize, cell: usize) -> String {
    let is_series = matches!(source.inputs, Inputs::Series { .. });
    let numbers = source.fields.iter().filter(|field| !field.input.kind.is_text()).count();
    debug_assert!(cell < ROWS * steps);
    let mut place = 0;
    let mut members = Vec::new();
    for field in &source.fields {
        let is_text = field.input.kind.is_text();
        let (name, index) = if is_series && !is_text {
            place += 1;
            (TENSOR, cell * numbers + place - 1)
        } else {
            (field.input.name.as_str(), cell)
        };
        let array = batch.inputs.iter().find(|input| input.name == name);
        members.push(format!(".{} = {}", field.name, member(field, array, index)));
    }
    format!("{{{}}}", members.join(", "))
}

/// A cell in C.
fn member(field: &Field<'_>, array: Option<&NamedArray>, index: usize) -> String {
    match array.map(|array| &array.elements) {
        Some(Elements::Double(numbers)) => double(numbers[index]),
        Some(Elements::Text(texts)) => match (&field.names, field.input.kind) {
            (Some(names), _) => names.of(&texts[index]).to_owned(),
            (None, CellKind::Boolean) if texts[index].is_empty() => "-1".to_owned(),
            (None, _) => if texts[index] == "true" { "1" } else { "0" }.to_owned(),
        },
        _ => "0".to_owned(),
    }
}

/// The answers that are expected.
fn expected(source: &Source<'_>, batch: &TestBatch) -> String {
    let part = |name: &str| batch.outputs.iter().find(|output| output.name == name);
    let parts: Vec<&NamedArray> = [PROBABILITIES, PREDICTION, STD].into_iter().filter_map(part).collect();
    let mut text = format!("static const float expected[{ROWS}][{}] = {{\n", source.outputs);
    for row in 0..ROWS {
        let numbers = parts.iter().flat_map(|part| match &part.elements {
            Elements::Single(numbers) => {
                let width = numbers.len() / ROWS;
                numbers[row * width..(row + 1) * width].to_vec()
            }
            _ => Vec::new(),
        });
        let _ = writeln!(text, "    {{\n{}}},", items(numbers.map(float)));
    }
    text + "};\n\n"
}

/// The numbers of the labels that are expected, and what compares them.
fn labels(columns: &Columns, batch: &TestBatch, prefix: &str) -> (String, String) {
    let texts: Vec<String> =
        match batch.outputs.iter().find(|output| output.name == LABEL).map(|label| &label.elements) {
            Some(Elements::Text(texts)) => texts.clone(),
            Some(Elements::Integer(numbers)) => numbers.iter().map(i64::to_string).collect(),
            _ => Vec::new(),
        };
    let width = texts.len() / ROWS;
    let number = |(place, text): (usize, &String)| {
        let found = match columns {
            Columns::Classes { names, .. } => names.iter().position(|name| name == text),
            Columns::Labels { words, .. } => words[place % width.max(1)].iter().position(|word| word == text),
            Columns::Values { .. } => None,
        };
        found.unwrap_or(0).to_string()
    };
    let numbers = items(texts.iter().enumerate().map(number));
    let constants = format!("static const int labels[{}] = {{\n{numbers}}};\n\n", texts.len());
    let compare = match columns {
        Columns::Labels { .. } => format!(
            "        int chosen[{width}];\n        {prefix}_labels(out, chosen);\n        for (int i = 0; i < {width}; i++)\n            \
             wrong += chosen[i] != labels[row * {width} + i];\n"
        ),
        _ => format!("        wrong += {prefix}_label(out) != labels[row];\n"),
    };
    (constants, compare)
}
