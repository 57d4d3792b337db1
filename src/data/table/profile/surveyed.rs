//! The survey of a file.

use std::path::Path;

use crate::data::split::Part;
use crate::data::table::Opened;
use crate::data::table::options::Options;
use crate::data::table::read::{Format, Input, NumberForm, known_columns, listed, quoted};
use crate::data::table::survey::{ColumnSurvey, Survey};
use crate::data::{Preparation, Request, Task};
use crate::error::{Error, Result};
use crate::names::printable;

/// A file that is larger than this, in bytes, is looked at as far as [`MOST_ROWS`].
const LARGE: u64 = 1 << 30;
/// The rows of a large file that are looked at.
const MOST_ROWS: usize = 1 << 20;

/// The survey of a file that is read with some options.
pub(super) struct Surveyed {
    pub(super) table: Opened,
    /// The form of the file's numbers, where it is not the usual one.
    pub(super) number_form: Option<NumberForm>,
    pub(super) survey: Survey,
    pub(super) rows: u64,
    pub(super) is_whole: bool,
}

impl Surveyed {
    /// Reads the file; its errors are those of a reader that reads row by row and knows the text of every cell.
    pub(super) fn read(options: &Options, format: Format) -> Result<Self> {
        let input = || Input::File(options.path.clone());
        let plan = Preparation::default();
        let request = Request::new(Task::Values, &plan);
        let size = std::fs::metadata(&options.path).map_err(Error::io("open", &options.path))?.len();
        let kept = if size > LARGE { None } else { Opened::kept(&input(), format, options, &request).ok() };
        let dialect = options.dialect(Task::Values);
        let number_form = dialect.number_form();
        let open = || Opened::new(input(), format, dialect, None);
        let table = kept.flatten().map_or_else(open, Ok)?;
        let columns = table.columns();
        if let Some(unknown) = options.target.0.iter().find(|name| !columns.contains(name)) {
            return Err(no_target(&options.path, unknown, columns));
        }
        let forced: Vec<bool> = columns.iter().map(|name| options.target.0.contains(name)).collect();
        let (mut survey, mut rows) = (Survey::new(&forced, false), 0);
        let most = if size > LARGE { MOST_ROWS } else { usize::MAX };
        let mut batches = table.batches()?;
        let mut is_whole = true;
        while let Some(batch) = batches.next()? {
            let count = batch.rows().len();
            survey.see_batch(&batch, &vec![Part::Train; count], &[]);
            rows += count;
            if rows >= most {
                is_whole = false;
                break;
            }
        }
        Ok(Self { table, number_form, survey, rows: rows as u64, is_whole })
    }

    /// The number of columns that are mostly numbers.
    pub(super) fn count_numbers(&self) -> usize {
        let is_numeric = |column: &&ColumnSurvey| column.numbers.count > 0.0 && column.is_mostly_numbers();
        self.survey.columns.iter().filter(is_numeric).count()
    }

    /// The number of columns of numbers alone, or of dates alone.
    pub(super) fn count_readable(&self) -> usize {
        let is_readable = |column: &&ColumnSurvey| {
            let are_numbers = column.numbers.count > 0.0 && !column.is_mixed() && column.infinite.is_empty();
            are_numbers
                || (column.present > 0 && column.dates.of(column.present).moments.are_all_of(column.present))
        };
        self.survey.columns.iter().filter(is_readable).count()
    }
}

/// The error of a target that is no column.
fn no_target(path: &Path, target: &str, columns: &[String]) -> Error {
    let parts: Vec<&str> = target.split(',').map(str::trim).collect();
    let is_list = parts.len() > 1 && parts.iter().all(|part| columns.iter().any(|own| own == part));
    let each = parts.iter().map(|part| format!("--target {}", printable(part))).collect::<Vec<_>>().join(" ");
    let hint = if is_list {
        format!("several targets are {each}; {}", listed(columns))
    } else {
        known_columns(target, columns)
    };
    let (path, target) = (path.display(), quoted(target));
    Error::Config(format!("--target: there is no column {target} to predict in {path}; {hint}"))
}
