//! Pictures of one size.

use std::error::Error as _;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use candle_core::Tensor;
use image::codecs::png::PngDecoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::jpeg::{self, Extent};
use super::pixels::PixelBuffer;
use super::png;
use super::preprocess::{PreprocessingSource, Step};
use crate::error::{Error, Result};
use crate::files;
use crate::refusal;

/// The problem with a file that ends too early.
const CUT_SHORT: &str = "the picture is cut short: copy the file again, or remove it";
/// The largest file of a picture, in bytes.
const LARGEST_FILE: u64 = 1 << 29;
/// The most bytes that the pixels of one file may take while it is decoded.
const MOST_DECODED: u64 = 1 << 29;
/// Of files whose pixels take more bytes than this, only one is decoded at a time.
const LARGE: u64 = 1 << 26;
/// The bytes of pixels, about, that are decoded at once.
const AT_ONCE: usize = 1 << 24;
/// The most files that are decoded at once.
pub(super) const FILES_AT_ONCE: usize = 256;
/// The most bytes that the rest of a PNG file may take, such as its colour profile, which is packed.
const MOST_METADATA: u64 = 1 << 24;

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

    /// Adds the pixels of picture files in their order, each plane by plane, row by row. All threads decode.
    ///
    /// # Errors
    /// The first file that is no picture, or too large to be one.
    pub fn read<P: AsRef<Path> + Sync>(&self, files: &[P], pixels: &mut PixelBuffer) -> Result<()> {
        let alone = Mutex::new(());
        let at_once = (AT_ONCE / self.pixels().max(1)).clamp(rayon::current_num_threads(), FILES_AT_ONCE);
        for files in files.chunks(at_once) {
            let all: Vec<Result<Decoded>> =
                files.par_iter().map(|file| self.decoded(file.as_ref(), &alone)).collect();
            for (file, decoded) in files.iter().zip(all) {
                match decoded? {
                    Decoded::Bytes(own) => pixels.add_bytes(&own),
                    Decoded::Deep(own) => {
                        let refused = |problem| Error::data(file.as_ref(), problem);
                        pixels.add_deep(&own).map_err(refused)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The pixels of a file in the size of all pictures.
    fn decoded(&self, path: &Path, alone: &Mutex<()>) -> Result<Decoded> {
        let mut turn = Turn { alone, held: None };
        let picture = self.resized(open(path, &mut turn)?);
        let color = self.channels == 3;
        Ok(match (is_deep(&picture), color) {
            (false, true) => Decoded::Bytes(planes(&picture.into_rgb8())),
            (false, false) => Decoded::Bytes(picture.into_luma8().into_raw()),
            (true, true) => Decoded::Deep(planes(&picture.into_rgb16())),
            (true, false) => Decoded::Deep(picture.into_luma16().into_raw()),
        })
    }

    /// The picture in the size of all pictures, with linear interpolation.
    fn resized(&self, picture: DynamicImage) -> DynamicImage {
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let (height, width) = (side(self.height), side(self.width));
        if (picture.height(), picture.width()) == (height, width) {
            return picture;
        }
        picture.resize_exact(width, height, FilterType::Triangle)
    }

    /// The shape of so many: (N, H, W) or (N, C, H, W).
    pub(super) fn shape(&self, count: usize) -> Vec<usize> {
        let Self { height, width, channels, .. } = *self;
        if channels == 1 { vec![count, height, width] } else { vec![count, channels, height, width] }
    }

    /// The number of pixels of all planes.
    pub fn pixels(&self) -> usize {
        self.height.saturating_mul(self.width).saturating_mul(self.channels)
    }
}

/// The pixels of a picture.
enum Decoded {
    Bytes(Vec<u8>),
    /// Of 16 bits.
    Deep(Vec<u16>),
}

/// The turn of a thread with a large picture.
struct Turn<'a> {
    alone: &'a Mutex<()>,
    held: Option<MutexGuard<'a, ()>>,
}

impl Turn<'_> {
    /// Waits until no other thread has a large picture.
    fn wait(&mut self) {
        if self.held.is_none() {
            self.held = Some(self.alone.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Whether a picture has more than 8 bits a channel.
fn is_deep(picture: &DynamicImage) -> bool {
    picture.color().bytes_per_pixel() / picture.color().channel_count() > 1
}

/// The three planes of a picture in colour.
fn planes<T: Copy + image::Primitive>(picture: &image::ImageBuffer<image::Rgb<T>, Vec<T>>) -> Vec<T>
where
    image::Rgb<T>: image::Pixel<Subpixel = T>,
{
    let pixels = picture.as_raw();
    (0..3).flat_map(|plane| pixels.iter().skip(plane).step_by(3).copied()).collect()
}

/// Height and width of a picture as it is displayed; its pixels are not decoded.
pub(super) fn size_of(path: &Path) -> Result<[usize; 2]> {
    let bytes = contents(path)?;
    let mut decoder = decoder(path, &bytes)?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    Ok(match orientation(&mut *decoder) {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => [width, height],
        _ => [height, width],
    })
}

/// Reads a picture file, turned as it is displayed: PIL's `ImageOps.exif_transpose`.
///
/// # Errors
/// The file is not an image, is too large or is truncated. A missing end marker alone is accepted.
fn open(path: &Path, turn: &mut Turn<'_>) -> Result<DynamicImage> {
    let bytes = contents(path)?;
    let extent = match image::guess_format(&bytes) {
        Ok(ImageFormat::Jpeg) if !bytes.ends_with(&jpeg::END_MARKER) => {
            jpeg::check(&bytes).map_err(|problem| Error::data(path, problem))?
        }
        Ok(ImageFormat::WebP) if !riff_is_whole(&bytes) => Extent::Short,
        _ => Extent::Ended,
    };
    let cut_short = || Error::data(path, CUT_SHORT);
    match extent {
        Extent::Ended => decode(path, &bytes, turn),
        Extent::Short => Err(cut_short()),
        Extent::Open => {
            let mut pictures = jpeg::ended(&bytes).map(|ended| decode(path, &ended, turn));
            let first = pictures.next().and_then(Result::ok).ok_or_else(cut_short)?;
            let are_equal = pictures.all(|other| other.is_ok_and(|other| other == first));
            if are_equal { Ok(first) } else { Err(cut_short()) }
        }
    }
}

/// Whether a RIFF file, such as WebP, is as long as its header states.
fn riff_is_whole(bytes: &[u8]) -> bool {
    let length = bytes.get(4..8).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes);
    length.is_none_or(|length| bytes.len() as u64 >= u64::from(length) + 8)
}

/// Decodes the bytes of a file as far as they go.
fn decode(path: &Path, bytes: &[u8], turn: &mut Turn<'_>) -> Result<DynamicImage> {
    let mut decoder = decoder(path, bytes)?;
    let orientation = orientation(&mut *decoder);
    let (width, height) = decoder.dimensions();
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_DECODED);
    if limits.reserve(decoder.total_bytes()).is_err() {
        let problem =
            format!("a picture of {width} x {height} pixels is too large to decode; make it smaller");
        return Err(Error::data(path, problem));
    }
    if decoder.total_bytes() > LARGE {
        turn.wait();
    }
    decoder.set_limits(limits).map_err(|e| damaged(path, &e))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| damaged(path, &e))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The bytes of a picture file.
fn contents(path: &Path) -> Result<Vec<u8>> {
    let files::OpenFile { file, size } = files::open(path)?;
    let room = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1);
    let room = if size <= LARGEST_FILE { refusal::try_reserve(room).ok() } else { None };
    let Some(mut bytes) = room else {
        return Err(Error::data(path, format!("{size} bytes are too many for a picture; make it smaller")));
    };
    file.take(size).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    png::end(&mut bytes);
    Ok(bytes)
}

/// A decoder that has read the head of a file. Its first bytes decide the format, not its name.
fn decoder<'a>(path: &Path, bytes: &'a [u8]) -> Result<Box<dyn ImageDecoder + 'a>> {
    let format = image::guess_format(bytes).map_err(|e| damaged(path, &e))?;
    let source = Cursor::new(bytes);
    match format {
        // Its limits are for the compressed chunks besides the pixels, and must be known from the start.
        ImageFormat::Png => {
            let mut limits = Limits::default();
            limits.max_alloc = Some(MOST_METADATA);
            Ok(Box::new(PngDecoder::with_limits(source, limits).map_err(|e| damaged(path, &e))?))
        }
        ImageFormat::Jpeg => {
            jpeg::check(bytes).map_err(|problem| Error::data(path, problem))?;
            let decoder = ImageReader::with_format(source, format).into_decoder();
            Ok(Box::new(decoder.map_err(|e| damaged(path, &e))?))
        }
        _ => {
            let decoder = ImageReader::with_format(source, format).into_decoder();
            Ok(Box::new(decoder.map_err(|e| damaged(path, &e))?))
        }
    }
}

/// The rotation of a picture for display; a damaged entry is ignored.
fn orientation(decoder: &mut dyn ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn damaged(path: &Path, error: &image::ImageError) -> Error {
    if is_end_of_file(error) {
        return Error::data(path, CUT_SHORT);
    }
    Error::data(path, format!("not a readable picture ({error}); save it anew, or remove it"))
}

/// Whether a decoder came to the end of the file too early.
fn is_end_of_file(error: &image::ImageError) -> bool {
    let is_end = |io: &io::Error| io.kind() == io::ErrorKind::UnexpectedEof;
    if let image::ImageError::IoError(io) = error {
        return is_end(io);
    }
    let mut source = error.source();
    while let Some(error) = source {
        if error.downcast_ref().is_some_and(is_end) {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
