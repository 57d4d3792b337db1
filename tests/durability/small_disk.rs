//! Disks that are full, limits on files, and ten thousand saves.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use descent::checkpoint::{self, Progress};
use descent::files::{Local, Log};

use super::{config, newest, result};
use crate::common::{self, program, succeed};

const SYSTEM: &str = "[model]\nname = 'mlp'\nhidden = [16]\n[optimizer]\nname = 'adam'\n[train]\n";

/// Runs a script of the shell with the program as `$descent`.
fn shell(folder: &Path, script: &str) -> Output {
    let program = program(folder, &[]).get_program().to_owned();
    Command::new("sh").args(["-c", script]).env("descent", program).current_dir(folder).output().unwrap()
}

#[test]
fn a_full_disk_is_a_clear_error_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEM, 250)).unwrap();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "whole"]);
    let expected = result(&folder.path().join("whole"));
    // A file system of its own, where the machine lets its users make one.
    let script = "mkdir mnt && mount -t tmpfs -o size=${size}k tmpfs mnt && \
                  { $descent train c.toml -q --out mnt/run; code=$?; cp -r mnt/run out; exit $code; }";
    let (mut failed, mut whole) = (0, 0);
    for size in (1..=20).map(|step| 50 * step + 20) {
        let output =
            shell(folder.path(), &format!("size={size}; export size; unshare -Urm sh -c '{script}'"));
        let said = String::from_utf8(output.stderr).unwrap();
        if output.status.code() == Some(1) && said.contains("mount") | said.contains("unshare") {
            println!("left out, this machine makes no file systems for its users: {said}");
            return;
        }
        let run = folder.path().join("out");
        if output.status.success() {
            whole += 1;
        } else {
            failed += 1;
            assert!(said.contains("No space left on device"), "{size}: {said}");
            assert_eq!(said.lines().count(), if run.exists() { 1 } else { 2 }, "{said}");
        }
        // With room again the run ends as if nothing had been.
        if run.join("checkpoints").exists() && fs::read_dir(run.join("checkpoints")).unwrap().count() > 0 {
            succeed(folder.path(), &["train", "-q", "--resume", "out"]);
            assert_eq!(result(&run), expected, "{size}");
        }
        let _ = fs::remove_dir_all(run);
        fs::remove_dir(folder.path().join("mnt")).unwrap();
    }
    println!("{failed} of 20 sizes were too small");
    assert!(failed > 5 && whole > 1, "{failed} {whole}");
}

#[test]
fn a_limit_on_the_size_of_files_stops_training_or_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEM, 250)).unwrap();
    // In blocks of 512 bytes: the weights fit, the optimizer's state does not.
    let output = shell(folder.path(), "ulimit -f 130; $descent train c.toml -q --out a");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.status.signal()), (Some(1), None), "{said}");
    assert!(said.contains("File too large") && said.contains("it needs about 15"), "{said}");
    let output = shell(folder.path(), "ulimit -f 130; $descent train c.toml --out b --keep-going");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("going on without, as --keep-going asks"), "{said}");
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "whole"]);
    let model = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert_eq!(model("b"), model("whole"));
    assert_eq!(super::log(&folder.path().join("b")), super::log(&folder.path().join("whole")));
    assert!(newest(&folder.path().join("whole")).exists());
}

/// The soak runs in a process of its own: other tests open files and take memory too.
#[test]
fn ten_thousand_saves_and_loads_leak_nothing() {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--exact", "durability::small_disk::soak", "--ignored", "--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{}", said.lines().find(|line| line.contains("KiB")).unwrap_or_default());
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "ten_thousand_saves_and_loads_leak_nothing runs it alone"]
fn soak() {
    // Without a disk to wait for, where there is one.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let config = common::config(
        "[model]\nname = 'mlp'\nhidden = [20]\n[loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n",
    );
    let mut trainer = common::trainer(&config, &[30], 1);
    let log = folder.path().join("metrics.jsonl");
    let sum = Log::create(&Local, &log).unwrap().sync(&Local).unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let mut turn = |step: u64| {
        let mut snapshot = trainer.snapshot().unwrap();
        snapshot.steps = step;
        trainer.restore(&snapshot).unwrap();
        let progress = Progress { log: sum.clone(), ..Progress::default() };
        checkpoint::save_checkpoint(&Local, &checkpoints, (&trainer, &progress), None, 2).unwrap();
        let found = checkpoint::newest(&checkpoints, &log).unwrap();
        trainer.restore(&found.snapshot).unwrap();
        assert_eq!(trainer.steps(), step);
    };
    let memory = || {
        let text = fs::read_to_string("/proc/self/status").unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    (1..=500).for_each(&mut turn);
    let before = (memory(), descriptors());
    (501..=10_500).for_each(&mut turn);
    let after = (memory(), descriptors());
    println!("{} KiB before, {} KiB after; {} and {} descriptors", before.0, after.0, before.1, after.1);
    assert_eq!(before.1, after.1);
    assert!(after.0 <= before.0 + 5 * 1024, "{before:?} {after:?}");
}
