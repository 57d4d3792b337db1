//! `descent init` on numbers and words that stand for a missing cell.

use std::fs;

use super::init::init;
use super::tables::{lines, metric, write};
use crate::common::{descent, said, succeed};

#[test]
fn numbers_far_from_all_others_that_look_like_codes_are_missing_cells() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // 666 among 0 and 1, -999 among temperatures, 999999.375 among amounts; 99 among ages and 999 among prices are what they say.
    let row = |i: usize| {
        let guide = if i % 97 == 5 { "666".to_owned() } else { (i % 2).to_string() };
        let temperature = if i % 50 == 7 { "-999".to_owned() } else { format!("{}.5", i * 7 % 60) };
        let amount = if i == 11 { "999999.375".to_owned() } else { (i * 37 % 90 * 5).to_string() };
        let (age, price) = (18 + i * 11 % 82, 100 + i * 13 % 90 * 10);
        format!("{guide},{temperature},{amount},{age},{price},{}", (i % 2) * 10 + i * 7 % 60)
    };
    write(path, "t.csv", lines("guide,temperature,amount,age,price,y", 600, row));
    let said = said(path, &["init", "t.csv", "--target", "y", "-o", "c.toml"]);
    assert!(said.contains("among numbers that all lie far away are taken for missing cells"), "{said}");
    let made = fs::read_to_string(path.join("c.toml")).unwrap();
    let config: toml::Table = made.parse().unwrap();
    let words: Vec<&str> =
        config["data"]["na_values"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    assert_eq!(words, ["-999", "999999.375"], "{made}");
    let unwrapped = made.replace("\n# ", " ");
    assert!(unwrapped.contains("-999 in `temperature` (12 rows) lies far from its other numbers"), "{made}");
    // Of few numbers each is a name.
    assert_eq!(config["data"]["columns"]["guide"].as_str(), Some("category"), "{made}");
    let printed = succeed(path, &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&printed, "test_r2") > 0.95, "{printed}");
}

#[test]
fn a_number_at_the_end_of_another_columns_range_is_an_amount_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let row = |i: usize| {
        let x = if i % 50 == 7 { "999".to_owned() } else { format!("{}.{}", i * 7 % 10, i * 31 % 97) };
        format!("{x},{},{}", 999 - i * 13 % 100, i * 37 % 101)
    };
    write(path, "t.csv", lines("x,price,y", 400, row));
    for target in ["y", "price"] {
        let made: toml::Table = succeed(path, &["init", "t.csv", "--target", target]).parse().unwrap();
        assert_eq!(made["data"]["na_values"].to_string(), "{ x = [\"999\"] }", "{made}");
    }
}

/// A table whose column `x` has 999 in 8 of 400 rows, beside prices around it.
fn beside_prices(target: &str, other: impl Fn(usize) -> String) -> String {
    let row = |i: usize| {
        let x = if i % 50 == 7 { "999".to_owned() } else { other(i) };
        let price = 900 + i * 13 % 200;
        if target == "y" { format!("{x},{price},{}", i % 9) } else { format!("{x},{},{price}", i % 9) }
    };
    lines(if target == "y" { "x,price,y" } else { "x,y,price" }, 400, row)
}

#[test]
fn a_number_that_another_column_or_the_target_has_is_a_missing_cell_of_its_own_column_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for target in ["y", "price"] {
        // Of a few numbers each is a name of its own.
        write(path, "t.csv", beside_prices(target, |i| (i % 5).to_string()));
        let made: toml::Table = succeed(path, &["init", "t.csv", "--target", target]).parse().unwrap();
        assert!(made["data"].get("na_values").is_none(), "{made}");
        assert_eq!(made["data"]["columns"]["x"].as_str(), Some("category"), "{made}");
        // Of many it is missing there, and an amount in the other.
        write(path, "t.csv", beside_prices(target, |i| format!("{}.{}", i * 7 % 10, i * 31 % 97)));
        let config = format!("{target}.toml");
        let said = said(path, &["init", "t.csv", "--target", target, "-o", &config]);
        let taken = "`999` among numbers that all lie far away is taken for a missing cell";
        assert!(said.contains(taken) && !said.contains("WARN"), "{said}");
        let made = fs::read_to_string(path.join(&config)).unwrap();
        assert!(made.contains("\n[data.na_values]\n# ") && made.contains("\nx = [\"999\"]\n"), "{made}");
        let unwrapped = made.replace("\n# ", " ");
        for part in [
            "999 in `x` (8 rows) lies far from its other numbers",
            "na_values, which has it for this column alone: another may have it as an amount.",
            "; 8 missing cells",
        ] {
            assert!(unwrapped.contains(part), "{made}");
        }
        // The 999 of the other column are prices: no target is missing.
        succeed(path, &["train", &config, "-q", "--out", target]);
    }
}

#[test]
fn a_target_keeps_its_codes_and_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // A target is not without its rows, which are warned of; a number of the row hides nothing.
    for (code, na_values) in [("999", "na_values = [\"999\"]"), ("9999", "[data.na_values]")] {
        let row = |i: usize| {
            let age = if i % 40 == 3 { code.to_owned() } else { format!("{}.5", 18 + i * 7 % 60) };
            let y = if i % 50 == 7 { "9999".to_owned() } else { format!("{}.25", i * 13 % 90) };
            format!("{},{age},{y}", i + 1)
        };
        write(path, "t.csv", lines("id,age,y", 1200, row));
        let output = descent(path, &["init", "t.csv", "--target", "y"]);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (made, said) = (text(output.stdout), text(output.stderr));
        // Of the column alone where the target has the same code.
        assert!(made.contains(na_values), "{made}");
        assert_eq!(made.contains("\nage = [\"9999\"]\n"), code == "9999", "{made}");
        assert!(said.contains("target `y`: 9999"), "{said}");
    }
}

#[test]
fn a_word_is_a_missing_cell_of_its_column_alone_where_another_has_it_and_none_where_much_is_told_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let day = |i: usize| format!("2022-{:02}-{:02}", i * 5 % 12 + 1, i * 11 % 28 + 1);
    let word = |i: usize, word: &str| if i % 30 == 7 { word.to_owned() } else { day(i) };
    let na_values = |header: &str, row: &dyn Fn(usize) -> String, target: &str| {
        write(path, "t.csv", lines(header, 300, row));
        let config = init(path, &["t.csv", "--target", target]);
        config["data"].get("na_values").map_or_else(String::new, ToString::to_string)
    };
    let class = |i: usize| ["done", "lost", "pending"][i % 3];
    let orders = |own: &str| {
        na_values("shipped,x,status", &|i| format!("{},{i},{}", word(i, own), class(i)), "status")
    };
    assert_eq!(orders("none yet"), "[\"none yet\"]");
    // The word is a class of the target, a part of the split, or a name of another column, and stays one there.
    assert_eq!(orders("pending"), "{ shipped = [\"pending\"] }");
    let text = fs::read_to_string(path.join("made.toml")).unwrap();
    assert!(text.contains("`pending` in `shipped` is taken for a missing cell there alone"), "{text}");
    assert!(text.contains("#   shipped  date"), "{text}");
    succeed(path, &["train", "made.toml", "-q", "--set", "train.epochs=1", "--out", "orders"]);
    let saved = fs::read_to_string(path.join("orders/data.toml")).unwrap();
    assert!(saved.contains("\"pending\"]"), "{saved}");
    let split = |i: usize| ["train", "train", "test"][i % 3];
    let row = |i: usize| format!("{},{},{},{}", word(i, "test"), i * 7 % 13, split(i), i % 2);
    assert_eq!(na_values("shipped,x,part,y", &row, "y"), "{ shipped = [\"test\"] }");
    let text = fs::read_to_string(path.join("made.toml")).unwrap();
    assert!(text.contains("split_column = \"part\""), "{text}");
    let size = |i: usize| ["low", "mid", "high"][i % 3];
    let few = |i: usize| if i % 30 == 7 { "low".to_owned() } else { (i * 37 % 101).to_string() };
    let row = |i: usize| format!("{},{},{}", few(i), size(i), i % 2);
    assert_eq!(na_values("m,size,y", &row, "y"), "{ m = [\"low\"] }");
    // Half of the cells are words, which tell more than that a number is missing.
    let mixed = |i: usize| ["low", "3", "4", "high"][i % 4];
    assert_eq!(na_values("n,x,y", &|i| format!("{},{i},{}", mixed(i), i % 2), "y"), "");
    assert_eq!(na_values("n,x,y", &|i| format!("{},{i},{}", few(i), i % 2), "y"), "[\"low\"]");
}

#[test]
fn a_word_that_is_nowhere_a_value_is_missing_in_every_column_of_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let size = |i: usize| ["low", "mid", "high"][i % 3];
    let few = |i: usize| if i % 30 == 7 { "low".to_owned() } else { (i * 37 % 101).to_string() };
    let unknown = |i: usize| if i % 40 == 9 { "?".to_owned() } else { (i * 53 % 97).to_string() };
    let row = |i: usize| format!("{},{},{},{}.5,{}", few(i), unknown(i), size(i), i * 7 % 31, i % 2);
    write(path, "t.csv", lines("m,n,size,x,y", 300, row));
    let config = init(path, &["t.csv", "--target", "y"]);
    let own = config["data"]["na_values"].to_string();
    assert_eq!(own, "{ m = [\"?\", \"low\"], n = [\"?\"], x = [\"?\"] }");
    // Other rows may have it where the file has none.
    succeed(path, &["train", "made.toml", "-q", "--set", "train.epochs=1", "--out", "run"]);
    write(path, "new.csv", "m,n,size,x\n1,2,low,?\n");
    assert_eq!(succeed(path, &["predict", "run", "--input", "new.csv"]).lines().count(), 2);
}

#[test]
fn a_code_that_is_nowhere_a_value_is_missing_in_every_column_of_numbers_beside_one_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let row = |i: usize| {
        let age = if i % 50 == 7 { "999".to_owned() } else { format!("{}.5", 18 + i * 7 % 60) };
        let score = if i % 40 == 3 { "-999".to_owned() } else { format!("{}.25", i * 11 % 90) };
        format!("{},{age},{score},{}.5,{}", i + 1, 900 + i * 13 % 200, i * 37 % 101)
    };
    write(path, "t.csv", lines("id,age,score,price,y", 1200, row));
    let made = init(path, &["t.csv", "--target", "y"]);
    // An id that is no feature keeps its 999.
    assert_eq!(
        made["data"]["na_values"].to_string(),
        "{ age = [\"-999\", \"999\"], price = [\"-999\"], score = [\"-999\"] }"
    );
}
