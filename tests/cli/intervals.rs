//! Intervals whose width depends on the prediction.

use super::tables::{cells, config, lines, write};
use crate::common::succeed;

/// Rows whose values are off by up to half of what they are about.
fn row(i: usize) -> String {
    let x = i * 37 % 101;
    let (low, high) = (x / 2, x + x / 2);
    format!("{x},{}", low + i * 7919 % 1009 * (high - low) / 1008)
}

/// The numbers of each row: the target, the prediction, the bounds.
fn predicted(folder: &std::path::Path, level: &str) -> Vec<Vec<f64>> {
    let text = succeed(folder, &["predict", "run", "--input", "new.csv", "--keep", "y", "--interval", level]);
    cells(&text)[1..].iter().map(|row| row.iter().map(|cell| cell.parse().unwrap()).collect()).collect()
}

#[test]
fn small_and_large_values_are_covered_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let table = write(path, "t.csv", lines("x,y", 4000, row));
    write(path, "new.csv", lines("x,y", 6000, |i| row(4000 + i)));
    for (loss, least) in [("mse", f64::NEG_INFINITY), ("poisson_nll", 0.0)] {
        let text = config("csv", &table, "y", "validation = 0.4\nnormalize = \"standard\"", loss);
        write(path, "c.toml", text.replace("epochs = 3", "epochs = 20"));
        let _ = std::fs::remove_dir_all(path.join("run"));
        succeed(path, &["train", "c.toml", "-q", "--out", "run"]);
        let rows = predicted(path, "0.8");
        let covered = |from: f64, to: f64| {
            let own: Vec<_> = rows.iter().filter(|row| (from..to).contains(&row[1])).collect();
            let within = own.iter().filter(|row| row[2] <= row[0] && row[0] <= row[3]).count();
            f64::from(u32::try_from(within).unwrap()) / f64::from(u32::try_from(own.len()).unwrap())
        };
        let all = [covered(f64::NEG_INFINITY, 25.0), covered(25.0, 60.0), covered(60.0, f64::INFINITY)];
        // A bin has 160 validation rows, so that its fraction has a standard deviation of 0.03, and a third of all bins one of 0.02.
        assert!(all.iter().all(|covered| (covered - 0.8).abs() < 0.06), "{loss}: {all:?}");
        let width = |value: f64| {
            let near = |row: &&Vec<f64>| (row[1] - value).abs() < 5.0;
            rows.iter().find(near).map_or(f64::NAN, |row| row[3] - row[1])
        };
        assert!(width(90.0) > 3.0 * width(10.0), "{loss}: {} {}", width(90.0), width(10.0));
        assert!(rows.iter().all(|row| row[2] >= least), "{loss}");
    }
    succeed(path, &["train", "c.toml", "-q", "--out", "tested", "--set", "data.test=0.2"]);
    succeed(path, &["report", "tested", "--output", "r.html"]);
    let page = std::fs::read_to_string(path.join("r.html")).unwrap();
    assert!(page.contains("depending on the prediction") && page.contains("% of the test rows"));
}
