//! `descent init` on numbers that stand for a missing one.

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
    let made = std::fs::read_to_string(path.join("c.toml")).unwrap();
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
fn a_number_that_another_column_or_the_target_has_is_no_missing_cell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (header, target) in [("x,price,y", "y"), ("x,y,price", "price")] {
        let row = |i: usize| {
            let x = if i % 50 == 7 { "999".to_owned() } else { (i % 5).to_string() };
            let price = 900 + i * 13 % 200;
            if target == "y" { format!("{x},{price},{}", i % 9) } else { format!("{x},{},{price}", i % 9) }
        };
        write(path, "t.csv", lines(header, 400, row));
        // Of a few numbers each is a name of its own.
        let made: toml::Table = succeed(path, &["init", "t.csv", "--target", target]).parse().unwrap();
        assert!(made["data"].get("na_values").is_none(), "{made}");
        assert_eq!(made["data"]["columns"]["x"].as_str(), Some("category"), "{made}");
        // Of many it is pointed out.
        let many = std::fs::read_to_string(path.join("t.csv")).unwrap();
        let many = many.lines().enumerate().map(|(i, line)| match line.split_once(',') {
            Some((x, rest)) if x.len() == 1 && i > 0 => format!("{}.{},{rest}\n", i * 7 % 10, i * 31 % 97),
            _ => format!("{line}\n"),
        });
        write(path, "t.csv", many.collect::<String>());
        let made = succeed(path, &["init", "t.csv", "--target", target]);
        let unwrapped = made.replace("\n# ", " ");
        assert!(
            unwrapped.contains("999 in `x` (8 rows) lies far from its other numbers, but another column may"),
            "{made}"
        );
    }
    // A target is not without its rows, which are warned of; a number of the row hides nothing.
    let row = |i: usize| {
        let age = if i % 40 == 3 { "999".to_owned() } else { format!("{}.5", 18 + i * 7 % 60) };
        let y = if i % 50 == 7 { "9999".to_owned() } else { format!("{}.25", i * 13 % 90) };
        format!("{},{age},{y}", i + 1)
    };
    write(path, "t.csv", lines("id,age,y", 1200, row));
    let output = descent(path, &["init", "t.csv", "--target", "y"]);
    let (made, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(made.contains("na_values = [\"999\"]"), "{made}");
    assert!(said.contains("target `y`: 9999"), "{said}");
}
