//! Pictures in one folder per class, as torchvision's `ImageFolder` reads them: `PATH/cat/1.png`, `PATH/dog/2.jpg`, or
//! `PATH/train/cat/…` and `PATH/test/cat/…`.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class_folders::{ClassFolders, classes};
use super::memory::MemoryLimit;
use super::pass::RowPass;
use super::picture_cache::{CachedSplit, PictureCache, SPLITS, SplitFiles};
use super::picture_files::LeftOut;
use super::pictures::{self, FILES_AT_ONCE, Pictures};
use super::pixels::PixelBuffer;
use super::preprocess::PreprocessingSource;
use super::split::Part;
use super::{Bytes, Loaded, RawRows, Request, Rows, Source, WrittenRow, written_pictures};
use crate::error::{Error, Result};
use crate::names::{counted, counted_are};
use crate::registry::schema::below_one;

/// The longest side of a picture, in pixels.
const LONGEST_SIDE: usize = 1 << 13;

/// Pictures in one folder per class.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Images {
    /// The folder that holds the class folders, or `train` and `test` folders with the class folders in them.
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

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        if !request.task.classes() {
            let problem = "is for numeric targets, but pictures have classes; set it to `cross_entropy`";
            return Err(Error::key("loss.name", problem));
        }
        self.check()?;
        let (train, test) = (self.path.join("train"), self.path.join("test"));
        let parted = train.is_dir() && test.is_dir();
        if parted && self.test > 0.0 {
            let problem = "cannot be used where there are folders `train` and `test`; leave it out";
            return Err(Error::key("data.test", problem));
        }
        let root = if parted { &train } else { &self.path };
        let fitted = request.fitted.map(|fitted| &fitted.source);
        let classes = match fitted {
            Some(PreprocessingSource::Images { classes, .. }) => classes.clone(),
            _ => classes(root)?,
        };
        let mut found = ClassFolders::new(root, &classes)?;
        let tested = if parted { Some(ClassFolders::new(&test, &classes)?) } else { None };
        let pictures = self.pictures(classes, &found, fitted)?;
        let limit = MemoryLimit::new(self.memory);
        let count = found.files.len() + tested.as_ref().map_or(0, |tested| tested.files.len());
        Self::require_narrow(&pictures, request.widest)?;
        self.require_room(&pictures, count, limit)?;
        let files = [Some(&found), tested.as_ref()].into_iter().flatten();
        let files: Vec<SplitFiles<'_>> = files.map(|found| found.files.as_slice()).collect();
        let rows = self.rows(&pictures, &files, request, limit)?;
        found.left_out.add(tested.map(|tested| tested.left_out).unwrap_or_default());
        log_counts(&self.path, count, &found.left_out);
        let TrainAndTest { train, test } = of_one_type(rows)?;
        let (test_share, outputs) = (self.test, pictures.classes.len());
        let (pictures, bytes) = (Some(pictures), Bytes::Pixels);
        let (validation, ordered) = (None, false);
        let left = limit.less(&train.xs);
        let room = test.as_ref().map_or(left, |test| left.less(&test.xs));
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
        let (train, test) = (self.path.join("train"), self.path.join("test"));
        let parted = train.is_dir() && test.is_dir();
        let fitted = request.fitted.map(|fitted| &fitted.source);
        let Some(PreprocessingSource::Images { classes, .. }) = fitted else { return Ok(Vec::new()) };
        let root = if parted { &train } else { &self.path };
        if parted && part == Part::Test && request.plan.fold.is_none() {
            return Ok(written_pictures::whole(&test, &ClassFolders::new(&test, classes)?, numbers));
        }
        let found = ClassFolders::new(root, classes)?;
        written_pictures::split(root, &found, request, self.test, part, numbers)
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
        found: &ClassFolders,
        fitted: Option<&PreprocessingSource>,
    ) -> Result<Pictures> {
        if let Some(PreprocessingSource::Images { height, width, channels, .. }) = fitted {
            let (height, width, channels) = (*height, *width, *channels);
            return Ok(Pictures { height, width, channels, classes });
        }
        let [height, width] = match (self.size, found.files.first()) {
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

    /// The rows of training files, and of test files where there are some; from the cache where it has them.
    fn rows(
        &self,
        pictures: &Pictures,
        files: &[SplitFiles<'_>],
        request: &Request<'_>,
        limit: MemoryLimit,
    ) -> Result<TrainAndTest> {
        let cache = self.cache.as_deref().map(|path| PictureCache::new(path, pictures, files)).transpose()?;
        let shapes: Vec<Vec<usize>> = files.iter().map(|files| pictures.shape(files.len())).collect();
        let splits = SPLITS.into_iter().zip(&shapes).map(|(name, shape)| CachedSplit { name, shape });
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
                cache.write(SPLITS.into_iter().zip(&all));
            }
            all
        };
        let rows = |(files, xs): (&SplitFiles<'_>, Tensor)| -> Result<Rows> {
            let classes: Vec<i64> =
                files.iter().map(|(_, class)| i64::try_from(*class).unwrap_or(i64::MAX)).collect();
            Ok(Rows { xs, ys: Tensor::from_vec(classes, files.len(), &Device::Cpu)?, weights: None })
        };
        let mut rows = files.iter().zip(all).map(rows);
        let train = rows.next().unwrap_or_else(|| Err(Error::data(&self.path, "there are no pictures")))?;
        Ok(TrainAndTest { train, test: rows.next().transpose()? })
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

/// Training and test rows.
struct TrainAndTest {
    train: Rows,
    test: Option<Rows>,
}

/// Rows of one type: numbers where a picture of either has 16 bits.
fn of_one_type(TrainAndTest { train, test }: TrainAndTest) -> Result<TrainAndTest> {
    let all = [Some(&train), test.as_ref()];
    if all.into_iter().flatten().all(|rows| rows.xs.dtype() == DType::U8) {
        return Ok(TrainAndTest { train, test });
    }
    let numbers = |rows: Rows| -> Result<Rows> { Ok(Rows { xs: rows.xs.to_dtype(DType::F32)?, ..rows }) };
    Ok(TrainAndTest { train: numbers(train)?, test: test.map(numbers).transpose()? })
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
