//! The folders of a data set of pictures: one for each class.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::picture_files::{FORMATS, LeftOut, PictureFiles, is_folder, is_hidden};
use crate::error::{Error, Result};
use crate::names::counted;

/// Folders of these names are splits, not classes.
const SPLITS: [&str; 6] = ["train", "test", "val", "valid", "validation", "dev"];

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
    if classes.iter().all(|name| SPLITS.contains(&name.as_str())) {
        let problem = format!(
            "the folders here are splits, not classes: {}; two that are called `train` and `test` are read as splits: \
             rename these, or name the folder that holds the classes in `data.path`",
            classes.join(", ")
        );
        return Err(Error::data(root, problem));
    }
    Ok(classes)
}

/// The names of the folders in a folder, in order.
fn folders(root: &Path) -> Result<Vec<String>> {
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

/// The pictures of all classes.
pub(super) struct ClassFolders {
    /// In the order of the classes, each file with its class.
    pub(super) files: Vec<(PathBuf, usize)>,
    pub(super) left_out: LeftOut,
}

impl ClassFolders {
    pub(super) fn new(root: &Path, classes: &[String]) -> Result<Self> {
        let known: BTreeSet<&str> = classes.iter().map(String::as_str).collect();
        if let Some(unknown) = folders(root)?.iter().find(|name| !known.contains(name.as_str())) {
            return Err(Error::data(root.join(unknown), "the training data has no class of this name"));
        }
        let mut own = Self { files: Vec::new(), left_out: LeftOut::default() };
        for entry in fs::read_dir(root).map_err(Error::io("read", root))?.flatten() {
            if !is_folder(&entry) {
                own.left_out.add_beside(&entry.path());
            }
        }
        for (class, name) in classes.iter().enumerate() {
            let folder = root.join(name);
            let found =
                if folder.is_dir() { PictureFiles::of_folder(&folder)? } else { PictureFiles::default() };
            if found.files.is_empty() {
                let left_out =
                    found.left_out.describe().map_or(String::new(), |others| format!("; {others}"));
                let problem = format!("the folder of this class holds no {FORMATS} file{left_out}");
                return Err(Error::data(folder, problem));
            }
            own.files.extend(found.files.into_iter().map(|file| (file, class)));
            own.left_out.add(found.left_out);
        }
        Ok(own)
    }
}
