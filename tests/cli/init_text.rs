//! The text of the configs that `descent init` writes: its comments, and the dates that it finds.

use std::fs;

use super::init::init;
use super::tables::{lines, write};
use crate::common::{descent, fail, succeed};

#[test]
fn comments_are_plain_text_and_have_the_range_of_dates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("when,\"the \"\"size\"\"\",unit,y", 60, |i| {
        format!("20{:02}-{:02}-03,\"{} \"\"kg\"\"\",it's,{}", i * 7 % 20, 1 + i % 12, i % 9, i * 37 % 11)
    });
    write(path, "t.csv", rows);
    let text = succeed(path, &["init", "t.csv", "--target", "y"]);
    assert!(!text.contains('\\'), "{text}");
    assert!(text.contains("#   when        date       2000-01-03 to 2019-10-03"), "{text}");
    assert!(text.contains("the \"size\"") && text.contains("0 \"kg\""), "{text}");
    // A line break in a name ends no comment.
    write(path, "t.csv", lines("\"a\n[model]\",y", 60, |i| format!("\"n\n{}\",{}", i % 3, i * 37 % 11)));
    let text = succeed(path, &["init", "t.csv", "--target", "y"]);
    assert!(text.contains("#   a\\n[model]") && text.contains("n\\n0"), "{text}");
}

#[test]
fn a_year_and_a_month_are_a_date_in_series_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let month = |i: usize| format!("{}-{:02}", 1980 + i / 12, i % 12 + 1);
    write(path, "s.csv", lines("month,y", 120, |i| format!("{},{}", month(i), i % 12 * 3 + i % 5)));
    let config = init(path, &["s.csv", "--target", "y"]);
    assert_eq!(config["data"]["name"].as_str(), Some("timeseries"));
    succeed(path, &["train", "s.csv", "--target", "y", "-q", "--set", "train.epochs=1", "--out", "series"]);
    let printed = succeed(path, &["predict", "series", "--input", "s.csv"]);
    // pandas: date_range("1980-01", periods=121, freq="MS")[-1].
    assert!(printed.contains("\n1990-01,"), "{printed}");
    write(
        path,
        "t.csv",
        lines("month,x,y", 120, |i| format!("{},{},{}", month(i * 37 % 120), i % 7, i % 12)),
    );
    let text = succeed(path, &["init", "t.csv", "--target", "x"]);
    assert!(text.contains("#   month  date       1980-01-01 to 1989-12-01"), "{text}");
    succeed(path, &["train", "t.csv", "--target", "x", "-q", "--set", "train.epochs=1", "--out", "table"]);
    let printed = succeed(path, &["inspect", "table"]);
    assert!(!printed.is_empty());
}

/// A division by zero gives both signs, so that both are set; the warning has those of the file. Names are left alone.
#[test]
fn infinite_cells_are_missing_ones_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (cells, set, seen) in [
        (["1", "2", "inf"], ["-inf", "inf"], "`inf` among numbers is taken for a missing cell"),
        (
            ["-Infinity", "2", "1"],
            ["-Infinity", "Infinity"],
            "`-Infinity` among numbers is taken for a missing cell",
        ),
        (["inf", "2", "-inf"], ["-inf", "inf"], "`-inf`, `inf` among numbers are taken for missing cells"),
    ] {
        let rows =
            |i: usize| format!("{},{},{}", cells[(i / 20) % 3], ["Audi", "Infinity", "BMW"][i % 3], i % 2);
        write(path, "t.csv", lines("x,brand,y", 60, rows));
        let output = descent(path, &["init", "t.csv", "--target", "y"]);
        let config: toml::Table = toml::from_str(&String::from_utf8(output.stdout).unwrap()).unwrap();
        // A brand is called Infinity: that is missing among the numbers alone.
        let (found, is_name) = (&config["data"]["na_values"], set[1] == "Infinity");
        let found = if is_name { &found["x"] } else { found }.as_array().unwrap();
        let found: Vec<&str> = found.iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(found, set);
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(messages.contains(&format!("WARN t.csv: {seen}")), "{messages}");
        write(path, "made.toml", toml::to_string(&config).unwrap());
        succeed(path, &["train", "made.toml", "--dry-run"]);
    }
    // Names alone: nothing is missing.
    write(
        path,
        "t.csv",
        lines("brand,x,y", 60, |i| format!("{},{i},{}", ["Audi", "inf", "BMW"][i % 3], i % 2)),
    );
    let output = descent(path, &["init", "t.csv", "--target", "y"]);
    let config = String::from_utf8(output.stdout).unwrap();
    assert!(!config.contains("na_values") && config.contains("brand"), "{config}");
    assert!(!String::from_utf8(output.stderr).unwrap().contains("missing"));
}

/// Text is a class, whatever it looks like; in a CSV few values with a word among them.
#[test]
fn a_target_of_text_that_looks_like_numbers_has_classes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for names in [["10", "20", "30"], ["007", "07", "7"], ["1", "2", "3+"]] {
        let row = |i: usize| format!("{{\"x\": {}, \"y\": \"{}\"}}", i % 7, names[i % 3]);
        write(path, "t.jsonl", (0..90).map(row).collect::<Vec<_>>().join("\n"));
        let config = init(path, &["t.jsonl", "--target", "y"]);
        assert_eq!(config["loss"]["name"].as_str(), Some("cross_entropy"), "{names:?}");
        succeed(path, &["train", "made.toml", "--set", "train.epochs=1", "--out", names[0]]);
        let learnt = fs::read_to_string(path.join(names[0]).join("data.toml")).unwrap();
        assert!(names.iter().all(|name| learnt.contains(&format!("\"{name}\""))), "{learnt}");
    }
    write(path, "t.csv", lines("x,y", 90, |i| format!("{},{}", i % 7, ["1", "2", "3+"][i % 3])));
    assert_eq!(init(path, &["t.csv", "--target", "y"])["loss"]["name"].as_str(), Some("cross_entropy"));
    // Numbers with a few words are numbers, of which some are missing; so are few numbers with a word for that.
    let none = |i: usize| if i == 5 { "none".to_owned() } else { i.to_string() };
    let unknown = |i: usize| if i == 5 { "?".to_owned() } else { (i % 7).to_string() };
    for target in [&none as &dyn Fn(usize) -> String, &unknown] {
        write(path, "t.csv", lines("x,y", 90, |i| format!("{},{}", i % 9, target(i))));
        let said = String::from_utf8(descent(path, &["init", "t.csv", "--target", "y"]).stderr).unwrap();
        assert!(said.contains("1 row has no target: `data.drop_missing_target` is set"), "{said}");
    }
    // Many different numbers that were written as text.
    let row = |i: usize| format!("{{\"x\": {}, \"y\": \"{}.25\"}}", i % 7, i % 45);
    write(path, "t.jsonl", (0..180).map(row).collect::<Vec<_>>().join("\n"));
    assert_eq!(init(path, &["t.jsonl", "--target", "y"])["loss"]["name"].as_str(), Some("mse"));
}

#[test]
fn codes_are_listed_with_their_zeros() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let code = |i: usize| ["01144", "01033", "01855"][i % 3];
    let csv = lines("zip,y", 90, |i| format!("{},{}", code(i), i * 37 % 41));
    let json: Vec<String> =
        (0..90).map(|i| format!("{{\"zip\": \"{}\", \"y\": {}}}", code(i), i * 37 % 41)).collect();
    for (name, table) in [("t.csv", csv), ("t.jsonl", json.join("\n"))] {
        write(path, name, table);
        let text = succeed(path, &["init", name, "--target", "y", "--output", "-"]);
        let line = text.lines().find(|line| line.starts_with("#   zip")).unwrap();
        assert!(["01144", "01033", "01855"].iter().all(|code| line.contains(code)), "{name}: {line}");
    }
}

/// Amounts, percentages and weights with their signs: a warning as a feature, as training has one, and an error as a target.
#[test]
fn numbers_with_signs_and_units_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("price,share,weight,x,y", 60, |i| {
        format!("\"$1,{:03}.56\",{i}.2%,{i}.3 kg,{},{}", i * 7, i * 5 % 7, i * 37 % 11)
    });
    write(path, "t.csv", rows);
    let columns = [("price", "$1,000.56"), ("share", "0.2%"), ("weight", "0.3 kg")];
    let output = descent(path, &["init", "t.csv", "--target", "y", "--output", "c.toml"]);
    let of_init = String::from_utf8(output.stderr).unwrap();
    let output = descent(path, &["train", "c.toml", "--set", "train.epochs=1", "--out", "run"]);
    let of_train = String::from_utf8(output.stderr).unwrap();
    for (column, example) in columns {
        let warning = |example: &str| format!("column `{column}` has values such as `{example}");
        // Training looks at the training rows alone, and has another example.
        assert!(
            of_init.contains(&warning(example)) && of_train.contains(&warning("")),
            "{of_init} {of_train}"
        );
    }
    let config = fs::read_to_string(path.join("c.toml")).unwrap();
    assert!(
        config.contains(
            "it has values such as `$1,000.56`, which are read as text; write numbers as 0.5 and 1000"
        ),
        "{config}"
    );
    assert!(!of_init.contains("`x`"), "{of_init}");
    for (target, example) in columns {
        let error = fail(path, &["init", "t.csv", "--target", target], 1);
        let problem = format!("target `{target}`: it has values such as `{example}`, which are read as text");
        assert!(error.contains(&problem), "{error}");
    }
}

#[test]
fn a_decimal_comma_in_one_of_the_columns_is_advised_of_as_training_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("eur,x,y", 60, |i| format!("\"{i},{}5\",{}.5,{}.25", i % 7, i * 5 % 13, i * 37 % 11));
    write(path, "t.csv", rows);
    for command in
        [&["init", "t.csv", "--target", "y", "--output", "c.toml"][..], &["train", "c.toml", "--out", "run"]]
    {
        let output = descent(path, command);
        let text = String::from_utf8(output.stderr).unwrap();
        let warning = "which are read as text; set `data.decimal = \",\"`";
        assert!(text.contains("column `eur` has numbers such as") && text.contains(warning), "{text}");
    }
}

#[test]
fn a_word_hides_no_decimal_comma() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Neither a feature nor the target is a column of numbers but for its word; nor is the target alone.
    let cell = |i: usize, every: usize| {
        if i % every == 3 { "?".to_owned() } else { format!("1.{:03},{}", i * 37 % 1000, i % 10) }
    };
    for every in [20, 1000] {
        let rows = lines("a;b;y", 80, |i| format!("{};{};{}", cell(i, 20), i % 5, cell(i * 7, every)));
        write(path, "t.csv", rows);
        let target = if every == 20 { "b" } else { "y" };
        let config = init(path, &["t.csv", "--target", target]);
        let data = config["data"].as_table().unwrap();
        assert_eq!((data["decimal"].as_str(), data["thousands"].as_str()), (Some(","), Some(".")));
        assert_eq!(data["na_values"].as_array().unwrap()[0].as_str(), Some("?"));
        assert!(data.get("columns").is_none_or(|columns| columns.get("a").is_none()), "{config}");
        succeed(path, &["train", "made.toml", "--set", "train.epochs=1", "--out", &format!("run-{every}")]);
    }
    // A config that somebody wrote is told of the comma, too.
    let own = "[data]\nname = 'csv'\npath = 't.csv'\ntarget = 'b'\ncolumns = { a = 'number' }\n[model]\nname = 'mlp'\n\
               [loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n";
    write(path, "own.toml", own);
    let error = fail(path, &["train", "own.toml", "--dry-run"], 1);
    assert!(error.contains(r#"set `data.decimal = ",""#), "{error}");
}

#[test]
fn a_column_that_is_ignored_for_its_numbers_form_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Thousands with points beside decimal commas. Few of the first amounts repeat, so that training is told the kind.
    let credit = |i: usize| if i.is_multiple_of(100) { 7 } else { i };
    let amount = |i: usize| format!("{}.{:03}", 100 + i / 9, i * 37 % 1000);
    let row = |i: usize| format!("{};{},5;{},25;{},5", amount(credit(i)), i % 13, i % 103, i % 7);
    write(path, "t.csv", lines("credit;x;z;y", 6000, row));
    let made = succeed(path, &["init", "t.csv", "--target", "y"]);
    let said = |start: &str| {
        let line = made.lines().find(|line| line.starts_with(start));
        line.is_some_and(|line| line.contains("set `data.thousands = \".\"`"))
    };
    assert!(said("#   credit  ignore") && said("credit = \"ignore\""), "{made}");
    assert!(made.contains("` (then remove this line)"), "{made}");
}
