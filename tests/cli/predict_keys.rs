//! What `predict` writes beside the predictions, and what it leaves when it is ended.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::tables::{cells, config, images, lines, table, write};
use crate::common::{fail, program, succeed};
use crate::parquet_files::{self, Values};

/// A run on rows with a number, a name and a key each.
pub(super) fn trained(folder: &Path) {
    let rows = lines("id,name,x,class", 60, |i| {
        format!("{:03},\"n, {i}\",{i},{}", i, if i % 2 == 0 { "a" } else { "b" })
    });
    let path = write(folder, "t.csv", rows);
    let data = "columns = { id = 'ignore', name = 'ignore' }\nnormalize = 'standard'";
    write(folder, "c.toml", config("csv", &path, "class", data, "cross_entropy"));
    succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
}

#[test]
fn kept_columns_come_first_and_as_the_file_has_them() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let predict =
        |more: &[&str]| succeed(folder.path(), &[&["predict", "run", "--input", "t.csv"], more].concat());
    let plain = predict(&[]);
    let kept = predict(&["--keep", "name", "--keep", "id", "--keep", "class", "--keep", "id"]);
    assert_eq!(kept.lines().next(), Some("name,id,class,prediction,probability_a,probability_b"));
    for (i, (kept, plain)) in kept.lines().zip(plain.lines()).skip(1).enumerate() {
        let class = if i % 2 == 0 { "a" } else { "b" };
        assert_eq!(kept, format!("\"n, {i}\",{i:03},{class},{plain}"));
    }
    let error = fail(folder.path(), &["predict", "run", "--input", "t.csv", "--keep", "nmae"], 2);
    assert!(error.contains("`nmae`") && error.contains("`name`"), "{error}");
    // Columns that training did not have, among them one of the predictions' names.
    write(folder.path(), "more.csv", "x,prediction,code\n1,7,0x1\n2,8,\n");
    let more = ["predict", "run", "--input", "more.csv", "--keep"];
    assert!(
        succeed(folder.path(), &[&more[..], &["code"]].concat()).contains("\n,"),
        "a missing cell is empty"
    );
    let error = fail(folder.path(), &[&more[..], &["prediction", "--output", "o.csv"]].concat(), 2);
    assert!(error.contains("--keep prediction") && !folder.path().join("o.csv").exists(), "{error}");
    // No rows: the header alone.
    write(folder.path(), "none.csv", "x,id\n");
    let none = succeed(folder.path(), &["predict", "run", "--input", "none.csv", "--keep", "id"]);
    assert_eq!(none, "id,prediction,probability_a,probability_b\n");
}

#[test]
fn numbers_of_json_are_written_as_they_were_read() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let written = ["10000000000000000000000001", "1.10", "1e3", "-0", "9007199254740993"];
    let lines = written.map(|number| format!("{{\"x\": 1, \"id\": {number}}}\n"));
    write(folder.path(), "numbers.jsonl", lines.concat());
    let arguments = ["predict", "run", "--input", "numbers.jsonl", "--keep", "id", "--format"];
    let jsonl = succeed(folder.path(), &[&arguments[..], &["jsonl"]].concat());
    let csv = succeed(folder.path(), &[&arguments[..], &["csv"]].concat());
    for ((jsonl, csv), number) in jsonl.lines().zip(&cells(&csv)[1..]).zip(written) {
        assert!(jsonl.starts_with(&format!("{{\"id\":{number},")), "{jsonl}");
        assert_eq!(csv[0], number);
    }
}

#[test]
fn keys_are_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    write(folder.path(), "ask.jsonl", "{\"x\": 1, \"id\": 7, \"note\": \"é\"}\n{\"x\": 2, \"id\": 8.5}\n");
    let messages = succeed(
        folder.path(),
        &["predict", "run", "--input", "ask.jsonl", "--format", "jsonl", "--keep", "id", "--keep", "note"],
    );
    let rows: Vec<serde_json::Value> =
        messages.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["id"], &rows[0]["note"]), (&7.into(), &"é".into()));
    assert_eq!((&rows[1]["id"], &rows[1]["note"]), (&8.5.into(), &serde_json::Value::Null));
    assert_eq!(messages.lines().next().unwrap().find("\"id\""), Some(1), "keys come first: {messages}");
    // From Parquet, and read back from it: numbers stay numbers, texts texts.
    for (input, keys) in [("ask.jsonl", ["id", "note"]), ("t.csv", ["id", "name"])] {
        let [first, second] = keys;
        let arguments = [
            "predict",
            "run",
            "--input",
            input,
            "--output",
            "out.parquet",
            "--keep",
            first,
            "--keep",
            second,
        ];
        succeed(folder.path(), &arguments);
        // What its columns are, the error says of a file that lacks the one that is asked for.
        let error = fail(folder.path(), &["predict", "run", "--input", "out.parquet"], 1);
        let columns = format!("it has `{first}`, `{second}`, `prediction`, `probability_a`, `probability_b`");
        assert!(error.contains(&columns), "{error}");
    }
    let again = ["predict", "run", "--input", "ask.jsonl", "--keep", "id"];
    assert_eq!(cells(&succeed(folder.path(), &again))[1][0], "7");
}

#[test]
fn pictures_have_their_file() {
    let folder = tempfile::tempdir().unwrap();
    images::paint(&folder.path().join("pictures"), 12);
    let text = "[data]\nname = 'images'\npath = 'pictures'\n[model]\nname = 'mlp'\n[loss]\nname = 'cross_entropy'\n\
                [optimizer]\nname = 'adam'\n[train]\nepochs = 1\n";
    write(folder.path(), "i.toml", text);
    succeed(folder.path(), &["train", "i.toml", "-q", "--out", "pictures-run"]);
    let messages = succeed(folder.path(), &["predict", "pictures-run", "--input", "pictures/left"]);
    let rows = cells(&messages);
    assert_eq!(rows[0][..2], ["file", "prediction"]);
    let files: Vec<&str> = rows[1..].iter().map(|row| row[0]).collect();
    let expected: Vec<String> = (0..12).map(|n| format!("{n:02}.png")).collect();
    assert_eq!(files, expected);
    let one = succeed(folder.path(), &["predict", "pictures-run", "--input", "pictures/left/03.png"]);
    assert_eq!(cells(&one)[1][0], "03.png");
    let error =
        fail(folder.path(), &["predict", "pictures-run", "--input", "pictures/left", "--keep", "x"], 2);
    assert!(error.contains("only a table has columns"), "{error}");
}

#[test]
fn series_have_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let weather = table("seattle-weather.csv");
    let text = config("timeseries", &weather, "temp_max", "window = 5", "mse");
    write(folder.path(), "s.toml", text.replace("epochs = 3", "epochs = 1"));
    succeed(folder.path(), &["train", "s.toml", "-q", "--out", "series"]);
    let whole = fs::read_to_string(&weather).unwrap();
    let place =
        |name: &str| whole.lines().next().unwrap().split(',').position(|column| column == name).unwrap();
    let expected = whole.lines().skip(1).map(|line| line.split(',').nth(place("date")).unwrap());
    // The day behind the last one has a line of its own.
    let expected: Vec<&str> = expected.chain(["2016-01-01"]).collect();
    let predict = ["predict", "series", "--input", weather.to_str().unwrap()];
    let messages = succeed(folder.path(), &predict);
    let rows = cells(&messages);
    assert_eq!(rows[0], ["date", "prediction"]);
    assert_eq!(rows[1..].iter().map(|row| row[0]).collect::<Vec<_>>(), expected);
    // The rows before the first whole window have their time, and no prediction.
    assert!(rows[1..6].iter().all(|row| row[1].is_empty()) && !rows[6][1].is_empty(), "{:?}", &rows[..7]);
    let messages = succeed(folder.path(), &[&predict[..], &["--keep", "wind", "--keep", "date"]].concat());
    assert_eq!(cells(&messages)[0], ["wind", "date", "prediction"]);
    // More rows than go through the network together keep their times.
    let first = jiff::civil::date(2000, 1, 1);
    let days: Vec<String> = (0..7001).map(|day| (first + jiff::Span::new().days(day)).to_string()).collect();
    let cells = whole.lines().nth(1).unwrap().split_once(',').unwrap().1;
    let many = lines(whole.lines().next().unwrap(), days.len() - 1, |day| format!("{},{cells}", days[day]));
    write(folder.path(), "many.csv", many);
    let messages = succeed(folder.path(), &["predict", "series", "--input", "many.csv"]);
    let times: Vec<&str> = messages.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(times, days);
}

#[test]
fn a_learnt_variance_is_predicted_as_its_standard_deviation() {
    let folder = tempfile::tempdir().unwrap();
    let path =
        write(folder.path(), "t.csv", lines("x,y", 80, |i| format!("{},{}", i % 9, 10 * (i % 9) + i % 4)));
    for (variance, standardize) in [("exp", false), ("softplus", false), ("exp", true)] {
        let data = format!("normalize = 'none'\nstandardize_target = {standardize}");
        let text = config("csv", &path, "y", &data, "gaussian_nll").replace("hidden = [16]", "hidden = []");
        let text = text.replace("\"gaussian_nll\"", &format!("\"gaussian_nll\"\nvariance = '{variance}'"));
        write(folder.path(), "c.toml", text);
        let _ = fs::remove_dir_all(folder.path().join("run"));
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
        let messages = succeed(folder.path(), &["predict", "run", "--input", "t.csv"]);
        let rows = cells(&messages);
        assert_eq!(rows[0], ["prediction", "std"]);
        // One layer: its second output is what the variance is computed from.
        let state = descent::checkpoint::load(&folder.path().join("run/model.safetensors")).unwrap();
        let number = |name: &str| state[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let (weight, bias) = (number("layer1.weight"), number("layer1.bias"));
        let ys = (0..80).map(|i| f64::from(10 * (i % 9) + i % 4));
        let mean = ys.clone().sum::<f64>() / 80.0;
        let unit =
            if standardize { (ys.map(|y| (y - mean).powi(2)).sum::<f64>() / 80.0).sqrt() } else { 1.0 };
        for (i, row) in rows[1..].iter().enumerate().take(9) {
            let s = f64::from(weight[1]) * f64::from(u8::try_from(i).unwrap()) + f64::from(bias[1]);
            let variance = if variance == "exp" { s.exp() } else { s.exp().ln_1p() };
            let (got, expected) = (row[1].parse::<f64>().unwrap(), variance.sqrt() * unit);
            assert!(
                (got - expected).abs() < 1e-4 * expected,
                "{variance} {standardize}: {got} is not {expected}"
            );
        }
    }
}

#[test]
fn a_file_that_grows_too_large_is_named() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    write(folder.path(), "many.csv", lines("x", 20_000, |i| (i % 60).to_string()));
    for name in ["out.csv", "out.parquet"] {
        let line = format!("ulimit -f 1; exec \"$0\" predict run --input many.csv --output {name}");
        let mut command = Command::new("sh");
        command.args(["-c", &line]).arg(crate::common::executable()).current_dir(folder.path());
        let output = command.output().unwrap();
        let messages = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{messages}");
        assert!(messages.contains(name) && !folder.path().join(name).exists(), "{messages}");
    }
}

/// A prediction that waits for rows of which it has some thousand.
fn waiting(folder: &Path, output: &str) -> Child {
    let mut child = program(folder, &["predict", "run", "--input", "-", "--output", output])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let rows = lines("x", 20_000, |i| (i % 60).to_string());
    child.stdin.as_mut().unwrap().write_all(rows.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    child
}

#[test]
fn a_prediction_that_waits_ends_at_once_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    fs::create_dir(folder.path().join("out")).unwrap();
    for before in [None, Some("from before")] {
        let path = folder.path().join("out/answers.csv");
        if let Some(text) = before {
            fs::write(&path, text).unwrap();
        }
        for (signal, code) in [("-TERM", Some(143)), ("-INT", Some(130)), ("-KILL", None)] {
            let mut child = waiting(folder.path(), "out/answers.csv");
            let start = Instant::now();
            assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
            let status = child.wait().unwrap();
            assert!(start.elapsed() < Duration::from_secs(1), "{signal}: {:?}", start.elapsed());
            assert_eq!(status.code(), code);
            let left: Vec<_> =
                fs::read_dir(folder.path().join("out")).unwrap().map(|e| e.unwrap().path()).collect();
            assert_eq!(left, before.map(|_| path.clone()).into_iter().collect::<Vec<_>>(), "{signal}");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), before);
        }
    }
}

#[test]
fn whole_numbers_beyond_two_to_the_53_are_kept_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let large = 9_007_199_254_740_993_i64;
    let ids: Vec<i64> = (0..4).map(|row| large + row).collect();
    let small: Vec<i64> = (0..4).collect();
    let columns =
        [Values::Double(vec![1.0, 2.0, 3.0, 4.0]), Values::Int64(ids.clone()), Values::Int64(small)];
    let ask = folder.path().join("ask.parquet");
    parquet_files::write(&ask, "double x; int64 id; int64 n", &columns);
    write(
        folder.path(),
        "ask.jsonl",
        lines("", 4, |row| format!("{{\"x\": 1, \"id\": {}}}", ids[row])).trim_start(),
    );
    for input in ["ask.parquet", "ask.jsonl"] {
        let predict = ["predict", "run", "--input", input, "--keep", "id"];
        let json = succeed(folder.path(), &[&predict[..], &["--format", "jsonl"]].concat());
        assert!(json.starts_with(&format!("{{\"id\":{large},")), "{json}");
        let csv = succeed(folder.path(), &predict);
        assert!(csv.contains(&format!("\n{large},")), "{csv}");
        succeed(folder.path(), &[&predict[..], &["--output", "out.parquet"]].concat());
        let file = fs::File::open(folder.path().join("out.parquet")).unwrap();
        let reader = parquet::file::reader::SerializedFileReader::new(file).unwrap();
        let first = reader.into_iter().next().unwrap().unwrap();
        assert_eq!(parquet::record::RowAccessor::get_long(&first, 0).unwrap(), large);
    }
    succeed(
        folder.path(),
        &["predict", "run", "--input", "ask.parquet", "--keep", "n", "--output", "n.parquet"],
    );
    let file = fs::File::open(folder.path().join("n.parquet")).unwrap();
    let reader = parquet::file::reader::SerializedFileReader::new(file).unwrap();
    assert!(reader.into_iter().all(|row| row.unwrap().to_string().starts_with("{n: ")));
}
