//! `descent init` on numbers that stand for a missing one.

use super::tables::{lines, metric, write};
use crate::common::{descent, succeed};

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
    let output = descent(path, &["init", "t.csv", "--target", "y", "-o", "c.toml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("among numbers far from it are taken for missing cells"), "{said}");
    let made = std::fs::read_to_string(path.join("c.toml")).unwrap();
    let config: toml::Table = made.parse().unwrap();
    let words: Vec<&str> =
        config["data"]["na_values"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    assert_eq!(words, ["-999", "666", "999999.375"], "{made}");
    let unwrapped = made.replace("\n# ", " ");
    assert!(unwrapped.contains("666 in `guide` (7 rows) lies far from its other numbers"), "{made}");
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
            unwrapped.contains("999 in `x` (8 rows) lies far from its other numbers, but another column"),
            "{made}"
        );
    }
    // A target of codes is not without its rows.
    let row = |i: usize| format!("{},{}", i % 5, if i % 50 == 7 { 9999 } else { i % 9 });
    write(path, "t.csv", lines("x,y", 400, row));
    let made = succeed(path, &["init", "t.csv", "--target", "y"]);
    assert!(!made.contains("na_values"), "{made}");
}
