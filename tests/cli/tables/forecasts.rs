//! Forecasts of several steps, their baselines, and what series are made of besides their own past.

use std::path::Path;

use super::baselines::last;
use super::series::{assert_is_wave, series};
use super::{cells, config, learnt, lines, metric, weights, write};
use crate::common::{descent, fail, succeed};

#[test]
fn all_steps_of_the_horizon_are_forecast_to_beyond_the_last_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "s.csv", series(400));
    let data = "window = 8\nhorizon = 6\ntest = 0.25\nvalidation = 0.1\nnormalize = 'standard'";
    let text = config("timeseries", &path, "wave", data, "mse").replace("epochs = 3", "epochs = 60");
    write(folder.path(), "c.toml", &text);
    let output = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
    let (messages, printed) =
        (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap());
    // Of each part 13 rows are lost: a window and six targets take 14.
    assert!(messages.contains("rows: 257 to train on, 17 to validate, 87 to test on"), "{messages}");
    assert!(metric(&printed, "test_r2") > 0.9, "{printed}");
    let how = &learnt(&folder.path().join("run"))["how"];
    assert_eq!(how["horizon"].as_array().unwrap().len(), 6);
    let printed = succeed(folder.path(), &["predict", "run", "--input", "s.csv", "--keep", "wave"]);
    let rows = cells(&printed);
    assert_eq!((rows[0].as_slice(), rows.len()), (["date", "wave", "prediction"].as_slice(), 407));
    for (t, row) in rows.iter().enumerate().skip(401).map(|(line, row)| (line - 1, row)) {
        assert_eq!(row[0], format!("2024-01-01T06:{}:00", t - 360));
        assert!(row[1].is_empty());
        assert_is_wave(t, row[2], 0.9);
    }
    // A run goes on, and its rows are scored again, with all of its steps.
    succeed(folder.path(), &["train", "--resume", "run", "-q", "--set", "train.epochs=61"]);
    let judged = succeed(folder.path(), &["eval", "run"]);
    assert!(judged.contains("rows 87"), "{judged}");
    for wrong in ["0", "-1", "[]", "[2, 1]", "[1, 1]", "2000000", "'24'"] {
        let set = format!("data.horizon={wrong}");
        let error = fail(folder.path(), &["train", "c.toml", "--set", &set], 2);
        assert!(error.contains("data.horizon"), "{wrong}: {error}");
    }
}

#[test]
fn several_targets_and_steps_have_names_and_errors_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "s.csv", series(200));
    let data = "window = 8\nhorizon = [1, 3]\ntest = 0.25\nnormalize = 'standard'";
    let text = config("timeseries", &path, "wave", data, "mse");
    let text = text.replace("\"wave\"", "[\"wave\", \"trend\"]");
    write(folder.path(), "c.toml", &text);
    let printed = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&printed, "test_mae_wave") > 0.0 && metric(&printed, "test_mae_trend") > 0.0, "{printed}");
    let printed = succeed(folder.path(), &["predict", "run", "--input", "s.csv"]);
    let rows = cells(&printed);
    assert_eq!(rows[0], ["date", "prediction_wave", "prediction_trend"]);
    assert_eq!(rows.len(), 204);
    assert!(rows[203][1..].iter().all(|cell| !cell.is_empty()), "{printed}");
}

/// A season of four rows on a slope of 1.
fn value(t: usize) -> usize {
    t + [0, 5, 2, 9][t % 4]
}

/// The errors of naive, seasonal naive and drift over the windows that end with rows 63 to 76, three rows ahead each, by the
/// definitions.
fn baselines_by_definition() -> [f64; 3] {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    let at = |t: usize| number(value(t));
    let mut sums = [0.0; 3];
    for end in 63..77 {
        for step in 1..4 {
            let slope = (at(end) - at(0)) / number(end);
            let forecasts = [at(end), at(end + step - 4), at(end) + slope * number(step)];
            sums.iter_mut()
                .zip(forecasts)
                .for_each(|(sum, forecast)| *sum += (at(end + step) - forecast).abs());
        }
    }
    sums.map(|sum| sum / 42.0)
}

#[test]
fn baselines_stand_beside_the_results_of_a_series() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "s.csv", lines("t,y", 80, |t| format!("{t},{}", value(t))));
    let data = "window = 4\nhorizon = 3\ntest = 0.25\nnormalize = 'standard'\ncolumns = { t = 'ignore' }";
    write(folder.path(), "c.toml", config("timeseries", &path, "y", data, "mse"));
    let output = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("the values repeat after 4 rows"), "{messages}");
    assert!(messages.contains("the best baseline"), "{messages}");
    let last = last(&folder.path().join("run"));
    for (name, expected) in ["naive", "seasonal_naive", "drift"].into_iter().zip(baselines_by_definition()) {
        let own = last[name].as_f64().unwrap();
        assert!((own - expected).abs() < 1e-9, "{name}: {own} is not {expected}");
    }
    let skill = 1.0 - last["test_mae"].as_f64().unwrap() / last["seasonal_naive"].as_f64().unwrap();
    assert!((last["skill"].as_f64().unwrap() - skill).abs() < 1e-12 && last["season_length"] == 4.0);
    let judged = succeed(folder.path(), &["eval", "run", "--json"]);
    let judged: serde_json::Value = serde_json::from_str(&judged).unwrap();
    assert_eq!((&judged["naive"], &judged["seasonal_naive"]), (&last["naive"], &last["seasonal_naive"]));
    succeed(folder.path(), &["report", "run", "--output", "r.html"]);
    let page = std::fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert!(page.contains("error by step") && page.contains("actual and forecast"), "no figures");
    assert!(page.contains("the best baseline") && page.contains("seasonal naive of 4 rows"), "no verdict");
    // A season that is set is not looked for.
    let output =
        descent(folder.path(), &["train", "c.toml", "--out", "set", "--set", "data.season_length=1"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !messages.contains("repeat after"), "{messages}");
}

#[test]
fn numbers_of_rows_out_of_range_are_one_sentence_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "s.csv", lines("t,y", 80, |t| format!("{t},{}", value(t))));
    let data = "window = 4\nhorizon = 3\ntest = 0.25\ncolumns = { t = 'ignore' }";
    write(folder.path(), "c.toml", config("timeseries", &path, "y", data, "mse"));
    for (key, least) in [("season_length", 1), ("window", 1), ("max_gap", 0), ("horizon", 1)] {
        for wrong in ["0", "-3", "2000000", "2.5", "'a'"].into_iter().skip(1 - least) {
            let set = format!("data.{key}={wrong}");
            let error = fail(folder.path(), &["train", "c.toml", "--out", "wrong", "--set", &set], 2);
            let words = format!(
                "`data.{key}` is {}; it is a number of rows, {least} to 1048576",
                wrong.replace('\'', "\"")
            );
            assert!(error.contains(&words), "{error}");
        }
    }
    for long in ["80", "500"] {
        let set = format!("data.season_length={long}");
        let error = fail(folder.path(), &["train", "c.toml", "--out", "wrong", "--set", &set], 2);
        assert!(error.contains("a season is shorter than the series, which has 80 rows"), "{error}");
    }
    assert!(!folder.path().join("wrong").exists());
}

/// A time series with a level: a walk on which the change is what can be forecast.
fn walk(rows: usize) -> String {
    let step = |t: usize| [3, -1, 4, -1, -5, 9, -2, -6, 5, 3, -5, 8, -9][t * t % 13];
    let mut level = 1000;
    (0..rows).fold("date,y,kind\n".to_owned(), |text, t| {
        level += step(t);
        format!("{text}2024-03-{:02}T{:02}:00:00,{level},{}\n", 1 + t / 24, t % 24, ["a", "b"][t / 7 % 2])
    })
}

/// `NLinear` by its definition: Zeng et al. 2023, the reference implementation's `NLinear.py`.
struct NLinear {
    weight: Vec<f64>,
    bias: Vec<f64>,
    mean: f64,
    std: f64,
    values: Vec<f64>,
}

impl NLinear {
    /// The weights of a run on the second column of a file.
    fn read(run: &Path, file: &Path) -> Self {
        let of = |key: &str| learnt(run)["how"]["recipe"]["target"][key][0].as_float().unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        let value = |line: &str| line.split(',').nth(1).unwrap().parse().unwrap();
        let values = text.lines().skip(1).map(value).collect();
        let (weight, bias) = (weights(run, "linear.weight"), weights(run, "linear.bias"));
        Self { weight, bias, mean: of("mean"), std: of("std"), values }
    }

    /// The forecast of a step by the window of five rows that ends with this one.
    fn forecast(&self, end: usize, step: usize) -> f64 {
        let scaled = |t: usize| (self.values[t] - self.mean) / self.std;
        let sum: f64 = (0..5).map(|i| self.weight[step * 5 + i] * (scaled(end - 4 + i) - scaled(end))).sum();
        (sum + self.bias[step] + scaled(end)) * self.std + self.mean
    }
}

#[test]
fn a_linear_model_without_the_last_values_is_nlinear() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "s.csv", walk(300));
    let data = "window = 5\nhorizon = 2\ntest = 0.2\nnormalize = 'standard'\nsubtract_last = true\n\
                columns = { kind = 'ignore' }";
    let text = config("timeseries", &path, "y", data, "mse");
    write(folder.path(), "c.toml", text.replace("name = \"mlp\"\nhidden = [16]", "name = 'linear'"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let model = NLinear::read(&folder.path().join("run"), &path);
    let printed = succeed(folder.path(), &["predict", "run", "--input", "s.csv"]);
    let rows = cells(&printed);
    for (t, end, step) in [(5, 4, 0), (200, 199, 0), (300, 299, 0), (301, 299, 1)] {
        let (own, expected) = (rows[t + 1][1].parse::<f64>().unwrap(), model.forecast(end, step));
        assert!((own - expected).abs() < 1e-3, "{t}: {own} is not {expected}");
    }
    // The same rows are scored in the targets' own units.
    let error = |end: usize, step: usize| (model.values[end + 1 + step] - model.forecast(end, step)).abs();
    let errors: f64 = (244..298).flat_map(|end| [error(end, 0), error(end, 1)]).sum();
    let judged = succeed(folder.path(), &["eval", "run"]);
    assert!(
        (metric(&judged, "test_mae") - errors / 108.0).abs() < 1e-3,
        "{judged} is not {}",
        errors / 108.0
    );
    succeed(folder.path(), &["train", "--resume", "run", "-q", "--set", "train.epochs=4"]);
    succeed(folder.path(), &["report", "run", "--output", "r.html"]);
    for to in ["onnx", "torch", "c", "hub"] {
        succeed(folder.path(), &["export", "run", "--to", to]);
    }
    let wrong = ["train", "c.toml", "--set", "loss.name='poisson_nll'"];
    assert!(fail(folder.path(), &wrong, 2).contains("data.subtract_last"));
}

#[test]
fn features_of_the_calendar_come_from_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "s.csv", walk(300));
    let data = "window = 3\ntest = 0.2\nnormalize = 'standard'\ncalendar = ['hour', 'weekday', 'month']";
    for model in ["mlp", "gru", "linear"] {
        let text = config("timeseries", &path, "y", data, "mse");
        let text = match model {
            "gru" => text.replace("name = \"mlp\"\nhidden = [16]", "name = \"gru\"\nhidden_size = 4"),
            "linear" => text.replace("name = \"mlp\"\nhidden = [16]", "name = \"linear\""),
            _ => text,
        };
        write(folder.path(), "c.toml", &text);
        let output = descent(folder.path(), &["train", "c.toml", "--out", model]);
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(messages.contains("the time: sine and cosine of hour, weekday, month"), "{messages}");
        // A number, a category of two names and three circles.
        assert_eq!(
            learnt(&folder.path().join(model))["row"].as_array().unwrap().last().unwrap().as_integer(),
            Some(if model == "gru" { 9 } else { 27 })
        );
        let printed = succeed(folder.path(), &["predict", model, "--input", "s.csv"]);
        let rows = cells(&printed);
        assert_eq!((rows.len(), rows[301][0]), (302, "2024-03-13T12:00:00"));
        succeed(folder.path(), &["eval", model]);
        succeed(folder.path(), &["train", "--resume", model, "-q", "--set", "train.epochs=4"]);
    }
    for to in ["onnx", "torch", "c", "hub"] {
        succeed(folder.path(), &["export", "mlp", "--to", to]);
    }
    for (set, problem) in [
        ("data.calendar=['hour', 'hour']", "has \"hour\" twice"),
        ("data.calendar=['day']", "data.calendar"),
        ("data.columns={ date = 'ignore' }", "needs a date in each row"),
    ] {
        let error = fail(folder.path(), &["train", "c.toml", "--set", set], 2);
        assert!(error.contains(problem), "{error}");
    }
}
