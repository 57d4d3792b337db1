//! A request for a config.

use std::path::{Path, PathBuf};

use super::document::Document;
use crate::data::profile::GivenReading;
use crate::error::{Error, Result};
use crate::files;

/// A request for a config.
#[derive(Debug, Clone, Copy)]
pub struct SuggestRequest<'a> {
    /// The file or folder of the rows.
    pub data: &'a Path,
    /// The columns to predict, of a table or a series.
    pub targets: &'a [String],
    /// The file that the config is for; the path of the data is relative to its folder. Nothing: to be written to the
    /// current folder under the name of the data.
    pub config: Option<&'a Path>,
    /// The options by which the cells of a table are read, as far as they are known.
    pub given: &'a GivenReading,
}

impl SuggestRequest<'_> {
    /// The folder of the config.
    fn folder(&self) -> &Path {
        self.config.map_or(Path::new("."), files::parent)
    }

    /// The config's file in a command.
    pub(super) fn name(&self) -> String {
        let own = self.config.map(|path| path.display().to_string());
        own.unwrap_or_else(|| format!("{}.toml", name_of(self.data)))
    }

    /// The data's path as the config names it.
    pub(super) fn path(&self) -> Result<String> {
        let path = files::relative_to(self.folder(), self.data);
        let path = path.map_err(Error::io("find the folder for", self.folder()))?;
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| {
            let problem = "its path is not UTF-8, and a config is; rename the file or its folder";
            Error::data(self.data, problem)
        })
    }

    /// The first lines of a config.
    pub(super) fn begin(&self, what: &str) -> Document {
        let mut document = Document::default();
        document.note(&format!("{}: {what}.", self.data.display()));
        document.note("Written by `descent init`; every value is a choice that can be changed, `descent list` has all of them.");
        document
    }
}

/// The name of a config for data: its file's without the extensions.
pub fn name_of(data: &Path) -> String {
    let name = data.file_name().map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned());
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = PathBuf::from(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.filter(|stem| !stem.is_empty()).unwrap_or_else(|| "data".to_owned())
}
