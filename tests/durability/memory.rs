//! How much memory reading and saving take. Each measurement runs in a process of its own: other tests take memory too.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use descent::checkpoint::{self, Progress, RunState};
use descent::files::{Local, Log};

use crate::common;

/// Runs an ignored test alone; gives what it printed of KiB.
fn alone(name: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("durability::memory::{name}")])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && messages.contains("1 passed"), "{messages}");
    messages.lines().filter(|line| line.contains("KiB")).collect::<Vec<_>>().join("\n")
}

#[test]
fn ten_thousand_saves_and_loads_leak_nothing() {
    println!("{}", alone("soak"));
}

#[test]
fn reading_takes_the_files_size_and_little_more() {
    println!("{}", alone("large_files"));
}

/// A line of `/proc/self/status`, in KiB.
fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// How much more memory `f` takes at its peak, in KiB.
fn peak(f: impl FnOnce()) -> u64 {
    // Begins the count of the peak anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS:");
    f();
    status("VmHWM:") - before
}

/// A folder without a disk to wait for, where there is one.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

#[test]
#[ignore = "ten_thousand_saves_and_loads_leak_nothing runs it alone"]
fn soak() {
    let folder = scratch();
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
        let state = RunState { trainer: &trainer, progress: &progress };
        checkpoint::save_checkpoint(&Local, &checkpoints, state, None, 2).unwrap();
        let found = checkpoint::newest(&checkpoints, &log).unwrap();
        trainer.restore(&found.snapshot).unwrap();
        assert_eq!(trainer.steps(), step);
    };
    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    (1..=500).for_each(&mut turn);
    let before = (status("VmRSS:"), descriptors());
    (501..=10_500).for_each(&mut turn);
    let after = (status("VmRSS:"), descriptors());
    println!("{} KiB before, {} KiB after; {} and {} descriptors", before.0, after.0, before.1, after.1);
    assert_eq!(before.1, after.1);
    assert!(after.0 <= before.0 + 5 * 1024, "{before:?} {after:?}");
}

/// Writes a file with this header and so many zeros behind it.
fn write(path: &Path, header: &str, data: u64) {
    let mut file = File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + data).unwrap();
}

#[test]
#[ignore = "reading_takes_the_files_size_and_little_more runs it alone"]
fn large_files() {
    const ROOM: u64 = 64 << 10;
    let folder = scratch();
    let path = folder.path().join("a.safetensors");
    let data = 200u64 << 20;
    let one = format!(r#"{{"a":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{data}]}}}}"#, data / 4);
    write(&path, &one, data);
    let whole = peak(|| assert_eq!(checkpoint::load(&path).unwrap()["a"].elem_count() as u64, data / 4));
    let names = peak(|| assert_eq!(checkpoint::inspect(&path).unwrap().tensors.len(), 1));
    println!("200 MiB: {whole} KiB to load, {names} KiB to inspect");
    assert!(whole <= (data >> 10) + ROOM && names <= ROOM, "{whole} {names}");
    // The longest headers that are read, of what takes most memory a byte.
    let tensors: Vec<String> = (0..70_000)
        .map(|i| format!(r#""{i:x}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#))
        .collect();
    let text: Vec<String> = (0..300_000).map(|i| format!(r#""{i:x}":"""#)).collect();
    for header in
        [format!("{{{}}}", tensors.join(",")), format!(r#"{{"__metadata__":{{{}}}}}"#, text.join(","))]
    {
        assert!(header.len() > 3 << 20, "{}", header.len());
        write(&path, &header, 0);
        let took = peak(|| checkpoint::inspect(&path).map(|_| ()).unwrap());
        println!("a header of {} KiB: {took} KiB", header.len() >> 10);
        assert!(took <= ROOM, "{took}");
    }
    // And one that is longer is not read at all.
    write(&path, &" ".repeat(100 << 20), 0);
    let took = peak(|| assert!(checkpoint::load(&path).is_err()));
    assert!(took <= 1 << 10, "{took}");
}
