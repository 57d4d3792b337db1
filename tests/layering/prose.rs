//! Doc comments that begin with a clause ("What fills …", "How many …") instead of the thing.

use super::sources::Source;

const OPENINGS: &[&str] = &["What ", "Which ", "Those ", "How ", "Where "];

/// Parts of the crate whose comments are still to be rewritten.
const NOT_YET: &[&str] = &["src/cli/verify", "src/data/table", "src/export", "src/run/predict", "src/verify"];

/// The paragraphs of a file's doc comments that begin with one of [`OPENINGS`], each with its place.
pub(super) fn clauses(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_within = false;
    for (index, line) in source.text.lines().map(str::trim_start).enumerate() {
        let text = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "));
        let is_clause = text.is_some_and(|text| OPENINGS.iter().any(|opening| text.starts_with(opening)));
        if is_clause && !is_within && !NOT_YET.iter().any(|part| source.path.starts_with(part)) {
            found.push(format!("{}:{}: {line}", source.path, index + 1));
        }
        is_within = text.is_some();
    }
    found
}
