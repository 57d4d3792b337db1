//! Pictures in one folder per class, as torchvision's `ImageFolder` reads them: `PATH/cat/1.png`, `PATH/dog/2.jpg`, or
//! `PATH/train/cat/…` and `PATH/test/cat/…`.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pictures::{Pictures, open};
use super::preprocess::PreprocessingSource;
use super::{Loaded, RawRows, Request, Rows, Source};
use crate::error::{Error, Result};
use crate::registry::schema::below_one;

/// The most bytes that all pictures may take together.
const MOST_BYTES: usize = 1 << 33;
/// The longest side of a picture, in pixels.
const LONGEST_SIDE: usize = 1 << 13;

/// PNG and JPEG files in one folder per class.
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
        let pictures = self.pictures(root, request)?;
        let found = listed(root, &pictures.classes)?;
        self.require_room(&pictures, found.len())?;
        let train = rows(&pictures, &found)?;
        let test = if parted { Some(rows(&pictures, &listed(&test, &pictures.classes)?)?) } else { None };
        let (test_share, outputs) = (self.test, pictures.classes.len());
        Ok(Loaded::Raw(RawRows {
            train,
            test,
            test_share,
            outputs,
            ordered: false,
            pictures: Some(pictures),
        }))
    }
}

impl Images {
    fn check(&self) -> Result<()> {
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

    /// The size and classes of all pictures: from the earlier run, or from the options, the folders and the first picture.
    fn pictures(&self, root: &Path, request: &Request<'_>) -> Result<Pictures> {
        if let Some(PreprocessingSource::Images { height, width, channels, classes, .. }) =
            request.fitted.map(|fitted| &fitted.source)
        {
            let (height, width, channels) = (*height, *width, *channels);
            return Ok(Pictures { height, width, channels, classes: classes.clone() });
        }
        let classes = folders(root)?;
        if classes.len() < 2 {
            let problem = format!(
                "there are {} folders with pictures here; give at least two classes, one folder each",
                classes.len()
            );
            return Err(Error::data(root, problem));
        }
        let (height, width) = match (self.size, listed(root, &classes)?.first()) {
            (Some([height, width]), _) => (height, width),
            (None, Some((first, _))) => {
                let picture = open(first)?;
                (picture.height() as usize, picture.width() as usize)
            }
            (None, None) => (0, 0),
        };
        Ok(Pictures { height, width, channels: if self.color { 3 } else { 1 }, classes })
    }

    /// An error if the pictures take more than [`MOST_BYTES`].
    fn require_room(&self, pictures: &Pictures, count: usize) -> Result<()> {
        let Pictures { height, width, channels, .. } = pictures;
        let all = height.saturating_mul(*width).saturating_mul(*channels).saturating_mul(count);
        if all <= MOST_BYTES {
            return Ok(());
        }
        let problem =
            format!("{count} pictures of {height} x {width} do not fit into memory; set `data.size`");
        Err(Error::data(&self.path, problem))
    }
}

/// The rows of these files.
fn rows(pictures: &Pictures, files: &[(PathBuf, usize)]) -> Result<Rows> {
    let (count, mut xs) = (files.len(), Vec::new());
    xs.reserve_exact(count * pictures.channels * pictures.height * pictures.width);
    for (file, _) in files {
        xs.extend(pictures.read(file)?);
    }
    let classes: Vec<i64> =
        files.iter().map(|(_, class)| i64::try_from(*class).unwrap_or(i64::MAX)).collect();
    let shape = match pictures.channels {
        1 => vec![count, pictures.height, pictures.width],
        channels => vec![count, channels, pictures.height, pictures.width],
    };
    Ok(Rows {
        xs: Tensor::from_vec(xs, shape, &Device::Cpu)?,
        ys: Tensor::from_vec(classes, count, &Device::Cpu)?,
    })
}

/// The names of the folders in a folder, in order.
fn folders(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(Error::io("read", root))? {
        let entry = entry.map_err(Error::io("read", root))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The pictures of all classes in order, each with its class.
fn listed(root: &Path, classes: &[String]) -> Result<Vec<(PathBuf, usize)>> {
    if let Some(unknown) = folders(root)?.iter().find(|name| !classes.contains(name)) {
        return Err(Error::data(root.join(unknown), "the training data has no class of this name"));
    }
    let mut files = Vec::new();
    for (class, name) in classes.iter().enumerate() {
        let folder = root.join(name);
        let own = if folder.is_dir() { of_folder(&folder)? } else { Vec::new() };
        if own.is_empty() {
            return Err(Error::data(folder, "the folder of this class holds no PNG or JPEG file"));
        }
        files.extend(own.into_iter().map(|file| (file, class)));
    }
    Ok(files)
}

/// The PNG and JPEG files in a folder, in order.
pub fn of_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg")) {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert!(load(&images).unwrap_err().to_string().contains("1 folders"));
        fs::create_dir(folder.path().join("b")).unwrap();
        assert!(load(&images).unwrap_err().to_string().contains("no PNG or JPEG"));
        fs::write(folder.path().join("b/2.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
        assert!(load(&images).unwrap_err().to_string().contains("2.png: not a readable picture"));
    }
}
