//! MNIST (`LeCun`, Cortes and Burges), or any data set in its format: a folder of four IDX files.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::idx::{self, Idx};
use super::memory::MemoryLimit;
use super::pictures::Pictures;
use super::table::read::quoted;
use super::targets::unknown_class;
use super::{Bytes, Loaded, RawRows, Request, Rows, Source, Task, fetch};
use crate::error::{Error, Result};
use crate::names::{counted, numbered_row};
use crate::refusal;

/// The classes of MNIST and of its drop-in replacements.
const CLASSES: usize = 10;

/// MNIST, or another set of grey pictures in its format, of any size.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mnist {
    /// The folder of the four IDX files, gzipped or not; default: the folder that `descent data fetch` fills.
    pub path: Option<PathBuf>,
    /// The number of classes; default: 10.
    #[schemars(range(min = 2, max = 256))]
    pub classes: Option<usize>,
    /// The most MiB that the pictures may take in memory; default: half of what is free.
    #[schemars(range(min = 1))]
    pub memory: Option<u64>,
}

/// Fashion-MNIST: Xiao, Rasul and Vollgraf 2017, <https://arxiv.org/abs/1708.07747>.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FashionMnist {
    /// The folder of the four IDX files, gzipped or not; default: the folder that `descent data fetch` fills.
    pub path: Option<PathBuf>,
    /// The most MiB that the pictures may take in memory; default: half of what is free.
    #[schemars(range(min = 1))]
    pub memory: Option<u64>,
}

impl Source for Mnist {
    fn place(&self) -> PathBuf {
        self.path.clone().unwrap_or_else(|| fetch::folder("mnist"))
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        let classes = self.classes.unwrap_or(CLASSES);
        if !(2..=256).contains(&classes) {
            return Err(Error::key(
                "data.classes",
                format!("is {classes}; labels are bytes, so take 2 to 256"),
            ));
        }
        load("mnist", &self.place(), IdxOptions::new(request, classes, MemoryLimit::new(self.memory)))
    }

    fn scored(&self) -> Result<Option<String>> {
        Ok(Some(scored("mnist", &self.place())))
    }
}

impl Source for FashionMnist {
    fn place(&self) -> PathBuf {
        self.path.clone().unwrap_or_else(|| fetch::folder("fashion-mnist"))
    }

    fn load(&self, request: &Request<'_>) -> Result<Loaded> {
        const NAMES: [&str; CLASSES] = [
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ];
        let reading = IdxOptions::new(request, CLASSES, MemoryLimit::new(self.memory));
        let mut loaded = load("fashion-mnist", &self.place(), reading)?;
        if let Loaded::Raw(RawRows { pictures: Some(pictures), .. }) = &mut loaded {
            pictures.classes = NAMES.map(str::to_owned).into();
        }
        Ok(loaded)
    }

    fn scored(&self) -> Result<Option<String>> {
        Ok(Some(scored("fashion-mnist", &self.place())))
    }
}

/// Whether a folder has files in MNIST's format to train on.
pub(crate) fn has_idx_files(folder: &Path) -> bool {
    has_split("mnist", folder, "train")
}

/// The number of pictures to train on in a folder with files in MNIST's format.
pub(crate) fn idx_pictures(folder: &Path) -> Result<u64> {
    idx::count(&find("mnist", folder, "train", IdxFile::Images)?).map(u64::from)
}

fn load(name: &str, folder: &Path, read: IdxOptions) -> Result<Loaded> {
    let split = |split: &str, limit: MemoryLimit| {
        let (images, labels) =
            (find(name, folder, split, IdxFile::Images)?, find(name, folder, split, IdxFile::Labels)?);
        let files = (idx::read(&images, 3, limit)?, idx::read(&labels, 1, limit)?);
        rows(files, read, &labels)
    };
    if read.is_fitted && !has_split(name, folder, "train") && has_split(name, folder, "t10k") {
        // A run is scored on pictures that are there.
        let rows = split("t10k", read.limit)?;
        let room = read.limit.less(&rows.xs);
        return Ok(whole(IdxSplits { train: rows, test: None }, read.classes, room));
    }
    let train = split("train", read.limit)?;
    let test = split("t10k", read.limit.less(&train.xs))?;
    let room = read.limit.less(&train.xs).less(&test.xs);
    Ok(whole(IdxSplits { train, test: Some(test) }, read.classes, room))
}

/// Says which pictures are scored where all of a folder are.
fn scored(name: &str, folder: &Path) -> String {
    let files =
        if has_split(name, folder, "train") { "the train and the t10k files" } else { "the t10k files" };
    format!("the pictures of {files} are scored")
}

/// Whether a folder has the pictures of a split.
fn has_split(name: &str, folder: &Path, split: &str) -> bool {
    find(name, folder, split, IdxFile::Images).is_ok()
}

/// Options for reading the files.
#[derive(Clone, Copy)]
pub(super) struct IdxOptions {
    task: Task,
    classes: usize,
    /// Whether a run that has been trained reads them.
    is_fitted: bool,
    limit: MemoryLimit,
}

impl IdxOptions {
    /// For a request of so many classes, or of those that its run has.
    pub(super) fn new(request: &Request<'_>, classes: usize, limit: MemoryLimit) -> Self {
        let classes = request.fitted.map_or(classes, |fitted| fitted.outputs);
        Self { task: request.task, classes, is_fitted: request.fitted.is_some(), limit }
    }
}

/// The rows of a data set.
pub(super) struct IdxSplits {
    /// The rows to train on.
    pub(super) train: Rows,
    /// The rows to test on.
    pub(super) test: Option<Rows>,
}

/// A data set with training and test rows, and the memory that is left.
pub(super) fn whole(rows: IdxSplits, outputs: usize, room: MemoryLimit) -> Loaded {
    let IdxSplits { train, test } = rows;
    let pictures = Pictures::grey(&train.xs, outputs);
    let (validation, bytes) = (None, Bytes::Pixels);
    let (test_share, ordered) = (0.0, false);
    Loaded::Raw(RawRows { train, validation, test, test_share, outputs, ordered, pictures, bytes, room })
}

/// One of a split's two files.
#[derive(Clone, Copy)]
enum IdxFile {
    Images,
    Labels,
}

/// Finds the file of one split by the names in use: other data sets put their own name in front, or say `test` for `t10k`.
fn find(name: &str, folder: &Path, split: &str, file: IdxFile) -> Result<PathBuf> {
    let (part, rank) = match file {
        IdxFile::Images => ("images", 3),
        IdxFile::Labels => ("labels", 1),
    };
    let splits: &[&str] = if split == "t10k" { &["t10k", "test"] } else { &["train"] };
    let endings: Vec<String> = splits
        .iter()
        .flat_map(|split| ["-", "."].map(|dot| format!("{split}-{part}{dot}idx{rank}-ubyte")))
        .flat_map(|name| [name.clone(), format!("{name}.gz")])
        .collect();
    if let Some(path) = endings.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
        return Ok(path);
    }
    let mut names: Vec<String> = match fs::read_dir(folder) {
        Ok(entries) => {
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        }
        Err(_) => Vec::new(),
    };
    names.sort_unstable();
    let ends = |name: &&String| endings.iter().any(|ending| name.ends_with(&format!("-{ending}")));
    let found: Vec<&String> = names.iter().filter(ends).collect();
    if let [only] = found.as_slice() {
        return Ok(folder.join(only));
    }
    if let [first, second, ..] = found.as_slice() {
        let problem =
            format!("{} and {} both match; keep one data set in this folder", quoted(first), quoted(second));
        return Err(Error::data(folder, problem));
    }
    let script = if name == "mnist" { " or scripts/fetch-mnist.sh brings" } else { " brings" };
    let problem = format!(
        "there is no `{}` (or .gz) here; `descent data fetch {name}`{script} it, and `data.path` names another folder",
        endings[0]
    );
    Err(Error::data(folder, problem))
}

/// Images and labels as rows; `path` is the labels' file, for messages.
pub(super) fn rows((images, labels): (Idx, Idx), read: IdxOptions, path: &Path) -> Result<Rows> {
    if !read.task.classes() {
        return Err(Error::key(
            "loss.name",
            "is for numeric targets, but this data set has classes; set it to `cross_entropy`",
        ));
    }
    let (count, labelled) = (images.shape[0], labels.shape[0]);
    if count != labelled {
        let problem = format!(
            "{} for {}; the two files do not belong together",
            counted(labelled, "label"),
            counted(count, "image")
        );
        return Err(Error::data(path, problem));
    }
    if count == 0 {
        return Err(Error::data(path, "no rows; is this the right file?"));
    }
    require_known(&labels.bytes, read, path)?;
    let room = refusal::try_reserve::<i64>(count);
    let mut classes =
        room.map_err(|_| Error::data(path, format!("{count} labels do not fit into memory")))?;
    classes.extend(labels.bytes.into_iter().map(i64::from));
    Ok(Rows {
        xs: Tensor::from_vec(images.bytes, images.shape, &Device::Cpu)?,
        ys: Tensor::from_vec(classes, count, &Device::Cpu)?,
        weights: None,
    })
}

/// Checks that labels are below the number of classes; `path` is their file, for messages.
fn require_known(labels: &[u8], read: IdxOptions, path: &Path) -> Result<()> {
    let IdxOptions { classes, is_fitted, .. } = read;
    let unknown = labels.iter().enumerate().find(|(_, label)| usize::from(**label) >= classes);
    let Some((row, label)) = unknown else { return Ok(()) };
    let row = numbered_row(row);
    let problem = if is_fitted {
        format!("label {label} of {row}: {}", unknown_class(i64::from(*label), classes))
    } else {
        let last = classes - 1;
        format!(
            "label {label} of {row} is outside the classes 0 to {last}; `data.classes` of `mnist` takes more"
        )
    };
    Err(Error::data(path, problem))
}
