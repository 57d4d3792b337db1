//! The time of each row that is predicted.

use std::path::Path;

use super::file::{self, SeriesFile};
use super::rows::WindowShape;
use super::timeline::Timeline;
use crate::data::preprocess::{PreprocessingSource, TableFormat};
use crate::data::split::Part;
use crate::data::table::Opened;
use crate::data::table::options::Test;
use crate::data::table::read::Input;
use crate::data::{Request, WrittenRow};
use crate::error::Result;

/// The windows with these numbers in a part.
pub(super) struct Written<'a> {
    pub(super) path: &'a Path,
    pub(super) test: &'a Test,
    pub(super) shape: WindowShape,
    pub(super) part: Part,
    pub(super) numbers: &'a [usize],
}

impl Written<'_> {
    /// The rows that they predict, by their time; `parts_of` assigns the rows of the series to parts.
    pub(super) fn rows(
        &self,
        request: &Request<'_>,
        parts_of: impl Fn(&Timeline) -> Result<Vec<Part>>,
    ) -> Result<Vec<WrittenRow>> {
        let Self { path, test, shape, part, numbers } = *self;
        let fitted = request.fitted.map(|fitted| &fitted.source);
        let Some(PreprocessingSource::Series { format, order, encoder, .. }) = fitted else {
            return Ok(Vec::new());
        };
        let TableFormat { format, dialect } = format;
        let own = Opened::new(Input::File(path.to_path_buf()), *format, dialect.clone(), None)?;
        let other = match test {
            Test::File(path) if part == Part::Test && request.plan.fold.is_none() => {
                Some(file::other_file(dialect, &own, path)?)
            }
            _ => None,
        };
        let is_whole = other.is_some();
        let table = other.unwrap_or(own);
        let timeline = file::timeline(&table, order, &[])?;
        let parts = if is_whole { vec![part; timeline.len()] } else { parts_of(&timeline)? };
        let file = SeriesFile { shape, encoder, order, dtype: request.dtype };
        let rows = file.encode(&table, timeline, &parts)?;
        let targets = rows.targets_of(&parts, part, shape);
        let written = |number: &usize| {
            let place = rows.timeline().described(*targets.get(*number)?);
            Some(WrittenRow { number: *number, place, cells: Vec::new(), targets: Vec::new() })
        };
        Ok(numbers.iter().filter_map(written).collect())
    }
}
