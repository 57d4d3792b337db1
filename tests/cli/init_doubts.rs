//! What `descent init` makes of columns that may be meant otherwise than they look.

use std::fs;

use super::init::init;
use super::tables::{lines, write};
use crate::common::{descent, succeed};

/// The config's comments and keys, and what init says on standard error.
struct Made {
    text: String,
    said: String,
}

fn made(folder: &std::path::Path, arguments: &[&str]) -> Made {
    let output = descent(folder, &[&["init"], arguments, &["-o", "written.toml"]].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let text = fs::read_to_string(folder.join("written.toml")).unwrap();
    fs::remove_file(folder.join("written.toml")).unwrap();
    Made { text, said }
}

#[test]
fn a_bad_cell_among_dates_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let dates: [fn(usize) -> String; 3] = [
        |i| format!("2023-{:02}-{:02}", i * 5 % 12 + 1, i * 11 % 28 + 1),
        |i| format!("{:02}.{:02}.2023", i * 11 % 28 + 1, i * 5 % 12 + 1),
        |i| format!("{:02}/{:02}/2023", i * 5 % 12 + 1, i * 11 % 28 + 1),
    ];
    for (bad, date) in ["unknown", "2023-13-45", "never"].into_iter().zip(dates) {
        let cell = |i: usize| if i == 57 { bad.to_owned() } else { date(i) };
        write(
            path,
            "t.csv",
            lines("when,x,y", 200, |i| format!("{},{},{}", cell(i), i * 7 % 13, i * 3 % 17 + i % 5)),
        );
        let Made { text, said } = made(path, &["t.csv", "--target", "y"]);
        let config = init(path, &["t.csv", "--target", "y"]);
        assert_eq!(config["data"]["na_values"][0].as_str(), Some(bad));
        assert!(text.contains("when  date"), "{text}");
        assert!(said.contains(&format!("`{bad}` among dates is taken for a missing cell")), "{said}");
        fs::remove_dir_all(path.join("run")).ok();
        succeed(path, &["train", "made.toml", "--set", "train.epochs=1", "--out", "run"]);
        assert!(fs::read_to_string(path.join("run/data.toml")).unwrap().contains("date"));
    }
    // More different words than a few are no missing cells.
    let words = |i: usize| if i.is_multiple_of(3) { format!("week {}", i % 8) } else { dates[0](i) };
    write(path, "t.csv", lines("when,x,y", 200, |i| format!("{},{},{}", words(i), i * 7 % 13, i * 3 % 17)));
    assert!(init(path, &["t.csv", "--target", "y"])["data"].get("na_values").is_none());
}

#[test]
fn columns_of_few_rows_are_what_init_says_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Of 26 rows to train on, most names of 36 are different, and all of 20.
    for (names, rows) in [(36, 40), (20, 26), (33, 70), (40, 79)] {
        write(
            path,
            "t.csv",
            lines("town,x,y", rows, |i| format!("town {},{},{}", i * 7 % names, i * 7 % 13, i % 2)),
        );
        let Made { text, .. } = made(path, &["t.csv", "--target", "y"]);
        let kind = text.lines().find_map(|line| line.strip_prefix("#   town  ")).unwrap();
        let kind = kind.split_whitespace().next().unwrap();
        write(path, "c.toml", &text);
        let output =
            descent(path, &["train", "c.toml", "--set", "train.epochs=1", "--out", &format!("run-{names}")]);
        let said = String::from_utf8(output.stderr).unwrap();
        let own = said.lines().find(|line| line.starts_with("`town`")).unwrap();
        let expected = match kind {
            "ignore" => "ignored",
            "category" => "one-hot",
            "embedding" => "learnt vectors",
            other => panic!("{other}"),
        };
        assert!(own.contains(expected), "{names} names: init says {kind}, train {own}");
    }
}

#[test]
fn numbers_that_may_be_identifiers_or_codes_are_pointed_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let row = |i: usize| {
        format!("{},{},{},{}", 1_000_000 + i * 7919 % 8_999_993, 10_000 + i % 9, i * 37 % 101, i % 2)
    };
    write(path, "t.csv", lines("account,zip,x,y", 300, row));
    let Made { text, .. } = made(path, &["t.csv", "--target", "y"]);
    let unwrapped = text.replace("\n# ", " ");
    assert!(unwrapped.contains("Column `account` has another number of 7 digits in every row"), "{text}");
    assert!(unwrapped.contains("Column `zip` is taken for a number. If it is a code"), "{text}");
    assert_eq!(unwrapped.matches("Column `").count(), 2, "{text}");
}

/// Rows of these states and years, one after the other.
fn panel(states: usize, years: usize) -> Vec<String> {
    let row = |(state, year): (usize, usize)| {
        format!(
            "{},state {state},{},{}",
            1970 + year,
            (state * 7 + year) % 13,
            100 * state + 3 * year + year % 5
        )
    };
    (0..states).flat_map(|state| (0..years).map(move |year| (state, year))).map(row).collect()
}

#[test]
fn a_panel_is_a_table_where_its_series_are_short_or_its_rows_drawn_or_assigned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let name = |rows: &[String], header: &str| {
        write(path, "t.csv", format!("{header}\n{}\n", rows.join("\n")));
        init(path, &["t.csv", "--target", "y"])["data"]["name"].as_str().unwrap().to_owned()
    };
    let header = "year,state,x,y";
    let long = panel(6, 60);
    assert_eq!(name(&long, header), "timeseries");
    assert_eq!(name(&panel(30, 20), header), "csv");
    // Newest first is an order, too.
    let backwards: Vec<String> = long.iter().rev().cloned().collect();
    assert_eq!(name(&backwards, header), "timeseries");
    let shuffled: Vec<String> = (0..long.len()).map(|i| long[i * 7 % long.len()].clone()).collect();
    assert_eq!(name(&shuffled, header), "csv");
    let assigned: Vec<String> = (0..)
        .zip(&long)
        .map(|(i, row)| format!("{row},{}", ["train", "train", "validation", "test"][i % 4]))
        .collect();
    assert_eq!(name(&assigned, "year,state,x,y,split"), "csv");
}

#[test]
fn numbers_and_words_that_are_names_in_all_rows_are_so_in_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Half of the cells are numbers: more in training, or fewer.
    for seed in 1..5 {
        let cell =
            |i: usize| if i * 7919 % 101 < 51 { format!("word {}", i % 7) } else { (i % 5).to_string() };
        write(path, "t.csv", lines("mixed,x,y", 101, |i| format!("{},{},{}", cell(i), i * 3 % 17, i % 2)));
        let config = init(path, &["t.csv", "--target", "y"]);
        assert_eq!(config["data"]["columns"]["mixed"].as_str(), Some("category"));
        let out = format!("run-{seed}");
        succeed(
            path,
            &[
                "train",
                "made.toml",
                "--set",
                "train.epochs=1",
                "--set",
                &format!("seed={seed}"),
                "--out",
                &out,
            ],
        );
    }
}

#[test]
fn a_series_with_broken_dates_or_missing_targets_is_not_given_up_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let day = |i: usize| format!("2023-{:02}-{:02}", i / 28 + 1, i % 28 + 1);
    let value = |i: usize| format!("{}.5", 50 + i % 7 * 3 + i * i % 5);
    let rows = |date: &dyn Fn(usize) -> String, y: &dyn Fn(usize) -> String| {
        lines("date,y", 300, |i| format!("{},{}", date(i), y(i)))
    };
    write(path, "t.csv", rows(&day, &value));
    assert_eq!(init(path, &["t.csv", "--target", "y"])["data"]["name"].as_str(), Some("timeseries"));
    write(path, "t.csv", rows(&|i| if i == 100 { "TBD".to_owned() } else { day(i) }, &value));
    let Made { said, .. } = made(path, &["t.csv", "--target", "y"]);
    assert!(
        said.contains("in the order of column `date`, which has no date in 1 row (the first is line 102)"),
        "{said}"
    );
    // A table whose dates are in no order is none.
    write(path, "t.csv", rows(&|i| if i == 100 { "TBD".to_owned() } else { day(i * 37 % 300) }, &value));
    let Made { said, .. } = made(path, &["t.csv", "--target", "y"]);
    assert!(!said.contains("in the order of column"), "{said}");
    // Rows without a target are not predicted.
    write(path, "t.csv", rows(&day, &|i| if i % 90 == 50 { String::new() } else { value(i) }));
    let config = init(path, &["t.csv", "--target", "y"]);
    assert_eq!(config["data"]["name"].as_str(), Some("timeseries"));
    succeed(path, &["train", "made.toml", "--set", "train.epochs=1", "--out", "run"]);
    // What the first lines say to leave out makes it a table's.
    let text = fs::read_to_string(path.join("made.toml")).unwrap();
    let note = text.replace("\n# ", " ");
    let keys = note.split("and leave out ").nth(1).unwrap().split(['.', ';']).next().unwrap();
    let is_left = |line: &&str| !keys.split(", ").any(|key| line.starts_with(&format!("{key} = ")));
    let table: Vec<&str> = text.lines().filter(is_left).collect();
    let table = table.join("\n").replace("name = \"timeseries\"", "name = \"csv\"");
    write(path, "t.csv", rows(&day, &value));
    write(path, "table.toml", table);
    succeed(path, &["train", "table.toml", "--set", "train.epochs=1", "--out", "table"]);
}

#[test]
fn codes_are_classes_and_grades_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let loss = |target: &dyn Fn(usize) -> String, x: &dyn Fn(usize) -> String| {
        write(path, "t.csv", lines("x,z,y", 400, |i| format!("{},{},{}", x(i), i * 37 % 101, target(i))));
        init(path, &["t.csv", "--target", "y"])["loss"]["name"].as_str().unwrap().to_owned()
    };
    let other = |i: usize| (i * 7 % 13).to_string();
    assert_eq!(loss(&|i| ["01", "02", "10", "20"][i % 4].to_owned(), &other), "cross_entropy");
    assert_eq!(loss(&|i| ["1101", "1102", "2205", "3990"][i % 4].to_owned(), &other), "cross_entropy");
    assert_eq!(loss(&|i| ["10", "20", "30", "40"][i % 4].to_owned(), &other), "mse");
    // Grades from 1 to 7, which a column follows, and the same numbers in another order.
    let grade = |i: usize| i % 7 + 1;
    assert_eq!(loss(&|i| grade(i).to_string(), &|i| (grade(i) * 10 + i % 5).to_string()), "mse");
    let place = |i: usize| [5, 1, 4, 6, 0, 3, 2][grade(i) - 1];
    assert_eq!(loss(&|i| grade(i).to_string(), &|i| (place(i) * 10 + i % 5).to_string()), "cross_entropy");
}

#[test]
fn rows_of_the_same_customer_and_numbers_of_rows_are_pointed_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let row = |i: usize| format!("{},{},{},{}", 10_000 + i % 40, i + 1, i * 37 % 101, i % 2);
    for subject in ["customer_id", "patient", "User", "Subject No"] {
        write(path, "t.csv", lines(&format!("{subject},mouse,x,y"), 300, row));
        let Made { text, .. } = made(path, &["t.csv", "--target", "y"]);
        let unwrapped = text.replace("\n# ", " ");
        assert!(unwrapped.contains(&format!("Column `{subject}` repeats: rows of the same one")), "{text}");
        assert!(text.contains(&format!("#   group = \"{subject}\"\n")), "{text}");
        assert!(unwrapped.contains("Column `mouse` counts the rows from 1 to 300"), "{text}");
        assert_eq!(unwrapped.matches("Column `").count(), 2, "{text}");
    }
}

#[test]
fn a_series_without_room_beside_missing_targets_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let day = |i: usize| format!("2023-{:02}-{:02}", i / 28 + 1, i % 28 + 1);
    let value = |i: usize| if i < 270 { format!("{}.5", 50 + i % 7 * 3 + i * i % 5) } else { String::new() };
    write(path, "t.csv", lines("date,y", 300, |i| format!("{},{}", day(i), value(i))));
    let output = descent(path, &["init", "t.csv", "--target", "y"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("it is missing in 30 rows, the first is line 272; too few windows are left"),
        "{said}"
    );
    assert!(said.contains("leave these rows, the latest, out of the file"), "{said}");
}

#[test]
fn long_codes_are_classes_and_doses_that_a_column_follows_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let loss = |row: &dyn Fn(usize) -> String| {
        write(path, "t.csv", lines("x,y", 300, row));
        init(path, &["t.csv", "--target", "y"])["loss"]["name"].as_str().unwrap().to_owned()
    };
    let code = |i: usize| [1u64, 20_000_007, 9_007_199_254_740_000][i % 3];
    assert_eq!(loss(&|i| format!("{},{}", i * 7 % 13, code(i))), "cross_entropy");
    // Doses that are not evenly apart, which a column follows.
    assert_eq!(
        loss(&|i| format!("{},{}", [10, 20, 31, 42, 50][i % 5] + i % 3, [0, 5, 10, 20, 40][i % 5])),
        "mse"
    );
}

#[test]
fn several_targets_of_0_and_1_are_said_to_be_labels_perhaps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let both = ["t.csv", "--target", "hot", "--target", "wet"];
    for (most, said) in [(2, true), (3, false)] {
        write(
            path,
            "t.csv",
            lines("a,hot,wet", 200, |i| format!("{},{},{}", i % 17, i % 17 / 9, i * 7 % 13 % most)),
        );
        let Made { text, .. } = made(path, &both);
        assert_eq!(text.contains("name = \"bce_with_logits\" in [loss]"), said, "{text}");
    }
    // What the note says to do trains.
    write(path, "t.csv", lines("a,hot,wet", 200, |i| format!("{},{},{}", i % 17, i % 17 / 9, i % 2)));
    let config = init(path, &both);
    assert!(config["data"].get("clamp_output").is_some());
    let text = fs::read_to_string(path.join("made.toml")).unwrap();
    let text = text.replace("name = \"mse\"", "name = \"bce_with_logits\"");
    let kept = text.lines().filter(|line| !line.starts_with("clamp_output"));
    fs::write(path.join("labels.toml"), kept.collect::<Vec<_>>().join("\n")).unwrap();
    succeed(path, &["train", "labels.toml", "--set", "train.epochs=1", "--out", "run"]);
}
