//! `descent predict`: a run asked about other rows.

use std::fs;
use std::path::Path;

use super::{cells, config, lines, metric, table, write};
use crate::common::{descent, fail, succeed};

/// A run on predict/train.csv.
pub(super) fn trained(folder: &Path) {
    let text = config("csv", &table("predict/train.csv"), "class", "normalize = 'standard'", "cross_entropy");
    write(folder, "c.toml", text);
    succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
}

pub(super) fn predict(folder: &Path, name: &str) -> String {
    succeed(folder, &["predict", "run", "--input", table(&format!("predict/{name}.csv")).to_str().unwrap()])
}

#[test]
fn columns_are_found_by_name() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let expected = predict(folder.path(), "same");
    let rows = cells(&expected);
    assert_eq!(rows[0], ["prediction", "probability_no", "probability_yes"]);
    assert_eq!(rows.len(), 7);
    for row in &rows[1..] {
        let shares: Vec<f64> = row[1..].iter().map(|cell| cell.parse().unwrap()).collect();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert_eq!(row[0], if shares[1] > shares[0] { "yes" } else { "no" });
    }
    for name in ["no-target", "reordered", "extra", "unseen-class"] {
        assert_eq!(predict(folder.path(), name), expected, "{name}");
    }
    assert_eq!(predict(folder.path(), "header-only").lines().count(), 1);
    for (name, words) in [
        ("missing-column", "no column `colour`"),
        ("missing-cell", "line 4, column `x`: is missing"),
        ("text-in-number", "line 4, column `x`: `tall` is no number"),
    ] {
        let input = table(&format!("predict/{name}.csv"));
        let arguments = ["predict", "run", "--input", input.to_str().unwrap(), "--output", "out.csv"];
        let error = fail(folder.path(), &arguments, 1);
        assert!(error.contains(words) && error.contains(name), "{error}");
        assert!(!folder.path().join("out.csv").exists(), "half of the predictions were left");
    }
    // A name that training did not have is unknown, and said to be.
    let input = table("predict/unseen-category.csv");
    let output = descent(folder.path(), &["predict", "run", "--input", input.to_str().unwrap()]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && messages.contains("`colour`: 1 value that training did not have"),
        "{messages}"
    );
    assert!(messages.contains(r"`violet\u{1b}[31m` in line 4"), "{messages}");
    let test = format!("data.test='{}'", table("predict/unseen-class.csv").display());
    let error = fail(folder.path(), &["eval", "run", "--set", &test], 1);
    assert!(error.contains("line 4, column `class`: `maybe` is no class"), "{error}");
}

#[test]
fn values_come_in_their_own_units() {
    let folder = tempfile::tempdir().unwrap();
    // Two targets, of which one is large.
    let rows =
        lines("x,big,small", 200, |i| format!("{i},{},{}", 1000 + 5 * i, 3i64 - i64::try_from(i).unwrap()));
    let path = write(folder.path(), "lines.csv", rows);
    let text = config("csv", &path, "TARGET", "test = 0.25\nnormalize = 'standard'", "mse");
    let text = text.replace("\"TARGET\"", "[\"big\", \"small\"]").replace("epochs = 3", "epochs = 150");
    write(folder.path(), "c.toml", text);
    let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&trained, "test_r2") > 0.99, "{trained}");
    assert!(
        metric(&trained, "test_mae_big") < 50.0 && metric(&trained, "test_mae_small") < 10.0,
        "{trained}"
    );
    let messages = succeed(folder.path(), &["predict", "run", "--input", path.to_str().unwrap()]);
    let rows = cells(&messages);
    assert_eq!(rows[0], ["prediction_big", "prediction_small"]);
    for (i, row) in rows[1..].iter().enumerate().step_by(20) {
        let i = u16::try_from(i).map(f64::from).unwrap();
        assert!((row[0].parse::<f64>().unwrap() - (1000.0 + 5.0 * i)).abs() < 60.0, "{row:?}");
        assert!((row[1].parse::<f64>().unwrap() - (3.0 - i)).abs() < 15.0, "{row:?}");
    }
}

#[test]
fn answers_of_yes_or_no_have_their_words() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |i: usize| if i % 10 > 4 { "spam" } else { "ham" };
    let rows = lines("links,kind", 100, |i| format!("{},{}", i % 10, kind(i)));
    let path = write(folder.path(), "mail.csv", rows);
    let text =
        config("csv", &path, "kind", "test = 0.3", "bce_with_logits").replace("epochs = 3", "epochs = 60");
    write(folder.path(), "c.toml", text);
    let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&trained, "test_accuracy") > 0.95, "{trained}");
    let messages = succeed(folder.path(), &["predict", "run", "--input", path.to_str().unwrap()]);
    let rows = cells(&messages);
    assert_eq!(rows[0], ["prediction", "probability_ham", "probability_spam"]);
    assert_eq!((rows[1][0], rows[10][0]), ("ham", "spam"));
    let [ham, spam] = [1, 2].map(|column| rows[10][column].parse::<f64>().unwrap());
    assert!(spam > 0.5 && (ham + spam - 1.0).abs() < 1e-6, "{ham} {spam}");
}

#[test]
fn a_column_of_many_names_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    // The answer follows from the name alone, of which there are 60: too many for a column each.
    let side = |town: usize| if town.is_multiple_of(3) { "north" } else { "south" };
    let rows = lines("town,side", 1200, |i| format!("town-{},{}", i * 7 % 60, side(i * 7 % 60)));
    let path = write(folder.path(), "towns.csv", rows);
    let text =
        config("csv", &path, "side", "test = 0.25", "cross_entropy").replace("epochs = 3", "epochs = 20");
    write(folder.path(), "c.toml", text);
    let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&trained, "test_accuracy") > 0.97, "{trained}");
    let tensors = succeed(folder.path(), &["inspect", "run"]);
    assert!(tensors.contains("embedding1.weight") && tensors.contains("[61, 16]"), "{tensors}");
    write(folder.path(), "ask.csv", "town\ntown-3\ntown-4\natlantis\n");
    let messages = succeed(folder.path(), &["predict", "run", "--input", "ask.csv", "-q"]);
    let rows = cells(&messages);
    assert_eq!((rows[1][0], rows[2][0], rows.len()), ("north", "south", 4));
    // Stopped and resumed it is the run that was not.
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "part", "--set", "train.max_steps=100"]);
    succeed(folder.path(), &["train", "--resume", "part", "-q", "--set", "train.max_steps=0"]);
    let weights = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(weights("run") == weights("part"));
}

#[test]
fn many_names_in_a_series_have_their_vectors_in_every_step() {
    let folder = tempfile::tempdir().unwrap();
    // What comes next follows from the name of the step before the last.
    let name = |t: usize| t * 7 % 41;
    let rows = lines("shop,y", 900, |t| format!("s{},{}", name(t), if t > 0 { name(t - 1) % 5 } else { 0 }));
    let path = write(folder.path(), "s.csv", rows);
    let data = "window = 2\ntest = 0.2\nnormalize = 'standard'\ncolumns = { shop = 'embedding' }";
    let text = config("timeseries", &path, "y", data, "mse").replace("epochs = 3", "epochs = 60");
    write(folder.path(), "mlp.toml", &text);
    write(
        folder.path(),
        "gru.toml",
        text.replace("name = \"mlp\"\nhidden", "name = \"gru\"\nhidden_size").replace("[16]", "16"),
    );
    for model in ["mlp", "gru"] {
        let trained = succeed(folder.path(), &["train", &format!("{model}.toml"), "-q", "--out", model]);
        assert!(metric(&trained, "test_r2") > 0.9, "{model}: {trained}");
        let messages = succeed(folder.path(), &["predict", model, "--input", "s.csv"]);
        assert_eq!(cells(&messages).len(), 902); // the header, each row, and the one that follows
    }
    // Cut in other steps, a name could be anywhere.
    let towns = lines("town,a,b,y", 400, |i| format!("t{},{},{},{}", i * 7 % 60, i % 3, i % 4, i % 2));
    let path = write(folder.path(), "t.csv", towns);
    let text = config("csv", &path, "y", "sequence = [3, 1]", "cross_entropy");
    write(folder.path(), "cut.toml", text.replace("name = \"mlp\"\nhidden = [16]", "name = \"rnn\""));
    let error = fail(folder.path(), &["train", "cut.toml", "--out", "cut"], 2);
    assert!(error.contains("learnt vectors"), "{error}");
}

/// The accuracy or R² of `eval`, and the one of what `predict` says of the same rows.
#[test]
fn predictions_are_those_that_eval_judges() {
    let folder = tempfile::tempdir().unwrap();
    super::images::paint(&folder.path().join("pictures"), 12);
    let iris = table("iris.csv");
    let data = format!("name = 'csv'\npath = '{0}'\ntarget = 'species'\ntest = '{0}'", iris.display());
    for normalize in ["'standard'", "'minmax'", "'robust'", "'none'", "{ mean = 0.3, std = 0.4 }"] {
        let normalize = format!("normalize = {normalize}");
        let answers = answers_of(folder.path(), &format!("{data}\n{normalize}"), iris.to_str().unwrap(), 0);
        let accuracy = share_that_is_right(&fs::read_to_string(&iris).unwrap(), &answers);
        let judged = metric(&succeed(folder.path(), &["eval", "run"]), "test_accuracy");
        assert!((accuracy - judged).abs() < 1e-4, "{normalize}: {accuracy} is not {judged}");

        let data = format!("name = 'images'\npath = 'pictures'\ntest = 0.0\nvalidation = 0.5\n{normalize}");
        let answers = answers_of(folder.path(), &data, "pictures/left", 1);
        assert_eq!(answers.len(), 12);
        let right = answers.iter().filter(|answer| *answer == "left").count();
        assert!(right > 6, "{normalize}: {answers:?}");
    }
}

/// What a network that was trained on these data predicts for the rows of `input`, in this column.
fn answers_of(folder: &Path, data: &str, input: &str, column: usize) -> Vec<String> {
    let text = format!(
        "[data]\n{data}\n[model]\nname = 'mlp'\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n\
         [train]\nepochs = 4\nbatch_size = 8\n"
    );
    write(folder, "c.toml", text);
    let _ = fs::remove_dir_all(folder.join("run"));
    succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
    let messages = succeed(folder, &["predict", "run", "--input", input]);
    cells(&messages)[1..].iter().map(|row| row[column].to_owned()).collect()
}

/// The share of the rows of Iris whose class is predicted.
fn share_that_is_right(truth: &str, answers: &[String]) -> f64 {
    let place = truth.lines().next().unwrap().split(',').position(|name| name == "species").unwrap();
    let classes = truth.lines().skip(1).map(|line| line.split(',').nth(place).unwrap());
    let right = classes.zip(answers).filter(|(class, answer)| class == answer).count();
    f64::from(u32::try_from(right).unwrap()) / 150.0
}

#[test]
fn a_class_that_is_ignored_by_its_number_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "t.csv", lines("x,y", 30, |i| format!("{i},{}", i % 3)));
    let text = config("csv", &path, "y", "", "cross_entropy")
        .replace("\"cross_entropy\"", "\"cross_entropy\"\nignore_index = 0");
    write(folder.path(), "c.toml", text);
    let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 2);
    assert!(error.contains("`loss.ignore_index` is 0"), "{error}");
}

#[test]
fn what_was_learnt_is_used_on_other_data_and_a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    super::images::paint(&folder.path().join("a"), 12);
    // The same classes among others: the numbers would be other ones.
    super::images::paint(&folder.path().join("b"), 12);
    fs::rename(folder.path().join("b/left"), folder.path().join("b/zleft")).unwrap();
    let text = "[data]\nname = 'images'\npath = 'a'\nvalidation = 0.5\nnormalize = 'standard'\n[model]\nname = 'mlp'\n\
                [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n[train]\nepochs = 5\nbatch_size = 4\n";
    write(folder.path(), "c.toml", text);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let error = fail(folder.path(), &["eval", "run", "--set", "data.path='b'"], 1);
    assert!(error.contains("zleft"), "{error}");
    fs::rename(folder.path().join("b/zleft"), folder.path().join("b/left")).unwrap();
    let messages = succeed(folder.path(), &["eval", "run", "--set", "data.path='b'"]);
    assert!(metric(&messages, "val_accuracy") > 0.9, "the same pictures: {messages}");
    let data = folder.path().join("run/data.toml");
    let whole = fs::read_to_string(&data).unwrap();
    for damaged in [whole.replace("outputs = 2", "outputs = 3"), whole[..whole.len() / 2].to_owned()] {
        fs::write(&data, damaged).unwrap();
        for command in [&["eval", "run"][..], &["predict", "run", "--input", "a/left"]] {
            assert!(fail(folder.path(), command, 1).contains("data.toml"));
        }
    }
}

#[test]
fn a_file_to_score_need_not_have_what_the_config_ignores() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "t.csv", lines("x,later,y", 90, |i| format!("{i},{},{}", i % 4, i % 3)));
    let text = config("csv", &path, "y", "columns = { later = \"ignore\" }", "cross_entropy");
    write(folder.path(), "c.toml", text);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    write(folder.path(), "new.csv", lines("x,y", 9, |i| format!("{i},{}", i % 3)));
    assert!(succeed(folder.path(), &["eval", "run", "--input", "new.csv"]).contains("rows 9"));
    // What it reads has to be there.
    write(folder.path(), "new.csv", lines("later,y", 9, |i| format!("{i},{}", i % 3)));
    assert!(
        fail(folder.path(), &["eval", "run", "--input", "new.csv"], 1).contains("there is no column `x`")
    );
    write(folder.path(), "new.csv", lines("x", 9, |i| format!("{i}")));
    let error = fail(folder.path(), &["eval", "run", "--input", "new.csv"], 1);
    assert!(error.contains("there is no column `y` to predict"), "{error}");
}
