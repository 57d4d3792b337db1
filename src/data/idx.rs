//! The IDX format of MNIST: a big-endian header, then bytes. <http://yann.lecun.com/exdb/mnist/>
//!
//! The header is checked against the file and against a limit before anything is allocated: a damaged or hostile one cannot
//! ask for more memory than its file could fill, nor for more than there is.

use std::io::{BufRead as _, BufReader, Cursor, Read};
use std::path::Path;

use super::gzip::Gunzip;
use super::memory::MemoryLimit;
use super::pass::PassReader;
use crate::error::{Error, Result};
use crate::files::{self, read_up_to};
use crate::names::counted;

/// An array of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// (N) for labels, (N, H, W) for images.
    pub shape: Vec<usize>,
    /// The elements in row-major order.
    pub bytes: Vec<u8>,
}

/// The largest expansion ratio of deflate.
const DEFLATE_RATIO: u64 = 1032;

/// Reads an IDX file of `rank` dimensions, gzipped or not, into at most `limit` of memory.
pub fn read(path: &Path, rank: usize, limit: MemoryLimit) -> Result<Idx> {
    let files::OpenFile { file, size } = files::open(path)?;
    decode(PassReader::new(file, path, size), size, rank, limit).map_err(|problem| Error::data(path, problem))
}

/// Whether a file begins as an IDX file of bytes does, gzipped or not.
pub fn is_idx(path: &Path) -> Result<bool> {
    let mut begin = [0; 3];
    let read = begin_of(path, &mut begin)?;
    Ok(read.is_err() || begin == [0, 0, 8])
}

/// The number of elements along the first dimension, by the header of an IDX file, gzipped or not.
pub(crate) fn count(path: &Path) -> Result<u32> {
    let mut header = [0; 8];
    let read = begin_of(path, &mut header)?.map_err(|e| Error::data(path, damaged(&e)))?;
    match header {
        [0, 0, 8, 1..=255, count @ ..] if read == header.len() => Ok(u32::from_be_bytes(count)),
        _ => Err(Error::data(path, "not an IDX file of bytes, or it ends inside its header; fetch it again")),
    }
}

/// Reads the first bytes of a file, gzipped or not, and returns how many there were.
fn begin_of(path: &Path, begin: &mut [u8]) -> Result<std::io::Result<usize>> {
    let mut whole = BufReader::new(files::open(path)?.file);
    let is_packed = whole.fill_buf().map_err(Error::io("read", path))?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_packed { read_up_to(&mut Gunzip::new(whole), begin) } else { read_up_to(&mut whole, begin) })
}

/// Reads an IDX file of `rank` dimensions from memory, gzipped or not.
pub fn from_bytes(bytes: &[u8], rank: usize) -> Result<Idx> {
    let limit = MemoryLimit::of_free();
    decode(bytes, bytes.len() as u64, rank, limit).map_err(|problem| Error::data("embedded data", problem))
}

fn decode(mut source: impl Read, size: u64, rank: usize, limit: MemoryLimit) -> Result<Idx, String> {
    let mut magic = [0; 2];
    let read = read_up_to(&mut source, &mut magic).map_err(|e| damaged(&e))?;
    let mut whole = Cursor::new(magic).take(read as u64).chain(source);
    if magic == [0x1f, 0x8b] {
        let length = StreamLength { most: size.saturating_mul(DEFLATE_RATIO), exact: false };
        return parse(&mut Gunzip::new(whole), length, rank, limit);
    }
    parse(&mut whole, StreamLength { most: size, exact: true }, rank, limit)
}

/// The length of a stream in bytes: exactly `most`, or at most `most`.
#[derive(Clone, Copy)]
struct StreamLength {
    most: u64,
    exact: bool,
}

fn parse(
    source: &mut impl Read,
    StreamLength { most, exact }: StreamLength,
    rank: usize,
    limit: MemoryLimit,
) -> Result<Idx, String> {
    let mut header = vec![0; 4 + 4 * rank];
    if read_up_to(source, &mut header).map_err(|e| damaged(&e))? < header.len() {
        return Err("the file ends inside its IDX header; fetch it again".to_owned());
    }
    let expected = [0, 0, 8, u8::try_from(rank).unwrap_or(u8::MAX)];
    if header[..4] != expected {
        return Err(format!(
            "not an IDX file of bytes in {rank} dimensions: it starts with {:02x?}, expected {expected:02x?}",
            &header[..4]
        ));
    }
    let shape: Vec<usize> =
        header[4..].chunks_exact(4).map(|d| u32::from_be_bytes([d[0], d[1], d[2], d[3]]) as usize).collect();
    let count = shape.iter().try_fold(1usize, |count, d| count.checked_mul(*d));
    let whole = count.and_then(|count| count.checked_add(header.len())).map(|whole| whole as u64);
    let fits = whole.is_some_and(|whole| if exact { whole == most } else { whole <= most });
    let (Some(count), true) = (count, fits) else {
        let wanted = whole.map_or("more than memory can hold".to_owned(), |whole| format!("{whole} bytes"));
        return Err(format!(
            "the header says {shape:?}, which takes {wanted}, but the file {} {most} bytes: it is truncated or \
             damaged; fetch it again",
            if exact { "has" } else { "can hold at most" },
        ));
    };
    // One byte more is asked for, to see that the stream ends.
    let mut bytes = limit.reserve(count + 1).map_err(|problem| format!("it {problem}"))?;
    let read = source.take(count as u64 + 1).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
    if read != count {
        let found = if read > count { "more".to_owned() } else { format!("{read}") };
        let count = counted(count, "element");
        return Err(format!("the header says {count}, the file has {found}; fetch it again"));
    }
    Ok(Idx { shape, bytes })
}

fn damaged(error: &std::io::Error) -> String {
    format!("the file cannot be read to its end ({error}); fetch it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn labels(count: u32, bytes: &[u8]) -> Vec<u8> {
        [&[0, 0, 8, 1][..], &count.to_be_bytes(), bytes].concat()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_gzipped_files_are_read() {
        let expected = Idx { shape: vec![3], bytes: vec![7, 8, 9] };
        let file = labels(3, &[7, 8, 9]);
        assert_eq!(from_bytes(&file, 1).unwrap(), expected);
        assert_eq!(from_bytes(&gzip(&file), 1).unwrap(), expected);
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("plain", file.clone()), ("packed.gz", gzip(&file))] {
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(count(&path).unwrap(), 3);
            std::fs::write(&path, &bytes[..7]).unwrap();
            assert!(count(&path).unwrap_err().to_string().contains("fetch it again"));
        }
        // pigz and bgzip write several members; a file may be cut anywhere.
        for cut in 0..=file.len() {
            let members = [gzip(&file[..cut]), gzip(&file[cut..])].concat();
            assert_eq!(from_bytes(&members, 1).unwrap(), expected, "{cut}");
        }
    }

    #[test]
    fn a_file_that_unpacks_to_more_than_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.gz");
        std::fs::write(&path, gzip(&labels(1 << 21, &vec![0; 1 << 21]))).unwrap();
        assert_eq!(read(&path, 1, MemoryLimit::new(Some(3))).unwrap().bytes.len(), 1 << 21);
        let error = read(&path, 1, MemoryLimit::new(Some(1))).unwrap_err().to_string();
        assert!(error.contains("takes 2.0 MiB of memory; `data.memory` allows 1.0 MiB"), "{error}");
    }

    #[test]
    fn damaged_files_are_refused_before_memory_is_asked_for() {
        let good = labels(3, &[7, 8, 9]);
        for length in 0..good.len() {
            assert!(from_bytes(&good[..length], 1).is_err());
            assert!(from_bytes(&gzip(&good[..length]), 1).is_err());
        }
        assert!(from_bytes(&[&good[..], &[0]].concat(), 1).is_err());
        assert!(from_bytes(&gzip(&[&good[..], &[0]].concat()), 1).is_err());
        assert!(from_bytes(&good, 3).is_err());
        let hostile = [&[0, 0, 8, 3][..], &[0xff; 12], &[0; 100]].concat();
        let error = from_bytes(&hostile, 3).unwrap_err().to_string();
        assert!(error.contains("more than memory can hold"), "{error}");
        assert!(from_bytes(&gzip(&labels(u32::MAX, &[])), 1).is_err());
        let zipped = gzip(&good);
        assert!(from_bytes(&zipped[..zipped.len() - 12], 1).is_err());
    }
}
