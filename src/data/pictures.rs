//! Pictures of one size.

use std::path::Path;

use candle_core::Tensor;
use image::imageops::FilterType;
use image::{DynamicImage, ImageReader};

use super::preprocess::{PreprocessingSource, Step};
use crate::error::{Error, Result};
use crate::files;

/// The size and the classes of pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// The names of the classes.
    pub classes: Vec<String>,
}

impl Pictures {
    /// Grey pictures (N, H, W) whose classes are named by their numbers.
    pub(super) fn grey(xs: &Tensor, classes: usize) -> Option<Self> {
        let [_, height, width] = *xs.dims() else { return None };
        let classes = (0..classes).map(|class| class.to_string()).collect();
        Some(Self { height, width, channels: 1, classes })
    }

    pub(super) fn source(self, elements: Step) -> PreprocessingSource {
        let Self { height, width, channels, classes } = self;
        PreprocessingSource::Images { height, width, channels, classes, elements }
    }

    /// The bytes of a picture file, plane by plane, row by row.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>> {
        Ok(bytes(&open(path)?, (self.height, self.width), self.channels == 3))
    }
}

/// Reads a picture file.
pub(super) fn open(path: &Path) -> Result<DynamicImage> {
    let damaged = |e: &dyn std::fmt::Display| Error::data(path, format!("not a readable picture ({e})"));
    // What the file is shows in its first bytes, whatever its name says.
    let reader = ImageReader::new(std::io::BufReader::new(files::open(path)?.0));
    let reader = reader.with_guessed_format().map_err(Error::io("read", path))?;
    reader.decode().map_err(|e| damaged(&e))
}

/// The bytes of a picture, plane by plane, resized with linear interpolation.
fn bytes(picture: &DynamicImage, (height, width): (usize, usize), color: bool) -> Vec<u8> {
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let fits = (picture.height(), picture.width()) == (side(height), side(width));
    let resized = (!fits).then(|| picture.resize_exact(side(width), side(height), FilterType::Triangle));
    let picture = resized.as_ref().unwrap_or(picture);
    if !color {
        return picture.to_luma8().into_raw();
    }
    let pixels = picture.to_rgb8().into_raw();
    (0..3).flat_map(|plane| pixels.iter().skip(plane).step_by(3).copied().collect::<Vec<_>>()).collect()
}
