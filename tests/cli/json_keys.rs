//! Predictions of JSON lines, whose cells have types and whose columns no header lists.

use super::predict_keys::trained;
use super::tables::{config, write};
use crate::common::{fail, succeed};

#[test]
fn a_key_that_no_line_of_json_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    write(folder.path(), "ask.jsonl", "{\"x\": 1, \"id\": 7}\n{\"x\": 2, \"note\": 8.5}\n");
    let keep = |key| ["predict", "run", "--input", "ask.jsonl", "--format", "jsonl", "--keep", key];
    for key in ["idd", "id,note", "name"] {
        let error = fail(folder.path(), &keep(key), 2);
        assert!(error.contains("--keep: there is no column"), "{error}");
        assert_eq!(error.contains("repeat --keep for each"), key == "id,note", "{error}");
    }
    assert!(succeed(folder.path(), &keep("note")).contains("{\"note\":8.5,"));
    // Of no rows there is nothing to say.
    write(folder.path(), "ask.jsonl", "");
    succeed(folder.path(), &keep("id"));
}

#[test]
fn a_class_that_is_text_is_predicted_as_text_also_where_it_looks_like_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    write(folder.path(), "c.toml", config("jsonl", &path, "y", "", "cross_entropy"));
    let is_text = |run: &str| {
        std::fs::read_to_string(folder.path().join(run).join("data.toml")).unwrap().contains("text = true")
    };
    for (quote, run) in [("\"", "texts"), ("", "numbers")] {
        let row = |x| format!("{{\"x\": {x}, \"y\": {quote}{}{quote}}}\n", x % 2);
        write(folder.path(), "rows.jsonl", (0..40).map(row).collect::<String>());
        succeed(folder.path(), &["-q", "train", "c.toml", "--out", run]);
        assert_eq!(is_text(run), run == "texts");
        let answers =
            succeed(folder.path(), &["-q", "predict", run, "--input", "rows.jsonl", "--format", "jsonl"]);
        assert_eq!(answers.lines().count(), 40);
        for line in answers.lines() {
            let class = [0, 1].map(|class| format!("{{\"prediction\":{quote}{class}{quote},"));
            assert!(class.iter().any(|class| line.starts_with(class)), "{line}");
        }
    }
    // Numbers are no text, whatever their form.
    let row = |x: usize| format!("{{\"x\": {x}, \"y\": {}}}\n", ["0.5", "1e0"][x % 2]);
    write(folder.path(), "rows.jsonl", (0..40).map(row).collect::<String>());
    succeed(folder.path(), &["-q", "train", "c.toml", "--out", "fractions"]);
    assert!(!is_text("fractions"));
}
