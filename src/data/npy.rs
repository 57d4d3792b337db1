//! NumPy's array format, read without trusting its header:
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::io::Read;

use candle_core::{DType, Device, Tensor};

use crate::error::Error;

/// Reads one array. Bytes stay bytes, other integers and booleans become I64, f16 and f32 become f32, f64 stays.
///
/// # Errors
/// A sentence that says what is wrong with the array.
pub fn read(source: &mut impl Read) -> Result<Tensor, String> {
    let header = header(source)?;
    let kind = text_after(&header, "descr")?.trim_start_matches(['\'', '"']);
    let kind = kind.split(['\'', '"']).next().unwrap_or_default();
    let fortran = text_after(&header, "fortran_order")?.starts_with("True");
    let shape = shape(text_after(&header, "shape")?)?;
    let count =
        shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).ok_or("its shape is larger than memory")?;
    let tensor = elements(source, kind, count)?;
    if !fortran {
        return tensor.reshape(shape).map_err(said);
    }
    // Column-major is the transpose of a row-major array of the reversed shape.
    let reversed: Vec<usize> = shape.iter().rev().copied().collect();
    let axes: Vec<usize> = (0..shape.len()).rev().collect();
    tensor.reshape(reversed).and_then(|t| t.permute(axes)?.contiguous()).map_err(said)
}

/// The dictionary in the header, as text.
fn header(source: &mut impl Read) -> Result<String, String> {
    let short = |_| "it ends inside its header".to_owned();
    let mut start = [0; 8];
    source.read_exact(&mut start).map_err(short)?;
    if start[..6] != *b"\x93NUMPY" {
        return Err("it is not in NumPy's .npy format".to_owned());
    }
    let mut length = [0; 4];
    let width = if start[6] == 1 { 2 } else { 4 };
    source.read_exact(&mut length[..width]).map_err(short)?;
    let length = u32::from_le_bytes(length);
    if length > 1 << 16 {
        return Err(format!("its header claims {length} bytes"));
    }
    let mut header = vec![0; length as usize];
    source.read_exact(&mut header).map_err(short)?;
    String::from_utf8(header).map_err(|_| "its header is not text".to_owned())
}

fn text_after<'a>(header: &'a str, key: &str) -> Result<&'a str, String> {
    let missing = || format!("its header has no `{key}`");
    let at = header.find(&format!("'{key}'")).ok_or_else(missing)?;
    let rest = &header[at + key.len() + 2..];
    Ok(rest.trim_start().strip_prefix(':').ok_or_else(missing)?.trim_start())
}

fn shape(text: &str) -> Result<Vec<usize>, String> {
    let inner =
        text.strip_prefix('(').and_then(|text| text.split(')').next()).ok_or("its shape is not a tuple")?;
    inner
        .split(',')
        .map(str::trim)
        .filter(|d| !d.is_empty())
        .map(|d| d.parse().map_err(|_| format!("its shape has `{}`", d.escape_debug())))
        .collect()
}

fn elements(source: &mut impl Read, kind: &str, count: usize) -> Result<Tensor, String> {
    let tensor = match kind.trim_start_matches(['<', '|', '=']) {
        "u1" => Tensor::from_vec(numbers(source, count, |[b]| b)?, count, &Device::Cpu),
        "b1" => integers(numbers(source, count, |[b]| i64::from(b != 0))?),
        "i1" => integers(numbers(source, count, |b| i64::from(i8::from_le_bytes(b)))?),
        "i2" => integers(numbers(source, count, |b| i64::from(i16::from_le_bytes(b)))?),
        "u2" => integers(numbers(source, count, |b| i64::from(u16::from_le_bytes(b)))?),
        "i4" => integers(numbers(source, count, |b| i64::from(i32::from_le_bytes(b)))?),
        "u4" => integers(numbers(source, count, |b| i64::from(u32::from_le_bytes(b)))?),
        "i8" => integers(numbers(source, count, i64::from_le_bytes)?),
        "u8" => integers(unsigned(&numbers(source, count, u64::from_le_bytes)?)?),
        "f2" => numbers(source, count, u16::from_le_bytes).and_then(|bits| half_floats(&bits)).map(Ok)?,
        "f4" => Tensor::from_vec(numbers(source, count, f32::from_le_bytes)?, count, &Device::Cpu),
        "f8" => Tensor::from_vec(numbers(source, count, f64::from_le_bytes)?, count, &Device::Cpu),
        other => {
            return Err(format!(
                "its elements are `{}`; save numbers in the machine's byte order, as float32, float64 or integers",
                other.escape_debug()
            ));
        }
    };
    tensor.map_err(said)
}

/// Reads `count` little-endian numbers of `N` bytes.
fn numbers<const N: usize, T>(
    source: &mut impl Read,
    count: usize,
    number: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, String> {
    let size = count.checked_mul(N).ok_or("its shape is larger than memory")?;
    let mut bytes = Vec::new();
    // The buffer grows with what is really there, whatever the header claims.
    source
        .take((size as u64).saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| format!("it cannot be read: {e}"))?;
    if bytes.len() != size {
        let found = if bytes.len() > size { "more".to_owned() } else { bytes.len().to_string() };
        return Err(format!("its header says {size} bytes of elements, the file has {found}"));
    }
    Ok(bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect())
}

fn integers(numbers: Vec<i64>) -> candle_core::Result<Tensor> {
    let count = numbers.len();
    Tensor::from_vec(numbers, count, &Device::Cpu)
}

fn unsigned(numbers: &[u64]) -> Result<Vec<i64>, String> {
    let convert = |n: &u64| i64::try_from(*n).map_err(|_| format!("it has {n}, which is too large"));
    numbers.iter().map(convert).collect()
}

/// candle's error without its backtrace.
fn said(error: candle_core::Error) -> String {
    Error::from(error).to_string()
}

fn half_floats(bits: &[u16]) -> Result<Tensor, String> {
    let bytes: Vec<u8> = bits.iter().flat_map(|b| b.to_le_bytes()).collect();
    Tensor::from_raw_buffer(&bytes, DType::F16, &[bits.len()], &Device::Cpu)
        .and_then(|t| t.to_dtype(DType::F32))
        .map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An array as numpy 2 writes it.
    fn array(kind: &str, fortran: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), elements].concat()
    }

    fn floats(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    #[test]
    fn both_orders_and_all_kinds_are_read() {
        let elements = floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let rows = read(&mut &array("<f4", "False", "(2, 3)", &elements)[..]).unwrap();
        assert_eq!(rows.to_vec2::<f32>().unwrap(), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let columns = read(&mut &array("<f4", "True", "(2, 3)", &elements)[..]).unwrap();
        assert_eq!(columns.to_vec2::<f32>().unwrap(), [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]);
        let small = read(&mut &array("|i1", "False", "(2,)", &[255, 1])[..]).unwrap();
        assert_eq!(small.to_vec1::<i64>().unwrap(), [-1, 1]);
        let half = read(&mut &array("<f2", "False", "(1,)", &[0x00, 0x3c])[..]).unwrap();
        assert_eq!(half.to_vec1::<f32>().unwrap(), [1.0]);
        let bytes = read(&mut &array("|u1", "False", "(2,)", &[255, 1])[..]).unwrap();
        assert_eq!(bytes.dtype(), DType::U8);
    }

    #[test]
    fn damaged_arrays_are_refused() {
        let good = array("<f4", "False", "(2,)", &floats(&[1.0, 2.0]));
        for length in 0..good.len() {
            assert!(read(&mut &good[..length]).is_err(), "{length}");
        }
        for bad in [
            array("<f4", "False", "(3,)", &floats(&[1.0, 2.0])),
            array("<f4", "False", "(1,)", &floats(&[1.0, 2.0])),
            array("<f4", "False", "(99999999999, 99999999999)", &[]),
            array("<f4", "False", "(4611686018427387904,)", &[]),
            array("<f4", "False", "(x,)", &[]),
            array(">f4", "False", "(1,)", &floats(&[1.0])),
            array("|O", "False", "(1,)", &[0; 8]),
        ] {
            assert!(read(&mut &bad[..]).is_err());
        }
    }
}
