//! A run by the library: what an observer sees, an interrupt, a resumed run, and predictions in memory.

use std::fs;
use std::path::{Path, PathBuf};

use descent::checkpoint::Saved;
use descent::config::Config;
use descent::run::{
    Cell, End, EpochEnd, Finished, Interrupt, Observer, Predictor, Quiet, Run, RunOptions, Table, UpdateEnd,
};

use crate::common::repository;
use crate::durability::result;

/// The iris config with some keys changed; its data is found from any folder.
fn iris(overrides: &[&str]) -> Config {
    let data = format!("data.path='{}'", repository("tests/tables/iris.csv").display());
    let overrides: Vec<&str> = overrides.iter().copied().chain([data.as_str()]).collect();
    Config::read(repository("configs/iris.toml"), &overrides).unwrap()
}

fn options(folder: &Path) -> RunOptions {
    RunOptions { folder: Some(folder.to_owned()), ..RunOptions::default() }
}

/// Keeps what it sees; asks to stop after some update.
#[derive(Default)]
struct Seen {
    steps: Vec<u64>,
    losses: Vec<f64>,
    checkpoints: Vec<PathBuf>,
    ends: Vec<End>,
    stop: Option<(u64, Interrupt)>,
}

impl Observer for Seen {
    fn update_end(&mut self, update: &UpdateEnd<'_>) {
        self.steps.push(update.step);
        if let Some((step, interrupt)) = &self.stop
            && *step == update.step
        {
            interrupt.stop();
        }
    }

    fn epoch_end(&mut self, epoch: &mut EpochEnd<'_>) -> descent::Result<()> {
        self.losses.push(epoch.value("train_loss").unwrap());
        Ok(())
    }

    fn checkpoint_saved(&mut self, saved: &Saved) {
        self.checkpoints.push(saved.path.clone());
    }

    fn train_end(&mut self, finished: &Finished) -> descent::Result<()> {
        self.ends.push(finished.end);
        Ok(())
    }
}

#[test]
fn an_observer_sees_every_update_epoch_checkpoint_and_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("run");
    let run =
        Run::create(iris(&["train.epochs=3", "train.checkpoint_every=epoch"]), options(&folder)).unwrap();
    let updates = run.splits().train.len().div_ceil(16) as u64 * 3;
    let mut seen = Seen::default();
    let finished = run.train(&mut seen).unwrap();
    assert_eq!(finished.step, updates);
    assert_eq!(seen.steps, (1..=updates).collect::<Vec<_>>());
    assert_eq!(seen.ends, [End::Completed]);
    assert_eq!(finished.test[0].0, "test_loss");
    assert_eq!(seen.checkpoints.len(), 3);
    assert!(seen.checkpoints.iter().all(|path| path.join("progress.toml").exists()));
    let log = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let logged: Vec<f64> = lines.iter().filter_map(|line| line["train_loss"].as_f64()).collect();
    assert_eq!(logged, seen.losses);
    assert_eq!(lines[3]["test_loss"].as_f64(), Some(finished.test[0].1));
}

#[test]
fn a_run_that_is_interrupted_saves_and_resumes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, stopped) = (folder.path().join("whole"), folder.path().join("stopped"));
    Run::create(iris(&["train.epochs=4"]), options(&whole)).unwrap().train(&mut Quiet).unwrap();
    let interrupt = Interrupt::default();
    let mut seen = Seen { stop: Some((5, interrupt.clone())), ..Seen::default() };
    let run = Run::create(iris(&["train.epochs=4"]), RunOptions { interrupt, ..options(&stopped) }).unwrap();
    let finished = run.train(&mut seen).unwrap();
    assert_eq!((finished.end, finished.step), (End::Interrupted, 5));
    assert_eq!(seen.ends, [End::Interrupted]);
    assert!(finished.test.is_empty() && seen.checkpoints.len() == 1);
    Run::resume(&stopped, &[], RunOptions::default()).unwrap().train(&mut Quiet).unwrap();
    assert!(result(&stopped) == result(&whole));
}

#[test]
fn an_observer_that_fails_ends_the_run_and_an_empty_folder_is_removed() {
    struct Fails;
    impl Observer for Fails {
        fn epoch_end(&mut self, _: &mut EpochEnd<'_>) -> descent::Result<()> {
            Err(descent::Error::Fetch("enough".to_owned()))
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("run");
    let error = Run::create(iris(&[]), options(&folder)).unwrap().train(&mut Fails).unwrap_err();
    assert_eq!(error.to_string(), "enough");
    assert!(!folder.exists());
}

/// Calls a function at the end of an epoch.
struct At<F: FnMut()>(u64, F);

impl<F: FnMut()> Observer for At<F> {
    fn epoch_end(&mut self, epoch: &mut EpochEnd<'_>) -> descent::Result<()> {
        if epoch.epoch == self.0 {
            (self.1)();
        }
        Ok(())
    }
}

#[test]
fn where_better_weights_cannot_be_written_the_run_knows_which_ones_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("run");
    let (model, first) = (folder.join("model.safetensors"), folder.join("first.safetensors"));
    let config = iris(&["train.epochs=5", "data.validation=0.2", "train.checkpoint_every=1000"]);
    let run = Run::create(config.clone(), RunOptions { keep_going: true, ..options(&folder) }).unwrap();
    // From the second epoch on a link lies in the way, behind which the weights of the first are.
    let finished = run
        .train(&mut At(2, || {
            fs::rename(&model, &first).unwrap();
            std::os::unix::fs::symlink(&first, &model).unwrap();
        }))
        .unwrap();
    let log = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let loss = |epoch: usize| lines[epoch - 1]["val_loss"].as_f64().unwrap();
    assert!(loss(5) < loss(1), "the first epoch is not the best");
    assert_eq!((finished.best_epoch, lines[5]["best_epoch"].as_u64()), (1, Some(1)));
    // It is the weights of the file that were tested.
    let sample = folder.with_file_name("sample");
    let once = iris(&["train.epochs=1", "data.validation=0.2"]);
    let tested = Run::create(once, options(&sample)).unwrap().train(&mut Quiet).unwrap();
    assert_eq!(finished.test, tested.test);
    // Where it can be written again, the best weights go on from the file's.
    fs::remove_file(&model).unwrap();
    fs::rename(&first, &model).unwrap();
    let resumed = Run::resume(&folder, &["train.epochs=6"], RunOptions::default()).unwrap();
    let finished = resumed.train(&mut Quiet).unwrap();
    assert_eq!(finished.best_epoch, 6);
}

#[test]
fn a_final_line_that_cannot_be_written_is_forgiven_where_it_is_asked_for() {
    let root = tempfile::tempdir().unwrap();
    for keep_going in [false, true] {
        let folder = root.path().join(format!("run-{keep_going}"));
        let config = iris(&["train.epochs=1", "train.checkpoint_every=never"]);
        let run = Run::create(config, RunOptions { keep_going, ..options(&folder) }).unwrap();
        let moved = folder.with_extension("moved");
        let ended = run.train(&mut At(1, || fs::rename(&folder, &moved).unwrap()));
        assert_eq!(ended.is_ok(), keep_going, "{:?}", ended.err());
    }
}

#[test]
fn a_table_in_memory_is_predicted_as_its_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("run");
    let finished = Run::create(iris(&[]), options(&folder)).unwrap().train(&mut Quiet).unwrap();
    let model = Predictor::open(&folder).unwrap();
    let path = repository("tests/tables/iris.csv");
    let of_file = model.predict_file(&path).unwrap();
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let mut table = Table::new(reader.headers().unwrap());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    for row in &rows {
        table.push(&row.iter().map(Into::into).collect::<Vec<_>>()).unwrap();
    }
    let in_memory = model.predict(&table).unwrap();
    let classes = ["prediction", "probability_setosa", "probability_versicolor", "probability_virginica"];
    assert_eq!(in_memory.columns(), classes);
    assert_eq!((in_memory.len(), of_file.len()), (150, 150));
    let (mut tested, mut right) = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(in_memory.cells(index), of_file.cells(index));
        let sum: f64 = in_memory.scores(index).unwrap().iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        if &row[5] == "test" {
            tested += 1;
            right += u32::from(in_memory.prediction(index) == Cell::Text(&row[4]));
        }
    }
    let accuracy = finished.test.iter().find(|(name, _)| name == "test_accuracy").unwrap().1;
    assert!((accuracy - f64::from(right) / f64::from(tested)).abs() < 1e-12);
    let mut short = Table::new(["sepal_length_cm"]);
    assert!(short.push(&[1.0.into(), 2.0.into()]).unwrap_err().to_string().contains("2 cells for 1 column"));
    short.push(&[1.0.into()]).unwrap();
    assert!(model.predict(&short).unwrap_err().to_string().contains("no column `sepal_width_cm`"));
}
