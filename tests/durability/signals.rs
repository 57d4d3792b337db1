//! Signals save and stop, or save and go on; one process a folder.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{SYSTEMS, config, count_checkpoints, newest, result, wait_for};
use crate::common::{fail, program, succeed};

/// A run that takes some seconds, with a log of it on standard error. It saves every epoch: what it says before a
/// checkpoint must fit into the pipe, which nobody reads yet.
fn begin(folder: &Path, out: &str) -> Child {
    let sections = SYSTEMS[1].1.replace("T_max = 1000", "T_max = 1_000_000");
    let sections = format!("{sections}checkpoint_every = 'epoch'\nepochs = 2000\n");
    fs::write(folder.join("c.toml"), config(&sections, 4000)).unwrap();
    let arguments = ["train", "c.toml", "--out", out];
    program(folder, &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Keeps all threads of a program on one processor.
fn pin(child: &Child) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let first = allowed.split(['-', ',']).next().unwrap();
    let arguments = ["--all-tasks", "--cpu-list", "--pid", first, &child.id().to_string()];
    assert!(Command::new("taskset").args(arguments).stdout(Stdio::null()).status().unwrap().success());
}

/// How long a program has computed. The clock of `/proc` ticks a hundred times a second.
fn cpu_time(child: &Child) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // utime and stime: fields 14 and 15, of which the first two are before the bracket.
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}

/// The exit code, and the messages.
fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn steps(run: &Path) -> u64 {
    newest(run).to_string_lossy().rsplit_once('-').unwrap().1.parse().unwrap()
}

#[test]
fn interrupt_and_terminate_save_and_stop() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let child = begin(folder.path(), "run");
        wait_for(|| count_checkpoints(&run) > 0);
        let start = Instant::now();
        send(signal, &child);
        let (found, messages) = end(child);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(found, Some(code), "{messages}");
        assert!(messages.contains("go on with: descent train --resume run"), "{messages}");
        assert!(!run.join("lock").exists());
        let step = steps(&run);
        assert!(messages.contains(&format!("at step {step};")), "{messages}");
        // From there it is the run that was never stopped.
        let limit = format!("train.max_steps={}", step + 3);
        let base = ["train", "-q", "--set", &limit];
        succeed(folder.path(), &[&base[..], &["--resume", "run"]].concat());
        let whole = ["c.toml", "--out", "whole"];
        succeed(folder.path(), &[&base[..], &whole].concat());
        assert!(result(&run) == result(&folder.path().join("whole")));
    }
}

#[test]
fn a_signal_saves_also_where_no_checkpoints_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEMS[0].1, 4000)).unwrap();
    let arguments =
        ["c.toml", "--out", "run", "--set", "train.epochs=5000", "--set", "train.checkpoint_every='never'"];
    let child = program(folder.path(), &[&["train", "-q"], &arguments[..]].concat()).spawn().unwrap();
    let run = folder.path().join("run");
    wait_for(|| run.join("model.safetensors").exists());
    assert!(!run.join("checkpoints").exists());
    send("-USR1", &child);
    wait_for(|| fs::read_dir(run.join("checkpoints")).is_ok_and(|entries| entries.count() > 0));
    send("-TERM", &child);
    assert_eq!(end(child).0, Some(143));
    assert!(steps(&run) > 0);
}

#[test]
fn a_second_signal_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = begin(folder.path(), "run");
    wait_for(|| count_checkpoints(&folder.path().join("run")) > 0);
    // While the process is held it cannot answer the first before the second comes; on one processor no other thread can
    // answer the first while the second is delivered.
    pin(&child);
    for signal in ["-STOP", "-INT", "-TERM", "-CONT"] {
        send(signal, &child);
    }
    let code = child.wait().unwrap().code();
    assert!(code == Some(130) || code == Some(143), "{code:?}");
    let mut messages = String::new();
    child.stderr.take().unwrap().read_to_string(&mut messages).unwrap();
    assert!(!messages.contains("after saving"), "{messages}");
}

#[test]
fn usr1_saves_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEMS[0].1, 4000)).unwrap();
    let arguments = [
        "train",
        "-q",
        "c.toml",
        "--out",
        "run",
        "--set",
        "train.epochs=3000",
        "--set",
        "train.checkpoint_every=100000000",
    ];
    let child = program(folder.path(), &arguments).spawn().unwrap();
    let run = folder.path().join("run");
    wait_for(|| run.join("model.safetensors").exists());
    for count in 1..=2 {
        send("-USR1", &child);
        wait_for(|| count_checkpoints(&run) == count);
    }
    send("-TERM", &child);
    assert_eq!(end(child).0, Some(143));
}

#[test]
fn a_second_process_is_refused_with_the_pid_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let child = begin(folder.path(), "run");
    wait_for(|| count_checkpoints(&folder.path().join("run")) > 0);
    let error = fail(folder.path(), &["train", "--resume", "run"], 1);
    assert!(error.contains(&format!("process {} is training", child.id())), "{error}");
    send("-KILL", &child);
    assert_eq!(end(child).0, None);
    // The lock dies with its process.
    let step = steps(&folder.path().join("run"));
    let limit = format!("train.max_steps={}", step + 1);
    succeed(folder.path(), &["train", "-q", "--resume", "run", "--set", &limit]);
}

#[test]
fn a_long_update_is_given_up_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    // One update takes seconds: parts of 512 rows through a wide network.
    let text = "seed = 3\n[data]\nname = 'waves'\nrows = 40000\nwindow = 20\n[model]\nname = 'mlp'\n\
                hidden = [1800, 1800]\n[loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\nlr = 0.001\n[train]\n\
                batch_size = 'full'\nepochs = 2\n";
    fs::write(folder.path().join("c.toml"), text).unwrap();
    // On one thread, so that it does on any machine.
    let child = program(folder.path(), &["train", "c.toml", "--out", "run", "--threads", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let run = folder.path().join("run");
    wait_for(|| run.join("metrics.jsonl").exists());
    // In the middle of the first update, by the time that the program has computed: a busy machine makes it wait.
    let before = cpu_time(&child);
    wait_for(|| cpu_time(&child) > before + Duration::from_millis(700));
    let start = Instant::now();
    send("-INT", &child);
    let (code, messages) = end(child);
    assert_eq!(code, Some(130), "{messages}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(messages.contains("at step 0;"), "{messages}");
    let small = ["--set", "train.epochs=1"];
    succeed(folder.path(), &[&["train", "-q", "--resume", "run"], &small[..]].concat());
    succeed(folder.path(), &[&["train", "-q", "c.toml", "--out", "whole"], &small[..]].concat());
    assert!(result(&run) == result(&folder.path().join("whole")));
}

#[test]
fn a_long_evaluation_is_given_up_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    // An epoch is one quick update of 160 rows, and the evaluation of 15,840 through a wide network; the test has 4000.
    let text = "seed = 3\n[data]\nname = 'waves'\nrows = 20000\nwindow = 20\nvalidation = 0.99\n[model]\n\
                name = 'mlp'\nhidden = [1800, 1800]\n[loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n[schedule]\n\
                name = 'exponential'\ngamma = 0.5\n[train]\nbatch_size = 'full'\nepochs = 2\n\
                average = { name = 'ema', decay = 0.5 }\n";
    fs::write(folder.path().join("c.toml"), text).unwrap();
    let run = folder.path().join("run");
    let begin = |arguments: &[&str]| {
        let mut command = program(folder.path(), arguments);
        command.args(["--threads", "1"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let lines = || fs::read_to_string(run.join("metrics.jsonl")).map_or(0, |text| text.lines().count());
    let stop = |child: Child, logged: usize, step: &str| {
        send("-TERM", &child);
        let (code, messages) = end(child);
        assert_eq!(code, Some(143), "{messages}");
        assert!(messages.contains(step), "{messages}");
        assert_eq!(lines(), logged, "{messages}");
    };
    // In the validation of the first epoch, whose update is made and which is not in the log.
    let child = begin(&["train", "c.toml", "--out", "run"]);
    wait_for(|| run.join("metrics.jsonl").exists());
    let before = cpu_time(&child);
    wait_for(|| cpu_time(&child) > before + Duration::from_millis(900));
    stop(child, 0, "at step 1;");
    // In the test, when all epochs are in the log, and the final line is not.
    let child = begin(&["train", "--resume", "run"]);
    wait_for(|| lines() == 2 && count_checkpoints(&run) > 0 && steps(&run) == 2);
    stop(child, 2, "at step 2;");
    succeed(folder.path(), &["train", "-q", "--resume", "run"]);
    succeed(folder.path(), &["train", "-q", "c.toml", "--out", "whole"]);
    assert_eq!(lines(), 3);
    assert!(result(&run) == result(&folder.path().join("whole")));
}
