//! Pictures: a folder a class, and MNIST's format in other sizes.

use std::fs;
use std::path::Path;

use super::{cells, metric, write};
use crate::common::{descent, fail, succeed};

fn config(data: &str) -> String {
    format!(
        "[data]\n{data}\n[model]\nname = 'mlp'\nhidden = [8]\n[loss]\nname = 'cross_entropy'\n[optimizer]\n\
         name = 'adam'\nlr = 0.01\n[train]\nbatch_size = 8\nepochs = 20\n"
    )
}

/// Pictures of two classes: bright at the left, and bright at the right.
pub(in crate::cli) fn paint(folder: &Path, count: u32) {
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
        let messages = succeed(folder.path(), &["predict", &out, "--input", "pictures/right"]);
        let rows = cells(&messages);
        assert_eq!(rows[0], ["file", "prediction", "probability_left", "probability_right"]);
        assert!(rows.len() == 21 && rows[1..].iter().all(|row| row[1] == "right"), "{messages}");
        let messages = succeed(folder.path(), &["predict", &out, "--input", "pictures/left/03.png"]);
        assert_eq!(cells(&messages)[1][..2], ["03.png", "left"]);
    }
    let error = fail(folder.path(), &["predict", "run-true", "--input", "c.toml"], 1);
    assert!(error.contains("c.toml"), "{error}");
}

#[test]
fn decoded_pictures_are_kept_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path();
    paint(&own.join("pictures/train"), 20);
    paint(&own.join("pictures/test"), 4);
    let data = "name = 'images'\npath = 'pictures'\nsize = [6, 6]\ncolor = true";
    write(own, "plain.toml", config(data));
    write(own, "c.toml", config(&format!("{data}\ncache = 'kept.npz'")));
    let train = |config: &str, out: &str| {
        let output = descent(own, &["train", config, "--out", out]);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    train("plain.toml", "plain");
    let weights = |run: &str| fs::read(own.join(run).join("model.safetensors")).unwrap();
    for (run, said) in [("first", "are kept here"), ("second", "are read from here")] {
        let messages = train("c.toml", run);
        assert!(messages.contains("kept.npz") && messages.contains(said), "{messages}");
        assert_eq!(weights(run), weights("plain"));
    }
    // A picture that has changed is seen, and a file that is none stays.
    let picture = image::GrayImage::from_pixel(9, 9, image::Luma([7]));
    picture.save(own.join("pictures/train/left/00.png")).unwrap();
    assert!(train("c.toml", "third").contains("it is of other pictures"));
    assert_ne!(weights("third"), weights("plain"));
    // Scoring other pictures leaves it alone, and a run may be resumed with another one.
    let kept = fs::read(own.join("kept.npz")).unwrap();
    succeed(own, &["eval", "third", "--input", "pictures/test"]);
    assert_eq!(fs::read(own.join("kept.npz")).unwrap(), kept);
    let resume = ["train", "--resume", "third", "--set", "train.epochs=21", "--set", "data.cache=other.npz"];
    succeed(own, &resume);
    write(own, "kept.npz", "not pictures");
    let error = fail(own, &["train", "c.toml", "--out", "fourth"], 1);
    assert!(error.contains("kept.npz") && error.contains("name another"), "{error}");
    assert_eq!(fs::read(own.join("kept.npz")).unwrap(), b"not pictures");
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
    let messages = succeed(folder.path(), &["predict", "run", "--input", "letters-test-images-idx3-ubyte"]);
    assert_eq!(cells(&messages).len(), 61);
    write(folder.path(), "ten.toml", config("name = 'fashion-mnist'\npath = '.'"));
    let error = fail(folder.path(), &["train", "ten.toml", "--out", "ten"], 1);
    assert!(error.contains("label 10 of row 10 (counted from 0) is outside the classes 0 to 9"), "{error}");
}

#[test]
fn sub_folders_are_read_and_what_is_left_out_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    paint(&folder.path().join("pictures"), 10);
    let left = folder.path().join("pictures/left");
    fs::create_dir_all(left.join("2024/may")).unwrap();
    fs::rename(left.join("00.png"), left.join("2024/may/00.PNG")).unwrap();
    let picture = image::open(left.join("01.png")).unwrap().to_rgb8();
    for ending in ["gif", "webp", "bmp", "ppm"] {
        picture.save(left.join(format!("2024/01.{ending}"))).unwrap();
    }
    // What macOS and other programs leave behind.
    for name in ["._1.png", ".DS_Store", "Thumbs.db", "2024/scan.tif"] {
        write(&left, name, "no picture");
    }
    picture.save(folder.path().join("pictures/stray.png")).unwrap();
    write(folder.path(), "c.toml", config("name = 'images'\npath = 'pictures'\nsize = [8, 8]"));
    let output = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    let expected = "24 pictures are used; left out: 1 .tif in a format that is not read (convert them to PNG); 1 .db, \
                    which are no pictures by their endings; 1 beside the folders of the classes; 2 whose names start \
                    with a dot";
    assert!(messages.contains(expected), "{messages}");
    // The same pictures are predicted, a line each, in the order of an ImageFolder.
    let output = descent(folder.path(), &["predict", "run", "--input", "pictures/left"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("14 pictures are used; left out: 1 .tif"), "{messages}");
    assert_eq!(cells(&String::from_utf8(output.stdout).unwrap()).len(), 15);
    assert_eq!(
        cells(&succeed(folder.path(), &["predict", "run", "--input", "pictures/left/2024/01.gif"])).len(),
        2
    );
    // A folder without pictures says what it holds.
    fs::remove_dir_all(left.join("2024/may")).unwrap();
    fs::create_dir(folder.path().join("pictures/empty")).unwrap();
    write(&folder.path().join("pictures/empty"), "1.tiff", "");
    let error = fail(folder.path(), &["train", "c.toml"], 1);
    assert!(error.contains("pictures/empty") && error.contains("1 .tiff in a format"), "{error}");
}

#[test]
fn folders_that_are_splits_and_names_that_are_no_text_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    paint(&folder.path().join("pictures/test"), 3);
    paint(&folder.path().join("pictures/val"), 3);
    write(folder.path(), "c.toml", config("name = 'images'\npath = 'pictures'\nsize = [8, 8]"));
    let error = fail(folder.path(), &["train", "c.toml"], 1);
    assert!(error.contains("splits, not classes: test, val"), "{error}");
    fs::rename(folder.path().join("pictures/val"), folder.path().join("pictures/train")).unwrap();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    fs::create_dir(folder.path().join("pictures/train").join(name)).unwrap();
    let error = fail(folder.path(), &["train", "c.toml"], 1);
    assert!(error.contains(r"caf\xe9 is not UTF-8") && error.contains("rename"), "{error}");
}

#[test]
fn pictures_of_sixteen_bits_are_told_apart_by_their_low_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for (class, bright) in [("dark", 300), ("bright", 380)] {
        fs::create_dir_all(folder.path().join("pictures").join(class)).unwrap();
        for n in 0..10u16 {
            let picture = image::ImageBuffer::from_pixel(4, 4, image::Luma([bright + n]));
            picture.save(folder.path().join(format!("pictures/{class}/{n}.png"))).unwrap();
        }
    }
    // Without normalisation the values are divided by 65535, so that these are all close to 0.
    let data = "name = 'images'\npath = 'pictures'\ntest = 0.25\nnormalize = 'standard'";
    write(folder.path(), "c.toml", config(data));
    let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&trained, "test_accuracy") > 0.99, "{trained}");
    let messages = succeed(folder.path(), &["predict", "run", "--input", "pictures/dark"]);
    assert!(cells(&messages)[1..].iter().all(|row| row[1] == "dark"), "{messages}");
}

#[test]
fn pictures_that_no_layer_can_take_are_refused_before_any_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        fs::create_dir_all(folder.path().join("pictures").join(class)).unwrap();
        write(&folder.path().join("pictures").join(class), "1.png", "not a picture");
    }
    write(folder.path(), "c.toml", config("name = 'images'\npath = 'pictures'\nsize = [8192, 8192]"));
    let error = fail(folder.path(), &["train", "c.toml"], 2);
    assert!(
        error.contains("`data.size` is 8192 x 8192 x 1") && error.contains("33554432 numbers"),
        "{error}"
    );
    // Within the layer's reach, but not the memory's.
    let arguments = ["train", "c.toml", "--set", "data.size=[1024, 1024]", "--set", "data.memory=1"];
    let error = fail(folder.path(), &arguments, 1);
    assert!(error.contains("2 pictures of 1024 x 1024 takes 2.0 MiB"), "{error}");
    let hidden = format!("model.hidden=[{}]", vec!["1"; 30_000].join(","));
    let error = fail(folder.path(), &["train", "c.toml", "--set", &hidden], 2);
    assert!(error.contains("`model.hidden`") && error.contains("30000 layers; 1000 are the most"), "{error}");
}
