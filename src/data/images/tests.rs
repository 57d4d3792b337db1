//! Folders of pictures as rows.

use super::*;
use std::fs;

use crate::data::{Preparation, Task};

fn paint(path: &Path, size: u32, color: [u8; 3]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(size, size, image::Rgb(color)).save(path).unwrap();
}

fn load(images: &Images) -> Result<RawRows> {
    let plan = Preparation::default();
    let task = Task::Classes { ignored: -100, probabilities: false };
    match images.load(&Request::new(task, &plan))? {
        Loaded::Raw(raw) => Ok(raw),
        Loaded::Encoded(_) => Err(Error::Config("pictures are not encoded".to_owned())),
    }
}

#[test]
fn a_folder_a_class_becomes_rows() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..4 {
        paint(&folder.path().join(format!("red/{n}.png")), 4, [200, 10, 30]);
        paint(&folder.path().join(format!("blue/{n}.jpg")), 8, [0, 0, 255]);
    }
    fs::write(folder.path().join("red/notes.txt"), "no picture").unwrap();
    let images = Images { path: folder.path().to_path_buf(), color: true, test: 0.25, ..Images::default() };
    let raw = load(&images).unwrap();
    // The first picture in order is a blue one.
    assert_eq!(raw.train.xs.dims(), [8, 3, 8, 8]);
    assert_eq!((raw.test_share, raw.test.is_none()), (0.25, true));
    let red = raw.train.xs.get(7).unwrap().flatten_all().unwrap().to_vec1::<u8>().unwrap();
    assert_eq!((red[0], red[64], red[128]), (200, 10, 30));
    let grey = load(&Images { color: false, size: Some([2, 3]), test: 0.0, ..images }).unwrap();
    assert_eq!(grey.train.xs.dims(), [8, 2, 3]);
    assert_eq!(grey.pictures.unwrap().classes, ["blue", "red"]);
}

#[test]
fn what_is_no_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    paint(&folder.path().join("a/1.png"), 4, [0; 3]);
    let images = Images { path: folder.path().to_path_buf(), ..Images::default() };
    assert!(load(&images).unwrap_err().to_string().contains("there is 1 folder with pictures"));
    fs::create_dir(folder.path().join("b")).unwrap();
    assert!(load(&images).unwrap_err().to_string().contains("holds no PNG, JPEG"));
    fs::write(folder.path().join("b/2.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    assert!(load(&images).unwrap_err().to_string().contains("2.png: the picture is cut short"));
}
