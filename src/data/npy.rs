//! NumPy's array format, read without trusting its header:
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

mod elements;

use std::io::Read;

use super::memory::MemoryLimit;
pub(super) use elements::NUMBER_ANEW;
pub use elements::{Array, Integers};
use elements::{ElementReader, describe};

/// Reads one array of at most `limit` in memory. Unsigned bytes stay bytes, f16 and f32 become F32, f64 stays.
///
/// # Errors
/// A sentence with the problem of the array.
pub fn read(source: &mut impl Read, integers: Integers, limit: MemoryLimit) -> Result<Array, String> {
    let header = header(source)?;
    let kind = text_after(&header, "descr")?.trim_start_matches(['\'', '"']);
    let kind = kind.split(['\'', '"']).next().unwrap_or_default();
    let fortran = text_after(&header, "fortran_order")?.starts_with("True");
    let shape = shape(text_after(&header, "shape")?)?;
    let count =
        shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).ok_or("its shape is larger than memory")?;
    // Column-major elements are copied into another order.
    let copies = if fortran { 2 } else { 1 };
    let reader = ElementReader { source, count, limit, copies };
    let Array { tensor, bytes } = reader.read(kind, integers)?;
    if !fortran {
        return Ok(Array { tensor: tensor.reshape(shape).map_err(describe)?, bytes });
    }
    // Column-major is the transpose of a row-major array of the reversed shape.
    let reversed: Vec<usize> = shape.iter().rev().copied().collect();
    let axes: Vec<usize> = (0..shape.len()).rev().collect();
    let tensor = tensor.reshape(reversed).and_then(|t| t.permute(axes)?.contiguous()).map_err(describe)?;
    Ok(Array { tensor, bytes })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::bytes::Bytes;

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

    fn features(bytes: &[u8]) -> Result<Array, String> {
        read(&mut &bytes[..], Integers::Features, MemoryLimit::new(Some(1)))
    }

    #[test]
    fn both_orders_and_all_kinds_are_read() {
        let read = |bytes: &[u8]| features(bytes).unwrap().tensor;
        let elements = floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let rows = read(&array("<f4", "False", "(2, 3)", &elements));
        assert_eq!(rows.to_vec2::<f32>().unwrap(), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let columns = read(&array("<f4", "True", "(2, 3)", &elements));
        assert_eq!(columns.to_vec2::<f32>().unwrap(), [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]);
        let half = read(&array("<f2", "False", "(1,)", &[0x00, 0x3c]));
        assert_eq!(half.to_vec1::<f32>().unwrap(), [1.0]);
        let words = read(&array("<u2", "False", "(2,)", &[0xff, 0xff, 1, 0]));
        assert_eq!(words.to_vec1::<f32>().unwrap(), [65535.0, 1.0]);
        let wide = read(&array("<i8", "False", "(1,)", &(-3i64).to_le_bytes()));
        assert_eq!(wide.to_vec1::<f64>().unwrap(), [-3.0]);
    }

    #[test]
    fn small_integers_stay_bytes_as_features_and_are_exact_as_targets() {
        for (kind, elements, bytes, stored, exact) in [
            ("|u1", [255, 1], Bytes::Pixels, [255, 1], None),
            ("|i1", [255, 1], Bytes::Signed, [127, 129], Some([-1, 1])),
            ("|b1", [1, 0], Bytes::Flags, [1, 0], Some([1, 0])),
        ] {
            let file = array(kind, "False", "(2,)", &elements);
            let Array { tensor, bytes: own } = features(&file).unwrap();
            assert_eq!((tensor.to_vec1::<u8>().unwrap(), own), (stored.to_vec(), bytes));
            let targets = read(&mut &file[..], Integers::Exact, MemoryLimit::new(Some(1))).unwrap().tensor;
            match exact {
                Some(exact) => assert_eq!(targets.to_vec1::<i64>().unwrap(), exact),
                None => assert_eq!(targets.to_vec1::<u8>().unwrap(), stored),
            }
        }
    }

    #[test]
    fn the_error_of_text_says_how_classes_are_numbered() {
        for kind in ["<U1", "|S3", "<U12"] {
            let file = array(kind, "False", "(1,)", &[0; 48]);
            let error = read(&mut &file[..], Integers::Exact, MemoryLimit::new(Some(1))).unwrap_err();
            assert!(error.contains("`classes, y = np.unique(y, return_inverse=True)`"), "{error}");
            assert!(error.contains("text") && !error.contains("byte order"), "{error}");
            let error = features(&file).unwrap_err();
            assert!(error.contains("text") && !error.contains("np.unique"), "{error}");
        }
    }

    #[test]
    fn damaged_arrays_are_refused() {
        let good = array("<f4", "False", "(2,)", &floats(&[1.0, 2.0]));
        for length in 0..good.len() {
            assert!(features(&good[..length]).is_err(), "{length}");
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
            assert!(features(&bad).is_err());
        }
    }

    #[test]
    fn what_an_array_claims_is_checked_before_it_is_read() {
        // Two million bytes of one bit each: more than a MiB, and more than that where they would be wider.
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                panic!("{} bytes were asked for", buffer.len())
            }
        }
        for (kind, integers) in
            [("|i1", Integers::Features), ("<f8", Integers::Features), ("|b1", Integers::Exact)]
        {
            let file = array(kind, "False", "(2000000,)", &[]);
            let error =
                read(&mut (&file[..]).chain(Endless), integers, MemoryLimit::new(Some(1))).unwrap_err();
            assert!(error.contains("it takes") && error.contains("`data.memory` allows 1.0 MiB"), "{error}");
        }
        // In another order they are in memory twice.
        let file = array("|u1", "True", "(600000,)", &[]);
        assert!(features(&file).unwrap_err().contains("it takes 1.1 MiB"));
    }
}
