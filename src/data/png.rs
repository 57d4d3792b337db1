//! The end of a PNG file: <https://www.w3.org/TR/png-3/>.

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The last chunk; it has no part of the picture.
const END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";
/// The bytes of a chunk besides its data: length, type and checksum.
const AROUND: usize = 12;

/// Ends a PNG file that lacks the last chunk, or a part of it, and nothing else.
pub(super) fn end(bytes: &mut Vec<u8>) {
    if !bytes.starts_with(SIGNATURE) {
        return;
    }
    let (mut at, mut has_pixels) = (SIGNATURE.len(), false);
    while let Some([a, b, c, d, kind @ ..]) = bytes.get(at..at + 8) {
        let next = u32::from_be_bytes([*a, *b, *c, *d]) as usize + AROUND + at;
        if kind == b"IEND" || next > bytes.len() {
            break;
        }
        has_pixels |= kind == b"IDAT";
        at = next;
    }
    if has_pixels && END.starts_with(&bytes[at..]) {
        bytes.truncate(at);
        bytes.extend_from_slice(&END);
    }
}
