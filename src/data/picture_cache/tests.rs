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
    files.iter().for_each(|(file, _)| fs::write(file, "1").unwrap());
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
    fs::write(&files[1].0, "22").unwrap();
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
    let path = folder.path().join("thesis.txt");
    fs::write(&path, "thesis").unwrap();
    let cache = PictureCache::new(&path, &pictures(), &[]).unwrap();
    let error = cache.read(&[], MemoryLimit::new(Some(1))).unwrap_err().to_string();
    assert!(error.contains("was not written as such; name another"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"thesis");
}
