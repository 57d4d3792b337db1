//! Paths as users write them.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The path with the home folder in place of a `~` at its head. `~` alone has no other meaning; `~name` stays.
pub(crate) fn expand_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

/// The absolute path that `path` means in `folder`: `~` is expanded, `.` left out, and `..` resolved unless it follows
/// a symbolic link.
pub(crate) fn absolute_in(folder: &Path, path: &Path) -> std::io::Result<PathBuf> {
    let whole = std::path::absolute(folder.join(expand_home(path.to_path_buf())))?;
    let mut clean = PathBuf::new();
    for component in whole.components() {
        // The parent of a link's target need not be the folder that contains the link.
        let is_link = || fs::symlink_metadata(&clean).is_ok_and(|found| found.is_symlink());
        let is_parent = component == Component::ParentDir;
        if is_parent && (clean.parent().is_none() || (clean.file_name().is_some() && !is_link())) {
            clean.pop();
        } else {
            clean.push(component);
        }
    }
    Ok(clean)
}

/// The path by which a file in `folder` names `path`: relative where they have a folder in common, else absolute.
///
/// # Errors
/// There is no such folder.
pub(crate) fn relative_to(folder: &Path, path: &Path) -> std::io::Result<PathBuf> {
    // The name itself stays, as a link's target may have another ending.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (folder, own) = match path.file_name() {
        Some(name) => (folder.canonicalize()?, parent.canonicalize()?.join(name)),
        None => (folder.canonicalize()?, path.canonicalize()?),
    };
    let shared = folder.components().zip(own.components()).take_while(|(a, b)| a == b).count();
    if shared <= 1 && folder.components().count() > 1 {
        return Ok(own);
    }
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    let down = own.components().skip(shared);
    let relative: PathBuf = up.chain(down).collect();
    Ok(if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_stands_for_a_tilde_at_the_head_alone() {
        let home = std::env::home_dir().unwrap();
        for (path, expected) in [
            ("~", home.clone()),
            ("~/a/b.csv", home.join("a/b.csv")),
            ("~a/b", "~a/b".into()),
            ("a/~/b", "a/~/b".into()),
            ("./~", "./~".into()),
        ] {
            let found = expand_home(path.into());
            assert_eq!(found.components().collect::<PathBuf>(), expected.components().collect::<PathBuf>());
        }
    }

    #[test]
    fn a_parent_is_resolved_unless_it_is_that_of_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        std::os::unix::fs::symlink(root.join("a/b"), root.join("link")).unwrap();
        let absolute = |path: &str| absolute_in(&root.join("c"), Path::new(path)).unwrap();
        assert_eq!(absolute("./x.csv"), root.join("c/x.csv"));
        assert_eq!(absolute("../a/./x.csv"), root.join("a/x.csv"));
        assert_eq!(absolute("../link/../x.csv"), root.join("link/../x.csv"));
        assert_eq!(absolute("/x/../../y"), Path::new("/y"));
    }

    #[test]
    fn a_path_is_named_from_the_folder_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(root.join("c")).unwrap();
        fs::write(root.join("a/x.csv"), "").unwrap();
        std::os::unix::fs::symlink(root.join("a/b"), root.join("link")).unwrap();
        let relative = |folder: &str, path: &str| relative_to(&root.join(folder), &root.join(path)).unwrap();
        assert_eq!(relative("a", "a/x.csv"), Path::new("x.csv"));
        assert_eq!(relative("c", "a/x.csv"), Path::new("../a/x.csv"));
        assert_eq!(relative("link", "a/x.csv"), Path::new("../x.csv"));
        assert_eq!(relative("a", "a/b"), Path::new("b"));
        assert_eq!(relative_to(&root, Path::new("/proc/x")).unwrap(), Path::new("/proc/x"));
        assert!(relative_to(&root.join("none"), &root).is_err());
    }
}
