//! The header: the input's types, the functions, the size.

use std::fmt::Write;

use super::fields::{Enumeration, Field};
use super::source::Source;
use super::text::{MARK, commented, prose};
use crate::export::inputs::{CellKind, Inputs};
use crate::run::Columns;

/// The text of the header.
pub(super) fn text(source: &Source<'_>) -> String {
    let Source { prefix, .. } = source;
    let upper = prefix.to_ascii_uppercase();
    let mut text = format!(
        "{}#ifndef {upper}_H\n#define {upper}_H\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n",
        comment(source)
    );
    for field in &source.fields {
        if let Some(names) = &field.names {
            text += &enumeration(names, &field.input.column.name);
        }
    }
    text += &input(source, &upper);
    text += &output(source, &upper);
    text + "#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
}

/// The comment at the head.
fn comment(source: &Source<'_>) -> String {
    let Source { model, weight_bytes, stack_bytes, is_int8, prefix, .. } = source;
    let bits = if *is_int8 { "int8 with a float scale a row" } else { "float" };
    let accuracy = source.accuracy.as_ref().map_or_else(String::new, |text| format!(" * {}\n", prose(text)));
    format!(
        "{MARK} of {} {}: a network that was trained.\n *\n * Run {}, {}. Layers: {}\n * Weights: {weight_bytes} bytes, {bits}; \
         constant, so that they may lie in flash memory.\n * Stack: about {stack_bytes} bytes in {prefix}_predict. No memory is \
         allocated; no state is kept between calls.\n{accuracy} * C99 with <math.h>. The source compiled with -DTEST is a program \
         that compares with descent's answers.\n */\n",
        env!("CARGO_CRATE_NAME"),
        env!("CARGO_PKG_VERSION"),
        commented(&model.name()),
        model.config.model.name(),
        prose(&source.layers)
    )
}

fn enumeration(names: &Enumeration<'_>, column: &str) -> String {
    let mut text = format!(
        "/* The names of {}. */\ntypedef enum {{\n    {} = 0, /* a name that training has not seen */\n",
        commented(column),
        names.unknown
    );
    for (number, (constant, name)) in (1..).zip(names.constants.iter().zip(names.categories.names())) {
        let number: usize = number;
        let _ = writeln!(text, "    {constant} = {number}, /* {} */", commented(name));
    }
    if let Some(missing) = &names.missing {
        let _ = writeln!(text, "    {} = {} /* a missing cell */", missing.name, missing.number);
    }
    let _ = write!(text, "}} {};\n\n", names.name);
    text
}

/// The struct of a row, or the length of an array.
fn input(source: &Source<'_>, upper: &str) -> String {
    let prefix = &source.prefix;
    match source.inputs {
        Inputs::Array { shape } => format!(
            "/* The numbers of a row, of shape {shape:?} with the last one running fastest{}. */\n#define {upper}_INPUTS {}\n\n",
            if source.is_picture { "; pixels are 0 to 255" } else { "" },
            shape.iter().product::<usize>()
        ),
        Inputs::Table(_) => structure(&source.fields, prefix, "A row of the table."),
        Inputs::Series { window, .. } => {
            let about = "A row of the series.";
            format!(
                "/* The rows that a prediction is made from, the oldest first. */\n#define {upper}_STEPS {window}\n\n{}",
                structure(&source.fields, prefix, about)
            )
        }
    }
}

fn structure(fields: &[Field<'_>], prefix: &str, about: &str) -> String {
    let mut text = format!("/* {about} */\ntypedef struct {{\n");
    for field in fields {
        let takes_missing = super::takes_missing(field.input.column);
        let about = match (field.input.kind, takes_missing) {
            (CellKind::Number, true) => "NAN is missing",
            (CellKind::Number, false) => "must not be missing",
            (CellKind::Date(_), true) => "days since 1970-01-01 UTC, times as fractions; NAN is missing",
            (CellKind::Date(_), false) => {
                "days since 1970-01-01 UTC, times as fractions; must not be missing"
            }
            (CellKind::Boolean, true) => "1 yes, 0 no, -1 missing",
            (CellKind::Boolean, false) => "1 yes, 0 no",
            (CellKind::Category, _) => "",
        };
        let about = if about.is_empty() { String::new() } else { format!("; {about}") };
        let _ = writeln!(
            text,
            "    {} {}; /* {}: {}{about} */",
            field.kind(),
            field.name,
            commented(&field.input.column.name),
            prose(&field.input.column.describe())
        );
    }
    let _ = write!(text, "}} {prefix}_input;\n\n");
    text
}

/// The outputs and functions.
fn output(source: &Source<'_>, upper: &str) -> String {
    let Source { prefix, outputs, .. } = source;
    let argument = source.argument();
    let (about, more) = match &source.columns {
        Columns::Classes { names, .. } => (
            format!("The probability of each class, of which {prefix}_classes has the names"),
            format!(
                "/* The names of the classes. */\nextern const char *const {prefix}_classes[{0}];\n\n/* The number of the \
                 predicted class, from its probabilities. */\nint {prefix}_label(const float out[{upper}_OUTPUTS]);\n\n",
                names.len()
            ),
        ),
        Columns::Labels { words, .. } => (
            format!("The probability of the second word of each label, of which {prefix}_words has both"),
            format!(
                "/* The words of each label. */\nextern const char *const {prefix}_words[{}][2];\n\n/* The more probable word of \
                 each label: 0 or 1. */\nvoid {prefix}_labels(const float out[{upper}_OUTPUTS], int \
                 labels[{upper}_OUTPUTS]);\n\n",
                words.len()
            ),
        ),
        Columns::Values { columns, .. } => {
            let names: Vec<String> = columns.iter().map(|name| commented(name)).collect();
            (format!("In the units of the data: {}", names.join(", ")), String::new())
        }
    };
    format!(
        "/* {about}. */\n#define {upper}_OUTPUTS {outputs}\n\nvoid {prefix}_predict({argument}, float \
         out[{upper}_OUTPUTS]);\n\n{more}"
    )
}
