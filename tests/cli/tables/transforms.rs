//! `data.normalize`, `data.target_transform` and `data.clamp_output` of tables: what a run learns, and what it predicts.

use std::path::Path;

use super::{cells, column, config, fail_config, learnt, lines, metric, refused, train, write};
use crate::common::{fail, succeed};

/// Prices that grow by a factor with x.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn prices(folder: &Path) -> std::path::PathBuf {
    let rows = lines("x,colour,price", 80, |i| {
        format!("{},{},{}", i % 20, ["red", "green"][i % 2], 10f64.powf((i % 20) as f64 / 10.0))
    });
    write(folder, "t.csv", rows)
}

fn predictions(folder: &Path, run: &str, input: &str) -> Vec<f64> {
    let text = succeed(folder, &["predict", run, "--input", input]);
    cells(&text)[1..].iter().map(|row| row[0].parse().unwrap()).collect()
}

#[test]
fn predictions_and_metrics_are_in_the_units_of_a_transformed_target() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = prices(folder);
    for transform in ["standard", "log1p", "quantile"] {
        let data = format!("normalize = 'robust_smooth'\ntarget_transform = '{transform}'\ntest = 0.25");
        let text = config("csv", &path, "price", &data, "mse").replace("epochs = 3", "epochs = 150");
        write(folder, "c.toml", text);
        succeed(folder, &["train", "c.toml", "-q", "--out", transform]);
        // The numbers are from 1 to 79. Of few numbers a transformation by quantiles makes extremes of the outermost.
        let rmse = metric(&succeed(folder, &["eval", transform]), "test_rmse");
        assert!(rmse < if transform == "quantile" { 20.0 } else { 6.0 }, "{transform}: {rmse}");
        let predicted = predictions(folder, transform, "t.csv");
        assert!((predicted[10] - 10.0).abs() < 2.0, "{transform}: {}, not 10", predicted[10]);
    }
    let curve = |run: &str| learnt(&folder.join(run))["how"]["recipe"]["target"].get("curve").cloned();
    assert_eq!((curve("standard"), curve("log1p")), (None, Some("log1p".into())));
    let quantiles = curve("quantile").unwrap()["quantile"][0].as_array().unwrap().len();
    assert_eq!(quantiles, 60);
}

#[test]
fn clamped_predictions_stay_within_the_training_rows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = prices(folder);
    write(folder, "far.csv", "x,colour\n-400,red\n900,green\n");
    for (clamp, data) in [(true, "clamp_output = true\n"), (false, "")] {
        for transform in ["standard", "log1p"] {
            let data = format!("{data}normalize = 'standard'\ntarget_transform = '{transform}'");
            let text = config("csv", &path, "price", &data, "mse");
            write(folder, "c.toml", text.replace("epochs = 3", "epochs = 60"));
            let run = format!("{transform}-{clamp}");
            succeed(folder, &["train", "c.toml", "-q", "--out", &run]);
            let far = predictions(folder, &run, "far.csv");
            let within = far.iter().all(|y| (1.0..=79.432_824).contains(y));
            assert_eq!(within, clamp, "{run}: {far:?}");
        }
    }
    let range = &learnt(&folder.join("standard-true"))["how"]["recipe"]["target"]["range"];
    assert_eq!(range[0][0].as_float(), Some(1.0));
}

#[test]
fn a_column_keeps_its_normalisation() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = prices(folder);
    for normalize in ["robust_smooth", "quantile"] {
        let data = format!("normalize = '{normalize}'\nmissing = 'category'");
        train(folder, &config("csv", &path, "price", &data, "mse"), normalize);
        let resumed = ["train", "--resume", normalize, "-q", "--set", "train.epochs=2"];
        succeed(folder, &resumed);
        predictions(folder, normalize, "t.csv");
    }
    let smooth = column(&folder.join("robust_smooth"), "x");
    // The median of 0 to 19 is 9.5, the quartiles are 4.75 and 14.25.
    assert_eq!((smooth["offset"].as_float(), smooth["scale"].as_float()), (Some(9.5), Some(9.5)));
    assert_eq!(smooth["smooth_clip"].as_bool(), Some(true));
    let quantiles = column(&folder.join("quantile"), "x")["quantiles"].as_array().unwrap().clone();
    assert_eq!((quantiles.len(), quantiles[79].as_float()), (80, Some(19.0)));
}

#[test]
fn a_transformation_that_does_not_fit_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = prices(folder);
    let of = |target: &str, data: &str, loss: &str| config("csv", &path, target, data, loss);
    let error = fail_config(folder, &of("colour", "target_transform = 'log1p'", "cross_entropy"));
    assert!(
        error.contains("`data.target_transform` is \"log1p\", which is for targets that are numbers"),
        "{error}"
    );
    let error = fail_config(folder, &of("colour", "clamp_output = true", "cross_entropy"));
    assert!(error.contains("`data.clamp_output`") && error.contains("cross_entropy"), "{error}");
    let error = fail_config(folder, &of("price", "target_transform = 'log1p'", "poisson_nll"));
    assert!(error.contains("needs the targets as they are"), "{error}");
    let error = fail_config(folder, &of("price", "target_transform = 'quantile'", "gaussian_nll"));
    assert!(error.contains("gaussian_nll"), "{error}");
    let both = "target_transform = 'standard'\nstandardize_target = false";
    let error = fail_config(folder, &of("price", both, "mse"));
    assert!(error.contains("standardize_target"), "{error}");
    write(folder, "t.csv", lines("x,price", 20, |i| format!("{i},{}", i.cast_signed() - 5)));
    let error = refused(folder, &of("price", "target_transform = 'log1p'", "mse"));
    assert!(error.contains("smallest training value is -5"), "{error}");
    // A row that is held out.
    let rows = lines("x,price,part", 20, |i| {
        format!(
            "{i},{},{}",
            if i == 7 { -3 } else { 2 * i.cast_signed() },
            if i == 7 { "test" } else { "train" }
        )
    });
    write(folder, "t.csv", rows);
    let error = refused(folder, &of("price", "split_column = 'part'\ntarget_transform = 'log1p'", "mse"));
    assert!(error.contains("line 9, column `price`: `-3` is -1 or less"), "{error}");
}

#[test]
fn exports_write_a_transformation_or_refuse_it_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = prices(folder);
    for (run, data) in [
        ("smooth", "normalize = 'robust_smooth'\ntarget_transform = 'log1p'\nclamp_output = true"),
        ("inputs", "normalize = 'quantile'"),
        ("target", "normalize = 'standard'\ntarget_transform = 'quantile'"),
    ] {
        train(folder, &config("csv", &path, "price", data, "mse"), run);
        for to in ["torch", "onnx", "c", "hub"] {
            let export = ["export", run, "--to", to];
            if run == "smooth" || to == "torch" {
                succeed(folder, &export);
                continue;
            }
            let error = fail(folder, &export, 2);
            let key = if run == "inputs" { "data.normalize" } else { "data.target_transform" };
            assert!(error.contains(&format!("`{key} = \"quantile\"`")), "{to}: {error}");
        }
    }
}
