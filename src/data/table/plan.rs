//! A table that is read in several passes, each of which assigns the rows to their parts.

use super::census::Census;
use super::layout::Layout;
use super::opened::Opened;
use super::options::{Options, Test};
use super::read::Input;
use super::row::Row;
use crate::data::split::{Assigner, Part};
use crate::error::Result;

/// How the rows of a table are assigned to parts and encoded.
pub(super) struct Plan<'a> {
    pub(super) layout: Layout<'a>,
    pub(super) census: Census,
    pub(super) assigner: Assigner,
}

impl<'a> Plan<'a> {
    /// Counts the rows of each class, and decides how to assign them.
    pub(super) fn new(layout: Layout<'a>) -> Result<Self> {
        let census = layout.count()?;
        let assigner = layout.assigner(&census)?;
        Ok(Self { layout, census, assigner })
    }

    /// Calls `see` with every row and its part.
    pub(super) fn pass(&self, mut see: impl FnMut(&Row, Part) -> Result<()>) -> Result<()> {
        let (mut records, mut row) = (self.layout.table.records()?, Row::default());
        let mut assigner = self.assigner.clone();
        while records.next(&mut row)? {
            let part = match self.layout.said(&row)? {
                None | Some(Part::Train) => assigner.assign(self.layout.stratum(&row, &self.census)),
                Some(part) => part,
            };
            see(&row, part)?;
        }
        Ok(())
    }

    /// The test file, unless folds replace it.
    pub(super) fn test_table(&self) -> Result<Option<Opened>> {
        let Layout { options, table, request, .. } = &self.layout;
        match &options.test {
            Test::File(path) if request.plan.fold.is_none() => {
                let format = Options::format_of(path, table.format);
                let columns = Some(table.columns());
                Opened::new(Input::File(path.clone()), format, options.dialect(), columns).map(Some)
            }
            _ => Ok(None),
        }
    }
}
