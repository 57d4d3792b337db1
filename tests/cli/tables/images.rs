//! Pictures: a folder a class, and MNIST's format in other sizes.

use std::fs;
use std::path::Path;

use super::{cells, metric, write};
use crate::common::{fail, succeed};

fn config(data: &str) -> String {
    format!(
        "[data]\n{data}\n[model]\nname = 'mlp'\nhidden = [8]\n[loss]\nname = 'cross_entropy'\n[optimizer]\n\
         name = 'adam'\nlr = 0.01\n[train]\nbatch_size = 8\nepochs = 20\n"
    )
}

/// Pictures of two classes: bright at the left, and bright at the right.
pub(super) fn paint(folder: &Path, count: u32) {
    for class in ["left", "right"] {
        fs::create_dir_all(folder.join(class)).unwrap();
        for n in 0..count {
            let size = 8 + n % 3;
            let picture = image::GrayImage::from_fn(size, size, |x, y| {
                let bright = (2 * x < size) == (class == "left");
                image::Luma([u8::try_from(if bright { 150 + n + y } else { n }).unwrap()])
            });
            picture.save(folder.join(class).join(format!("{n:02}.png"))).unwrap();
        }
    }
}

#[test]
fn a_folder_a_class_is_learnt_and_other_pictures_are_named() {
    let folder = tempfile::tempdir().unwrap();
    paint(&folder.path().join("pictures"), 20);
    for color in [false, true] {
        let data = format!("name = 'images'\npath = 'pictures'\nsize = [8, 8]\ntest = 0.25\ncolor = {color}");
        write(folder.path(), "c.toml", config(&data));
        let out = format!("run-{color}");
        let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", &out]);
        assert!(metric(&trained, "test_accuracy") > 0.95, "{trained}");
        let said = succeed(folder.path(), &["predict", &out, "--input", "pictures/right"]);
        let rows = cells(&said);
        assert_eq!(rows[0], ["prediction", "probability_left", "probability_right"]);
        assert!(rows.len() == 21 && rows[1..].iter().all(|row| row[0] == "right"), "{said}");
        let said = succeed(folder.path(), &["predict", &out, "--input", "pictures/left/03.png"]);
        assert_eq!(cells(&said)[1][0], "left");
    }
    let error = fail(folder.path(), &["predict", "run-true", "--input", "c.toml"], 1);
    assert!(error.contains("c.toml"), "{error}");
}

#[test]
fn idx_of_any_size_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (height, width) = (5u32, 7u32);
    let pixels = usize::try_from(height * width).unwrap();
    for split in ["train", "test"] {
        let labels: Vec<u8> = (0..60).map(|row| row % 12).collect();
        let images: Vec<u8> = labels.iter().flat_map(|label| vec![label * 20; pixels]).collect();
        let header = |rank: u8| [&[0, 0, 8, rank][..], &60u32.to_be_bytes()].concat();
        let place = [header(3), height.to_be_bytes().to_vec(), width.to_be_bytes().to_vec(), images].concat();
        fs::write(folder.path().join(format!("letters-{split}-images-idx3-ubyte")), place).unwrap();
        fs::write(
            folder.path().join(format!("letters-{split}-labels-idx1-ubyte")),
            [header(1), labels].concat(),
        )
        .unwrap();
    }
    write(folder.path(), "c.toml", config("name = 'mnist'\npath = '.'\nclasses = 12"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let tensors = succeed(folder.path(), &["inspect", "run"]);
    assert!(tensors.contains("[8, 35]") && tensors.contains("[12, 8]"), "{tensors}");
    let said = succeed(folder.path(), &["predict", "run", "--input", "letters-test-images-idx3-ubyte"]);
    assert_eq!(cells(&said).len(), 61);
    write(folder.path(), "ten.toml", config("name = 'fashion-mnist'\npath = '.'"));
    let error = fail(folder.path(), &["train", "ten.toml", "--out", "ten"], 1);
    assert!(error.contains("label 10 of row 10 is outside the classes 0 to 9"), "{error}");
}
