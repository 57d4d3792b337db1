//! The bytes of NumPy's array format that precede the elements:
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

/// The start of a row-major array of this shape, whose elements have the type that NumPy calls `kind`, such as `<f4`.
pub(crate) fn npy_start(kind: &str, shape: &[usize]) -> Vec<u8> {
    let dims: Vec<String> = shape.iter().map(|size| format!("{size},")).collect();
    let dims = dims.join(" ");
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({dims}), }}");
    // In all they are a multiple of 64 bytes.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.extend(std::iter::repeat_n(' ', length - 1 - header.len()));
    header.push('\n');
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes()].concat()
}
