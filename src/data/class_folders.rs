//! The folders of a data set of pictures: one for each class.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::picture_files::{FORMATS, LeftOut, PictureFiles, is_folder, is_hidden};
use super::split::Part;
use super::table::read::quoted;
use crate::error::{Error, Result};
use crate::names::{counted, first_few};

/// The names of the class folders, in order.
pub(super) fn classes(root: &Path) -> Result<Vec<String>> {
    let classes = folders(root)?;
    if classes.len() < 2 {
        let problem = format!(
            "there {} {} with pictures here; give at least two classes, one folder each",
            if classes.len() == 1 { "is" } else { "are" },
            counted(classes.len(), "folder")
        );
        return Err(Error::data(root, problem));
    }
    if classes.iter().all(|name| Part::named(name).is_some()) {
        let problem = format!(
            "the folders here are splits, not classes: {}; `train` beside `val` or `test` is read as splits: rename these, or \
             name the folder that holds the classes in `data.path`",
            classes.join(", ")
        );
        return Err(Error::data(root, problem));
    }
    Ok(classes)
}

/// Warns where the folders of all classes hold the same folders: they are rather splits of other names.
pub(super) fn warn_of_splits(root: &Path) -> Result<()> {
    let classes = folders(root)?;
    let mut within = classes.iter().map(|name| folders(&root.join(name)));
    let Some(first) = within.next().transpose()?.filter(|names| names.len() > 1) else { return Ok(()) };
    for names in within {
        if names? != first {
            return Ok(());
        }
    }
    let listed = |names: &[String]| first_few(names.iter().map(|name| quoted(name)));
    tracing::warn!(
        "{}: {} are taken for the classes, and all of them hold the folders {}; if these are the classes, name the others `train`, \
         `val` and `test`",
        root.display(),
        listed(&classes),
        listed(&first)
    );
    Ok(())
}

/// The names of the folders in a folder, in order.
pub(super) fn folders(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(Error::io("read", root))? {
        let entry = entry.map_err(Error::io("read", root))?;
        let path = entry.path();
        if is_hidden(&path) || !is_folder(&entry) {
            continue;
        }
        match entry.file_name().into_string() {
            Ok(name) => names.push(name),
            Err(name) => {
                let problem = format!(
                    "the name of the folder {} is not UTF-8, and it names a class; rename the folder",
                    name.as_encoded_bytes().escape_ascii()
                );
                return Err(Error::data(root, problem));
            }
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A class without a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// It cannot be learnt.
    Refused,
    /// A trained run scores the pictures of the others.
    Taken,
}

/// The pictures of all classes.
#[derive(Debug)]
pub(super) struct ClassFolders {
    /// In the order of the classes, each file with its class.
    pub(super) files: Vec<(PathBuf, usize)>,
    pub(super) left_out: LeftOut,
}

impl ClassFolders {
    /// The pictures below `root`, of these classes.
    ///
    /// # Errors
    /// A folder of another class, no picture of any class, and where it is refused no picture of one.
    pub(super) fn new(root: &Path, classes: &[String], absent: Absent) -> Result<Self> {
        let known: BTreeSet<&str> = classes.iter().map(String::as_str).collect();
        let found = folders(root)?;
        if let Some(unknown) = found.iter().find(|name| !known.contains(name.as_str())) {
            return Err(Error::data(root.join(unknown), "the training data has no class of this name"));
        }
        if found.is_empty() {
            let names = first_few(classes.iter().map(|name| quoted(name)));
            let problem =
                format!("there is no folder of a class here; name one that holds a folder for each: {names}");
            return Err(Error::data(root, problem));
        }
        let mut own = Self { files: Vec::new(), left_out: LeftOut::default() };
        for entry in fs::read_dir(root).map_err(Error::io("read", root))?.flatten() {
            if !is_folder(&entry) {
                own.left_out.add_beside(&entry.path());
            }
        }
        for (class, name) in classes.iter().enumerate() {
            own.add_class(&root.join(name), class, absent)?;
        }
        if own.files.is_empty() {
            let left_out = own.left_out.describe().map_or(String::new(), |others| format!("; {others}"));
            let problem = format!("the folders of the classes hold no {FORMATS} file{left_out}");
            return Err(Error::data(root, problem));
        }
        Ok(own)
    }

    /// Adds the pictures of a class, which are in this folder.
    fn add_class(&mut self, folder: &Path, class: usize, absent: Absent) -> Result<()> {
        let is_there = folder.is_dir();
        let found = if is_there { PictureFiles::of_folder(folder)? } else { PictureFiles::default() };
        if found.files.is_empty() && absent == Absent::Refused {
            let left_out = found.left_out.describe().map_or(String::new(), |others| format!("; {others}"));
            let problem = if is_there {
                format!("the folder of this class holds no {FORMATS} file{left_out}")
            } else {
                format!(
                    "there is no such folder, and it is that of a class; put {FORMATS} files of the class there"
                )
            };
            return Err(Error::data(folder, problem));
        }
        self.files.extend(found.files.into_iter().map(|file| (file, class)));
        self.left_out.add(found.left_out);
        Ok(())
    }
}
