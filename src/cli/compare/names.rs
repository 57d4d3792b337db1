//! The shortest names that tell runs apart: `batch_size=64`, or the part of their folders that differs.

use std::path::PathBuf;

use crate::cli::table::printable;
use crate::report::{shorten, without_shared_folders};

/// The most characters of a name at the head of a column.
const LONGEST: usize = 24;

/// The keys in which runs differ, each with its value in every run.
type Differences = [(String, Vec<String>)];

/// A name for each run: by the one key of their configs that differs between any two, or else by their folders.
pub(super) fn of_runs(paths: &[PathBuf], differences: &Differences) -> Vec<String> {
    by_key(differences).unwrap_or_else(|| by_folder(paths))
}

fn by_key(differences: &Differences) -> Option<Vec<String>> {
    let named = |(key, values): &(String, Vec<String>)| {
        let names: Vec<String> =
            values.iter().map(|value| format!("{}={}", short(key), without_quotes(value))).collect();
        (are_apart(&names) && names.iter().all(|name| name.chars().count() <= LONGEST)).then_some(names)
    };
    // The place and split of the data say little about a run; seeds may be the only difference.
    let says_little = |key: &str| key.starts_with("data.path") || key.starts_with("data.fold");
    let mut known: Vec<_> = differences.iter().filter(|(key, _)| !says_little(key)).collect();
    known.sort_by_key(|(key, _)| key == "seed");
    known.into_iter().find_map(named)
}

fn by_folder(paths: &[PathBuf]) -> Vec<String> {
    let paths: Vec<String> = paths.iter().map(|path| printable(&path.display().to_string())).collect();
    let paths: Vec<&str> = paths.iter().map(|path| path.trim_end_matches('/')).collect();
    let names = without_shared_folders(&paths);
    let short: Vec<String> = names.iter().map(|name| shorten(name, LONGEST)).collect();
    if are_apart(&short) { short } else { names.into_iter().map(str::to_owned).collect() }
}

/// `batch_size` of `train.batch_size`, `optimizer` of `optimizer.name`.
fn short(key: &str) -> &str {
    let key = key.strip_suffix(".name").unwrap_or(key);
    key.rsplit('.').next().unwrap_or(key)
}

/// A text without its quotes.
fn without_quotes(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    printable(inner.unwrap_or(value))
}

fn are_apart(names: &[String]) -> bool {
    names.iter().enumerate().all(|(index, name)| !names[..index].contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str], differences: &[(&str, &[&str])]) -> Vec<String> {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let owned = |values: &&[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let differences: Vec<_> =
            differences.iter().map(|(key, values)| ((*key).to_owned(), owned(values))).collect();
        of_runs(&paths, &differences)
    }

    #[test]
    fn a_key_that_tells_all_apart_names_them() {
        let two = ["runs/a-20200101-101010", "runs/b-20200101-101011"];
        assert_eq!(
            names(&two, &[("seed", &["1", "2"]), ("train.batch_size", &["64", "\"full\""])]),
            ["batch_size=64", "batch_size=full"]
        );
        assert_eq!(
            names(&two, &[("optimizer.name", &["\"adam\"", "\"sgd\""])]),
            ["optimizer=adam", "optimizer=sgd"]
        );
        assert_eq!(names(&two, &[("seed", &["1", "2"])]), ["seed=1", "seed=2"]);
    }

    #[test]
    fn folders_name_what_no_key_tells_apart() {
        let three = ["runs/one", "runs/two", "runs/three/"];
        assert_eq!(names(&three, &[("train.batch_size", &["1", "2", "2"])]), ["one", "two", "three"]);
        let long = [
            "runs/compare-of-many-long-words-20200101-101010/1-x",
            "runs/compare-of-many-long-words-20200101-101010/2-x",
        ];
        assert_eq!(names(&long, &[]), ["1-x", "2-x"]);
        assert!(
            names(&["a/x".repeat(20).as_str(), "b/y".repeat(20).as_str()], &[])
                .iter()
                .all(|name| name.chars().count() <= LONGEST)
        );
    }
}
