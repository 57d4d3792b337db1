//! NumPy's files, written here as NumPy writes them.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use zip::write::SimpleFileOptions;

use crate::common::{descent, fail, succeed};

/// One array of an .npz file.
pub(crate) struct Array {
    name: &'static str,
    kind: &'static str,
    shape: String,
    bytes: Vec<u8>,
}

impl Array {
    pub(crate) fn f32(name: &'static str, shape: &[usize], values: impl IntoIterator<Item = f32>) -> Self {
        Self::new(name, "<f4", shape, values.into_iter().flat_map(f32::to_le_bytes).collect())
    }

    pub(crate) fn i64(name: &'static str, shape: &[usize], values: impl IntoIterator<Item = i64>) -> Self {
        Self::new(name, "<i8", shape, values.into_iter().flat_map(i64::to_le_bytes).collect())
    }

    pub(crate) fn new(name: &'static str, kind: &'static str, shape: &[usize], bytes: Vec<u8>) -> Self {
        let dimensions: Vec<String> = shape.iter().map(|d| format!("{d},")).collect();
        Self { name, kind, shape: format!("({})", dimensions.join(" ")), bytes }
    }
}

pub(crate) fn write(path: &Path, compress: bool, arrays: &[Array]) {
    let method = if compress { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    let mut file = zip::ZipWriter::new(File::create(path).unwrap());
    for Array { name, kind, shape, bytes } in arrays {
        file.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(method))
            .unwrap();
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
        file.write_all(b"\x93NUMPY\x01\x00").unwrap();
        file.write_all(&u16::try_from(header.len()).unwrap().to_le_bytes()).unwrap();
        file.write_all(header.as_bytes()).unwrap();
        file.write_all(bytes).unwrap();
    }
    file.finish().unwrap();
}

pub(super) const CONFIG: &str = "[data]\nname = 'npz'\npath = 'data.npz'\n[model]\nname = 'mlp'\nhidden = [8]\n\
                          [loss]\nname = 'LOSS'\n[optimizer]\nname = 'adam'\nlr = 0.02\n[train]\nbatch_size = 8\nepochs = 60\n";

fn final_metric(stdout: &str, name: &str) -> f64 {
    let line =
        stdout.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {stdout}"));
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// `rows` points of the square [-1, 1]².
fn points(rows: usize) -> Vec<[f32; 2]> {
    // A spiral of irrational steps fills the square evenly.
    let at = |i: usize, step: f32| (u16::try_from(i).map_or(0.0, f32::from) * step).fract() * 2.0 - 1.0;
    (0..rows).map(|i| [at(i, 0.754_877_7), at(i, 0.569_840_3)]).collect()
}

#[test]
fn classes_and_values_are_learnt_from_plain_and_compressed_files() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    let points = points(200);
    let x = |name| Array::f32(name, &[200, 2], points.concat());
    let class = |p: &[f32; 2]| i64::from(p[0] > 0.0) + 2 * i64::from(p[1] > 0.0);
    std::fs::write(folder.path().join("classes.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    std::fs::write(folder.path().join("values.toml"), CONFIG.replace("LOSS", "mse")).unwrap();
    for compress in [false, true] {
        let y = |name| Array::i64(name, &[200], points.iter().map(class));
        write(&data, compress, &[x("x_train"), y("y_train"), x("x_test"), y("y_test")]);
        let out = format!("classes-{compress}");
        let stdout = succeed(folder.path(), &["train", "classes.toml", "-q", "--out", &out]);
        assert!(final_metric(&stdout, "test_accuracy") > 0.95, "{stdout}");
    }
    let y = |name| Array::f32(name, &[200], points.iter().map(|[a, b]| a - 0.5 * b));
    write(&data, true, &[x("x_train"), y("y_train"), x("x_test"), y("y_test")]);
    let stdout = succeed(folder.path(), &["train", "values.toml", "-q", "--out", "values"]);
    assert!(final_metric(&stdout, "test_r2") > 0.95, "{stdout}");
}

#[test]
fn validation_rows_of_the_file_are_used_and_what_is_not_read_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    let points = points(200);
    let x = |name, rows: usize| Array::f32(name, &[rows, 2], points[..rows].concat());
    let y =
        |name, rows: usize| Array::i64(name, &[rows], points[..rows].iter().map(|p| i64::from(p[0] > 0.0)));
    let own = [x("x_train", 200), y("y_train", 200), x("x_val", 50), y("y_val", 50)];
    let all: Vec<Array> = own.into_iter().chain([x("x_valid", 9), y("notes", 3)]).collect();
    write(&data, false, &all);
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    let output = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let unread = "nothing reads `x_valid`, `notes`; rows are `x_train` and `y_train`";
    assert_eq!(said.matches(unread).count(), 1, "{said}");
    let log = std::fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    assert!(log.contains("\"val_accuracy\""), "{log}");
    // One of both is to be chosen.
    let error = fail(folder.path(), &["train", "c.toml", "--set", "data.validation=0.1"], 2);
    assert!(error.contains("`data.validation`") && error.contains("x_val"), "{error}");
    write(&data, false, &[x("x_train", 200), y("y_train", 200), x("x_val", 50)]);
    assert!(fail(folder.path(), &["train", "c.toml"], 1).contains("there is `x_val` but no `y_val`"));
    let wide = Array::f32("x_val", &[50, 3], vec![0.5; 150]);
    write(&data, false, &[x("x_train", 200), y("y_train", 200), wide, y("y_val", 50)]);
    let error = fail(folder.path(), &["train", "c.toml"], 1);
    assert!(error.contains("a validation row [3]"), "{error}");
}

#[test]
fn the_memory_that_arrays_may_take_is_no_part_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    let points = points(200);
    let x = Array::f32("x_train", &[200, 2], points.concat());
    let y = Array::i64("y_train", &[200], points.iter().map(|p| i64::from(p[0] > 0.0)));
    write(&data, false, &[x, y]);
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let more = ["train", "--resume", "run", "-q", "--set", "train.epochs=300"];
    succeed(folder.path(), &[&more[..], &["--set", "data.memory=64"]].concat());
}

#[test]
fn sequences_are_read_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let x = (0..6u8 * 4 * 3).map(|i| f32::from(i % 7) / 7.0);
    write(
        &folder.path().join("data.npz"),
        true,
        &[Array::f32("x_train", &[6, 4, 3], x), Array::f32("y_train", &[6, 2], (0..12u8).map(f32::from))],
    );
    let config = CONFIG.replace("LOSS", "mse").replace("'mlp'\nhidden = [8]", "'rnn'\nhidden_size = 3");
    std::fs::write(folder.path().join("c.toml"), config).unwrap();
    let plan = succeed(folder.path(), &["train", "c.toml", "--dry-run"]);
    assert!(plan.contains("rnn.weight_ih_l0  [3, 3]") && plan.contains("fc.weight         [2, 3]"), "{plan}");
    // Without a test split there is nothing to test on, and that is no error.
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(fail(folder.path(), &["eval", "run"], 2).contains("no test split"));
}

// layering: long because it is a table of cases.
#[test]
fn bad_arrays_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    let x = |rows: usize| Array::f32("x_train", &[rows, 2], vec![0.5; rows * 2]);
    let y = |values: &[i64]| Array::i64("y_train", &[values.len()], values.iter().copied());
    let cases = [
        (vec![y(&[0, 1])], "no array `x_train`"),
        (vec![x(2)], "no `y_train`"),
        (vec![x(3), y(&[0, 1])], "do not fit"),
        (vec![x(2), y(&[0, -3])], "class -3 in row 1 (counted from 0)"),
        (vec![x(2), Array::f32("y_train", &[2], [0.0, 0.5])], "0.5 in row 1 (counted from 0)"),
        (
            vec![Array::f32("x_train", &[2, 2], [0.0, 1.0, f32::NAN, 1.0]), y(&[0, 1])],
            "NaN in row 1 (counted from 0)",
        ),
        (
            vec![x(2), y(&[0, 1]), Array::f32("x_test", &[1, 3], [0.0; 3]), Array::i64("y_test", &[1], [0])],
            "a test row [3]",
        ),
        (vec![x(2), y(&[0, 1]), Array::new("x_test", "<f4", &[9, 9], vec![0; 8])], "x_test"),
    ];
    for (arrays, word) in cases {
        write(&data, true, &arrays);
        let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 1);
        assert!(error.contains(word) && error.contains("data.npz"), "{word}: {error}");
    }
    let cases = [
        (vec![Array::f32("x_train", &[2, 0], []), y(&[0, 1])], "nothing to learn"),
        (
            vec![
                x(2),
                y(&[0, 1]),
                Array::new("x_test", "|u1", &[1, 2], vec![0; 2]),
                Array::i64("y_test", &[1], [0]),
            ],
            "of bytes",
        ),
        (vec![Array::new("x_train", "|u1", &[usize::MAX], vec![0; 9]), y(&[0, 1])], "x_train"),
        (vec![Array::new("x_train", "<u8", &[1, 1], vec![0xff; 8]), y(&[0])], "too large"),
    ];
    for (arrays, word) in cases {
        write(&data, true, &arrays);
        let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 1);
        assert!(error.contains(word), "{word}: {error}");
    }
    write(&data, true, &[x(2), y(&[0, 1])]);
    for classes in ["10000000000000", "9000000000000000000"] {
        let set = format!("data.classes={classes}");
        assert!(fail(folder.path(), &["train", "c.toml", "--set", &set], 2).contains("data.classes"));
    }
    std::fs::write(&data, b"not a zip").unwrap();
    assert!(fail(folder.path(), &["train", "c.toml"], 1).contains("not an .npz file"));
    std::fs::remove_file(&data).unwrap();
    assert!(fail(folder.path(), &["train", "c.toml"], 1).contains("data.npz"));
    assert!(!folder.path().join("run").exists() && !folder.path().join("runs").exists());
}

#[test]
fn booleans_are_numbers_and_constant_columns_have_no_spread() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    let config =
        CONFIG.replace("LOSS", "cross_entropy").replace("'data.npz'", "'data.npz'\nnormalize = 'standard'");
    std::fs::write(folder.path().join("c.toml"), config).unwrap();
    let y = |name| Array::i64(name, &[40], (0..40).map(|i| i % 2));
    let bits: Vec<u8> = (0..40).flat_map(|i| [i % 2, 1]).collect();
    let bools = |name| Array::new(name, "|b1", &[40, 2], bits.clone());
    let floats = |name| Array::f32(name, &[40, 2], bits.iter().map(|b| f32::from(*b)));
    let run = |out: &str, arrays: &[Array]| {
        write(&data, true, arrays);
        final_metric(&succeed(folder.path(), &["train", "c.toml", "-q", "--out", out]), "test_loss")
    };
    let of_bools = run("a", &[bools("x_train"), y("y_train"), bools("x_test"), y("y_test")]);
    let of_floats = run("b", &[floats("x_train"), y("y_train"), floats("x_test"), y("y_test")]);
    assert!((of_bools - of_floats).abs() < 1e-9);
    // A column that is always 0.1 has a standard deviation of rounding alone.
    let tenth =
        |name, other: f32| Array::f32(name, &[40, 2], (0..40u8).flat_map(move |i| [f32::from(i % 2), other]));
    let loss = run("c", &[tenth("x_train", 0.1), y("y_train"), tenth("x_test", 0.1001), y("y_test")]);
    assert!(loss < 1.0, "{loss}");
}

#[test]
fn small_integers_are_numbers_and_stay_small() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    let y = |name| Array::i64(name, &[40], (0..40).map(|i| i % 2));
    let values: Vec<i8> = (0..40i8).flat_map(|i| [if i % 2 == 0 { -100 } else { 90 }, i]).collect();
    let small = |name| Array::new(name, "|i1", &[40, 2], values.iter().map(|x| x.cast_unsigned()).collect());
    let wide = |name| Array::f32(name, &[40, 2], values.iter().map(|x| f32::from(*x)));
    let weights = |out: &str, normalize: &str, x: &dyn Fn(&'static str) -> Array| {
        write(&data, true, &[x("x_train"), y("y_train"), x("x_test"), y("y_test")]);
        let set = format!("data.normalize='{normalize}'");
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", out, "--set", &set]);
        std::fs::read(folder.path().join(out).join("model.safetensors")).unwrap()
    };
    for normalize in ["none", "standard"] {
        let (a, b) = (format!("small-{normalize}"), format!("wide-{normalize}"));
        assert!(weights(&a, normalize, &small) == weights(&b, normalize, &wide), "{normalize}");
    }
    // Rows of the other type are the same rows, for a test split and to predict.
    write(&data, true, &[small("x_train"), y("y_train"), wide("x_test"), y("y_test")]);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "mixed"]);
    let predict = |x: Array| {
        write(&folder.path().join("x.npz"), true, &[x]);
        succeed(folder.path(), &["predict", "small-none", "--input", "x.npz"])
    };
    assert_eq!(predict(small("x")), predict(wide("x")));
}

#[test]
fn what_is_packed_is_checked_against_the_memory_before_it_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    // Eight million bytes of zeros take some kilobytes.
    let rows = 1 << 20;
    let x = Array::new("x_train", "|i1", &[rows, 8], vec![0; rows * 8]);
    write(&data, true, &[x, Array::i64("y_train", &[2], [0, 1])]);
    let train = |memory: &str| fail(folder.path(), &["train", "c.toml", "--set", memory], 1);
    let error = train("data.memory=7");
    assert!(error.contains("data.npz: array `x_train`: it takes 8.0 MiB"), "{error}");
    assert!(error.contains("`data.memory` allows 7.0 MiB"), "{error}");
    assert!(train("data.memory=9").contains("do not fit"), "the labels are too few");
}

#[test]
fn of_many_arrays_five_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let arrays: Vec<Array> = names.into_iter().map(|name| Array::i64(name, &[1], [0])).collect();
    write(&folder.path().join("data.npz"), true, &arrays);
    let error = fail(folder.path(), &["train", "c.toml"], 1);
    assert!(error.contains("and 2 more") && error.matches('`').count() == 2 + 2 * 5, "{error}");
}
