//! The time of each row that is predicted.

use std::path::Path;

use super::file::{self, SeriesFile};
use super::timeline::Timeline;
use super::window::WindowShape;
use super::windows::PartWindows;
use crate::data::preprocess::{PreprocessingSource, TableFormat};
use crate::data::split::Part;
use crate::data::table::Opened;
use crate::data::table::options::{Options, Test};
use crate::data::table::read::Input;
use crate::data::{Request, WrittenRow};
use crate::error::Result;

/// The windows with these numbers in a part.
pub(super) struct Written<'a> {
    pub(super) path: &'a Path,
    pub(super) test: &'a Test,
    pub(super) window: usize,
    pub(super) part: Part,
    pub(super) numbers: &'a [usize],
}

impl Written<'_> {
    /// The rows that they predict, by their time, or the row before several; `parts_of` assigns the rows of the series to parts.
    pub(super) fn rows(
        &self,
        request: &Request<'_>,
        parts_of: impl Fn(&Timeline, WindowShape<'_>) -> Result<Vec<Part>>,
    ) -> Result<Vec<WrittenRow>> {
        let Self { path, test, window, part, numbers } = *self;
        let fitted = request.fitted.map(|fitted| &fitted.source);
        let Some(PreprocessingSource::Series { format, order, encoder, steps, .. }) = fitted else {
            return Ok(Vec::new());
        };
        let shape = WindowShape { window, steps };
        let TableFormat { format, dialect } = format;
        let own = Opened::new(Input::File(path.to_path_buf()), *format, dialect.clone(), None)?;
        let other = match test {
            Test::File(path) if part == Part::Test && request.plan.fold.is_none() => {
                Some(file::other_file(dialect, &own, path, None, 0)?)
            }
            _ => None,
        };
        let is_whole = other.is_some();
        let table = other.unwrap_or(own);
        let timeline = file::timeline(&table, order, &[])?;
        let parts = if is_whole { vec![part; timeline.len()] } else { parts_of(&timeline, shape)? };
        let (dtype, row_use, memory) = (request.dtype, request.row_use(), Options::default().memory);
        let file = SeriesFile { shape, encoder, order, subtract: None, dtype, memory, row_use };
        let rows = file.encode(&table, timeline, &parts)?;
        let ends = rows.ends_of(PartWindows { parts: &parts, part, shape });
        let written = |number: &usize| {
            let end = *ends.get(*number)?;
            let place = match steps.as_slice() {
                [step] => rows.timeline().described(end + step),
                _ => format!("after {}", rows.timeline().described(end)),
            };
            Some(WrittenRow { number: *number, place, cells: Vec::new(), targets: Vec::new() })
        };
        Ok(numbers.iter().filter_map(written).collect())
    }
}
