//! kill -9 at any instant: the run resumes and ends with the same bits.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};

use super::{SYSTEMS, config, count_checkpoints, result};
use crate::common::program;

/// A run that takes some hundred milliseconds, most of them saving.
fn begin(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = program(folder, &[&["train", "-q"], arguments].concat());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until the run saves: the folder under which a checkpoint is written is there. Half of the kills come then.
fn wait_for_a_save(run: &Path, limit: Duration) {
    let start = Instant::now();
    let saving = || {
        let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(".part"))
    };
    while !saving() && start.elapsed() < limit {
        std::hint::spin_loop();
    }
}

/// Runs to the end with so many kills on the way. Gives how many of them hit.
fn run_with_kills(folder: &Path, out: &str, kills: u32, whole: Duration, rng: &mut impl Rng) -> u32 {
    let run = folder.join(out);
    let mut hits = 0;
    loop {
        // What left nothing to go on from is begun anew, as its error says.
        let resumed = count_checkpoints(&run) > 0;
        if !resumed {
            let _ = fs::remove_dir_all(&run);
        }
        let arguments: &[&str] = if resumed { &["--resume", out] } else { &["c.toml", "--out", out] };
        let mut child = begin(folder, arguments);
        if hits < kills {
            std::thread::sleep(whole.mul_f64(rng.random::<f64>() / f64::from(kills.min(4))));
            if hits % 2 == 1 {
                wait_for_a_save(&run, whole);
            }
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            return hits;
        }
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_none(), "{error}");
        hits += 1;
    }
}

fn survive(folder: &Path, runs: u32, kills: u32, seed: u64) {
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let mut hits = 0;
    for (index, (name, sections)) in SYSTEMS.iter().chain(std::iter::once(&SYSTEMS[1])).enumerate() {
        // The last time around without saves at the ends of epochs.
        let every = if index == SYSTEMS.len() { "7" } else { "1" };
        let sections = format!("{sections}checkpoint_every = {every}\n");
        fs::write(folder.join("c.toml"), config(&sections, 1000)).unwrap();
        let start = Instant::now();
        let whole = format!("{name}-{index}");
        assert!(begin(folder, &["c.toml", "--out", &whole]).wait().unwrap().success());
        let time = start.elapsed();
        let expected = result(&folder.join(&whole));
        for run in 0..runs {
            let out = format!("{whole}-{run}");
            let mut hit = 0;
            // A run that was over before its kill came is begun anew.
            while hit < kills {
                let _ = fs::remove_dir_all(folder.join(&out));
                hit = run_with_kills(folder, &out, kills, time, &mut rng);
            }
            hits += hit;
            assert!(result(&folder.join(&out)) == expected, "{out} differs from {whole}");
            fs::remove_dir_all(folder.join(&out)).unwrap();
        }
    }
    println!("{hits} kills");
    assert_eq!(hits, 4 * runs * kills);
}

#[test]
fn a_run_killed_at_any_instant_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    survive(folder.path(), 5, 1, 1);
}

#[test]
fn a_run_killed_fifteen_times_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(&format!("{}checkpoint_every = 1\n", SYSTEMS[1].1), 1000))
        .unwrap();
    let start = Instant::now();
    assert!(begin(folder.path(), &["c.toml", "--out", "whole"]).wait().unwrap().success());
    let time = start.elapsed();
    let mut rng = rand::rngs::StdRng::seed_from_u64(2);
    // Short lives: most of a process is over before the next begins.
    let hits = run_with_kills(folder.path(), "killed", 15, time.mul_f64(0.5), &mut rng);
    assert!(hits == 15, "{hits} kills hit");
    assert_eq!(result(&folder.path().join("killed")), result(&folder.path().join("whole")));
}

/// `make torture`.
#[test]
#[ignore = "takes minutes"]
fn torture_two_hundred_kills() {
    let folder = tempfile::tempdir().unwrap();
    survive(folder.path(), 50, 1, 3);
}

/// `make torture`: ends the process at each system call of a run that changes a file, one after the other.
#[test]
#[ignore = "takes minutes, and needs strace"]
fn torture_every_system_call() {
    let folder = tempfile::tempdir().unwrap();
    let sections = "[model]\nname = 'mlp'\nhidden = [4]\n[optimizer]\nname = 'adam'\n[train]\nepochs = 2\n\
                    checkpoint_every = 2\nkeep_last = 1\n";
    fs::write(folder.path().join("c.toml"), config(sections, 250)).unwrap();
    assert!(begin(folder.path(), &["c.toml", "--out", "whole"]).wait().unwrap().success());
    let expected = result(&folder.path().join("whole"));
    let calls = "mkdir,mkdirat,openat,write,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,ftruncate";
    let program = program(folder.path(), &[]).get_program().to_owned();
    let mut killed = 0;
    for nth in 1.. {
        let _ = fs::remove_dir_all(folder.path().join("run"));
        let status = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:signal=SIGKILL:when={nth}")])
            .arg(&program)
            .args(["train", "c.toml", "-q", "--out", "run", "--threads", "1"])
            .current_dir(folder.path())
            .status()
            .unwrap();
        if status.success() {
            break;
        }
        killed += 1;
        let hits = run_with_kills(
            folder.path(),
            "run",
            0,
            Duration::ZERO,
            &mut rand::rngs::StdRng::seed_from_u64(0),
        );
        assert_eq!(hits, 0);
        assert!(result(&folder.path().join("run")) == expected, "killed at call {nth}");
    }
    println!("killed at {killed} system calls");
    assert!(killed > 100, "{killed}");
}
