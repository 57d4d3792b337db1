//! Tables that are kept as columns are those that are read row by row, to the bit.

mod parquet_files;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use candle_core::DType;
use rand::Rng;

use super::*;
use crate::data::{EncodedRows, Preparation};
use crate::rng::{Purpose, Stream};

fn classes() -> Task {
    Task::Classes { ignored: -100, probabilities: false }
}

/// The options of a table in these lines of TOML.
fn options(path: &Path, target: &str, more: &str) -> Options {
    let path = path.display();
    toml::from_str(&format!("path = '{path}'\ntarget = {target:?}\ntest = 0.2\n{more}")).unwrap()
}

/// The bits of all rows of a part.
fn bits(rows: Option<&EncodedRows>) -> Vec<u64> {
    let numbers = |tensor: &candle_core::Tensor| -> Vec<u64> {
        let flat = tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap();
        flat.to_vec1::<f64>().unwrap().into_iter().map(f64::to_bits).collect()
    };
    match rows {
        None => Vec::new(),
        Some(EncodedRows::Memory(rows)) => [numbers(&rows.xs), numbers(&rows.ys)].concat(),
        Some(EncodedRows::File(rows)) => {
            let all: Vec<u32> = (0..u32::try_from(rows.len()).unwrap()).collect();
            [numbers(&rows.features(&all).unwrap()), numbers(&rows.targets(&all).unwrap())].concat()
        }
        Some(EncodedRows::Windows(_)) => panic!("a table has no windows"),
    }
}

/// Loads a table kept and row by row; true where it loads, and an error where only one of them does or they differ.
fn same(options: &Options, format: Format, task: Task) -> bool {
    let plan: Preparation = toml::from_str("validation = 0.25").unwrap();
    let request = Request { seed: 1, ..Request::new(task, &plan) };
    let input = || Input::File(options.path.clone());
    let rows = Opened::new(input(), format, options.dialect(task), None);
    let rows = rows.and_then(|table| load_from(&table, options, &request));
    let kept = Opened::kept(&input(), format, options, &request);
    let kept = kept.and_then(|table| load_from(&table.expect("it has room"), options, &request));
    match (rows, kept) {
        (Ok(Loaded::Encoded(rows)), Ok(Loaded::Encoded(kept))) => {
            assert_eq!(rows.source, kept.source);
            for (rows, kept) in [
                (Some(&rows.train), Some(&kept.train)),
                (rows.validation.as_ref(), kept.validation.as_ref()),
                (rows.test.as_ref(), kept.test.as_ref()),
            ] {
                assert!(bits(rows) == bits(kept), "other bits of {}", options.path.display());
            }
            true
        }
        (Err(error), Err(_)) => {
            println!("{error}");
            false
        }
        (rows, kept) => panic!("{}: {:?} and {:?}", options.path.display(), rows.err(), kept.err()),
    }
}

#[test]
fn the_tables_of_the_tests_are_the_same_kept() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let mut loaded = 0;
    for (name, target, task, more) in [
        ("iris.csv", "species", classes(), ""),
        ("wine.csv", "cultivar", classes(), "missing = 'median'"),
        ("digits.csv", "digit", classes(), ""),
        ("breast-cancer.csv", "diagnosis", Task::Labels, ""),
        ("diabetes.csv", "progression", Task::Values, "memory = 0"),
        ("seattle-weather.csv", "wind", Task::Values, "columns = { date = 'ignore' }"),
        ("seattle-weather.csv", "temp_max", Task::Values, "columns = { wind = 'embedding' }"),
        ("good/excel.csv", "class", classes(), ""),
        ("good/tabs.csv", "class", classes(), ""),
        ("good/no-last-newline.csv", "class", classes(), ""),
        ("good/pandas-index.csv", "class", Task::Labels, ""),
        ("good/escapes.csv", "class", classes(), ""),
        ("bad/missing-cells.csv", "class", classes(), "missing = 'category'"),
        ("bad/text-in-numbers.csv", "class", classes(), ""),
        ("bad/text-in-numbers.csv", "class", classes(), "na_values = 'n.d.'\nmissing = 'mean'"),
        ("bad/text-in-numbers.csv", "class", classes(), "columns = { x = 'category' }"),
        ("bad/infinite.csv", "class", classes(), ""),
        ("parquet/iris.parquet", "species", classes(), ""),
        ("parquet/groups.parquet", "petal_length_cm", Task::Values, ""),
        ("parquet/types.parquet", "class", classes(), "missing = 'category'"),
        ("parquet/types.parquet", "class", classes(), "missing = 'mean'\nna_values = ['1', 'x']"),
    ] {
        let path = folder.join(name);
        let format = Format::of(&path).unwrap();
        loaded += usize::from(same(&options(&path, target, more), format, task));
    }
    assert!(loaded >= 13, "{loaded}");
}

#[test]
fn rows_without_a_target_are_left_out_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "x,name,y\n".to_owned();
    // More rows than a batch that is read row by row has, none of a whole batch with a target.
    for row in 0..4000 {
        let target = if row % 3 == 0 || (1000..2500).contains(&row) { "NA" } else { ["1", "2"][row % 2] };
        writeln!(text, "{},{},{target}", row * 7 % 13, ["a", "b", "c", "d", "e"][row % 5]).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let drop = "drop_missing_target = true";
    for (task, more) in [
        (classes(), drop.to_owned()),
        (Task::Values, drop.to_owned()),
        (Task::Labels, format!("{drop}\nna_values = {{ y = 1 }}\nkeep_na = true")),
        (Task::Values, format!("{drop}\ngroup = 'name'")),
    ] {
        assert!(same(&options(&path, "y", &more), Format::Csv, task), "{more}");
    }
    assert!(!same(&options(&path, "y", ""), Format::Csv, Task::Values));
    // No row of the first block has the key.
    let jsonl = folder.path().join("t.jsonl");
    let row = |row: usize| {
        let target = if row < 9000 { String::new() } else { format!(", \"y\": {}", row % 11) };
        format!("{{\"x\": {}, \"name\": \"{}\"{target}}}\n", row * 7 % 13, ["a", "b"][row % 2])
    };
    std::fs::write(&jsonl, (0..12_000).map(row).collect::<String>()).unwrap();
    assert!(same(&options(&jsonl, "y", drop), Format::Jsonl, Task::Values));
    assert!(!same(&options(&path, "y", &format!("{drop}\nna_values = [1, 2]")), Format::Csv, Task::Values));
}

/// A cell of one of the kinds of columns, at this place from 0 to 1 of the table.
fn cell(kind: usize, place: f64, random: &mut Stream) -> String {
    let number = random.random_range(-1000.0..1000.0f64);
    let whole = random.random_range(0..7);
    if random.random_range(0..50) == 0 {
        return ["", "NA", "  ", "nan", "null"][whole % 5].to_owned();
    }
    match kind {
        0 => number.to_string(),
        1 => format!("{number:.3e}"),
        3 => ["007", "x", "7.0", "y", " 7 ", "z", "-w"][whole].to_owned(),
        4 => format!("2024-0{}-11", whole + 1),
        5 => format!("{}.0{}.2024", whole + 10, whole + 1),
        6 => ["yes", "No", "t", "FALSE", "y", "n", "true"][whole].to_owned(),
        7 => ["grün", "a,b", "say \"a\"", "two\nlines", "z", "", "綠"][whole].to_owned(),
        // Names of which the first look like numbers.
        8 if place > 0.4 => ["few", "many"][whole % 2].to_owned(),
        2 | 8 => whole.to_string(),
        9 => format!("{}", (number * 1e6).floor()),
        _ => format!("name {}", random.random_range(0..10_000)),
    }
}

const KINDS: usize = 11;

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn place(row: usize, rows: usize) -> f64 {
    row as f64 / rows as f64
}

fn csv(rows: usize, ends: &str, random: &mut Stream) -> String {
    let names: Vec<String> = (0..KINDS).map(|kind| format!("c{kind}")).collect();
    let mut text = format!("{},y{ends}", names.join(","));
    for row in 0..rows {
        for kind in 0..KINDS {
            let cell = cell(kind, place(row, rows), random);
            let quoted = cell.contains([',', '"', '\n']) || random.random_range(0..40) == 0;
            let cell = if quoted { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell };
            let _ = write!(text, "{cell},");
        }
        let _ = write!(text, "{}{ends}", row % 3);
        if random.random_range(0..30) == 0 {
            text.push_str([ends, "  \n", "\n\n"][row % 3]);
        }
    }
    text
}

#[test]
fn csv_of_all_kinds_is_the_same_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut loaded = 0;
    for seed in 0..8 {
        let mut random = Stream::new(seed, Purpose::Split, 0);
        let ends = ["\n", "\r\n"][usize::try_from(seed % 2).unwrap()];
        let rows = [3, 40, 700, 2500][usize::try_from(seed % 4).unwrap()];
        std::fs::write(&path, csv(rows, ends, &mut random)).unwrap();
        for more in [
            "missing = 'mean'",
            "missing = 'category'\ncolumns = { c2 = 'category', c9 = 'ignore', c8 = 'embedding' }",
            "missing = 'median'\nna_values = ['7', 'z', '2024-01-11']\nmemory = 0",
            "",
        ] {
            for task in [classes(), Task::Values] {
                loaded += usize::from(same(&options(&path, "y", more), Format::Csv, task));
            }
        }
    }
    assert!(loaded >= 30, "{loaded}");
}

#[test]
fn json_lines_of_all_kinds_are_the_same_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.jsonl");
    let mut loaded = 0;
    for seed in 0..4 {
        let mut random = Stream::new(seed, Purpose::Split, 0);
        let mut text = String::new();
        let rows = [30, 900][usize::try_from(seed % 2).unwrap()];
        for row in 0..rows {
            let mut cells: Vec<String> = (0..KINDS)
                .filter(|kind| *kind < 2 || (row + kind) % 9 > 0)
                .map(|kind| {
                    let cell = cell(kind, place(row, rows), &mut random);
                    let value: serde_json::Value =
                        cell.parse().unwrap_or_else(|_| serde_json::Value::String(cell));
                    format!("\"c{kind}\": {value}")
                })
                .collect();
            if row % 2 == 0 {
                cells.reverse();
            }
            let _ = writeln!(text, "{{{}, \"y\": {}}}", cells.join(", "), row % 3);
        }
        std::fs::write(&path, text).unwrap();
        for more in ["missing = 'mean'", "missing = 'category'\ncolumns = { c2 = 'category', c0 = 'ignore' }"]
        {
            for task in [classes(), Task::Values] {
                loaded += usize::from(same(&options(&path, "y", more), Format::Jsonl, task));
            }
        }
    }
    assert!(loaded >= 12, "{loaded}");
}

#[test]
fn blocks_of_blank_lines_have_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let rows = (0..200).fold("x,y\n".to_owned(), |rows, row| format!("{rows}{row},{}\n", row % 7));
    // Longer than two blocks, between rows and behind them.
    let blank = "\n".repeat(10_000);
    std::fs::write(&path, format!("{rows}{blank}1,2\n3,4\n{blank}")).unwrap();
    assert!(same(&options(&path, "y", ""), Format::Csv, Task::Values));
    let json = rows.lines().skip(1).map(|row| row.split_once(',').unwrap());
    let json = json.fold(String::new(), |text, (x, y)| format!("{text}{{\"x\": {x}, \"y\": {y}}}\n"));
    let path = folder.path().join("t.jsonl");
    std::fs::write(&path, format!("{json}{blank}{json}{blank}")).unwrap();
    assert!(same(&options(&path, "y", ""), Format::Jsonl, Task::Values));
}

/// The features of the training rows of a table with these cells, whose column is normalised so.
fn normalized(cells: &[f64], normalize: &str) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let rows =
        cells.iter().enumerate().fold("x,z,y\n".to_owned(), |rows, (i, x)| format!("{rows}{x},{i},{i}\n"));
    std::fs::write(&path, rows).unwrap();
    let plan: Preparation = toml::from_str(&format!("normalize = '{normalize}'")).unwrap();
    let options = toml::from_str(&format!("path = '{}'\ntarget = 'y'", path.display())).unwrap();
    let request = Request { dtype: DType::F64, ..Request::new(Task::Values, &plan) };
    let Loaded::Encoded(encoded) = load(&options, Format::Csv, &request).unwrap() else { panic!("raw rows") };
    let EncodedRows::Memory(rows) = encoded.train else { panic!("rows in a file") };
    rows.xs.to_vec2::<f64>().unwrap().into_iter().map(|row| row[0]).collect()
}

#[test]
fn robust_smooth_is_pytabkits() {
    // MedianCenterFactory, RobustScaleFactory and smooth_clip_func of pytabkit, in f64.
    let spread = [-0.948_683_298_050_513_8, -0.493_196_961_916_071_93, 0.0, 0.493_196_961_916_071_93];
    for (cells, expected) in [
        (&[1.0, 2.0, 3.0, 4.0, 100.0][..], &[&spread[..], &[2.994_277_230_905_889_4]].concat()[..]),
        (&[7.0, 7.0, 7.0, 7.0, 9.0], &[0.0, 0.0, 0.0, 0.0, 1.664_100_588_675_687_4]),
        (&[5.0, 5.0, 5.0], &[0.0; 3]),
    ] {
        for (ours, expected) in normalized(cells, "robust_smooth").iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-12, "{cells:?}: {ours} is not {expected}");
        }
    }
}

#[test]
fn a_normalisation_by_quantiles_is_scikit_learns() {
    let cells = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0];
    let ours = normalized(&cells, "quantile");
    // QuantileTransformer(output_distribution="normal")
    for (place, expected) in
        [(0, -0.385_320_466_407_567_6), (6, -0.841_621_233_572_914_2), (4, 0.524_400_512_708_041)]
    {
        assert!((ours[place] - expected).abs() < 1e-12, "{place}: {}", ours[place]);
    }
}
