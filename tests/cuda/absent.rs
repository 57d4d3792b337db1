//! No driver, and a driver without a GPU.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::program;

/// The program with libraries from this folder alone.
fn run(folder: &Path, libraries: &Path, arguments: &[&str]) -> Output {
    let mut command = program(folder, arguments);
    command.env("LD_LIBRARY_PATH", libraries).env_remove("CUDA_HOME").output().unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Compiles a library of these functions, which take anything.
fn stub(folder: &Path, file: &str, functions: &str) {
    let source = folder.join("stub.c");
    fs::write(&source, functions).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(compiler);
    command.args(["-shared", "-fPIC", "-w", "-o"]).arg(folder.join(file)).arg(&source);
    assert!(command.status().unwrap().success());
}

/// Whether this machine has a driver of its own.
fn has_driver(folder: &Path) -> bool {
    let output = run(folder, Path::new("/nowhere"), &["list", "devices"]);
    !String::from_utf8(output.stdout).unwrap().contains("libcuda.so.1 not found")
}

const TRAIN: [&str; 5] = ["train", "--set", "train.epochs=1", "--out", "run"];

#[test]
fn without_a_driver_it_trains_on_the_cpu_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, nowhere) = (folder.path(), Path::new("/nowhere"));
    if has_driver(folder) {
        return;
    }
    let trained = run(folder, nowhere, &TRAIN);
    assert!(trained.status.success(), "{}", error(&trained));
    let messages = "no CUDA device: libcuda.so.1 not found; training on the CPU";
    assert!(error(&trained).contains(messages), "{}", error(&trained));
    assert!(String::from_utf8_lossy(&trained.stdout).contains("test_accuracy"));
    for device in ["cuda", "cuda:1"] {
        let refused = run(folder, nowhere, &["train", "--device", device, "--out", "other"]);
        assert_eq!(refused.status.code(), Some(2));
        let messages =
            format!("error: --device {device}: no CUDA device: libcuda.so.1 not found; use --device cpu");
        assert!(error(&refused).lines().last().unwrap().starts_with(&messages), "{}", error(&refused));
        assert!(!folder.join("other").exists());
    }
    let listed = run(folder, nowhere, &["list", "devices"]);
    assert!(listed.status.success());
}

#[test]
fn a_driver_without_a_gpu_is_told_from_no_driver() {
    let folder = tempfile::tempdir().unwrap();
    let libraries = folder.path().join("libraries");
    fs::create_dir(&libraries).unwrap();
    // CUDA_ERROR_NO_DEVICE, and how it is called.
    let driver = "int cuInit(unsigned flags) { return 100; }\n\
                  int cuGetErrorName(int e, const char **s) { *s = \"CUDA_ERROR_NO_DEVICE\"; return 0; }\n\
                  int cuGetErrorString(int e, const char **s) { *s = \"no CUDA-capable device is detected\"; return 0; }";
    stub(&libraries, "libcuda.so.1", driver);
    // What else training needs is looked for before the driver is asked.
    let without = run(folder.path(), &libraries, &["train", "--device", "cuda", "--out", "run"]);
    assert_eq!(without.status.code(), Some(2));
    if error(&without).contains("libcublas.so.13 not found") {
        stub(&libraries, "libcublas.so.13", "int cublasCreate_v2(void **h) { return 1; }");
        stub(&libraries, "libcurand.so.10", "int curandCreateGenerator(void **g, int t) { return 203; }");
    }
    let refused = run(folder.path(), &libraries, &["train", "--device", "cuda", "--out", "run"]);
    assert_eq!(refused.status.code(), Some(2), "{}", error(&refused));
    let messages = error(&refused);
    let last = messages.lines().last().unwrap();
    assert!(last.contains("no CUDA device: ") && last.contains("no CUDA-capable device"), "{last}");
    assert!(!messages.contains("stack backtrace") && !messages.contains("panicked"), "{messages}");
    let trained = run(folder.path(), &libraries, &TRAIN);
    assert!(trained.status.success(), "{}", error(&trained));
    assert!(error(&trained).contains("no CUDA-capable device"), "{}", error(&trained));
    assert!(error(&trained).contains("training on the CPU"), "{}", error(&trained));
}
