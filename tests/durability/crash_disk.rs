//! Disks for tests: one that records what is asked of it and fails or stops at a chosen operation, and the states that a
//! power cut may leave of what it recorded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use descent::files::{Disk, Local};
use rand::Rng;

/// An operation that was asked of the disk.
#[derive(Debug, Clone)]
pub(super) enum Op {
    CreateDir(PathBuf),
    Create(PathBuf),
    Write(PathBuf, Vec<u8>),
    Sync(PathBuf),
    SyncDir(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    RemoveFile(PathBuf),
    RemoveDir(PathBuf),
}

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    /// It fails with this error of the system; a write has written half. What follows works.
    Error(i32),
    /// The process is gone: this operation and all after it do nothing.
    Stop,
}

/// The machine's disk, watched.
#[derive(Default)]
pub(super) struct Watched {
    ops: Mutex<Vec<Op>>,
    fault: Option<(usize, Fault)>,
}

impl Watched {
    /// Fails at the operation of this number, from 0.
    pub(super) fn failing(at: usize, fault: Fault) -> Self {
        Self { ops: Mutex::default(), fault: Some((at, fault)) }
    }

    /// All that was asked so far.
    pub(super) fn ops(&self) -> Vec<Op> {
        self.ops.lock().unwrap().clone()
    }

    fn ask(&self, op: Op, run: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut ops = self.ops.lock().unwrap();
        let number = ops.len();
        match self.fault {
            Some((at, Fault::Stop)) if number >= at => {
                ops.push(op);
                Err(io::Error::other("the process is gone"))
            }
            Some((at, Fault::Error(code))) if number == at => {
                if let Op::Write(path, bytes) = &op {
                    let file = File::options().append(true).open(path).unwrap();
                    Local.write(path, &file, &bytes[..bytes.len() / 2]).unwrap();
                }
                ops.push(op);
                Err(io::Error::from_raw_os_error(code))
            }
            _ => {
                ops.push(op);
                run()
            }
        }
    }
}

impl Disk for Watched {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.ask(Op::CreateDir(path.to_owned()), || Local.create_dir(path))
    }
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut file = None;
        self.ask(Op::Create(path.to_owned()), || {
            file = Some(Local.create(path)?);
            Ok(())
        })?;
        Ok(file.unwrap())
    }
    fn write(&self, path: &Path, file: &File, bytes: &[u8]) -> io::Result<()> {
        self.ask(Op::Write(path.to_owned(), bytes.to_vec()), || Local.write(path, file, bytes))
    }
    fn sync(&self, path: &Path, file: &File) -> io::Result<()> {
        self.ask(Op::Sync(path.to_owned()), || Local.sync(path, file))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.ask(Op::SyncDir(path.to_owned()), || Local.sync_dir(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Op::Rename(from.to_owned(), to.to_owned()), || Local.rename(from, to))
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Op::Link(from.to_owned(), to.to_owned()), || Local.link(from, to))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.ask(Op::RemoveFile(path.to_owned()), || Local.remove_file(path))
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.ask(Op::RemoveDir(path.to_owned()), || Local.remove_dir(path))
    }
}

/// What a power cut does to bytes that were written and not synced.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unsynced {
    Kept,
    Zeroed,
    Missing,
}

/// What it does to names that were made, changed or removed in a folder that was not synced since.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names {
    Kept,
    Lost,
    /// Each by the toss of a coin.
    Some,
}

impl Names {
    /// Whether the name that was changed by the first of these operations is still changed after the cut.
    fn last(self, path: &Path, ops: &[Op], rng: &mut impl Rng) -> bool {
        let syncs = |op: &Op| matches!(op, Op::SyncDir(folder) if Some(folder.as_path()) == path.parent());
        ops.iter().any(syncs)
            || match self {
                Self::Kept => true,
                Self::Lost => false,
                Self::Some => rng.random(),
            }
    }
}

/// A power cut, by what it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct PowerCut {
    pub(super) unsynced: Unsynced,
    pub(super) names: Names,
}

impl PowerCut {
    /// Writes to `folder` what the cut after `ops` leaves of them; `root` is where they were recorded.
    pub(super) fn write(self, ops: &[Op], root: &Path, folder: &Path, rng: &mut impl Rng) {
        let mut disk = Remains { root, nodes: BTreeMap::new(), files: Vec::new() };
        for (index, op) in ops.iter().enumerate() {
            disk.apply(op, |path| self.names.last(path, &ops[index..], rng));
        }
        disk.write(self.unsynced, folder);
    }
}

#[derive(Clone)]
enum Node {
    Folder,
    File(usize),
}

#[derive(Default)]
struct Contents {
    bytes: Vec<u8>,
    synced: usize,
}

/// What is on the disk.
struct Remains<'a> {
    root: &'a Path,
    nodes: BTreeMap<PathBuf, Node>,
    files: Vec<Contents>,
}

impl Remains<'_> {
    fn has_parent(&self, path: &Path) -> bool {
        let parent = path.parent().unwrap();
        parent == self.root || self.nodes.contains_key(parent)
    }

    /// Makes one operation. `lasts` says of a name whether its change survives the cut.
    fn apply(&mut self, op: &Op, mut lasts: impl FnMut(&Path) -> bool) {
        match op {
            Op::CreateDir(path) if self.has_parent(path) && lasts(path) => {
                self.nodes.insert(path.clone(), Node::Folder);
            }
            Op::Create(path) if self.has_parent(path) && lasts(path) => {
                self.files.push(Contents::default());
                self.nodes.insert(path.clone(), Node::File(self.files.len() - 1));
            }
            Op::Write(path, bytes) => {
                if let Some(Node::File(file)) = self.nodes.get(path) {
                    self.files[*file].bytes.extend_from_slice(bytes);
                }
            }
            Op::Sync(path) => {
                if let Some(Node::File(file)) = self.nodes.get(path) {
                    self.files[*file].synced = self.files[*file].bytes.len();
                }
            }
            Op::Rename(from, to) if self.nodes.contains_key(from) && lasts(to) => self.rename(from, to),
            Op::Link(from, to) if self.has_parent(to) && lasts(to) => {
                if let Some(node) = self.nodes.get(from).cloned() {
                    self.nodes.insert(to.clone(), node);
                }
            }
            Op::RemoveFile(path) | Op::RemoveDir(path) if lasts(path) => {
                self.nodes.remove(path);
            }
            _ => {}
        }
    }

    /// Renames a file, or a folder with what is in it.
    fn rename(&mut self, from: &Path, to: &Path) {
        let moved: Vec<PathBuf> = self.nodes.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for path in moved {
            let node = self.nodes.remove(&path).unwrap();
            let rest = path.strip_prefix(from).unwrap();
            self.nodes.insert(if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) }, node);
        }
    }

    fn write(self, unsynced: Unsynced, folder: &Path) {
        for (path, node) in self.nodes {
            let place = folder.join(path.strip_prefix(self.root).unwrap());
            // A folder that is gone takes what was in it along.
            if !place.parent().unwrap().exists() {
                continue;
            }
            match node {
                Node::Folder => fs::create_dir(place).unwrap(),
                Node::File(file) => {
                    let Contents { bytes, synced } = &self.files[file];
                    let mut bytes = bytes.clone();
                    match unsynced {
                        Unsynced::Kept => {}
                        Unsynced::Zeroed => bytes[*synced..].fill(0),
                        Unsynced::Missing => bytes.truncate(*synced),
                    }
                    fs::write(place, bytes).unwrap();
                }
            }
        }
    }
}
