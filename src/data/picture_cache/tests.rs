//! A cache is read while its pictures stay as they are.

use super::*;
use candle_core::Device;

const SHAPE: [usize; 3] = [2, 2, 3];

fn pictures() -> Pictures {
    Pictures { height: 2, width: 3, channels: 1, classes: Vec::new() }
}

fn pixels() -> Tensor {
    Tensor::from_vec((0..12u8).collect::<Vec<_>>(), &SHAPE, &Device::Cpu).unwrap()
}

#[test]
fn it_is_read_until_a_picture_or_an_option_changes() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a.png", "b.png"].map(|name| (folder.path().join(name), 0));
    for (file, _) in &files {
        fs::write(file, "1").unwrap();
    }
    let path = folder.path().join("cache.npz");
    let limit = MemoryLimit::new(Some(1));
    let wide = Pictures { width: 4, ..pictures() };
    let read = |pictures: &Pictures, shape: &[usize]| {
        let cache = PictureCache::new(&path, pictures, &[&files]).unwrap();
        cache.read(&[CachedSplit { name: "train", shape }], limit)
    };
    assert!(read(&pictures(), &SHAPE).unwrap().is_none());
    let cache = PictureCache::new(&path, &pictures(), &[&files]).unwrap();
    cache.write([("train", &pixels())]);
    let kept = read(&pictures(), &SHAPE).unwrap().unwrap();
    let elements = |xs: &Tensor| xs.flatten_all().unwrap().to_vec1::<u8>().unwrap();
    assert_eq!((elements(&kept[0]), kept[0].dims()), (elements(&pixels()), SHAPE.as_slice()));
    assert!(read(&wide, &[2, 2, 4]).unwrap().is_none());
    // Another shape than that of the pictures is an error; other contents of the same size are seen by the time.
    assert!(read(&pictures(), &[3, 2, 3]).unwrap_err().to_string().contains("its shape is [2, 2, 3]"));
    let changed = fs::metadata(&files[1].0).unwrap().modified().unwrap();
    fs::write(&files[1].0, "2").unwrap();
    fs::File::open(&files[1].0).unwrap().set_modified(changed).unwrap();
    assert!(read(&pictures(), &SHAPE).unwrap().is_none());
}

#[test]
fn numbers_of_deep_pictures_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.npz");
    let xs = Tensor::new(&[[[0.5f32, 254.75]]], &Device::Cpu).unwrap();
    let cache = PictureCache::new(&path, &pictures(), &[]).unwrap();
    cache.write([("train", &xs)]);
    let split = CachedSplit { name: "train", shape: &[1, 1, 2] };
    let kept = cache.read(&[split], MemoryLimit::new(Some(1))).unwrap().unwrap();
    assert_eq!(kept[0].to_vec3::<f32>().unwrap(), xs.to_vec3::<f32>().unwrap());
}

#[test]
fn a_file_of_another_kind_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thesis.npz");
    let read = || {
        let cache = PictureCache::new(&path, &pictures(), &[]).unwrap();
        cache.read(&[], MemoryLimit::new(Some(1))).unwrap_err().to_string()
    };
    fs::write(&path, "thesis").unwrap();
    assert!(read().contains("remove it, or name another"), "{}", read());
    assert_eq!(fs::read(&path).unwrap(), b"thesis");
    // An archive with the key, and an array that no cache has.
    let cache = PictureCache::new(&path, &pictures(), &[]).unwrap();
    cache.write([("x", &pixels())]);
    let bytes = fs::read(&path).unwrap();
    assert!(read().contains("remove it, or name another"), "{}", read());
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_damaged_file_says_that_it_is_to_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.npz");
    let cache = PictureCache::new(&path, &pictures(), &[]).unwrap();
    let split = CachedSplit { name: "train", shape: &SHAPE };
    cache.write([("train", &pixels())]);
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(4).position(|four| four == [4, 5, 6, 7]).unwrap();
    bytes[place] = 99;
    fs::write(&path, bytes).unwrap();
    let error = cache.read(&[split], MemoryLimit::new(Some(1))).unwrap_err().to_string();
    assert!(error.contains("remove the file, and it is written anew"), "{error}");
    for wrong in [Tensor::new(&[f32::NAN, 1.0], &Device::Cpu), Tensor::new(&[256.0f32, 1.0], &Device::Cpu)] {
        cache.write([("train", &wrong.unwrap())]);
        let error = cache.read(&[split], MemoryLimit::new(Some(1))).unwrap_err().to_string();
        assert!(error.contains("array `train` has no pixels"), "{error}");
    }
}
