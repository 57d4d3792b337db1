//! Rows as their file has them, to show to people.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Opened;
use super::options::Options;
use super::plan::{AssignedBatch, TablePlan};
use super::read::{Format, Input};
use super::roles::ColumnRoles;
use super::row::{Cells, Row};
use crate::data::preprocess::{Preprocessing, TableEncoder};
use crate::data::split::Part;
use crate::data::{Request, WrittenRow};
use crate::error::Result;

/// The rows with these numbers in a part, as their file has them; in no order, and none of a request without
/// preprocessing. Reads the file again.
pub(super) fn rows(
    options: &Options,
    format: Format,
    request: &Request<'_>,
    part: Part,
    numbers: &[usize],
) -> Result<Vec<WrittenRow>> {
    let Some(encoder) = request.fitted.and_then(Preprocessing::table) else { return Ok(Vec::new()) };
    let input = Input::File(options.path.clone());
    let table = Opened::new(input, format, options.dialect(request.task), None)?;
    let plan = TablePlan::new(ColumnRoles::new(options, &table, request)?)?;
    let mut found = RowCollector { wanted: numbers.iter().copied().collect(), next: 0, rows: Vec::new() };
    match plan.test_table(None)? {
        Some(test) if part == Part::Test => {
            let columns = ShownColumns::new(encoder, &test);
            let (mut records, mut row) = (test.records()?, Row::default());
            while records.next(&mut row)? {
                found.see(&row, &columns);
            }
        }
        _ => {
            let columns = ShownColumns::new(encoder, &table);
            plan.pass(|AssignedBatch { batch, parts }| {
                for (row, _) in batch.rows().zip(parts).filter(|(_, own)| *own == part) {
                    found.see(&row, &columns);
                }
                Ok(())
            })?;
        }
    }
    Ok(found.rows)
}

/// The columns that are shown, with their indices in the file.
struct ShownColumns {
    features: Vec<(String, usize)>,
    targets: Vec<usize>,
    /// The word for a row.
    unit: &'static str,
}

impl ShownColumns {
    fn new(encoder: &TableEncoder, table: &Opened) -> Self {
        let columns = table.columns();
        let places: FxHashMap<&str, usize> = columns.iter().map(String::as_str).zip(0..).collect();
        let used = encoder.columns().filter(|column| column.ignored.is_none());
        let features =
            used.filter_map(|column| Some((column.name.clone(), *places.get(column.name.as_str())?)));
        let targets = encoder.target.names().iter().filter_map(|name| places.get(name.as_str()).copied());
        let unit = if table.format == Format::Parquet { "row" } else { "line" };
        Self { features: features.collect(), targets: targets.collect(), unit }
    }
}

/// The rows that were wanted.
struct RowCollector {
    wanted: FxHashSet<usize>,
    /// The number of the next row in its part.
    next: usize,
    rows: Vec<WrittenRow>,
}

impl RowCollector {
    fn see(&mut self, row: &impl Cells, columns: &ShownColumns) {
        let number = self.next;
        self.next += 1;
        if !self.wanted.contains(&number) {
            return;
        }
        let text = |column: usize| row.value(column).name().unwrap_or_else(|| "missing".to_owned());
        let cells = columns.features.iter().map(|(name, column)| (name.clone(), text(*column)));
        self.rows.push(WrittenRow {
            number,
            place: format!("{} {}", columns.unit, row.line()),
            cells: cells.collect(),
            targets: columns.targets.iter().map(|column| text(*column)).collect(),
        });
    }
}
