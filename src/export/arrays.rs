//! Named arrays in NumPy's `.npz` format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::fs::File;
use std::io::{self, BufWriter, Cursor, Seek, Write};
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::data::npy_start;
use crate::error::{Error, Result};

/// An array with its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NamedArray {
    /// Its name in the file.
    pub(super) name: String,
    /// The dimensions.
    pub(super) shape: Vec<usize>,
    /// The elements, row-major.
    pub(super) elements: Elements,
}

/// The elements of an array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Elements {
    /// float32
    Single(Vec<f32>),
    /// float64
    Double(Vec<f64>),
    /// int64
    Integer(Vec<i64>),
    /// uint8
    Byte(Vec<u8>),
    /// Unicode text
    Text(Vec<String>),
}

/// The bytes of an `.npz` file with these arrays.
pub(super) fn npz(arrays: &[NamedArray]) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for array in arrays {
        archive.start_file(format!("{}.npy", array.name), options)?;
        archive.write_all(&array.npy())?;
    }
    Ok(archive.finish()?.into_inner())
}

/// An `.npz` file that is written array by array, uncompressed.
pub(super) struct NpzWriter<W: Write + Seek> {
    archive: ZipWriter<W>,
    path: PathBuf,
}

impl NpzWriter<BufWriter<File>> {
    /// Begins a new file.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path).map_err(Error::io("create", path))?;
        Ok(Self { archive: ZipWriter::new(BufWriter::new(file)), path: path.to_path_buf() })
    }
}

impl<W: Write + Seek> NpzWriter<W> {
    /// Adds an array.
    pub(super) fn add(&mut self, array: &NamedArray) -> Result<()> {
        let bytes = array.npy();
        // Beyond 4 GiB the format has other fields.
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .large_file(u32::try_from(bytes.len()).is_err());
        let mut put = || -> io::Result<()> {
            self.archive.start_file(format!("{}.npy", array.name), options)?;
            self.archive.write_all(&bytes)
        };
        put().map_err(Error::io("write", &self.path))
    }

    /// Ends the file.
    pub(super) fn finish(self) -> Result<()> {
        let put = || -> io::Result<()> { self.archive.finish()?.flush() };
        put().map_err(Error::io("write", &self.path))
    }
}

impl NamedArray {
    /// The array of this name, shape and elements.
    pub(super) fn new(name: &str, shape: &[usize], elements: Elements) -> Self {
        Self { name: name.to_owned(), shape: shape.to_vec(), elements }
    }

    fn npy(&self) -> Vec<u8> {
        let mut bytes = npy_start(&self.elements.kind(), &self.shape);
        self.elements.append(&mut bytes);
        bytes
    }
}

impl Elements {
    /// NumPy's name of the type.
    fn kind(&self) -> String {
        match self {
            Self::Single(_) => "<f4".to_owned(),
            Self::Double(_) => "<f8".to_owned(),
            Self::Integer(_) => "<i8".to_owned(),
            Self::Byte(_) => "|u1".to_owned(),
            Self::Text(texts) => format!("<U{}", longest(texts)),
        }
    }

    fn append(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Single(numbers) => bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
            Self::Double(numbers) => bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
            Self::Integer(numbers) => bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
            Self::Byte(numbers) => bytes.extend(numbers),
            Self::Text(texts) => {
                let width = longest(texts);
                for text in texts {
                    let padded = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
                    bytes.extend(padded.flat_map(u32::to_le_bytes));
                }
            }
        }
    }
}

/// The characters of the longest text; NumPy has no texts of 0 characters.
fn longest(texts: &[String]) -> usize {
    texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1)
}
