//! Decoded pictures in an `.npz` file, which a further run reads instead of the pictures: the arrays `train`, `test`
//! and `val`, (N, H, W) or (N, C, H, W), and `descent_pictures`, the SHA-256 of what they were made of.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Bytes;
use super::archive::Arrays;
use super::memory::MemoryLimit;
use super::npy::Integers;
use super::npy_start::npy_start;
use super::pass::PassReader;
use super::pictures::Pictures;
use super::split::Part;
use crate::error::{Error, Result};
use crate::files::{self, Sum};
use crate::kernels::bytes;
use crate::kernels::norm::all_finite;

/// The name of the array that tells what the others were made of, which no other file has.
const KEY: &str = "descent_pictures";

/// The names of the arrays of pixels.
const SPLITS: [&str; 3] = ["train", "test", "val"];

/// The name of the array of a part's pixels.
pub(super) fn array_of(part: Part) -> &'static str {
    match part {
        Part::Test => SPLITS[1],
        Part::Validation => SPLITS[2],
        Part::Train | Part::Unused => SPLITS[0],
    }
}

/// A file of decoded pictures.
#[derive(Debug)]
pub(super) struct PictureCache {
    /// The file, or that which a symbolic link leads to.
    path: PathBuf,
    key: Vec<u8>,
}

/// The files of a split with their classes.
pub(super) type SplitFiles<'a> = &'a [(PathBuf, usize)];

/// The pictures of a split: its name among the arrays, and their shape (N, H, W) or (N, C, H, W).
#[derive(Debug, Clone, Copy)]
pub(super) struct CachedSplit<'a> {
    pub(super) name: &'a str,
    pub(super) shape: &'a [usize],
}

impl PictureCache {
    /// The cache at `path` of these pictures. It is known by the form of the pictures, and by the path, the size and the times
    /// of change of each file: that of its contents and that of its entry, which nobody sets back.
    ///
    /// # Errors
    /// A file that is not there any more.
    pub(super) fn new(path: &Path, pictures: &Pictures, splits: &[SplitFiles<'_>]) -> Result<Self> {
        let Pictures { height, width, channels, .. } = pictures;
        let mut sum = Sum::default();
        sum.add(format!("descent pictures 1\n{height} {width} {channels}\n").as_bytes());
        for split in splits {
            for (file, _) in *split {
                let found = fs::metadata(file).map_err(Error::io("read", file))?;
                let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
                sum.add(format!("{} {times:?} ", found.len()).as_bytes());
                sum.add(file.as_os_str().as_bytes());
                sum.add(b"\n");
            }
            sum.add(b"\n");
        }
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        Ok(Self { path, key: sum.checksum().sha256.into_bytes() })
    }

    /// The pictures of each split; nothing where there is no file yet, or one of other pictures.
    ///
    /// # Errors
    /// Another kind of file, which stays, or a damaged one.
    pub(super) fn read(
        &self,
        splits: &[CachedSplit<'_>],
        mut limit: MemoryLimit,
    ) -> Result<Option<Vec<Tensor>>> {
        if !self.path.exists() {
            return Ok(None);
        }
        let mut arrays = self.open()?;
        let key = self.array(&mut arrays, KEY, MemoryLimit::new(Some(1)))?;
        if key.dtype() != DType::U8 || key.dims() != [self.key.len()] {
            return Err(self.foreign());
        }
        if key.to_vec1::<u8>()? != self.key {
            tracing::info!("{}: it is of other pictures, or of other options", self.path.display());
            return Ok(None);
        }
        let mut all = Vec::new();
        for CachedSplit { name, shape } in splits {
            let xs = self.array(&mut arrays, name, limit)?;
            if xs.dims() != *shape {
                return Err(self.damaged(&format!("array `{name}`: its shape is {:?}", xs.dims())));
            }
            limit = limit.less(&xs);
            all.push(xs);
        }
        tracing::info!("{}: the decoded pictures are read from here", self.path.display());
        Ok(Some(all))
    }

    /// Opens the file, which has to be one that was written here.
    fn open(&self) -> Result<Arrays<PassReader<File>>> {
        let arrays = Arrays::open(&self.path).map_err(|error| match error {
            Error::Data { .. } => self.foreign(),
            other => other,
        })?;
        let names = arrays.names();
        let is_own = |name: &String| name == KEY || SPLITS.contains(&name.as_str());
        if names.iter().any(|name| name == KEY) && names.iter().all(is_own) {
            Ok(arrays)
        } else {
            Err(self.foreign())
        }
    }

    /// An array of pixels from 0 to 255.
    fn array(&self, arrays: &mut Arrays<PassReader<File>>, name: &str, limit: MemoryLimit) -> Result<Tensor> {
        let read = arrays.read(name, Integers::Features, limit).map_err(|error| match error {
            Error::Data { problem, .. } => self.damaged(&problem),
            other => other,
        })?;
        let array = read.ok_or_else(|| self.damaged(&format!("there is no array `{name}`")))?;
        let is_pixels = array.bytes == Bytes::Pixels
            && match array.tensor.dtype() {
                DType::U8 => true,
                DType::F32 => array.tensor.elem_count() == 0 || are_pixels(&array.tensor)?,
                _ => false,
            };
        if is_pixels { Ok(array.tensor) } else { Err(self.damaged(&format!("array `{name}` has no pixels"))) }
    }

    /// The error of a file of another kind.
    fn foreign(&self) -> Error {
        let problem = "`data.cache` is a file for decoded pictures, and this is another, or was cut off; remove it, or name \
                       another";
        Error::data(&self.path, problem)
    }

    fn damaged(&self, problem: &str) -> Error {
        Error::data(&self.path, format!("{problem}; remove the file, and it is written anew"))
    }

    /// Writes the pictures of each split. The run goes on where that fails.
    pub(super) fn write<'t>(&self, splits: impl IntoIterator<Item = (&'t str, &'t Tensor)>) {
        match files::write_whole(&self.path, |file| self.fill(file, splits)) {
            Ok(()) => tracing::info!("{}: the decoded pictures are kept here", self.path.display()),
            Err(error) => tracing::warn!("the decoded pictures are not kept: {error}"),
        }
    }

    fn fill<'t>(
        &self,
        file: &mut dyn Write,
        splits: impl IntoIterator<Item = (&'t str, &'t Tensor)>,
    ) -> Result<()> {
        let mut archive = ZipWriter::new_stream(BufWriter::with_capacity(1 << 20, file));
        let mut put = |name: &str, start: &[u8], write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>| {
            // Beyond 4 GiB the format has other fields, which all arrays get here.
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
            archive.start_file(format!("{name}.npy"), options)?;
            archive.write_all(start)?;
            write(&mut archive)
        };
        let io = || Error::io("write", &self.path);
        put(KEY, &npy_start("|u1", &[self.key.len()]), &mut |out| out.write_all(&self.key)).map_err(io())?;
        for (name, xs) in splits {
            let kind = if xs.dtype() == DType::U8 { "|u1" } else { "<f4" };
            put(name, &npy_start(kind, xs.dims()), &mut |out| write_elements(xs, out)).map_err(io())?;
        }
        let finish = || -> io::Result<()> { archive.finish()?.into_inner().flush() };
        finish().map_err(io())
    }
}

/// Whether all numbers are brightnesses.
fn are_pixels(xs: &Tensor) -> Result<bool> {
    let (least, most) = (xs.min_all()?.to_scalar::<f32>()?, xs.max_all()?.to_scalar::<f32>()?);
    Ok(all_finite(&[xs])? && least >= 0.0 && most <= 255.0)
}

/// Writes the elements of a tensor, little-endian.
fn write_elements(xs: &Tensor, out: &mut dyn Write) -> io::Result<()> {
    let mut written = Ok(());
    let each = |bytes: &[u8]| {
        if written.is_ok() {
            written = out.write_all(bytes);
        }
    };
    bytes::for_each(xs, each).map_err(io::Error::other)?;
    written
}

#[cfg(test)]
mod tests;
