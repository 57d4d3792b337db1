//! The house's import order, read from the `use` lines: an arrow the wrong way fails.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::repository;

/// From the ground up; a module imports from its own row and from rows above it in this list.
const ORDER: &[&[&str]] = &[
    &["error", "files", "rng", "registry", "kernels", "report"],
    &["data"],
    &["nn"],
    &["model"],
    &["loss", "metrics"],
    &["optim"],
    &["trainer"],
    &["checkpoint"],
    &["config"],
    &["cli"],
    &["lib", "main"],
];

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|row| row.contains(&module))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with the module it belongs to and its text.
fn modules() -> Vec<(PathBuf, String, String)> {
    let root = repository("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let module = |path: &Path| {
        let first = path
            .strip_prefix(&root)
            .unwrap()
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        first.trim_end_matches(".rs").to_owned()
    };
    files.into_iter().map(|path| (path.clone(), module(&path), fs::read_to_string(&path).unwrap())).collect()
}

fn imports(text: &str) -> impl Iterator<Item = &str> {
    let paths = text.split("crate::").skip(1);
    paths.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
}

#[test]
fn imports_go_one_way() {
    let modules = modules();
    assert!(modules.len() > 40, "the sources were not found");
    for (path, module, text) in modules {
        let own = rank(&module).unwrap_or_else(|| panic!("{module} has no place in the order"));
        for import in imports(&text) {
            if let Some(other) = rank(import) {
                assert!(other <= own, "{} imports {import}, which lies above it", path.display());
            }
        }
    }
}

#[test]
fn storage_and_unsafe_stay_in_the_kernels() {
    for (path, module, text) in modules() {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            if module != "kernels" {
                for word in ["CpuStorage", "Layout", "storage_and_layout"] {
                    assert!(!line.contains(word), "{}: {line}", path.display());
                }
            }
            let unsafe_files = [
                "gemm.rs",
                "team.rs",
                "cuda/devices.rs",
                "cuda/host.rs",
                "cuda/launch.rs",
                "cuda/libraries.rs",
            ];
            if !unsafe_files.iter().any(|file| path.ends_with(Path::new("src/kernels").join(file))) {
                // A page may speak of `unsafe-inline` scripts.
                let code = line.replace("unsafe-inline", "");
                assert!(!code.contains("unsafe"), "{}: {line}", path.display());
            }
        }
    }
}
