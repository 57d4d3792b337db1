//! The arrays in an `.npz` file, which is a zip archive of `.npy` files.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use zip::{CompressionMethod, ZipArchive};

use super::memory::MemoryLimit;
use super::npy::{self, Array, Integers};
use super::pass::PassReader;
use crate::error::{Error, Result};
use crate::files::{self, OpenFile};
use crate::names::first_few;

/// Methods of compression that zip archives may have besides those that NumPy writes.
const METHODS: [(CompressionMethod, &str); 6] = [
    (CompressionMethod::DEFLATE64, "Deflate64"),
    (CompressionMethod::BZIP2, "bzip2"),
    (CompressionMethod::LZMA, "LZMA"),
    (CompressionMethod::ZSTD, "zstd"),
    (CompressionMethod::XZ, "xz"),
    (CompressionMethod::PPMD, "PPMd"),
];

/// An open `.npz` file.
pub(super) struct Arrays<R> {
    path: PathBuf,
    archive: ZipArchive<R>,
}

impl Arrays<PassReader<File>> {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let OpenFile { file, size } = files::open(path)?;
        Self::new(path, PassReader::new(file, path, size))
    }
}

impl<R: Read + Seek> Arrays<R> {
    /// Reads the arrays of the archive.
    ///
    /// # Errors
    /// It is no zip archive.
    pub(super) fn new(path: &Path, source: R) -> Result<Self> {
        let archive = ZipArchive::new(source)
            .map_err(|e| Error::data(path, format!("not an .npz file ({e}); np.savez makes one")))?;
        Ok(Self { path: path.to_path_buf(), archive })
    }

    /// The names of the arrays.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().flatten();
        names.map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned()).collect()
    }

    /// "`x`, `y`" for a message.
    pub(super) fn listed(&self) -> String {
        first_few(self.names().iter().map(|name| format!("`{}`", name.escape_debug())))
    }

    /// Reads an array; nothing if there is none of this name.
    ///
    /// # Errors
    /// It is damaged, encrypted, packed in another way, or takes more than `limit`.
    pub(super) fn read(
        &mut self,
        name: &str,
        integers: Integers,
        limit: MemoryLimit,
    ) -> Result<Option<Array>> {
        let Some(index) = self.archive.index_for_name(&format!("{name}.npy")) else { return Ok(None) };
        let fail =
            |problem: String| Error::data(&self.path, format!("array `{}`: {problem}", name.escape_debug()));
        let raw = self.archive.by_index_raw(index).map_err(|e| fail(e.to_string()))?;
        if raw.encrypted() {
            return Err(fail("it is encrypted; save it without a password".to_owned()));
        }
        let method = raw.compression();
        if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(fail(format!(
                "it is packed with {}, which is not read; np.savez and np.savez_compressed write what is",
                method_name(method)
            )));
        }
        drop(raw);
        let mut entry = self.archive.by_index(index).map_err(|e| fail(e.to_string()))?;
        npy::read(&mut entry, integers, limit).map(Some).map_err(fail)
    }
}

/// The name of a compression method.
fn method_name(method: CompressionMethod) -> &'static str {
    METHODS.iter().find(|(own, _)| *own == method).map_or("another method", |(_, name)| name)
}
