//! Real tables, and the same rows in other formats.

use std::fs;
use std::path::Path;

use super::{config, learnt, metric, table, write};
use crate::common::{repository, succeed};

#[test]
fn real_tables_are_learnt() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(repository("tests"), folder.path().join("tests")).unwrap();
    // Far below what scripts/compare-sklearn.py measures, and far above guessing.
    for (name, key, least) in [
        ("iris", "test_accuracy", 0.9),
        ("wine", "test_accuracy", 0.9),
        ("breast-cancer", "test_accuracy", 0.9),
        ("digits", "test_accuracy", 0.93),
        ("diabetes", "test_r2", 0.25),
        ("seattle-weather", "test_r2", 0.8),
        ("seattle-weather-gru", "test_r2", 0.8),
    ] {
        let file = repository("configs").join(format!("{name}.toml"));
        let trained = succeed(folder.path(), &["train", file.to_str().unwrap(), "-q", "--out", name]);
        assert!(metric(&trained, key) > least, "{name}: {trained}");
        let evaluated = succeed(folder.path(), &["eval", name]);
        assert!((metric(&trained, key) - metric(&evaluated, key)).abs() < 1e-3, "{name}");
    }
    // In its own units: the target of diabetes has a standard deviation of 77.
    let diabetes = succeed(folder.path(), &["eval", "diabetes"]);
    assert!((30.0..77.0).contains(&metric(&diabetes, "test_rmse")), "{diabetes}");
    assert!(metric(&diabetes, "test_loss") < 1.0, "{diabetes}");
    // Classes by their own names.
    assert!(succeed(folder.path(), &["eval", "iris"]).contains("versicolor"));
}

/// The weights of a run on this table.
fn weights(folder: &Path, out: &str, source: &str, path: &Path, data: &str) -> Vec<u8> {
    write(folder, "c.toml", config(source, path, "species", data, "cross_entropy"));
    succeed(folder, &["train", "c.toml", "-q", "--out", out]);
    fs::read(folder.join(out).join("model.safetensors")).unwrap()
}

#[test]
fn the_same_rows_in_any_format_give_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let data = "split_column = 'split'\nnormalize = 'standard'";
    let expected = weights(folder.path(), "csv", "csv", &table("iris.csv"), data);
    for name in ["iris", "groups", "dictionary", "plain", "delta", "zstd", "gzip", "lz4"] {
        let path = table(&format!("parquet/{name}.parquet"));
        assert!(weights(folder.path(), name, "parquet", &path, data) == expected, "{name}");
    }
    let text = fs::read_to_string(table("iris.csv")).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let object = |line: &str| {
        let cells = header.iter().zip(line.split(','));
        let cells = cells.map(|(name, cell)| match cell.parse::<f64>() {
            Ok(_) => format!("\"{name}\": {cell}"),
            Err(_) => format!("\"{name}\": \"{cell}\""),
        });
        format!("{{{}}}", cells.collect::<Vec<_>>().join(", "))
    };
    let jsonl = text.lines().skip(1).map(object).collect::<Vec<_>>().join("\n");
    let path = write(folder.path(), "iris.jsonl", jsonl);
    assert!(weights(folder.path(), "jsonl", "jsonl", &path, data) == expected);
    // As Excel writes it: a byte order mark, CRLF, semicolons, quotes; and packed.
    let quoted = |line: &str| line.split(',').map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(";");
    let excel: String = text.lines().map(|line| quoted(line) + "\r\n").collect();
    let path = write(folder.path(), "excel.csv", format!("\u{feff}{excel}"));
    assert!(weights(folder.path(), "excel", "csv", &path, data) == expected);
    let packed = folder.path().join("iris.csv.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap();
    assert!(weights(folder.path(), "packed", "csv", &packed, data) == expected);
}

#[test]
fn the_types_of_parquet_are_those_of_the_same_table_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let encodings = |out: &str, source: &str, name: &str| {
        let data =
            "missing = 'mean'\nnormalize = 'standard'\ncolumns = { uint64 = 'number', int64 = 'number' }";
        write(folder.path(), "c.toml", config(source, &table(name), "class", data, "cross_entropy"));
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", out]);
        learnt(&folder.path().join(out))["how"]["recipe"]["columns"].as_array().unwrap().clone()
    };
    let (ours, text) =
        (encodings("p", "parquet", "parquet/types.parquet"), encodings("t", "csv", "parquet/types.csv"));
    assert_eq!((ours.len(), text.len()), (21, 21));
    for (ours, text) in ours.iter().zip(&text) {
        for key in ["name", "kind", "categories", "missing"] {
            assert_eq!(ours.get(key), text.get(key));
        }
        for key in ["offset", "scale", "fill"] {
            let number = |table: &toml::Value| table.get(key).and_then(toml::Value::as_float);
            if let (Some(a), Some(b)) = (number(ours), number(text)) {
                assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-3), "{ours} {key}: {a} is not {b}");
            }
        }
    }
}

#[test]
fn odd_but_good_tables_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["excel", "tabs", "no-last-newline", "pandas-index", "unicode", "escapes"] {
        let target = if name == "escapes" { "cl\\u009bass\\u0007" } else { "class" };
        let text = config("csv", &table(&format!("good/{name}.csv")), "TARGET", "", "cross_entropy");
        write(folder.path(), "c.toml", text.replace("TARGET", target));
        let output = crate::common::descent(folder.path(), &["train", "c.toml", "--out", name]);
        let messages = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{name}: {messages}");
        let evaluated = succeed(
            folder.path(),
            &[
                "eval",
                name,
                "--set",
                &format!("data.test='{}'", table(&format!("good/{name}.csv")).display()),
            ],
        );
        for text in [&messages, &evaluated] {
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{name}: {text:?}");
        }
        let columns = learnt(&folder.path().join(name))["how"]["recipe"]["columns"].as_array().unwrap().len();
        assert_eq!(columns, if name == "pandas-index" { 3 } else { 2 }, "{name}");
    }
}
