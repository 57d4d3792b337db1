//! No run is ever lost: runs that are stopped, killed and robbed of their disk, and files that are damaged.

mod crash_disk;
mod damage;
mod disk;
mod exact;
mod failure;
mod fuzz_corpus;
mod kill;
mod meddling;
mod memory;
mod refused;
mod signals;
mod small_disk;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::succeed;

/// Systems that hold different state between updates: moments, counters, histories, averages, statistics, streams.
pub(crate) const SYSTEMS: &[(&str, &str)] = &[
    ("momentum", "[model]\nname = 'mlp'\n[optimizer]\nname = 'sgd'\nlr = 0.05\nmomentum = 0.9\n[train]\n"),
    (
        "adam",
        "[model]\nname = 'mlp'\nhidden = [32, 16]\nbatch_norm = true\ndropout = 0.3\n[optimizer]\nname = 'adam'\n\
         [schedule]\nname = 'cosine_annealing'\nT_max = 1000\ninterval = 'step'\nwarmup_steps = 5\n[train]\n",
    ),
    (
        "rnn",
        "[model]\nname = 'rnn'\nhidden_size = 20\nnum_layers = 2\ndropout = 0.2\n[optimizer]\nname = 'rmsprop'\n\
         [train]\nclip_grad_norm = 1.0\n",
    ),
];

/// More of them, for stops that cost no waiting.
pub(crate) const MORE: &[(&str, &str)] = &[
    (
        "plateau",
        "[model]\nname = 'mlp'\nlayer_norm = true\n[optimizer]\nname = 'nadam'\nlr = 0.1\n[schedule]\n\
         name = 'reduce_on_plateau'\npatience = 0\nthreshold = 0.9\n[train]\naverage = { name = 'ema', decay = 0.9 }\n\
         early_stopping = { patience = 3 }\n",
    ),
    (
        "swa",
        "[model]\nname = 'mlp'\nbatch_norm = true\n[optimizer]\nname = 'asgd'\n[train]\n\
         average = { name = 'swa', start_epoch = 2 }\naccumulate = 2\nbatch_size = 30\n",
    ),
    ("lbfgs", "[model]\nname = 'mlp'\nhidden = [8]\n[optimizer]\nname = 'lbfgs'\nmax_iter = 4\n[train]\n"),
    (
        "groups",
        "[model]\nname = 'gru'\nhidden_size = 12\n[optimizer]\nname = 'adafactor'\n[[optimizer.groups]]\n\
         match = '*bias*'\nname = 'radam'\n[train]\nbatch_size = 'full'\nepochs = 24\n",
    ),
    (
        "muon",
        "[model]\nname = 'lstm'\nhidden_size = 12\n[optimizer]\nname = 'muon'\n[train]\ndtype = 'f64'\n",
    ),
    (
        "bf16",
        "[model]\nname = 'mlp'\nhidden = [8]\n[optimizer]\nname = 'lamb'\n[train]\ndtype = 'bf16'\n\
         average = { name = 'ema' }\n",
    ),
    (
        "shards",
        "[model]\nname = 'mlp'\nhidden = [16]\nbatch_norm = true\ndropout = 0.3\n[optimizer]\nname = 'adamw'\n[train]\n\
         shards = 4\n",
    ),
    ("plain", "[model]\nname = 'mlp'\ndropout = 0.1\n[optimizer]\nname = 'sgd'\nlr = 0.1\n[train]\n"),
];

/// The whole config of a system: four epochs of nine batches of 45 where it does not say otherwise.
pub(crate) fn config(sections: &str, rows: u32) -> String {
    let recurrent = ["rnn", "gru", "lstm"].iter().any(|name| sections.contains(&format!("name = '{name}'")));
    let sequence = if recurrent { "sequence = [28, 28]\n" } else { "" };
    let missing = |key: &str, line: &str| if sections.contains(key) { "" } else { line }.to_owned();
    format!(
        "seed = 5\n[data]\nname = 'mnist-sample'\nlimit = {rows}\nvalidation = 0.2\n{sequence}[loss]\n\
         name = 'cross_entropy'\n{sections}{}{}",
        missing("batch_size", "batch_size = 45\n"),
        missing("epochs", "epochs = 4\n"),
    )
}

/// Waits until something is so, for a minute at most.
pub(crate) fn wait_for(what: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !what() {
        assert!(start.elapsed() < std::time::Duration::from_mins(1), "it did not happen");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// All of a run that must be equal however often it was stopped: weights, optimizer state, averages, and the log but for
/// the clock.
pub(crate) fn result(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut result = BTreeMap::new();
    result.insert("model".to_owned(), fs::read(run.join("model.safetensors")).unwrap());
    for name in ["model", "optimizer", "average", "best"] {
        let path = newest(run).join(format!("{name}.safetensors"));
        if let Ok(bytes) = fs::read(path) {
            result.insert(format!("checkpoint/{name}"), bytes);
        }
    }
    result.insert("log".to_owned(), log(run).into_bytes());
    result
}

/// The log without what the clock says.
pub(crate) fn log(run: &Path) -> String {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    assert!(text.ends_with('\n'), "the last line is whole");
    let timeless = |line: &str| {
        let mut line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        assert!(line.shift_remove("seconds").is_some());
        serde_json::Value::Object(line).to_string() + "\n"
    };
    text.lines().map(timeless).collect()
}

/// The checkpoints of a run; none where it has not saved yet.
fn checkpoints(run: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("step-"))
}

/// How many checkpoints a run has.
pub(crate) fn count_checkpoints(run: &Path) -> usize {
    checkpoints(run).count()
}

/// The newest checkpoint of a run.
pub(crate) fn newest(run: &Path) -> PathBuf {
    checkpoints(run).max().unwrap()
}

/// A small run with a checkpoint every three updates, finished.
pub(crate) fn small_run(folder: &Path, out: &str) -> PathBuf {
    let config = config("[model]\nname = 'mlp'\nhidden = [4]\n[optimizer]\nname = 'adam'\n[train]\n", 250);
    fs::write(folder.join("small.toml"), config).unwrap();
    succeed(folder, &["train", "small.toml", "-q", "--out", out, "--set", "train.checkpoint_every=3"]);
    folder.join(out)
}
