//! Pictures in one folder per class, as torchvision's `ImageFolder` reads them: `PATH/cat/1.png`, `PATH/dog/2.jpg`, or
//! `PATH/train/cat/…`, `PATH/val/cat/…` and `PATH/test/cat/…`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class_folders::{Absent, ClassFolders, classes, warn_of_splits};
use super::memory::MemoryLimit;
use super::pass::RowPass;
use super::picture_cache::{CachedSplit, PictureCache, SplitFiles, array_of};
use super::picture_files::LeftOut;
use super::picture_folders::{FoundPictures, PictureFolders};
use super::picture_rows::PictureRows;
use super::pictures::{self, FILES_AT_ONCE, Pictures};
use super::pixels::PixelBuffer;
use super::preprocess::PreprocessingSource;
use super::split::Part;
use super::{Bytes, Loaded, RawRows, Request, Source, WrittenRow, written_pictures};
use crate::error::{Error, Result};
use crate::names::{counted, counted_are};
use crate::registry::schema::below_one;

/// The longest side of a picture, in pixels.
const LONGEST_SIDE: usize = 1 << 13;

/// Pictures in one folder per class.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Images {
    /// The folder that holds the class folders, or `train` and `test` folders with the class folders in them, and `val` or
    /// `valid` for validation.
    pub path: PathBuf,
    /// Height and width to resize pictures to; default: the size of the first picture.
    #[schemars(inner(range(min = 1, max = LONGEST_SIDE)))]
    pub size: Option<[usize; 2]>,
    /// Keep colours, as red, green and blue planes, instead of converting to grey.
    pub color: bool,
    /// The fraction of the pictures to use as the test split, stratified by class.
    #[schemars(transform = below_one)]
    pub test: f64,
    /// The most MiB that the pictures may take in memory; default: half of what is free.
    #[schemars(range(min = 1))]
    pub memory: Option<u64>,
    /// An `.npz` file to keep the decoded pictures in; a further run of the same pictures reads them from there. Pictures are
    /// the same while the paths, sizes and times of change of their files are.
    pub cache: Option<PathBuf>,
}

/// Requires that pictures to predict are in a file or a folder.
pub(crate) fn require_file(input: &Path) -> Result<()> {
    if input != Path::new("-") {
        return Ok(());
    }
    let problem = "--input -: pictures come from a file or a folder; standard input is for tables";
    Err(Error::Config(problem.to_owned()))
}

impl Source for Images {
    fn place(&self) -> PathBuf {
        self.path.clone()
    }

    fn may_have_validation(&self) -> bool {
        true
    }

    fn scored(&self) -> Result<Option<String>> {
        Ok(PictureFolders::of(&self.path)?.scored())
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        if !request.task.classes() {
            let problem = "is for numeric targets, but pictures have classes; set it to `cross_entropy`";
            return Err(Error::key("loss.name", problem));
        }
        self.check()?;
        let folders = PictureFolders::of_request(&self.path, request)?;
        if folders.test.is_some() && self.test > 0.0 {
            let problem = "cannot be used where a folder `test` has the pictures to test on; leave it out";
            return Err(Error::key("data.test", problem));
        }
        let fitted = request.fitted.map(|fitted| &fitted.source);
        if fitted.is_none() {
            folders.warn_of_unused(&self.path);
            warn_of_splits(&folders.train)?;
        }
        let classes = match fitted {
            Some(PreprocessingSource::Images { classes, .. }) => classes.clone(),
            _ => classes(&folders.train)?,
        };
        let absent = if fitted.is_some() { Absent::Taken } else { Absent::Refused };
        let found = folders.find(&classes, absent)?;
        let pictures = self.pictures(classes, &found, fitted)?;
        let limit = MemoryLimit::new(self.memory);
        Self::require_narrow(&pictures, request.widest)?;
        self.require_room(&pictures, found.count(), limit)?;
        let rows = self.rows(&pictures, &found, request, limit)?;
        log_counts(&self.path, found.count(), &found.left_out());
        let PictureRows { train, validation, test } = rows.of_one_type()?;
        let (test_share, outputs) = (self.test, pictures.classes.len());
        let (pictures, bytes, ordered) = (Some(pictures), Bytes::Pixels, false);
        let held_out = validation.iter().chain(&test);
        let room = held_out.fold(limit.less(&train.xs), |left, rows| left.less(&rows.xs));
        let rows = RawRows { train, validation, test, test_share, outputs, ordered, pictures, bytes, room };
        Ok(Loaded::Raw(rows))
    }

    fn written_rows(&self, request: &Request<'_>, part: Part, numbers: &[usize]) -> Result<Vec<WrittenRow>> {
        self.files(request, part, numbers)
    }
}

impl Images {
    /// The files of pictures with these numbers in a part.
    fn files(&self, request: &Request<'_>, part: Part, numbers: &[usize]) -> Result<Vec<WrittenRow>> {
        let folders = PictureFolders::of_request(&self.path, request)?;
        let fitted = request.fitted.map(|fitted| &fitted.source);
        let Some(PreprocessingSource::Images { classes, .. }) = fitted else { return Ok(Vec::new()) };
        let of_own = match part {
            Part::Test => folders.test.as_ref().filter(|_| request.plan.fold.is_none()),
            Part::Validation => folders.validation.as_ref(),
            Part::Train | Part::Unused => None,
        };
        let found = |folder: &Path| ClassFolders::new(folder, classes, Absent::Taken);
        if let Some(own) = of_own {
            return Ok(written_pictures::whole(own, &found(own)?, numbers));
        }
        let root = &folders.train;
        written_pictures::split(root, &found(root)?, request, self.test, part, numbers)
    }

    fn check(&self) -> Result<()> {
        if self.path.is_file() {
            let problem = "this is a file, and the rows are pictures in a folder for each class; name the folder of those";
            return Err(Error::data(&self.path, problem));
        }
        if self.path.as_os_str().is_empty() {
            return Err(Error::key(
                "data.path",
                "is missing; name the folder that holds one folder per class",
            ));
        }
        if self.cache.as_ref().is_some_and(|cache| cache.extension().is_none_or(|ending| ending != "npz")) {
            return Err(Error::key("data.cache", "names no .npz file; write \"pictures.npz\""));
        }
        if !(0.0..1.0).contains(&self.test) {
            return Err(Error::key(
                "data.test",
                format!("is {}; give a fraction from 0 to less than 1", self.test),
            ));
        }
        if self.size.is_some_and(|size| size.iter().any(|side| !(1..=LONGEST_SIDE).contains(side))) {
            return Err(Error::key("data.size", format!("needs height and width, 1 to {LONGEST_SIDE} each")));
        }
        Ok(())
    }

    /// The size and classes of all pictures: from the earlier run, or from the options and the first picture.
    fn pictures(
        &self,
        classes: Vec<String>,
        found: &FoundPictures,
        fitted: Option<&PreprocessingSource>,
    ) -> Result<Pictures> {
        if let Some(PreprocessingSource::Images { height, width, channels, .. }) = fitted {
            let (height, width, channels) = (*height, *width, *channels);
            return Ok(Pictures { height, width, channels, classes });
        }
        let [height, width] = match (self.size, found.train.files.first()) {
            (Some(size), _) => size,
            (None, Some((first, _))) => pictures::size_of(first)?,
            (None, None) => [0, 0],
        };
        Ok(Pictures { height, width, channels: if self.color { 3 } else { 1 }, classes })
    }

    /// An error if the network cannot take pictures as large as these, before any is read.
    fn require_narrow(pictures: &Pictures, widest: usize) -> Result<()> {
        let Pictures { height, width, channels, .. } = pictures;
        if pictures.pixels() <= widest {
            return Ok(());
        }
        let problem = format!(
            "is {height} x {width} x {channels}, and a first layer of this width takes at most {widest} \
             numbers; choose smaller pictures, such as [64, 64], or a narrower layer"
        );
        Err(Error::key("data.size", problem))
    }

    /// An error if the pictures take more than the limit, before any is read.
    fn require_room(&self, pictures: &Pictures, count: usize, limit: MemoryLimit) -> Result<()> {
        let all = pictures.pixels().checked_mul(count).map(|all| all as u64);
        limit.check(all).map_err(|problem| {
            let Pictures { height, width, .. } = pictures;
            let problem = format!(
                "the data of {} of {height} x {width} {problem}; `data.size` makes them smaller",
                counted(count, "picture")
            );
            Error::data(&self.path, problem)
        })
    }

    /// The rows of the files of each split; from the cache where it has them.
    fn rows(
        &self,
        pictures: &Pictures,
        found: &FoundPictures,
        request: &Request<'_>,
        limit: MemoryLimit,
    ) -> Result<PictureRows> {
        let files: Vec<SplitFiles<'_>> = found.parts().map(|(_, own)| own.files.as_slice()).collect();
        let cache =
            self.cache.as_deref().map(|path| PictureCache::new(path, pictures, &files)).transpose()?;
        let shapes: Vec<Vec<usize>> = files.iter().map(|files| pictures.shape(files.len())).collect();
        let names = || found.parts().map(|(part, _)| array_of(part));
        let splits = names().zip(&shapes).map(|(name, shape)| CachedSplit { name, shape });
        let splits: Vec<CachedSplit<'_>> = splits.collect();
        let kept = cache.as_ref().map_or(Ok(None), |cache| cache.read(&splits, limit))?;
        let all = if let Some(kept) = kept {
            kept
        } else {
            let mut left = limit;
            let mut all = Vec::new();
            for (files, shape) in files.iter().zip(&shapes) {
                all.push(self.decoded(pictures, files, left)?.tensor(shape)?);
                left = left.less(&all[all.len() - 1]);
            }
            // A run that is there already only reads it.
            if let Some(cache) = cache.filter(|_| request.fitted.is_none() && request.ranks.rank() == 0) {
                cache.write(names().zip(&all));
            }
            all
        };
        let rows = PictureRows::new(found, all)?;
        rows.ok_or_else(|| Error::data(&self.path, "there are no pictures"))
    }

    /// The pixels of these files.
    fn decoded(&self, pictures: &Pictures, files: SplitFiles<'_>, limit: MemoryLimit) -> Result<PixelBuffer> {
        let pixels = PixelBuffer::new(files.len().saturating_mul(pictures.pixels()), limit);
        let mut pixels = pixels.map_err(|problem| Error::data(&self.path, format!("the data {problem}")))?;
        let paths: Vec<&Path> = files.iter().map(|(file, _)| file.as_path()).collect();
        let mut pass = RowPass::of_files(&self.path, &paths);
        for paths in paths.chunks(FILES_AT_ONCE) {
            pictures.read(paths, &mut pixels)?;
            pass.add(paths.len());
        }
        Ok(pixels)
    }
}

/// Logs how many pictures are used and which files are left out.
pub fn log_counts(path: &Path, used: usize, left_out: &LeftOut) {
    let message = format!("{}: {} used", path.display(), counted_are(used, "picture"));
    match left_out.describe() {
        Some(others) if left_out.has_pictures() => tracing::warn!("{message}; {others}"),
        Some(others) => tracing::info!("{message}; {others}"),
        None => tracing::info!("{message}"),
    }
}

#[cfg(test)]
mod tests;
