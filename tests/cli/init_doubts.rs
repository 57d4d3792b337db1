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
