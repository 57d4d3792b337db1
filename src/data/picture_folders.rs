//! The folders of a data set of pictures: those of its splits, `PATH/train`, `PATH/val` and `PATH/test`, or the one that
//! holds the folders of the classes.

use std::path::{Path, PathBuf};

use super::Request;
use super::class_folders::{Absent, ClassFolders, folders};
use super::picture_files::{LeftOut, PictureFiles};
use super::split::Part;
use super::table::read::quoted;
use crate::error::{Error, Result};
use crate::names::first_few;

/// The first version of the split rules that knows more folders of splits than `train` and `test`.
const MANY_NAMES: u32 = 4;

/// Folders of pictures.
#[derive(Debug)]
pub(super) struct PictureFolders {
    /// The pictures to train on; all, where no folder is that of a split.
    pub(super) train: PathBuf,
    /// Pictures to validate on.
    pub(super) validation: Option<PathBuf>,
    /// Pictures to test on.
    pub(super) test: Option<PathBuf>,
    /// The names of folders beside these, which nothing reads.
    unused: Vec<String>,
}

impl PictureFolders {
    /// The folders in `root` for a request, which follows the rules by which its run was split.
    pub(super) fn of_request(root: &Path, request: &Request<'_>) -> Result<Self> {
        let has_many_names = request.fitted.is_none_or(|fitted| fitted.split_rules >= MANY_NAMES);
        let named = |name: &str| match name {
            _ if has_many_names => Part::named(name),
            "train" => Some(Part::Train),
            "test" => Some(Part::Test),
            _ => None,
        };
        Self::named(root, named)
    }

    /// The folders in `root`: `train`, `training`, `Test` and others are splits by their names, where there are some to train
    /// on and some that are held out.
    pub(super) fn of(root: &Path) -> Result<Self> {
        Self::named(root, Part::named)
    }

    fn named(root: &Path, part: impl Fn(&str) -> Option<Part>) -> Result<Self> {
        let names = folders(root)?;
        let is_of = |name: &str, wanted: Part| {
            part(name) == Some(wanted) && (wanted == Part::Train || holds_pictures(&root.join(name)))
        };
        let of = |wanted: Part| names.iter().filter(|name| is_of(name, wanted)).collect::<Vec<_>>();
        let splits = [Part::Train, Part::Validation, Part::Test].map(of);
        let is_parted = !splits[0].is_empty() && splits[1..].iter().any(|names| !names.is_empty());
        if !is_parted {
            let train = root.to_path_buf();
            return Ok(Self { train, validation: None, test: None, unused: Vec::new() });
        }
        let one = |names: &[&String]| match names {
            [first, second, ..] => {
                let problem =
                    format!("`{first}` and `{second}` name the same split; put their pictures together");
                Err(Error::data(root, problem))
            }
            names => Ok(names.first().map(|name| root.join(name))),
        };
        let [train, validation, test] = [one(&splits[0])?, one(&splits[1])?, one(&splits[2])?];
        let is_read = |name: &String| splits.iter().flatten().any(|own| *own == name);
        let unused = names.iter().filter(|name| !is_read(name)).cloned().collect();
        Ok(Self { train: train.unwrap_or_else(|| root.to_path_buf()), validation, test, unused })
    }

    /// Whether some pictures are held out by their folder.
    pub(super) fn are_parted(&self) -> bool {
        self.validation.is_some() || self.test.is_some()
    }

    /// The names of the folders of the splits, of those that are scored where all are or of the others: `train`.
    fn names(&self, are_scored: bool) -> String {
        let (scored, others) = ([Some(&self.train), self.test.as_ref()], [self.validation.as_ref(), None]);
        let folders = if are_scored { scored } else { others };
        let names = folders.into_iter().flatten().filter_map(|folder| folder.file_name());
        names.map(|name| format!("`{}`", name.display())).collect::<Vec<_>>().join(" and ")
    }

    /// Says which pictures are scored where all are; nothing where no folder is that of a split.
    pub(super) fn scored(&self) -> Option<String> {
        let others = self.names(false);
        let others = if others.is_empty() { others } else { format!(", and not those of {others}") };
        self.are_parted().then(|| format!("the pictures of {} are scored{others}", self.names(true)))
    }

    /// Names the folders that nothing reads.
    pub(super) fn warn_of_unused(&self, root: &Path) {
        if !self.unused.is_empty() {
            tracing::warn!(
                "{}: nothing reads {}; pictures are read from `train`, `val` and `test`, which hold a folder for each class",
                root.display(),
                first_few(self.unused.iter().map(|name| quoted(name)))
            );
        }
    }

    /// The pictures of these classes in every split.
    pub(super) fn find(&self, classes: &[String], absent: Absent) -> Result<FoundPictures> {
        let find = |folder: &PathBuf| ClassFolders::new(folder, classes, absent);
        Ok(FoundPictures {
            train: find(&self.train)?,
            validation: self.validation.as_ref().map(find).transpose()?,
            test: self.test.as_ref().map(find).transpose()?,
        })
    }
}

/// The pictures of each split.
pub(super) struct FoundPictures {
    pub(super) train: ClassFolders,
    validation: Option<ClassFolders>,
    test: Option<ClassFolders>,
}

impl FoundPictures {
    /// The parts that have pictures of their own, training first.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Part, &ClassFolders)> {
        let parts = [
            (Part::Train, Some(&self.train)),
            (Part::Test, self.test.as_ref()),
            (Part::Validation, self.validation.as_ref()),
        ];
        parts.into_iter().filter_map(|(part, found)| Some((part, found?)))
    }

    /// The number of all pictures.
    pub(super) fn count(&self) -> usize {
        self.parts().map(|(_, found)| found.files.len()).sum()
    }

    /// The files that are left out in all folders.
    pub(super) fn left_out(self) -> LeftOut {
        let mut all = self.train.left_out;
        self.test.into_iter().chain(self.validation).for_each(|found| all.add(found.left_out));
        all
    }
}

/// Whether a folder holds a folder with pictures, as that of a split does. One that cannot be read is not left out unseen.
fn holds_pictures(folder: &Path) -> bool {
    let has_some = |name: &String| {
        PictureFiles::of_folder(&folder.join(name)).is_ok_and(|found| !found.files.is_empty())
    };
    folders(folder).map_or(true, |names| names.iter().any(has_some))
}
