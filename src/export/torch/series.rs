//! The windows of a series, and what follows them, as Python.

use super::text::{list, number, python, quoted};
use crate::data::Preprocessing;
use crate::data::preprocess::{
    CalendarStep, Column, Fill, Operation, PreprocessingSource, SeriesOrder, TableEncoder,
};

/// Series, the rows that their windows predict, and the windows but for the last lines.
const SERIES: &str = include_str!("series.py");

/// What fills missing cells from the rows around them.
const FILL: &str = include_str!("fill.py");

/// `preprocess` of a series, with what it needs besides `features`; nothing of other sources.
pub(super) fn functions(preprocessing: &Preprocessing) -> String {
    let PreprocessingSource::Series { window, steps, order, encoder, .. } = &preprocessing.source else {
        return String::new();
    };
    let steps = list(steps.iter().map(ToString::to_string));
    let constants = format!(
        "WINDOW = {window}  # the rows that a prediction is made from\nSTEPS = {steps}  # which of the rows after them are \
         predicted\nGROUP = {}  # the columns that tell several series apart\n{}MAX_GAP = {}  # the most rows that may be missing between two \
         of a window\nSORT = {}  # whether rows are sorted by time\n",
        list(order.group.iter().map(|name| quoted(name))),
        step(order),
        order.max_gap.unwrap_or(0),
        python(order.sort),
    );
    let (features, fill) = match order.fill {
        None => ("features", String::new()),
        Some(fill) => ("filled", format!("\n\n{}\n\n{FILL}", columns_to_fill(encoder, fill))),
    };
    let kept = match order.fill {
        Some(Fill::Interpolate) => "    found = found[~np.isin(found[:, -1], looks_ahead(df))]\n",
        _ => "",
    };
    format!(
        "{constants}\n\n{}\n\n{}\n\n{SERIES}{kept}    return found[np.argsort(found[:, -1])]\n{fill}\n\ndef preprocess(df):\n    \"\"\"The windows of a table as the network reads them: \
         `windows(df)` says of which rows. None crosses a gap in time or the end of a series.\"\"\"\n    return \
         {features}(df)[windows(df)].reshape(-1, *ROW)\n\n\n",
        times(order),
        missing_rows(order)
    )
}

/// The lines behind the values of a table's targets: of a series those of the rows that follow each window are returned.
pub(super) fn returned_targets(preprocessing: &Preprocessing) -> &'static str {
    match &preprocessing.source {
        PreprocessingSource::Series { .. } => {
            "    # Of each window of `preprocess`; NaN where the file does not have them yet, which `train` leaves out.\n    rows = \
             following(df)\n    return np.where((rows < 0)[..., None], np.float32(np.nan), values[rows]).reshape(len(rows), -1)\n"
        }
        _ => "    return values\n",
    }
}

/// `times(df)`: the times of the rows.
fn times(order: &SeriesOrder) -> String {
    let cells = order.time.as_ref().map(|name| format!("df[{}]", quoted(name)));
    let times = match (cells, order.form) {
        (Some(cells), Some(form)) => format!("days({cells}, {})", quoted(form.name())),
        (Some(cells), None) => format!("numbers({cells})"),
        (None, _) => "np.arange(len(df), dtype=np.float64)".to_owned(),
    };
    format!("def times(df):\n    \"\"\"The times of the rows of a series.\"\"\"\n    return {times}\n")
}

/// The constant with the step from a row to the next.
fn step(order: &SeriesOrder) -> String {
    match order.frequency {
        Some(CalendarStep::Weekdays(week)) => {
            let days = list(week.map(|has| python(has).to_owned()));
            format!("WEEK = {days}  # the days of a week that have rows, from Monday on\n")
        }
        Some(CalendarStep::Months { count, .. }) => {
            format!("MONTHS = {count}  # the months from a row to the next\n")
        }
        None => {
            let step = order.step.filter(|_| order.time.is_some()).unwrap_or(1.0);
            format!("STEP = {}  # the time from a row to the next\n", number(step))
        }
    }
}

/// `missing_rows(at)`: how many rows are missing between each time and the next.
fn missing_rows(order: &SeriesOrder) -> &'static str {
    match order.frequency {
        Some(CalendarStep::Weekdays(_)) => include_str!("weekdays.py"),
        Some(CalendarStep::Months { .. }) => include_str!("months.py"),
        None => include_str!("steps.py"),
    }
}

/// `FILLED`: the features of each column, and whether there are values between two others.
fn columns_to_fill(encoder: &TableEncoder, fill: Fill) -> String {
    let (mut dense, mut indices) = (0, encoder.dense_width());
    let entry = |column: &Column| {
        let is_number = column.operations.iter().any(|operation| matches!(operation, Operation::Number));
        let place = if column.index_width() > 0 { &mut indices } else { &mut dense };
        let first = *place;
        *place += column.dense_width() + column.index_width();
        let between = python(is_number && fill == Fill::Interpolate);
        format!("({}, {first}, {place}, {between})", quoted(&column.name))
    };
    let used = encoder.columns().filter(|column| column.ignored.is_none());
    format!(
        "FILLED = {}  # a column, its features, and whether there are values between two others\n",
        list(used.map(entry))
    )
}
