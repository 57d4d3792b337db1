//! A folder of pictures by class.

use std::path::{Path, PathBuf};

use crate::data::class_folders::{Absent, ClassFolders, classes};
use crate::data::memory::MemoryLimit;
use crate::data::picture_folders::PictureFolders;
use crate::data::pictures::{Pictures, size_of};
use crate::data::pixels::PixelBuffer;
use crate::data::split::Part;
use crate::error::{Error, Result};

/// The pictures that are opened to see their size and whether they have colours.
const OPENED: usize = 24;

/// A folder of pictures that was looked at.
#[derive(Debug, Clone)]
pub struct PicturesProfile {
    /// The names of the classes with the number of pictures to train on.
    pub classes: Vec<super::NameCount>,
    /// The parts that are held out by folders of their own.
    pub held_out: Vec<Part>,
    /// Height and width of the first picture.
    pub size: [usize; 2],
    /// Whether all pictures that were opened have this size.
    pub is_one_size: bool,
    /// Whether any of these has colours.
    pub has_colors: bool,
}

impl PicturesProfile {
    /// Looks at a folder.
    ///
    /// # Errors
    /// There are no two folders with pictures, or a picture cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let PictureFolders { train: root, validation, test, .. } = PictureFolders::of(path)?;
        let held_out = [(Part::Validation, validation), (Part::Test, test)].into_iter();
        let held_out = held_out.filter_map(|(part, folder)| folder.map(|_| part)).collect();
        let names = classes(&root)?;
        let ClassFolders { files, .. } = ClassFolders::new(&root, &names, Absent::Refused)?;
        let mut rows = vec![0; names.len()];
        for (_, class) in &files {
            rows[*class] += 1;
        }
        let step = files.len().div_ceil(OPENED).max(1);
        let opened: Vec<PathBuf> = files.iter().step_by(step).map(|(file, _)| file.clone()).collect();
        let sizes: Vec<[usize; 2]> = opened.iter().map(|file| size_of(file)).collect::<Result<_>>()?;
        let size = sizes.first().copied().unwrap_or_default();
        let classes = names.into_iter().zip(rows).map(|(name, rows)| super::NameCount { name, rows });
        Ok(Self {
            classes: classes.collect(),
            held_out,
            size,
            is_one_size: sizes.iter().all(|own| *own == size),
            has_colors: has_colors(path, &opened)?,
        })
    }

    /// Whether a folder has a folder for each of several classes.
    pub fn has_classes(path: &Path) -> bool {
        PictureFolders::of(path).and_then(|folders| classes(&folders.train)).is_ok()
    }

    /// The number of pictures.
    pub fn rows(&self) -> u64 {
        self.classes.iter().map(|class| class.rows).sum()
    }
}

/// Whether any of these pictures has colours.
fn has_colors(path: &Path, files: &[PathBuf]) -> Result<bool> {
    const SIDE: usize = 16;
    let pictures = Pictures { height: SIDE, width: SIDE, channels: 3, classes: Vec::new() };
    let room = PixelBuffer::new(files.len() * pictures.pixels(), MemoryLimit::of_free());
    let mut pixels = room.map_err(|problem| Error::data(path, format!("the data {problem}")))?;
    pictures.read(files, &mut pixels)?;
    let pixels = pixels.tensor(&[files.len(), 3, SIDE * SIDE])?.to_dtype(candle_core::DType::F32)?;
    let gray = pixels.narrow(1, 0, 1)?;
    let apart = pixels.broadcast_sub(&gray)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    // A grey JPEG in colour has small differences.
    Ok(apart > 8.0)
}
