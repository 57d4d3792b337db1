//! Gzipped files of several members, as pigz, bgzip and `cat a.gz b.gz` make them.

use std::io::Write;

use super::{cells, config, lines, write};
use crate::common::{descent, succeed};

fn member(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn all_members_of_a_table_count() {
    let folder = tempfile::tempdir().unwrap();
    let csv = lines("x,y", 90, |i| format!("{},{}", i % 7, i % 3));
    let json: Vec<String> = (0..90).map(|i| format!("{{\"x\": {}, \"y\": {}}}\n", i % 7, i % 3)).collect();
    for (source, name, text) in [("csv", "t.csv.gz", csv), ("jsonl", "t.jsonl.gz", json.concat())] {
        // The cut is within a line; an empty member and padding follow.
        let (first, second) = text.as_bytes().split_at(text.len() / 2 + 1);
        let file = [member(first), member(second), member(b""), vec![0; 512]].concat();
        let path = write(folder.path(), name, file);
        write(folder.path(), "c.toml", config(source, &path, "y", "", "cross_entropy"));
        let output = descent(folder.path(), &["train", "c.toml", "--out", source]);
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(messages.contains("rows: 90 to train on"), "{messages}");
        assert_eq!(cells(&succeed(folder.path(), &["predict", source, "--input", name])).len(), 91);
    }
}
