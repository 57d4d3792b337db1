//! Picture files in a folder and its sub-folders, in the order of torchvision's `ImageFolder`:
//! <https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html>.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The endings of pictures that are read.
const ENDINGS: [&str; 12] =
    ["bmp", "gif", "jfif", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "webp"];
/// The endings of pictures that are not.
const OTHER_PICTURES: [&str; 18] = [
    "avif", "cr2", "dds", "dng", "exr", "hdr", "heic", "heif", "ico", "jp2", "jxl", "nef", "psd", "qoi",
    "svg", "tga", "tif", "tiff",
];
/// The most endings that a message names.
const MOST_NAMED: usize = 5;
/// The formats that are read, for messages.
pub const FORMATS: &str = "PNG, JPEG, WebP, GIF, BMP or PNM";

/// Whether a file is a picture that is read, by its ending.
pub fn is_picture(path: &Path) -> bool {
    ENDINGS.contains(&ending(path).as_str())
}

/// Whether a file is a picture in a format that is not read, by its ending.
pub fn is_other_picture(path: &Path) -> bool {
    OTHER_PICTURES.contains(&ending(path).as_str())
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The files of a folder.
#[derive(Debug, Default)]
pub struct PictureFiles {
    /// The pictures, in order.
    pub files: Vec<PathBuf>,
    /// The other files there.
    pub left_out: LeftOut,
}

impl PictureFiles {
    /// The pictures in a folder and its sub-folders: the folders in the order of their paths, in each of them the files in
    /// the order of their names. Links are followed.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let mut walk = FolderWalk::default();
        walk.enter(folder)?;
        walk.folders.sort_by(|a, b| a.0.cmp(&b.0));
        let files = walk.folders.into_iter().flat_map(|(_, files)| files).collect();
        Ok(Self { files, left_out: walk.left_out })
    }
}

/// The files that are not used, counted by the reason.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Files and folders whose names start with a dot.
    hidden: u64,
    /// Files by their endings.
    endings: BTreeMap<String, u64>,
    /// Pictures beside the folders of the classes.
    beside: u64,
}

impl LeftOut {
    /// Adds the files left out of another folder.
    pub(super) fn add(&mut self, other: Self) {
        self.hidden += other.hidden;
        self.beside += other.beside;
        for (ending, count) in other.endings {
            *self.endings.entry(ending).or_default() += count;
        }
    }

    /// Adds a file that is no picture to read.
    fn add_file(&mut self, path: &Path) {
        *self.endings.entry(ending(path)).or_default() += 1;
    }

    /// Adds a file beside the folders of the classes.
    pub(super) fn add_beside(&mut self, path: &Path) {
        if is_hidden(path) {
            self.hidden += 1;
        } else if is_picture(path) {
            self.beside += 1;
        }
    }

    /// Whether pictures are among them that a user may miss.
    pub(super) fn has_pictures(&self) -> bool {
        self.beside > 0 || OTHER_PICTURES.iter().any(|ending| self.endings.contains_key(*ending))
    }

    /// "left out: 3 .tif in a format that is not read, …"; empty if nothing is left out.
    pub fn describe(&self) -> Option<String> {
        let unread = self.of(|ending| OTHER_PICTURES.contains(&ending));
        let others = self.of(|ending| !OTHER_PICTURES.contains(&ending));
        let reasons = [
            unread.map(|files| format!("{files} in a format that is not read (convert them to PNG)")),
            others.map(|files| format!("{files}, which are no pictures by their endings")),
            (self.beside > 0).then(|| format!("{} beside the folders of the classes", self.beside)),
            (self.hidden > 0).then(|| format!("{} whose names start with a dot", self.hidden)),
        ];
        let reasons: Vec<String> = reasons.into_iter().flatten().collect();
        (!reasons.is_empty()).then(|| format!("left out: {}", reasons.join("; ")))
    }

    /// "2 .tif, 1 .heic" of the endings that are asked for.
    fn of(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let found: Vec<_> = self.endings.iter().filter(|(ending, _)| wanted(ending)).collect();
        let named = found.iter().take(MOST_NAMED).map(|(ending, count)| match ending.as_str() {
            "" => format!("{count} without an ending"),
            ending => format!("{count} .{}", ending.escape_debug()),
        });
        let mut named: Vec<String> = named.collect();
        let rest: u64 = found.iter().skip(MOST_NAMED).map(|(_, count)| **count).sum();
        if rest > 0 {
            named.push(format!("{rest} others"));
        }
        (!named.is_empty()).then(|| named.join(", "))
    }
}

/// Whether a file or a folder is hidden, such as macOS's `._1.png`.
pub(super) fn is_hidden(path: &Path) -> bool {
    // macOS puts a folder of its own beside those that it packs.
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX")
}

/// Collects the files below a folder.
#[derive(Default)]
struct FolderWalk {
    /// The path of each folder with its files.
    folders: Vec<(OsString, Vec<PathBuf>)>,
    left_out: LeftOut,
    /// The folders that contain the current one, by device and inode: a link may lead back to one.
    above: Vec<[u64; 2]>,
}

impl FolderWalk {
    fn enter(&mut self, folder: &Path) -> Result<()> {
        let io = |e| Error::io("read", folder)(e);
        let found = fs::metadata(folder).map_err(io)?;
        let own = [found.dev(), found.ino()];
        if self.above.contains(&own) {
            return Ok(());
        }
        self.above.push(own);
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            let path = entry.path();
            if is_hidden(&path) {
                self.left_out.hidden += 1;
            } else if is_folder(&entry) {
                self.enter(&path)?;
            } else if is_picture(&path) {
                files.push(path);
            } else {
                self.left_out.add_file(&path);
            }
        }
        files.sort_unstable();
        self.folders.push((folder.as_os_str().to_owned(), files));
        self.above.pop();
        Ok(())
    }
}

/// Whether an entry is a folder, or a link to one; the system need not be asked again for most.
pub(super) fn is_folder(entry: &fs::DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if !kind.is_symlink() => kind.is_dir(),
        _ => entry.path().is_dir(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(root: &Path, name: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn files_have_the_order_of_an_image_folder() {
        let folder = tempfile::tempdir().unwrap();
        // `sorted(os.walk(folder, followlinks=True))` with the files of each folder sorted, as torchvision has it.
        let expected = ["10.JPG", "2.png", "a/1.gif", "a-b/1.webp", "a/b/0.bmp", "a/c.d/1.ppm"];
        for name in expected.iter().rev() {
            touch(folder.path(), name);
        }
        let found = PictureFiles::of_folder(folder.path()).unwrap();
        let names =
            found.files.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), expected);
        assert_eq!(found.left_out, LeftOut::default());
    }

    #[test]
    fn what_is_left_out_is_counted_by_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["._1.png", ".cache/1.png", "a/.DS_Store", "1.TIFF", "2.tiff", "notes.txt", "README"] {
            touch(folder.path(), name);
        }
        let found = PictureFiles::of_folder(folder.path()).unwrap();
        assert!(found.files.is_empty() && found.left_out.has_pictures());
        assert_eq!(
            found.left_out.describe().unwrap(),
            "left out: 2 .tiff in a format that is not read (convert them to PNG); 1 without an ending, 1 .txt, which \
             are no pictures by their endings; 3 whose names start with a dot"
        );
        assert_eq!(LeftOut::default().describe(), None);
    }

    #[test]
    fn a_link_to_a_folder_above_ends_the_walk() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path(), "a/1.png");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/up")).unwrap();
        assert_eq!(PictureFiles::of_folder(folder.path()).unwrap().files.len(), 1);
    }
}
