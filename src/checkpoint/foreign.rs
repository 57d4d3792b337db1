//! Weights in the formats of other tools, which are not read: what they are, and how they become safetensors.

use std::path::Path;

const PICKLE: &str = "a pickle can run code, so it is not read; convert it in Python: \
                      safetensors.torch.save_file(torch.load(path, weights_only=True), \"weights.safetensors\")";

const ARRAYS: &str = "an archive of NumPy arrays (.npz), and weights are read from safetensors; convert it in Python: \
                      safetensors.numpy.save_file(dict(numpy.load(path)), \"weights.safetensors\")";

const ARRAY: &str = "a NumPy array (.npy), which has no name, and weights are read from safetensors by their names; convert it \
                     in Python: safetensors.numpy.save_file({\"layer1.weight\": numpy.load(path)}, \"weights.safetensors\")";

const NUMPY: &[u8] = b"\x93NUMPY";
const ZIP: &[u8] = b"PK\x03\x04";

/// Bytes to read after the first nine to tell the formats apart.
pub(super) const MORE: u64 = 300;

/// The problem with a file in one of these formats, by the ending of its name.
pub(super) fn by_ending(path: &Path) -> Option<&'static str> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "pt" | "pth" | "bin" | "pkl" | "ckpt" => Some(PICKLE),
        "npz" => Some(ARRAYS),
        "npy" => Some(ARRAY),
        _ => None,
    }
}

/// Whether a file that begins so is in one of these formats.
pub(super) fn is_known(start: &[u8]) -> bool {
    start.starts_with(NUMPY) || start.starts_with(ZIP) || start.starts_with(&[0x80, 2])
}

/// The problem with a file in one of them that begins so.
pub(super) fn by_start(start: &[u8]) -> &'static str {
    if start.starts_with(NUMPY) {
        return ARRAY;
    }
    // The name of the first file of an archive: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7.
    let length = start.get(26..28).map_or(0, |bytes| usize::from(bytes[0]) + 256 * usize::from(bytes[1]));
    let name = start.get(30..30 + length).unwrap_or_default();
    if start.starts_with(ZIP) && name.ends_with(b".npy") { ARRAYS } else { PICKLE }
}
