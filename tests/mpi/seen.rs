//! What people see of a run of several ranks.

use std::fs;

use super::{Mpi, said, succeed, systems};

#[test]
fn the_first_line_says_who_trains_and_rank_0_alone_says_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (_, config) = systems().into_iter().find(|(name, _)| name == "momentum").unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    for mpi in Mpi::all() {
        let out = format!("{mpi:?}");
        let output = succeed(&mut mpi.train(folder.path(), 4, &["c.toml", "--out", &out]));
        let said = said(&output);
        let first = said.lines().find(|line| line.contains("ranks")).unwrap();
        assert_eq!(first, "4 ranks on 1 host, 1 thread each; 11 or 12 rows each of 45", "{said}");
        let mut lines: Vec<&str> = said.lines().collect();
        let count = lines.len();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), count, "lines are said twice: {said}");
        let results = String::from_utf8(output.stdout).unwrap();
        assert_eq!(results.matches("test_accuracy").count(), 1, "{results}");
        let more = succeed(&mut mpi.train(folder.path(), 2, &["-q", "c.toml", "--out", &format!("{out}-q")]));
        assert!(more.stderr.is_empty(), "{}", super::said(&more));
    }
}

#[test]
fn a_plan_is_printed_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_, config) = systems().into_iter().find(|(name, _)| name == "momentum").unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let output = succeed(&mut Mpi::Open.train(folder.path(), 2, &["c.toml", "--dry-run"]));
    let plan = String::from_utf8(output.stdout).unwrap();
    assert_eq!(plan.matches("[optimizer]").count(), 1, "{plan}");
}
