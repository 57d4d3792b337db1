//! Files that have no name until they are whole: however the process ends, nothing is left of one that is not.
//!
//! Linux has them as `O_TMPFILE`. Elsewhere, and on file systems without them, the name is a temporary one, and what an
//! earlier process left under it is removed first.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::{Disk, Local, beside, parent, remove_if_there, require_free_or_file};
use crate::error::{Error, Result};

/// As [`super::write()`], for contents too large for memory, which `fill` writes.
///
/// # Errors
/// Errors of `fill` or the disk; the previous file stays.
pub fn write_whole<E: From<Error>>(
    path: &Path,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), E>,
) -> Result<(), E> {
    require_free_or_file(path)?;
    let part = beside(path);
    let io = || Error::io("write", path);
    remove_if_there(&Local, &part).map_err(io())?;
    if let Some(mut file) = open(parent(path)) {
        fill(&mut file)?;
        file.sync_all().map_err(io())?;
        publish(&file, path).map_err(io())?;
    } else {
        let put = || -> Result<(), E> {
            let mut file = Local.create(&part).map_err(io())?;
            fill(&mut file)?;
            Local.sync(&part, &file).map_err(io())?;
            Ok(Local.rename(&part, path).map_err(io())?)
        };
        put().inspect_err(|_| {
            let _ = fs::remove_file(&part);
        })?;
    }
    Ok(Local.sync_dir(parent(path)).map_err(io())?)
}

/// Gives a file its name; a file of that name is replaced.
fn publish(file: &File, path: &Path) -> io::Result<()> {
    match link(file, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        done => return done,
    }
    // A link replaces nothing, a rename does.
    let part = beside(path);
    link(file, &part)?;
    fs::rename(&part, path).inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })
}

/// A new file without a name in `folder`, where the system has such files.
#[cfg(target_os = "linux")]
fn open(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags};

    // It gets its name by way of this folder.
    if !Path::new("/proc/self/fd").is_dir() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::open(folder, flags, Mode::from_raw_mode(0o644)).ok().map(File::from)
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD};

    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::linkat(CWD, own, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn open(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn write(path: &Path, text: &str) -> Result<()> {
        write_whole(path, |out| out.write_all(text.as_bytes()).map_err(Error::io("write", path)))
    }

    #[test]
    fn a_file_appears_whole_and_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(beside(&path), "left by a crash").unwrap();
        for text in ["one", "two"] {
            let see = |out: &mut (dyn Write + Send)| -> Result<()> {
                out.write_all(text.as_bytes()).unwrap();
                let names = fs::read_dir(folder.path()).unwrap().count();
                assert_eq!(names, usize::from(text == "two"), "nothing of it is seen");
                Ok(())
            };
            write_whole(&path, see).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o022, 0);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn where_filling_fails_the_previous_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write(&path, "before").unwrap();
        let failed = write_whole(&path, |out| {
            out.write_all(b"half").unwrap();
            Err(Error::Interrupted)
        });
        assert!(matches!(failed, Err(Error::Interrupted)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // A link is not followed and not replaced.
        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(write(&link, "x").is_err() && write(&folder.path().join("no/a.csv"), "x").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    }
}
