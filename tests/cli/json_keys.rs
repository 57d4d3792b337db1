//! `predict --keep` on JSON lines, whose columns no header lists.

use super::predict_keys::trained;
use super::tables::write;
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
