//! Decoded pictures in an `.npz` file, which a further run reads instead of the pictures: the arrays `train` and `test`,
//! (N, H, W) or (N, C, H, W), and `key`, the SHA-256 of what they were made of.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::{fs, time};

use candle_core::{DType, Tensor};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::archive::Arrays;
use super::memory::MemoryLimit;
use super::npy::Integers;
use super::npy_start::npy_start;
use super::pictures::Pictures;
use crate::error::{Error, Result};
use crate::files::{self, Checksum};
use crate::kernels::bytes;

/// The name of the array that tells what the others were made of.
const KEY: &str = "key";

/// A file of decoded pictures.
#[derive(Debug)]
pub(super) struct PictureCache<'a> {
    path: &'a Path,
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

impl<'a> PictureCache<'a> {
    /// The cache at `path` of these pictures. It is known by the form of the pictures, and by the path, the size and the time
    /// of change of each file.
    ///
    /// # Errors
    /// A file that is not there any more.
    pub(super) fn new(path: &'a Path, pictures: &Pictures, splits: &[SplitFiles<'_>]) -> Result<Self> {
        let Pictures { height, width, channels, .. } = pictures;
        let mut text = format!("descent pictures 1\n{height} {width} {channels}\n");
        for split in splits {
            for (file, _) in *split {
                let found = fs::metadata(file).map_err(Error::io("read", file))?;
                let changed = found.modified().map_err(Error::io("read", file))?;
                let changed = changed.duration_since(time::UNIX_EPOCH).unwrap_or_default().as_nanos();
                text += &format!("{} {changed} {:?}\n", found.len(), file);
            }
            text.push('\n');
        }
        Ok(Self { path, key: Checksum::of(text.as_bytes()).sha256.into_bytes() })
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
        let foreign = || {
            let problem = "`data.cache` is a file for decoded pictures, and this one was not written as such; name another";
            Error::data(self.path, problem)
        };
        let mut arrays = Arrays::open(self.path).map_err(|_| foreign())?;
        let key = arrays.read(KEY, Integers::Features, limit)?.ok_or_else(foreign)?.tensor;
        if key.dtype() != DType::U8 || key.rank() != 1 {
            return Err(foreign());
        }
        if key.to_vec1::<u8>()? != self.key {
            tracing::info!("{}: pictures or options have changed; it is written anew", self.path.display());
            return Ok(None);
        }
        let mut all = Vec::new();
        for CachedSplit { name, shape } in splits {
            let found = arrays.read(name, Integers::Features, limit)?.map(|array| array.tensor);
            let is_whole = |xs: &Tensor| xs.dims() == *shape && [DType::U8, DType::F32].contains(&xs.dtype());
            let Some(xs) = found.filter(is_whole) else {
                let problem = format!("the array `{name}` is not that of the pictures; remove the file");
                return Err(Error::data(self.path, problem));
            };
            limit = limit.less(&xs);
            all.push(xs);
        }
        tracing::info!("{}: the decoded pictures are read from here", self.path.display());
        Ok(Some(all))
    }

    /// Writes the pictures of each split. The run goes on where that fails.
    pub(super) fn write<'t>(&self, splits: impl IntoIterator<Item = (&'t str, &'t Tensor)>) {
        match files::write_whole(self.path, |file| self.fill(file, splits)) {
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
        let io = || Error::io("write", self.path);
        put(KEY, &npy_start("|u1", &[self.key.len()]), &mut |out| out.write_all(&self.key)).map_err(io())?;
        for (name, xs) in splits {
            let kind = if xs.dtype() == DType::U8 { "|u1" } else { "<f4" };
            put(name, &npy_start(kind, xs.dims()), &mut |out| write_elements(xs, out)).map_err(io())?;
        }
        let finish = || -> io::Result<()> { archive.finish()?.into_inner().flush() };
        finish().map_err(io())
    }
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
