//! Calibrated probabilities, and intervals around predicted numbers.

use std::fs;
use std::path::Path;

use super::npz;
use super::tables::{cells, config, lines, metric, write};
use crate::common::{descent, fail, succeed};

/// A table whose classes are drawn with probabilities that a number decides, and its config.
fn classes(folder: &Path) -> String {
    let rows = lines("x,z,y", 600, |i| {
        let (x, luck) = (i * 37 % 101, i * 7919 % 103);
        format!("{x},{},{}", i * 31 % 17, ["no", "yes"][usize::from(luck < x)])
    });
    let path = write(folder, "t.csv", rows);
    config("csv", &path, "y", "test = 0.2\nvalidation = 0.2\nnormalize = \"standard\"", "cross_entropy")
        .replace("hidden = [16]", "hidden = [128, 128]")
        .replace("epochs = 3", "epochs = 60\ncalibrate = true")
}

#[test]
fn a_temperature_makes_an_overtrained_network_calibrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = classes(path);
    write(path, "c.toml", &text);
    write(path, "plain.toml", text.replace("calibrate = true", ""));
    // Without early stopping the last weights are those of an overtrained network.
    let out = succeed(path, &["train", "c.toml", "--out", "run"]);
    let plain = succeed(path, &["train", "plain.toml", "--out", "plain"]);
    let temperature = metric(&out, "temperature");
    let accuracy = |text: &str| metric(text, "test_accuracy").to_bits();
    assert_eq!(accuracy(&out), accuracy(&plain));
    // The probabilities of the calibrated run are those of the other with logits over the temperature.
    let predicted = |run: &str| {
        let text = succeed(path, &["predict", run, "--input", "t.csv"]);
        cells(&text)[1..].iter().map(|row| row[2].parse::<f64>().unwrap()).collect::<Vec<_>>()
    };
    for (own, plain) in predicted("run").iter().zip(predicted("plain")) {
        let logit = (plain / (1.0 - plain)).ln() / temperature;
        assert!((own - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-3, "{own} {plain} {temperature}");
    }
    // eval and a resumed run agree with what was saved.
    assert!((metric(&succeed(path, &["eval", "run"]), "test_loss") - metric(&out, "test_loss")).abs() < 1e-4);
    let more = succeed(path, &["train", "--resume", "run", "--set", "train.epochs=62"]);
    let whole = succeed(path, &["train", "c.toml", "--set", "train.epochs=62", "--out", "whole"]);
    assert_eq!(metric(&more, "test_loss").to_bits(), metric(&whole, "test_loss").to_bits());
    let model = |run: &str| fs::read(path.join(run).join("model.safetensors")).unwrap();
    assert_eq!(model("run"), model("whole"));
    let error = fail(path, &["train", "c.toml", "--set", "data.validation=0.0"], 2);
    assert!(error.contains("train.calibrate") && error.contains("data.validation"), "{error}");
}

/// What `train` and `eval` say of the baselines.
fn verdict(folder: &Path, arguments: &[&str]) -> String {
    let output = descent(folder, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let line = said.lines().find(|line| line.contains("the best baseline"));
    let line = line.unwrap_or_else(|| panic!("no verdict: {said}"));
    line[line.find("the network").unwrap()..].to_owned()
}

#[test]
fn without_test_rows_the_results_are_those_of_the_calibrated_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let place = |i: u16| f32::from(i * 37 % 101) / 50.0 - 1.0;
    let rows = (0..300u16).flat_map(|i| [place(i), f32::from(i * 31 % 17) / 8.0 - 1.0]);
    let classes = (0..300u32).map(|i| i64::from(i * 7919 % 103 < i * 37 % 101));
    let arrays = [npz::Array::f32("x_train", &[300, 2], rows), npz::Array::i64("y_train", &[300], classes)];
    npz::write(&path.join("data.npz"), false, &arrays);
    let text = npz::CONFIG.replace("LOSS", "cross_entropy").replace("[8]", "[64, 64]");
    let text = text.replace("[model]", "validation = 0.3\n[model]").replace("0.02", "0.005");
    let text = text.replace("batch_size = 8", "batch_size = 32").replace("epochs = 60", "epochs = 10");
    write(path, "c.toml", format!("{text}calibrate = true\n"));
    let train = verdict(path, &["train", "c.toml", "--out", "run"]);
    let log = fs::read_to_string(path.join("run/metrics.jsonl")).unwrap();
    let log: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = log.last().unwrap();
    let eval = ["eval", "run"];
    let text = succeed(path, &eval);
    for name in ["val_loss", "val_log_loss", "val_accuracy", "val_calibration_error"] {
        let own = last[name].as_f64().unwrap_or_else(|| panic!("no {name}: {last}"));
        assert!((own - metric(&text, name)).abs() < 1e-5, "{name}: {own} {text}");
    }
    // The epoch's were others.
    let best = log.iter().find(|line| line["epoch"] == last["best_epoch"]).unwrap();
    assert!((best["val_log_loss"].as_f64().unwrap() - metric(&text, "val_log_loss")).abs() > 1e-3);
    assert_eq!(train, verdict(path, &eval));
    succeed(path, &["report", "run", "--output", "r.html"]);
    assert!(fs::read_to_string(path.join("r.html")).unwrap().contains(&train));
}

/// The output weights of a run.
fn heads(run: &Path) -> Vec<f32> {
    let state = descent::checkpoint::load(&run.join("model.safetensors")).unwrap();
    let name = state.keys().filter(|name| name.ends_with("weight")).max().unwrap();
    state[name].flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn the_members_of_an_ensemble_are_divided_by_the_temperature_of_their_mean() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = classes(path).replace("[loss]", "ensemble = 4\n[loss]").replace("[128, 128]", "[48, 48]");
    write(path, "c.toml", &text);
    write(path, "plain.toml", text.replace("calibrate = true", ""));
    let out = succeed(path, &["train", "c.toml", "--out", "run"]);
    let plain = succeed(path, &["train", "plain.toml", "--out", "plain"]);
    let temperature = metric(&out, "temperature");
    assert!((temperature - 1.0).abs() > 0.02, "{out}");
    for (own, plain) in heads(&path.join("run")).iter().zip(heads(&path.join("plain"))) {
        assert!(
            (f64::from(*own) * temperature - f64::from(plain)).abs() < 1e-4,
            "{own} {plain} {temperature}"
        );
    }
    assert_eq!(metric(&out, "test_accuracy").to_bits(), metric(&plain, "test_accuracy").to_bits());
    assert!((metric(&succeed(path, &["eval", "run"]), "test_loss") - metric(&out, "test_loss")).abs() < 1e-4);
}

#[test]
fn predictions_stay_within_their_range_and_intervals_reach_beyond_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("x,y,z", 300, |i| format!("{},{}.5,{}", i * 37 % 101, i * 7919 % 103, i * i % 89));
    let table = write(path, "t.csv", rows);
    let data = "validation = 0.3\nnormalize = \"standard\"\nclamp_output = true";
    for target in ["\"y\"", "[\"y\", \"z\"]"] {
        let text =
            config("csv", &table, "y", data, "mse").replace("target = \"y\"", &format!("target = {target}"));
        write(path, "c.toml", text);
        let _ = fs::remove_dir_all(path.join("run"));
        succeed(path, &["train", "c.toml", "--out", "run"]);
        let text = succeed(path, &["predict", "run", "--input", "t.csv", "--interval", "0.95"]);
        let rows = cells(&text);
        let column = |prefix: &str| -> Vec<f64> {
            let columns: Vec<usize> =
                (0..rows[0].len()).filter(|column| rows[0][*column].starts_with(prefix)).collect();
            rows[1..]
                .iter()
                .flat_map(|row| columns.iter().map(|column| row[*column].parse::<f64>().unwrap()))
                .collect()
        };
        let [values, lower, upper] = ["prediction", "lower", "upper"].map(column);
        assert!(values.iter().all(|value| (0.0..=102.5).contains(value)), "{text}");
        // Each interval has its whole width on both sides.
        let targets = rows[0].len() / 3;
        for (index, value) in values.iter().enumerate() {
            let half = upper[index % targets] - values[index % targets];
            assert!((value - lower[index] - half).abs() < 1e-3 && (upper[index] - value - half).abs() < 1e-3);
        }
        assert!(lower.iter().any(|bound| *bound < 0.0), "{text}");
    }
}

#[test]
fn the_report_counts_the_rows_that_predict_covers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // A tenth of the test rows lies beyond the training rows.
    let row = |i: usize| {
        let (split, y) = (["train", "validation", "test"][i % 3], i * 37 % 101);
        let y = if split == "test" && y > 90 { 101 + i % 5 } else { y };
        format!("{},{y},{split}", i * 37 % 101 + i * 7919 % 23)
    };
    let table = write(path, "t.csv", lines("x,y,split", 900, row));
    write(path, "test.csv", lines("x,y,split", 300, |i| row(3 * i + 2)));
    let data = "split_column = \"split\"\nnormalize = \"standard\"\nclamp_output = true";
    let text = config("csv", &table, "y", data, "mse");
    write(path, "c.toml", text.replace("epochs = 3", "epochs = 20"));
    succeed(path, &["train", "c.toml", "--out", "run"]);
    let text = succeed(path, &["predict", "run", "--input", "test.csv", "--keep", "y", "--interval", "0.9"]);
    let number = |text: &str| text.parse::<f64>().unwrap();
    let rows: Vec<Vec<f64>> =
        cells(&text)[1..].iter().map(|row| row.iter().map(|cell| number(cell)).collect()).collect();
    let within = rows.iter().filter(|row| row[2] <= row[0] && row[0] <= row[3]);
    // Some of these are covered above the largest training row.
    assert!(within.clone().any(|row| row[0] > 100.0), "{text}");
    let covered = 100.0 * f64::from(u32::try_from(within.count()).unwrap()) / 300.0;
    succeed(path, &["report", "run", "--output", "r.html"]);
    let page = fs::read_to_string(path.join("r.html")).unwrap();
    assert!(page.contains(&format!("{covered:.1} % of the test rows")), "{covered}");
}

/// The half width of 80 % intervals around the predictions.
fn half_width(folder: &Path, run: &str) -> f64 {
    let text = succeed(folder, &["predict", run, "--input", "t.csv", "--interval", "0.8"]);
    let row: Vec<f64> = cells(&text)[1].iter().map(|cell| cell.parse().unwrap()).collect();
    row[2] - row[0]
}

#[test]
fn rows_count_by_their_weights_in_intervals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let row = |i: usize| {
        let split = if i.is_multiple_of(3) { "validation" } else { "train" };
        format!(
            "{},{},{split},{}",
            i * 37 % 101,
            i * 7919 % 103,
            if split == "train" { 1 } else { 1 + i % 4 }
        )
    };
    write(path, "t.csv", lines("x,y,split,w", 300, row));
    // The same with each validation row as often as it counts.
    let repeated = (0..300usize).flat_map(|i| {
        let copies = if i.is_multiple_of(3) { 1 + i % 4 } else { 1 };
        std::iter::repeat_n(row(i), copies)
    });
    write(path, "r.csv", format!("x,y,split,w\n{}\n", repeated.collect::<Vec<_>>().join("\n")));
    let text = |file: &str, weight: &str| {
        let data = format!("split_column = \"split\"\ncolumns = {{ w = \"ignore\" }}\n{weight}");
        config("csv", &path.join(file), "y", &data, "mse")
    };
    write(path, "w.toml", text("t.csv", "weight = \"w\"").replace("columns = { w = \"ignore\" }\n", ""));
    write(path, "r.toml", text("r.csv", ""));
    write(path, "p.toml", text("t.csv", ""));
    for name in ["w", "r", "p"] {
        succeed(path, &["train", &format!("{name}.toml"), "--out", name]);
    }
    let [weighted, repeated, plain] = ["w", "r", "p"].map(|run| half_width(path, run));
    assert!((weighted - repeated).abs() < 1e-4, "{weighted} {repeated}");
    assert!((weighted - plain).abs() > 1e-3, "{weighted} {plain}");
}

#[test]
fn intervals_cover_the_fraction_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("x,y", 900, |i| format!("{},{}", i * 37 % 101, i * 37 % 101 + i * 7919 % 103));
    let table = write(path, "t.csv", rows);
    let text = config("csv", &table, "y", "test = 0.3\nvalidation = 0.3\nnormalize = \"standard\"", "mse");
    write(path, "c.toml", text.replace("epochs = 3", "epochs = 10"));
    succeed(path, &["train", "c.toml", "--out", "run"]);
    let covered = |level: &str| {
        let text = succeed(path, &["predict", "run", "--input", "t.csv", "--keep", "y", "--interval", level]);
        let rows = cells(&text);
        assert_eq!(rows[0], ["y", "prediction", "lower", "upper"]);
        let number = |text: &str| text.parse::<f64>().unwrap();
        let within = |row: &&Vec<&str>| number(row[2]) <= number(row[0]) && number(row[0]) <= number(row[3]);
        let count = u32::try_from(rows[1..].iter().filter(within).count()).unwrap();
        f64::from(count) / 900.0
    };
    let (half, most) = (covered("0.5"), covered("0.9"));
    assert!((half - 0.5).abs() < 0.08 && (most - 0.9).abs() < 0.05, "{half} {most}");
    succeed(path, &["report", "run", "--output", "r.html"]);
    assert!(fs::read_to_string(path.join("r.html")).unwrap().contains("90 % interval"));
    let error = fail(path, &["predict", "run", "--input", "t.csv", "--interval", "0.9999"], 1);
    assert!(error.contains("takes 9999 validation rows or more"), "{error}");
    let output = descent(path, &["predict", "run", "--input", "t.csv", "--interval", "90"]);
    assert_eq!(output.status.code(), Some(2));
    write(path, "c.toml", classes(path));
    succeed(path, &["train", "c.toml", "--set", "train.epochs=1", "--out", "classes"]);
    let error = fail(path, &["predict", "classes", "--input", "t.csv", "--interval", "0.9"], 2);
    assert!(error.contains("probabilities"), "{error}");
}

#[test]
fn the_column_that_decides_the_target_is_the_most_important_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("noise,city,x,y", 400, |i| {
        let (x, city) = (i * 37 % 101, i * 13 % 40);
        format!("{},town{city},{x},{}", i * 7919 % 103, 10 * x + if city < 20 { 200 } else { 0 })
    });
    let table = write(path, "t.csv", rows);
    let text = config("csv", &table, "y", "test = 0.3\nnormalize = \"standard\"", "mse");
    write(path, "c.toml", text.replace("epochs = 3", "epochs = 60"));
    succeed(path, &["train", "c.toml", "--out", "run"]);
    succeed(path, &["report", "run", "--output", "r.html"]);
    let page = fs::read_to_string(path.join("r.html")).unwrap();
    let table = page.split("Permutation importance").nth(1).unwrap().split("</table>").next().unwrap();
    let place = |name: &str| table.find(&format!("<code>{name}</code>")).unwrap();
    assert!(place("x") < place("city") && place("city") < place("noise"), "{table}");
}
