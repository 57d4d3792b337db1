//! Safetensors files that PyTorch reads, and those that it writes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use candle_core::{DType, Device, Tensor, WithDType};
use safetensors::Dtype;

use super::foreign;
use super::header::{Header, LONGEST, TensorEntry};
use crate::error::{Error, Result};
use crate::files::{self, Checksum, Disk, OpenFile};
use crate::kernels::norm::all_finite;
use crate::names::{first_few, natural_order};
use crate::refusal;

/// A tensor of a safetensors file, without its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name.
    pub name: String,
    /// Its type, as the file spells it.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Writes tensors with the metadata `{"format": "pt"}`, as PyTorch does; returns the file's checksum.
pub fn save<'a>(
    disk: &dyn Disk,
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a str, Tensor)>,
) -> Result<Checksum> {
    let bytes = serialize(path, tensors)?;
    files::write(disk, path, &bytes)?;
    Ok(Checksum::of(&bytes))
}

/// The tensors as the bytes of a file; equal tensors give equal bytes.
pub(super) fn serialize<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a str, Tensor)>,
) -> Result<Vec<u8>> {
    let format = [("format".to_owned(), "pt".to_owned())].into();
    let tensors: BTreeMap<&str, Tensor> = tensors.into_iter().collect();
    let refused = |why: String| Error::Weights(format!("cannot write {}: {why}", path.display()));
    let bytes = safetensors::serialize(&tensors, Some(format)).map_err(|e| refused(e.to_string()))?;
    match bytes.first_chunk() {
        Some(length) if u64::from_le_bytes(*length) <= LONGEST => Ok(bytes),
        _ => Err(refused(format!("{} tensors are more than could be read again", tensors.len()))),
    }
}

/// Reads all tensors of a safetensors file, without a memory map. It needs the file's size in memory and a few MiB.
pub fn load(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let OpenFile { file, size } = open(path)?;
    read(file, size).map_err(|problem| Error::data(path, problem))
}

/// As [`load`]; NaN and infinite values are an error unless they are allowed.
pub fn load_checked(path: &Path, allow_nonfinite: bool) -> Result<BTreeMap<String, Tensor>> {
    let tensors = load(path)?;
    if !allow_nonfinite {
        require_finite(path, &tensors)?;
    }
    Ok(tensors)
}

/// The contents of a safetensors file without its tensors' elements.
#[derive(Debug)]
pub struct Contents {
    /// The tensors.
    pub tensors: Vec<TensorInfo>,
    /// The metadata.
    pub metadata: BTreeMap<String, String>,
}

/// Reads the header of a safetensors file, without the tensors' elements.
pub fn inspect(path: &Path) -> Result<Contents> {
    let OpenFile { mut file, size } = open(path)?;
    let header = read_header(&mut file, size).map_err(|problem| Error::data(path, problem))?;
    let infos = header.entries.into_iter().map(|entry| TensorInfo {
        name: entry.name,
        dtype: format!("{:?}", entry.dtype),
        shape: entry.shape,
    });
    let mut tensors: Vec<TensorInfo> = infos.collect();
    tensors.sort_by_key(|a| natural_order(&a.name));
    Ok(Contents { tensors, metadata: header.metadata })
}

/// Checks that all weights are finite; an error names the tensor.
pub(crate) fn require_finite<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a String, &'a Tensor)>,
) -> Result<()> {
    let mut names = Vec::new();
    for (name, tensor) in tensors {
        if tensor.dtype().is_float() && !all_finite(&[tensor])? {
            names.push(format!("`{}`", name.escape_debug()));
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let problem =
        format!("NaN or infinite values in {}; --allow-nonfinite takes them as they are", first_few(names));
    Err(Error::data(path, problem))
}

fn open(path: &Path) -> Result<OpenFile> {
    let file = files::open(path)?;
    foreign::by_ending(path).map_or(Ok(file), |problem| Err(Error::data(path, problem)))
}

/// Reads the tensors from a file's `size` bytes.
///
/// # Errors
/// A sentence about what is wrong with the file.
pub fn read(mut source: impl Read, size: u64) -> Result<BTreeMap<String, Tensor>, String> {
    let header = read_header(&mut source, size)?;
    let mut tensors = BTreeMap::new();
    for entry in header.entries {
        let tensor = elements(&mut source, &entry)
            .map_err(|problem| format!("its tensor `{}` {problem}", entry.name.escape_debug()))?;
        tensors.insert(entry.name, tensor);
    }
    Ok(tensors)
}

/// Reads the header, which has its length before it, down to the first byte of the data.
fn read_header(source: &mut impl Read, size: u64) -> Result<Header, String> {
    let short = |_| "not a safetensors file: it ends inside its header".to_owned();
    let mut start = [0; 8];
    source.read_exact(&mut start).map_err(short)?;
    let length = u64::from_le_bytes(start);
    let mut first = [0];
    source.read_exact(&mut first).map_err(short)?;
    if first != *b"{" && foreign::is_known(&start) {
        let mut start = [&start[..], &first].concat();
        source.take(foreign::MORE).read_to_end(&mut start).map_err(short)?;
        return Err(foreign::by_start(&start).to_owned());
    }
    if length > size.saturating_sub(8) {
        return Err(format!("not a safetensors file: its header claims {length} bytes, the file has {size}"));
    }
    if length > LONGEST {
        return Err(format!("its header is {length} bytes long; {LONGEST} are read at most"));
    }
    let mut json = vec![first[0]];
    source.take(length.saturating_sub(1)).read_to_end(&mut json).map_err(short)?;
    if json.len() as u64 != length {
        return Err("it ends inside its header".to_owned());
    }
    Header::parse(&json, size - 8 - length)
}

/// Reads the elements of one tensor.
fn elements(source: &mut impl Read, entry: &TensorEntry) -> Result<Tensor, String> {
    fn numbers<const N: usize, T: WithDType>(
        source: &mut impl Read,
        entry: &TensorEntry,
        number: impl Fn([u8; N]) -> T,
    ) -> Result<Tensor, String> {
        let count = usize::try_from(entry.bytes).map_err(|_| "is larger than memory")? / N;
        let mut numbers = refusal::try_reserve(count).map_err(|_| "is larger than memory")?;
        let mut piece = vec![0; (1 << 16).min(count * N)];
        while numbers.len() < count {
            let bytes = &mut piece[..(1 << 16).min((count - numbers.len()) * N)];
            source.read_exact(bytes).map_err(|e| format!("cannot be read: {e}"))?;
            numbers.extend(bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)));
        }
        Tensor::from_vec(numbers, entry.shape.as_slice(), &Device::Cpu)
            .map_err(|e| Error::from(e).to_string())
    }
    match entry.dtype {
        Dtype::F64 => numbers(source, entry, f64::from_le_bytes),
        Dtype::F32 => numbers(source, entry, f32::from_le_bytes),
        Dtype::F16 => numbers(source, entry, |b| half::f16::from_bits(u16::from_le_bytes(b))),
        Dtype::BF16 => numbers(source, entry, |b| half::bf16::from_bits(u16::from_le_bytes(b))),
        Dtype::I64 => numbers(source, entry, i64::from_le_bytes),
        Dtype::I32 => numbers(source, entry, |b| i64::from(i32::from_le_bytes(b))),
        Dtype::I16 => numbers(source, entry, |b| i64::from(i16::from_le_bytes(b))),
        Dtype::I8 => numbers(source, entry, |b| i64::from(i8::from_le_bytes(b))),
        Dtype::U32 => numbers(source, entry, u32::from_le_bytes),
        Dtype::U8 | Dtype::BOOL => numbers(source, entry, |[b]| b),
        other => Err(format!("is of type {other:?}, which no network here has; save it as F32 or F64")),
    }
}

/// The bytes that tensors take in a file, its header estimated.
pub(super) fn size<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>) -> u64 {
    const ENTRY: usize = 80;
    let size = |(name, tensor): (&str, &Tensor)| {
        tensor.elem_count() * DType::size_in_bytes(&tensor.dtype()) + name.len() + ENTRY
    };
    tensors.into_iter().map(size).sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Local;
    use std::fs;

    #[test]
    fn what_is_saved_is_loaded_and_equal_input_gives_equal_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let w = Tensor::new(&[[1f32, 2.0], [3.0, 4.0]], &Device::Cpu).unwrap();
        let n = Tensor::new(7i64, &Device::Cpu).unwrap();
        let write = || {
            save(&Local, &path, [("layer10.w", w.clone()), ("layer2.w", w.clone()), ("n", n.clone())])
                .unwrap();
            fs::read(&path).unwrap()
        };
        assert_eq!(write(), write());
        let back = load(&path).unwrap();
        assert_eq!(back["layer2.w"].to_vec2::<f32>().unwrap(), w.to_vec2::<f32>().unwrap());
        assert_eq!(back["n"].to_scalar::<i64>().unwrap(), 7);
        let Contents { tensors: infos, metadata } = inspect(&path).unwrap();
        assert_eq!(infos.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["layer2.w", "layer10.w", "n"]);
        assert_eq!(metadata["format"], "pt");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_read_is_what_candle_reads() {
        let mut tensors = BTreeMap::new();
        for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16, DType::I64, DType::U32, DType::U8] {
            let xs = Tensor::new(&[[1f64, 2.5, 0.0], [3.0, 4.0, 200.0]], &Device::Cpu).unwrap();
            tensors.insert(dtype.as_str(), xs.to_dtype(dtype).unwrap());
        }
        tensors.insert("empty", Tensor::zeros((0, 3), DType::F32, &Device::Cpu).unwrap());
        // More than a piece.
        tensors.insert("long", Tensor::arange(0f32, 40_000.0, &Device::Cpu).unwrap());
        let bytes = safetensors::serialize(&tensors, None).unwrap();
        let ours = read(bytes.as_slice(), bytes.len() as u64).unwrap();
        let theirs = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (name, tensor) in &ours {
            assert_eq!((tensor.dims(), tensor.dtype()), (theirs[name].dims(), theirs[name].dtype()));
            let flat =
                |t: &Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(flat(tensor), flat(&theirs[name]), "{name}");
        }
    }

    #[test]
    fn files_of_other_kinds_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in
            [("a.safetensors", &b"PK\x03\x04rest of a zip"[..]), ("b.pt", b"x"), ("c.safetensors", b"short")]
        {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            assert!(load(&path).is_err());
            assert!(inspect(&path).is_err());
        }
    }

    /// Under any name, by what is in them.
    #[test]
    fn files_of_other_tools_are_named_with_the_way_to_safetensors() {
        let folder = tempfile::tempdir().unwrap();
        let zip = |name: &str| {
            let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.finish().unwrap().into_inner()
        };
        for (bytes, what) in [
            (zip("layer1.weight.npy"), "an archive of NumPy arrays (.npz)"),
            (zip("archive/data.pkl"), "torch.load(path, weights_only=True)"),
            (b"\x93NUMPY\x01\x00v\x00{'descr'".to_vec(), "a NumPy array (.npy)"),
            (b"\x80\x02}q\x00(X\x01\x00\x00\x00w".to_vec(), "a pickle"),
        ] {
            let path = folder.path().join("w.safetensors");
            fs::write(&path, bytes).unwrap();
            for error in [load(&path).unwrap_err().to_string(), inspect(&path).unwrap_err().to_string()] {
                assert!(error.contains(what) && error.contains("save_file"), "{error}");
            }
        }
        for (name, what) in [("w.npz", "(.npz)"), ("w.NPY", "(.npy)"), ("w.pt", "a pickle")] {
            fs::write(folder.path().join(name), b"x").unwrap();
            assert!(load(&folder.path().join(name)).unwrap_err().to_string().contains(what));
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_named() {
        let bad = Tensor::new(&[1f32, f32::NAN], &Device::Cpu).unwrap();
        let tensors = [("good".to_owned(), bad.zeros_like().unwrap()), ("bad".to_owned(), bad)];
        let error = require_finite(Path::new("w"), tensors.iter().map(|(n, t)| (n, t))).unwrap_err();
        assert!(error.to_string().contains("in `bad`;"), "{error}");
    }
}
