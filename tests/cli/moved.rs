//! Paths in configs and arguments, runs that are moved, and which rows `eval` scores.

use std::fs;
use std::path::Path;

use super::tables::{config, lines, metric, table, write};
use crate::common::{descent, fail, program, repository, succeed};

/// Values that nothing explains, which an honest test split shows.
fn noise(count: usize, offset: usize) -> String {
    let value = |i: usize| ((i + offset) * 7919 + (i + offset) * (i + offset) * 31) % 1009;
    lines("x,z,y", count, |i| format!("{},{},{}", value(i), value(3 * i + 1), value(5 * i + 2)))
}

/// Trains on a table of noise in `folder/data`, a fifth of which is tested on.
fn trained(folder: &Path) {
    fs::create_dir_all(folder.join("data")).unwrap();
    write(&folder.join("data"), "noise.csv", noise(100, 0));
    let text = config("csv", Path::new("data/noise.csv"), "y", "test = 0.2\nnormalize = 'standard'", "mse");
    write(folder, "c.toml", text.replace("epochs = 3", "epochs = 40"));
    succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
}

/// Trains by a config in `project/configs` on data in `project/data`, from the folder `elsewhere`. Gives its output.
fn trained_elsewhere(root: &Path) -> String {
    for name in ["project/configs", "project/data", "elsewhere"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in ["train.csv", "test.csv"] {
        write(&root.join("project/data"), name, noise(40, name.len()));
    }
    let text = config("csv", Path::new("../data/train.csv"), "y", "test = '../data/test.csv'", "mse");
    write(&root.join("project/configs"), "c.toml", text);
    succeed(&root.join("elsewhere"), &["train", "../project/configs/c.toml", "-q", "--out", "run"])
}

#[test]
fn a_config_finds_its_data_from_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let trained = trained_elsewhere(&root);
    // The run's own config has absolute paths, and is itself found from any folder.
    let own = fs::read_to_string(root.join("elsewhere/run/config.toml")).unwrap();
    for name in ["train.csv", "test.csv"] {
        let path = root.join("project/data").join(name);
        assert!(own.contains(&format!("\"{}\"", path.display())), "{own}");
    }
    let evaluated = succeed(&root, &["eval", "elsewhere/run"]);
    assert!((metric(&evaluated, "test_loss") - metric(&trained, "test_loss")).abs() < 1e-4, "{evaluated}");
    assert!((metric(&evaluated, "rows") - 40.0).abs() < f64::EPSILON, "{evaluated}");
    succeed(&root, &["train", "elsewhere/run/config.toml", "-q", "--out", "again"]);
}

#[test]
fn a_run_goes_on_with_data_that_was_moved() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    trained_elsewhere(&root);
    let elsewhere = root.join("elsewhere");
    let evaluated = succeed(&root, &["eval", "elsewhere/run"]);
    // In an argument a path is relative to the current folder, and ~ is the home folder.
    fs::rename(root.join("project/data"), elsewhere.join("moved")).unwrap();
    for command in [&["eval", "run"][..], &["train", "--resume", "run", "--set", "train.epochs=4"]] {
        let error = fail(&elsewhere, command, 1);
        assert!(error.contains("project/data/train.csv") && error.contains("--set data.path=…"), "{error}");
    }
    let sets = ["--set", "data.path=moved/train.csv", "--set", "data.test=~/moved/test.csv"];
    let home = |arguments: &[&str]| {
        let output = program(&elsewhere, arguments).env("HOME", &elsewhere).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(home(&[&["eval", "run"], &sets[..]].concat()), evaluated);
    home(&[&["train", "-q", "--resume", "run", "--set", "train.epochs=4"], &sets[..]].concat());
    let own = fs::read_to_string(elsewhere.join("run/config.toml")).unwrap();
    assert!(own.contains(&format!("path = \"{}\"", elsewhere.join("moved/train.csv").display())), "{own}");
    home(&["train", "--resume", "run", "-q", "--set", "train.epochs=5"]);
    home(&["predict", "run", "--input=~/moved/test.csv", "--output=~/answers.csv"]);
    assert_eq!(fs::read_to_string(elsewhere.join("answers.csv")).unwrap().lines().count(), 41);
    // Other rows under the same name are other data.
    write(&elsewhere.join("moved"), "test.csv", noise(40, 99));
    let error = fail(&elsewhere, &["train", "--resume", "run", "--set", "train.epochs=6"], 1);
    assert!(error.contains("the test rows have other values"), "{error}");
    // A share of the rows in place of a file is another split.
    let error = fail(&elsewhere, &["train", "--resume", "run", "--set", "data.test=0.2"], 2);
    assert!(error.contains("data.test"), "{error}");
}

#[test]
fn the_repositorys_configs_are_found_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = repository("configs/wine.toml");
    succeed(
        folder.path(),
        &["train", path.to_str().unwrap(), "-q", "--out", "run", "--set", "train.epochs=1"],
    );
    succeed(folder.path(), &["eval", "run"]);
}

#[test]
fn eval_knows_the_rows_that_were_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let honest = succeed(folder.path(), &["eval", "run"]);
    assert!(metric(&honest, "test_r2") < 0.0 && honest.contains("\nrows 20\n"), "{honest}");
    // Sorted, cut, or with one other cell it is another file, whose test split nobody knows.
    let data = folder.path().join("data/noise.csv");
    let whole = fs::read_to_string(&data).unwrap();
    let mut sorted: Vec<&str> = whole.lines().collect();
    sorted[1..].sort_unstable();
    let cut: Vec<&str> = whole.lines().take(90).collect();
    for text in [sorted.join("\n"), cut.join("\n"), whole.replacen('7', "8", 1)] {
        fs::write(&data, text).unwrap();
        let error = fail(folder.path(), &["eval", "run"], 1);
        assert!(error.contains("noise.csv") && error.contains("descent eval RUN --input FILE"), "{error}");
    }
    fs::write(&data, &whole).unwrap();
    for set in ["data.test=0.5", "seed=7", "data.validation=0.3"] {
        assert!(fail(folder.path(), &["eval", "run", "--set", set], 1).contains("--input FILE"), "{set}");
    }
    assert_eq!(succeed(folder.path(), &["eval", "run"]), honest);
    // Neither does it help to remove the checkpoints.
    fs::remove_dir_all(folder.path().join("run/checkpoints")).unwrap();
    fs::write(&data, sorted.join("\n")).unwrap();
    fail(folder.path(), &["eval", "run"], 1);
    // A copy elsewhere is the same data.
    fs::rename(&data, folder.path().join("data/sorted.csv")).unwrap();
    write(folder.path(), "copy.csv", whole);
    assert_eq!(succeed(folder.path(), &["eval", "run", "--set", "data.path=copy.csv"]), honest);
}

/// Every third row of iris as CSV and JSONL without the column that assigns rows to splits, and one row of it. Gives the
/// rows of the first.
fn write_flowers(folder: &Path) -> Vec<String> {
    let iris = fs::read_to_string(table("iris.csv")).unwrap();
    let header = iris.lines().next().unwrap().strip_suffix(",split").unwrap();
    let rows = iris.lines().skip(1).step_by(3).map(|row| row.rsplit_once(',').unwrap().0.to_owned());
    let rows: Vec<String> = rows.collect();
    write(folder, "some.csv", format!("{header}\n{}\n", rows.join("\n")));
    write(folder, "one.csv", format!("{header}\n{}\n", rows[0]));
    let object = |row: &String| {
        let cells = header.split(',').zip(row.split(',')).map(|(name, cell)| match cell.parse::<f64>() {
            Ok(_) => format!("{name:?}: {cell}"),
            Err(_) => format!("{name:?}: {cell:?}"),
        });
        format!("{{{}}}\n", cells.collect::<Vec<_>>().join(", "))
    };
    write(folder, "some.jsonl", rows.iter().map(object).collect::<String>());
    rows
}

#[test]
fn another_file_is_scored_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let text = config("csv", &table("iris.csv"), "species", "split_column = 'split'", "cross_entropy");
    write(folder.path(), "c.toml", text.replace("epochs = 3", "epochs = 40"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let rows = write_flowers(folder.path());
    // The accuracy by hand, from the predictions.
    let messages = succeed(folder.path(), &["predict", "run", "--input", "some.csv"]);
    let answers = messages.lines().skip(1).map(|line| line.split(',').next().unwrap());
    let truth = rows.iter().map(|row| row.rsplit(',').next().unwrap());
    let right = u32::try_from(answers.zip(truth).filter(|(answer, truth)| answer == truth).count()).unwrap();
    let expected = f64::from(right) / 50.0;
    for arguments in [
        &["--input", "some.csv"][..],
        &["--input", "some.jsonl"],
        &["--set", "data.path=some.csv"],
        &["--set", "data.test=some.csv", "--set", "data.path=gone.csv"],
    ] {
        let messages = succeed(folder.path(), &[&["eval", "run"], arguments].concat());
        assert!(messages.contains("\nrows 50\n"), "{arguments:?}: {messages}");
        assert!(
            (metric(&messages, "test_accuracy") - expected).abs() < 1e-6,
            "{arguments:?}: {messages} {expected}"
        );
    }
    assert!(succeed(folder.path(), &["eval", "run", "--input", "one.csv"]).contains("\nrows 1\n"));
    assert!(fail(folder.path(), &["eval", "run", "--input", "-"], 2).contains("write the rows to a file"));
    assert!(fail(folder.path(), &["eval", "run", "--input", "gone.csv"], 1).contains("gone.csv"));
    let json = succeed(folder.path(), &["eval", "run", "--input", "some.csv", "--json", "--top-k", "2"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["rows"].as_u64(), json["split"].as_str()), (Some(50), Some("file")));
    assert!((json["test_accuracy"].as_f64().unwrap() - expected).abs() < 1e-12, "{json}");
    assert!(json["test_top2_accuracy"].as_f64().unwrap() >= expected);
    let counts = json["confusion"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
    assert_eq!(counts.map(|count| count.as_u64().unwrap()).sum::<u64>(), 50);
    let json = succeed(folder.path(), &["eval", "run", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["split"], "test");
}

#[test]
fn series_pictures_and_arrays_are_scored_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |count: usize| lines("t,y", count, |i| format!("{},{}", i % 7, i % 5));
    let path = write(folder.path(), "s.csv", rows(120));
    let text = config("timeseries", &path, "y", "window = 4\nhorizon = 2\ntest = 0.2", "mse");
    write(folder.path(), "s.toml", text);
    succeed(folder.path(), &["train", "s.toml", "-q", "--out", "series"]);
    write(folder.path(), "other.csv", rows(30));
    // 30 rows have 30 - (4 + 2 - 1) windows with a target.
    let messages = succeed(folder.path(), &["eval", "series", "--input", "other.csv"]);
    assert!(messages.contains("\nrows 25\n"), "{messages}");
    for (name, count) in [("a", 12), ("b", 9)] {
        super::tables::images::paint(&folder.path().join(name), count);
    }
    let text = "[data]\nname = 'images'\npath = 'a'\ntest = 0.25\n[model]\nname = 'mlp'\n[loss]\n\
                name = 'cross_entropy'\n[optimizer]\nname = 'adam'\n[train]\nepochs = 3\n";
    write(folder.path(), "i.toml", text);
    succeed(folder.path(), &["train", "i.toml", "-q", "--out", "pictures"]);
    let painted: usize = ["left", "right"]
        .iter()
        .map(|class| fs::read_dir(folder.path().join("b").join(class)).unwrap().count())
        .sum();
    let messages = succeed(folder.path(), &["eval", "pictures", "--input", "b"]);
    assert!(messages.contains(&format!("\nrows {painted}\n")), "{messages}");
    let moved = ["eval", "pictures", "--set", "data.path=b"];
    assert_eq!(succeed(folder.path(), &moved), messages);
    // The quick start's sample was in no file; MNIST's files are in its format.
    let limits = ["--set", "train.epochs=1", "--set", "data.limit=200"];
    succeed(folder.path(), &[&["train", "-q", "--out", "sample"], &limits[..]].concat());
    fs::create_dir(folder.path().join("mnist")).unwrap();
    crate::configs::write_mnist(&folder.path().join("mnist"), 50);
    let messages = succeed(folder.path(), &["eval", "sample", "--input", "mnist"]);
    assert!(messages.contains("\nrows 100\n"), "{messages}");
}

#[test]
fn a_file_that_is_scored_is_warned_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows =
        |names: &[&str]| lines("a,c,y", 60, |i| format!("{i},{},{}", names[i % names.len()], i * 7 % 11));
    let data = write(path, "t.csv", rows(&["p", "q"]));
    write(path, "c.toml", config("csv", &data, "y", "test = 0.2", "mse"));
    succeed(path, &["train", "c.toml", "-q", "--out", "run"]);
    write(path, "other.csv", rows(&["p", "new"]));
    for arguments in
        [&["--set", "data.path=other.csv"], &["--set", "data.test=other.csv"], &["--input", "other.csv"]]
    {
        let output = descent(path, &[&["eval", "run"][..], arguments].concat());
        let messages = String::from_utf8(output.stderr).unwrap();
        assert_eq!(messages.matches("values that training did not have").count(), 1, "{messages}");
    }
    // The run's own rows in another place have their messages, too.
    write(path, "moved.csv", rows(&["p", "q"]));
    let output = descent(path, &["eval", "run", "--set", "data.path=moved.csv"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(!messages.contains("not the run's own"), "{messages}");
    write(path, "few.csv", "a,c,y\n");
    let error = fail(path, &["eval", "run", "--input", "few.csv"], 1);
    assert!(error.contains("few.csv") && !error.contains("train on"), "{error}");
}
