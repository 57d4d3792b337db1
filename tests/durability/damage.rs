//! Damaged files: refused where a sum tells, and nowhere a panic.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use descent::checkpoint;
use descent::config::Config;
use descent::data::{idx, npz};
use rand::{Rng, SeedableRng};

use super::{newest, small_run};
use crate::common::configs;

/// Every flipped bit of `header`, `random` bits of what follows, truncations, and bytes behind the end.
fn damaged(bytes: &[u8], header: usize, random: usize) -> Vec<Vec<u8>> {
    let mut rng = rand::rngs::StdRng::seed_from_u64(4);
    let flip = |bit: usize| {
        let mut copy = bytes.to_vec();
        copy[bit / 8] ^= 1 << (bit % 8);
        copy
    };
    let header = header.min(bytes.len());
    let mut all: Vec<Vec<u8>> = (0..8 * header).map(flip).collect();
    if header < bytes.len() {
        all.extend((0..random).map(|_| flip(rng.random_range(8 * header..8 * bytes.len()))));
    }
    let step = (bytes.len() / 2000).max(1);
    all.extend((0..bytes.len()).step_by(step).map(|length| bytes[..length].to_vec()));
    all.push([bytes, &[0; 64]].concat());
    all
}

/// A run with one checkpoint, its parts, and its log.
struct Sample {
    _folder: tempfile::TempDir,
    run: PathBuf,
}

impl Sample {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = small_run(folder.path(), "run");
        let keep = newest(&run);
        for entry in fs::read_dir(run.join("checkpoints")).unwrap() {
            let path = entry.unwrap().path();
            if path != keep {
                fs::remove_dir_all(path).unwrap();
            }
        }
        Self { _folder: folder, run }
    }

    fn loads(&self) -> descent::Result<()> {
        checkpoint::newest(&self.run.join("checkpoints"), &self.run.join("metrics.jsonl")).map(|_| ())
    }

    /// Puts each in the place of `path`; all must be refused. Gives how many there were.
    fn refuses(&self, path: &Path, all: Vec<Vec<u8>>) -> usize {
        let whole = fs::read(path).unwrap();
        let count = all.len();
        for bytes in all {
            assert_ne!(bytes, whole);
            fs::write(path, &bytes).unwrap();
            assert!(self.loads().is_err(), "{}: {} bytes", path.display(), bytes.len());
        }
        fs::write(path, whole).unwrap();
        self.loads().unwrap();
        count
    }
}

fn header_length(bytes: &[u8]) -> usize {
    8 + usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap()
}

#[test]
fn a_checkpoint_with_any_damage_is_refused() {
    let sample = Sample::new();
    let checkpoint = newest(&sample.run);
    for name in ["model", "optimizer", "best"] {
        let path = checkpoint.join(format!("{name}.safetensors"));
        let bytes = fs::read(&path).unwrap();
        let count = sample.refuses(&path, damaged(&bytes, header_length(&bytes), 2000));
        assert!(count > 5000, "{name}: {count}");
        fs::remove_file(&path).unwrap();
        assert!(sample.loads().is_err());
        fs::write(&path, bytes).unwrap();
    }
    for path in [checkpoint.join("progress.toml"), sample.run.join("metrics.jsonl")] {
        let bytes = fs::read(&path).unwrap();
        let mut all = damaged(&bytes, bytes.len(), 0);
        if path.ends_with("metrics.jsonl") {
            // A log may have grown since, and the run has written its last line since.
            all.pop();
            let mark = checkpoint::newest(&sample.run.join("checkpoints"), &path).unwrap().progress.log.bytes;
            let mark = usize::try_from(mark).unwrap();
            all.retain(|damaged| damaged.len() < mark || damaged[..mark] != bytes[..mark]);
        }
        let count = sample.refuses(&path, all);
        assert!(count > 5000, "{}: {count}", path.display());
    }
}

#[test]
fn weights_without_a_sum_never_panic() {
    let sample = Sample::new();
    let bytes = fs::read(sample.run.join("model.safetensors")).unwrap();
    let header = header_length(&bytes);
    let (mut refused, all) = (0, damaged(&bytes, header, 2000));
    for damaged in &all {
        refused += usize::from(checkpoint::read(damaged.as_slice(), damaged.len() as u64).is_err());
    }
    // Without a sum a flipped bit of a number is another number, and one of a name another name.
    assert!(refused > 2000 && refused < all.len(), "{refused} of {}", all.len());
}

#[test]
fn a_header_cannot_ask_for_memory() {
    let lie = |length: u64, json: &str| [&length.to_le_bytes()[..], json.as_bytes()].concat();
    let long = format!(
        "{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{}1],\"data_offsets\":[0,1]}}}}",
        "1,".repeat(3 << 20)
    );
    let huge = "{\"a\":{\"dtype\":\"F64\",\"shape\":[9999999999],\"data_offsets\":[0,79999999992]}}";
    for bytes in [
        lie(u64::MAX, "{"),
        lie(1 << 40, "{}"),
        lie(huge.len() as u64, huge),
        lie(long.len() as u64, &long),
        lie(2, "[]"),
        lie(0, ""),
    ] {
        assert!(checkpoint::read(bytes.as_slice(), bytes.len() as u64).is_err());
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn damaged_data_never_panics() {
    let mut raw = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 5];
    raw.extend((0..50).map(|i| i * 5));
    let zipped = gzip(&raw);
    for (bytes, header) in [(&raw, 16), (&zipped, zipped.len())] {
        for damaged in damaged(bytes, header, 400) {
            let _ = idx::from_bytes(&damaged, 3);
        }
    }
    // A bomb: a thousand times what it seems to be, and a header that fits none of it.
    let bomb = gzip(&[&raw[..], &vec![0; 50 << 20]].concat());
    let error = idx::from_bytes(&bomb, 3).unwrap_err().to_string();
    assert!(error.contains("more"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let xs = candle_core::Tensor::arange(0f64, 12.0, &candle_core::Device::Cpu).unwrap();
    let arrays = [("x_train", xs.reshape((4, 3)).unwrap()), ("y_train", xs.narrow(0, 0, 4).unwrap())];
    candle_core::Tensor::write_npz(&arrays, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let mut refused = 0;
    let all = damaged(&bytes, bytes.len(), 0);
    for damaged in &all {
        refused += usize::from(
            npz::from_reader(std::io::Cursor::new(damaged), descent::data::Task::Values).is_err(),
        );
    }
    assert!(refused > all.len() / 4, "{refused} of {}", all.len());
}

#[test]
fn damaged_configs_never_panic() {
    for path in configs() {
        let text = fs::read(path).unwrap();
        for damaged in damaged(&text, text.len(), 0) {
            if let Ok(text) = String::from_utf8(damaged) {
                let _ = Config::parse(&text, "damaged.toml", &[]);
            }
        }
    }
}
