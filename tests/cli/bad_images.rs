//! Damaged MNIST files: refused before training, with the file and what is wrong.

use std::fs;
use std::path::Path;

use super::bad_input::folder;
use crate::common::fail;

#[test]
fn damaged_images_and_labels_are_refused() {
    /// A name, what is done to the folder, and a word of the error.
    type Damage<'a> = (&'a str, &'a dyn Fn(&Path), &'a str);
    let damage: [Damage<'_>; 7] = [
        (
            "missing",
            &|mnist| fs::remove_file(mnist.join("t10k-labels-idx1-ubyte")).unwrap(),
            "descent data fetch mnist",
        ),
        ("short", &|mnist| edit(mnist, |bytes| bytes.truncate(30)), "truncated or damaged"),
        ("long", &|mnist| edit(mnist, |bytes| bytes.push(0)), "truncated or damaged"),
        ("header", &|mnist| edit(mnist, |bytes| bytes.truncate(3)), "header"),
        ("magic", &|mnist| edit(mnist, |bytes| bytes[2] = 9), "not an IDX file"),
        ("label", &|mnist| edit(mnist, |bytes| bytes[8 + 5] = 12), "label 12 of row 5"),
        (
            "counts",
            &|mnist| {
                edit(mnist, |bytes| {
                    bytes.pop();
                    bytes[7] -= 1;
                });
            },
            "40 labels for 41 images",
        ),
    ];
    for (name, spoil, word) in damage {
        let folder = folder();
        spoil(&folder.path().join("mnist"));
        let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 1);
        assert!(error.contains(word) && error.contains("mnist"), "{name}: {error}");
        assert!(!folder.path().join("run").exists());
    }
    let folder = folder();
    let images = folder.path().join("mnist/train-images-idx3-ubyte.gz");
    let bytes = fs::read(&images).unwrap();
    fs::write(&images, &bytes[..bytes.len() / 2]).unwrap();
    let error = fail(folder.path(), &["train", "c.toml"], 1);
    assert!(error.contains("train-images-idx3-ubyte.gz"), "{error}");
}

fn edit(mnist: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let path = mnist.join("train-labels-idx1-ubyte");
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn images_of_two_sizes_are_refused_before_training() {
    let folder = folder();
    let images = |split: &str, side: u8| {
        let size = usize::from(side) * usize::from(side);
        let file =
            [&[0, 0, 8, 3, 0, 0, 0, 41, 0, 0, 0, side, 0, 0, 0, side][..], &vec![7; 41 * size]].concat();
        fs::write(folder.path().join(format!("mnist/{split}-images-idx3-ubyte")), file).unwrap();
    };
    images("train", 4);
    images("t10k", 3);
    let error = fail(folder.path(), &["train", "c.toml", "--out", "run"], 1);
    assert!(error.contains("[4, 4]") && error.contains("[3, 3]"), "{error}");
    images("train", 0);
    images("t10k", 0);
    assert!(fail(folder.path(), &["train", "c.toml", "--out", "run"], 1).contains("nothing to learn"));
    assert!(!folder.path().join("run").exists());
}
