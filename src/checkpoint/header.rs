//! The header of a safetensors file: <https://huggingface.co/docs/safetensors/index>.
//!
//! It is read without trusting it: its length is capped, every name occurs once, and the tensors cover the data exactly,
//! none of them overlapping another.

use std::collections::{BTreeMap, BTreeSet};

use safetensors::Dtype;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The longest header that is read. A name and its shape take about a hundred bytes.
pub(super) const LONGEST: u64 = 4 << 20;

/// The most dimensions that a tensor has.
const MOST_DIMENSIONS: usize = 16;

/// A tensor in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TensorEntry {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// The size of its elements in bytes.
    pub(super) bytes: u64,
}

/// The contents of a header.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// The tensors in the order of the file, without gaps.
    pub(super) entries: Vec<TensorEntry>,
    /// Free text by name.
    pub(super) metadata: BTreeMap<String, String>,
}

impl Header {
    /// Parses the header of a file with `data` bytes after it.
    pub(super) fn parse(json: &[u8], data: u64) -> Result<Self, String> {
        let Raw { tensors, metadata } =
            serde_json::from_slice(json).map_err(|e| format!("its header is damaged: {e}"))?;
        let mut placed = Vec::with_capacity(tensors.len());
        for (name, raw) in tensors {
            let [start, end] = raw.data_offsets;
            let of_tensor = |problem: &str| format!("its tensor `{}` {problem}", name.escape_debug());
            let elements = raw.shape.0.iter().try_fold(1u64, |n, d| n.checked_mul(*d as u64));
            let bits = elements.and_then(|n| n.checked_mul(raw.dtype.bitsize() as u64));
            let bytes = bits.filter(|bits| bits.is_multiple_of(8)).map(|bits| bits / 8);
            let bytes = bytes.ok_or_else(|| of_tensor("is larger than any memory"))?;
            if start.checked_add(bytes) != Some(end) {
                return Err(of_tensor(&format!("takes {bytes} bytes, but lies from {start} to {end}")));
            }
            placed.push((start, TensorEntry { name, dtype: raw.dtype, shape: raw.shape.0, bytes }));
        }
        placed.sort_by(|(a, one), (b, other)| (a, one.bytes).cmp(&(b, other.bytes)));
        let mut end = 0;
        for (start, entry) in &placed {
            if *start != end {
                let name = entry.name.escape_debug();
                return Err(format!("its tensor `{name}` starts at byte {start}, where {end} is next"));
            }
            end += entry.bytes;
        }
        if end != data {
            return Err(format!(
                "its header says {end} bytes of data, and it has {data}: it is truncated or damaged"
            ));
        }
        Ok(Self { entries: placed.into_iter().map(|(_, entry)| entry).collect(), metadata })
    }
}

#[derive(Default)]
struct Raw {
    tensors: Vec<(String, RawEntry)>,
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    dtype: Dtype,
    shape: TensorShape,
    data_offsets: [u64; 2],
}

struct TensorShape(Vec<usize>);

impl<'de> Deserialize<'de> for TensorShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Dimensions;
        impl<'de> Visitor<'de> for Dimensions {
            type Value = TensorShape;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "at most {MOST_DIMENSIONS} sizes")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<TensorShape, A::Error> {
                let mut sizes = Vec::new();
                while let Some(size) = seq.next_element()? {
                    if sizes.len() == MOST_DIMENSIONS {
                        return Err(A::Error::invalid_length(sizes.len() + 1, &self));
                    }
                    sizes.push(size);
                }
                Ok(TensorShape(sizes))
            }
        }
        deserializer.deserialize_seq(Dimensions)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Raw;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                let mut raw = Raw::default();
                let mut seen = BTreeSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !seen.insert(name.clone()) {
                        return Err(A::Error::custom(format!("`{}` occurs twice", name.escape_debug())));
                    }
                    if name == "__metadata__" {
                        raw.metadata = map.next_value()?;
                    } else {
                        raw.tensors.push((name, map.next_value()?));
                    }
                }
                Ok(raw)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str, data: u64) -> String {
        Header::parse(json.as_bytes(), data).unwrap_err()
    }

    #[test]
    fn a_header_is_read_in_the_order_of_the_data() {
        let json = r#"{"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"__metadata__":{"format":"pt"},
                       "a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#;
        let header = Header::parse(json.as_bytes(), 16).unwrap();
        assert_eq!(header.entries.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(header.entries[1].shape, [2]);
        assert_eq!(header.metadata["format"], "pt");
    }

    #[test]
    fn a_header_that_lies_is_refused() {
        let tensor = |name: &str, shape: &str, from: u64, to: u64| {
            format!(r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}"#)
        };
        let whole = |tensors: &[String]| format!("{{{}}}", tensors.join(","));
        let cases = [
            (whole(&[tensor("a", "[2]", 0, 4)]), 4, "takes 8 bytes"),
            (whole(&[tensor("a", "[2]", 0, 8)]), 12, "truncated or damaged"),
            (whole(&[tensor("a", "[2]", 4, 12)]), 12, "starts at byte 4"),
            (whole(&[tensor("a", "[2]", 0, 8), tensor("b", "[2]", 4, 12)]), 12, "starts at byte 4"),
            (whole(&[tensor("a", "[1]", 0, 4), tensor("a", "[1]", 4, 8)]), 8, "occurs twice"),
            (whole(&[tensor("a", "[4294967296,4294967296]", 0, 0)]), 0, "larger than any memory"),
            (whole(&[tensor("a", &format!("[{}1]", "1,".repeat(40)), 0, 4)]), 4, "at most 16"),
            ("{".to_owned(), 0, "damaged"),
        ];
        for (json, data, word) in cases {
            let message = problem(&json, data);
            assert!(message.contains(word), "{message}");
        }
    }
}
