//! Pictures in one folder per class, as torchvision's `ImageFolder` reads them: `PATH/cat/1.png`, `PATH/dog/2.jpg`, or
//! `PATH/train/cat/…` and `PATH/test/cat/…`.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class_folders::{ClassFolders, classes};
use super::memory::MemoryLimit;
use super::picture_files::LeftOut;
use super::pictures::{self, Pictures};
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
        let train = self.rows(&pictures, &found.files, limit)?;
        let left = limit.less(&train.xs);
        let test = tested.as_ref().map(|tested| self.rows(&pictures, &tested.files, left)).transpose()?;
        found.left_out.add(tested.map(|tested| tested.left_out).unwrap_or_default());
        log_counts(&self.path, count, &found.left_out);
        let TrainAndTest { train, test } = of_one_type(train, test)?;
        let (test_share, outputs) = (self.test, pictures.classes.len());
        let (pictures, bytes) = (Some(pictures), Bytes::Pixels);
        let (validation, ordered) = (None, false);
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

    /// The rows of these files.
    fn rows(&self, pictures: &Pictures, files: &[(PathBuf, usize)], limit: MemoryLimit) -> Result<Rows> {
        let count = files.len();
        let pixels = PixelBuffer::new(count.saturating_mul(pictures.pixels()), limit);
        let mut pixels = pixels.map_err(|problem| Error::data(&self.path, format!("the data {problem}")))?;
        let paths: Vec<&Path> = files.iter().map(|(file, _)| file.as_path()).collect();
        pictures.read(&paths, &mut pixels)?;
        let classes: Vec<i64> =
            files.iter().map(|(_, class)| i64::try_from(*class).unwrap_or(i64::MAX)).collect();
        let shape = match pictures.channels {
            1 => vec![count, pictures.height, pictures.width],
            channels => vec![count, channels, pictures.height, pictures.width],
        };
        let ys = Tensor::from_vec(classes, count, &Device::Cpu)?;
        Ok(Rows { xs: pixels.tensor(&shape)?, ys, weights: None })
    }
}

/// Training and test rows.
struct TrainAndTest {
    train: Rows,
    test: Option<Rows>,
}

/// Rows of one type: numbers where a picture of either has 16 bits.
fn of_one_type(train: Rows, test: Option<Rows>) -> Result<TrainAndTest> {
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
mod tests {
    use super::*;
    use std::fs;

    use crate::data::{Preparation, Task};

    fn paint(path: &Path, size: u32, color: [u8; 3]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::from_pixel(size, size, image::Rgb(color)).save(path).unwrap();
    }

    fn load(images: &Images) -> Result<RawRows> {
        let plan = Preparation::default();
        let task = Task::Classes { ignored: -100, probabilities: false };
        match images.load(&Request::new(task, &plan))? {
            Loaded::Raw(raw) => Ok(raw),
            Loaded::Encoded(_) => Err(Error::Config("pictures are not encoded".to_owned())),
        }
    }

    #[test]
    fn a_folder_a_class_becomes_rows() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..4 {
            paint(&folder.path().join(format!("red/{n}.png")), 4, [200, 10, 30]);
            paint(&folder.path().join(format!("blue/{n}.jpg")), 8, [0, 0, 255]);
        }
        fs::write(folder.path().join("red/notes.txt"), "no picture").unwrap();
        let images =
            Images { path: folder.path().to_path_buf(), color: true, test: 0.25, ..Images::default() };
        let raw = load(&images).unwrap();
        // The first picture in order is a blue one.
        assert_eq!(raw.train.xs.dims(), [8, 3, 8, 8]);
        assert_eq!((raw.test_share, raw.test.is_none()), (0.25, true));
        let red = raw.train.xs.get(7).unwrap().flatten_all().unwrap().to_vec1::<u8>().unwrap();
        assert_eq!((red[0], red[64], red[128]), (200, 10, 30));
        let grey = load(&Images { color: false, size: Some([2, 3]), test: 0.0, ..images }).unwrap();
        assert_eq!(grey.train.xs.dims(), [8, 2, 3]);
        assert_eq!(grey.pictures.unwrap().classes, ["blue", "red"]);
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let folder = tempfile::tempdir().unwrap();
        paint(&folder.path().join("a/1.png"), 4, [0; 3]);
        let images = Images { path: folder.path().to_path_buf(), ..Images::default() };
        assert!(load(&images).unwrap_err().to_string().contains("there is 1 folder with pictures"));
        fs::create_dir(folder.path().join("b")).unwrap();
        assert!(load(&images).unwrap_err().to_string().contains("holds no PNG, JPEG"));
        fs::write(folder.path().join("b/2.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
        assert!(load(&images).unwrap_err().to_string().contains("2.png: the picture is cut short"));
    }
}
