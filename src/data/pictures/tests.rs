//! Pictures of every kind, orientation and depth.

use super::*;
use crate::data::MemoryLimit;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// An Exif block with the orientation alone.
fn exif(orientation: u8) -> Vec<u8> {
    [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", &[orientation][..], &[0; 6]].concat()
}

/// The pixels of a file with these bytes, of pictures of this size.
fn read(bytes: &[u8], [height, width, channels]: [usize; 3]) -> Result<Vec<f32>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    std::fs::write(&path, bytes).unwrap();
    let pictures = Pictures { height, width, channels, classes: Vec::new() };
    let mut pixels = PixelBuffer::new(1, MemoryLimit::new(Some(1))).unwrap();
    pictures.read(&[&path], &mut pixels)?;
    assert_eq!(size_of(&path).unwrap(), [height, width]);
    let tensor = pixels.tensor(&[channels * height * width])?;
    Ok(tensor.to_dtype(candle_core::DType::F32)?.to_vec1()?)
}

#[test]
fn pictures_are_turned_as_they_are_displayed() {
    // PIL 13: ImageOps.exif_transpose of the rows [10, 20, 30] and [40, 50, 60].
    let expected: [[u8; 6]; 8] = [
        [10, 20, 30, 40, 50, 60],
        [30, 20, 10, 60, 50, 40],
        [60, 50, 40, 30, 20, 10],
        [40, 50, 60, 10, 20, 30],
        [10, 40, 20, 50, 30, 60],
        [40, 10, 50, 20, 60, 30],
        [60, 30, 50, 20, 40, 10],
        [30, 60, 20, 50, 10, 40],
    ];
    for (orientation, expected) in (1..).zip(expected) {
        let mut file = Vec::new();
        let mut encoder = PngEncoder::new(&mut file);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder.write_image(&[10, 20, 30, 40, 50, 60], 3, 2, ExtendedColorType::L8).unwrap();
        let [height, width] = if orientation < 5 { [2, 3] } else { [3, 2] };
        assert_eq!(read(&file, [height, width, 1]).unwrap(), expected.map(f32::from), "{orientation}");
    }
    // An invalid orientation turns nothing.
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    encoder.set_exif_metadata(exif(9)).unwrap();
    encoder.write_image(&[10, 20], 2, 1, ExtendedColorType::L8).unwrap();
    assert_eq!(read(&file, [1, 2, 1]).unwrap(), [10.0, 20.0]);
}

#[test]
fn a_jpeg_is_turned_too() {
    // The upper half is bright; displayed, the right half is.
    let pixels: Vec<u8> = (0..16 * 8).map(|pixel| if pixel < 64 { 240 } else { 10 }).collect();
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 100);
    encoder.set_exif_metadata(exif(6)).unwrap();
    encoder.write_image(&pixels, 16, 8, ExtendedColorType::L8).unwrap();
    let turned = read(&file, [16, 8, 1]).unwrap();
    assert!(turned.chunks(8).all(|row| row[..4].iter().all(|x| *x < 20.0)), "{turned:?}");
    assert!(turned.chunks(8).all(|row| row[4..].iter().all(|x| *x > 230.0)), "{turned:?}");
}

#[test]
fn sixteen_bits_stay_sixteen_bits() {
    let mut file = Vec::new();
    let pixels: Vec<u8> = [300u16, 380, 0, 65535].into_iter().flat_map(u16::to_ne_bytes).collect();
    PngEncoder::new(&mut file).write_image(&pixels, 4, 1, ExtendedColorType::L16).unwrap();
    assert_eq!(read(&file, [1, 4, 1]).unwrap(), [300.0 / 257.0, 380.0 / 257.0, 0.0, 255.0]);
    let color: Vec<u8> = [300u16, 380, 0].into_iter().flat_map(u16::to_ne_bytes).collect();
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(&color, 1, 1, ExtendedColorType::Rgb16).unwrap();
    assert_eq!(read(&file, [1, 1, 3]).unwrap(), [300.0 / 257.0, 380.0 / 257.0, 0.0]);
}

#[test]
fn bytes_become_numbers_when_a_picture_of_sixteen_bits_follows() {
    let mut pixels = PixelBuffer::new(4, MemoryLimit::new(Some(1))).unwrap();
    pixels.add_bytes(&[7, 255]);
    pixels.add_deep(&[300, 65535]).unwrap();
    pixels.add_bytes(&[9]);
    let all = pixels.tensor(&[5]).unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(all, [7.0, 255.0, 300.0 / 257.0, 255.0, 9.0]);
    let mut pixels = PixelBuffer::new(1 << 20, MemoryLimit::new(Some(1))).unwrap();
    assert!(pixels.add_deep(&[1]).unwrap_err().contains("16 bits"));
}

#[test]
fn all_formats_are_read() {
    // Four pixels, as PIL 13 writes them.
    let files = [
        "5249464638000000574542505650384c2b0000002f014000001f20164cf6e7cf9b864020c9df6caa05b2c922c99ff2f31fb8981ac8a46d43\
         6d772da2ffb10300",
        "47494638376102000200810000ffffff00ff00c80a1e0000ff2c000000000200020000080700050c08002020003b",
        "424d460000000000000036000000280000000200000002000000010018000000000010000000c40e0000c40e000000000000000000000\
         0ff00ffffff00001e0ac8ff00000000",
        "50360a3220320a3235350ac80a1e0000ff00ff00ffffff",
    ];
    let expected = [200.0, 0.0, 0.0, 255.0, 10.0, 0.0, 255.0, 255.0, 30.0, 255.0, 0.0, 255.0];
    for file in files {
        let digits: Vec<u8> = file.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
        assert_eq!(read(&bytes, [2, 2, 3]).unwrap(), expected, "{file}");
    }
}

#[test]
fn a_profile_that_unpacks_to_gigabytes_is_refused() {
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(&[7], 1, 1, ExtendedColorType::L8).unwrap();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(1 << 26), &mut packed).unwrap();
    let chunk = [b"iCCPicc\0\0", packed.finish().unwrap().as_slice()].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&chunk);
    let length = u32::try_from(chunk.len() - 4).unwrap().to_be_bytes();
    let chunk = [&length[..], &chunk, &sum.sum().to_be_bytes()].concat();
    // Behind the signature and IHDR.
    let file = [&file[..33], &chunk, &file[33..]].concat();
    let read = read(&file, [1, 1, 1]);
    assert!(read.as_ref().is_ok_and(|pixels| *pixels == [7.0]) || read.is_err(), "{read:?}");
}

#[test]
fn a_picture_that_claims_gigabytes_is_refused() {
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(&[7], 1, 1, ExtendedColorType::L8).unwrap();
    let mut head = [b"IHDR", &60_000u32.to_be_bytes()[..], &60_000u32.to_be_bytes(), &file[24..29]].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&head);
    head.extend(sum.sum().to_be_bytes());
    file.splice(12..33, head);
    let error = read(&file, [60_000, 60_000, 1]).unwrap_err().to_string();
    assert!(error.contains("60000 x 60000 pixels is too large"), "{error}");
}

/// A progressive picture of 8 x 16 grey pixels, as Pillow 12 writes it: six scans.
const PROGRESSIVE: &str = "ffd8ffe000104a46494600010100000100010000ffdb0043000d090a0b0a080d0b0a0b0e0e0d0f13201513121213271c1e17202e2931302e292d\
2c333a4a3e333646372c2d405741464c4e525352323e5a615a50604a51524fffc2000b080010000801011100ffc4001500010100000000000000\
000000000000000102ffda000801010000000167ffc4001810000301010000000000000000000000000203040011ffda00080101000105029445\
4ba7bbffc4001a100002020300000000000000000000000001020003223141ffda0008010100063f022eda58940ee467ffc4001b100100010501\
000000000000000000000001001121516171f0ffda0008010100013f21b0595588054075c1ed4fffda00080101000000107fffc4001b10010002\
020300000000000000000000000111310021415161ffda0008010100013f10f10c617a09825741ca980800b4094b3648a89663ffd9";

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(digits).collect()
}

/// A picture of noise in a format.
fn noise(format: ImageFormat) -> Vec<u8> {
    let pixels: Vec<u8> = (0u32..40 * 30 * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let picture = image::RgbImage::from_raw(40, 30, pixels).unwrap();
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[test]
fn a_picture_that_is_cut_short_is_refused_wherever_it_ends() {
    let formats =
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP];
    let mut files = formats.map(|format| (noise(format), [30, 40, 3])).to_vec();
    files.push((bytes_of(PROGRESSIVE), [16, 8, 1]));
    for (number, (file, size)) in files.iter().enumerate() {
        let whole = read(file, *size).unwrap();
        // The end markers of JPEG, PNG and GIF have 2, 12 and 1 bytes.
        let end = [2, 12, 1, 0, 0, 2][number];
        for lost in 0..=end {
            assert_eq!(read(&file[..file.len() - lost], *size).unwrap(), whole, "{number}: {lost}");
        }
        let lengths = (file.len() / 4..file.len() - end - 8).step_by(if file.len() > 400 { 97 } else { 1 });
        for length in lengths.chain([file.len() - end - 8]) {
            let error = read(&file[..length], *size).unwrap_err().to_string();
            let said = ["is cut short: copy the file again", "not a readable picture"];
            assert!(said.iter().any(|said| error.contains(said)), "{number}: {length}: {error}");
        }
        let half = read(&file[..file.len() / 2], *size).unwrap_err().to_string();
        assert!(half.contains("picture.png: ") && half.contains(", or remove it"), "{number}: {half}");
    }
}

#[test]
fn a_jpeg_without_its_last_byte_of_data_is_cut_short_too() {
    // The encoder of `image` fills the last byte with ones, and may write one more of them.
    for (file, size, least) in
        [(noise(ImageFormat::Jpeg), [30, 40, 3], 4), (bytes_of(PROGRESSIVE), [16, 8, 1], 3)]
    {
        for lost in least..8 {
            let mut cut = file[..file.len() - lost].to_vec();
            assert!(read(&cut, size).is_err(), "{lost}");
            // Bytes after the end of a file are no end marker.
            cut.extend_from_slice(&[0; 8]);
            assert!(read(&cut, size).is_err(), "{lost}");
        }
    }
}

#[test]
fn many_files_keep_their_order_and_the_first_damaged_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let shades: Vec<u8> = (0..=255).chain(0..100).collect();
    let mut files: Vec<_> = (0..shades.len()).map(|n| folder.path().join(format!("{n}.png"))).collect();
    for (file, shade) in files.iter().zip(&shades) {
        image::GrayImage::from_pixel(1, 1, image::Luma([*shade])).save(file).unwrap();
    }
    let pictures = Pictures { height: 1, width: 1, channels: 1, classes: Vec::new() };
    let mut pixels = PixelBuffer::new(shades.len(), MemoryLimit::new(Some(1))).unwrap();
    pictures.read(&files, &mut pixels).unwrap();
    assert_eq!(pixels.tensor(&[shades.len()]).unwrap().to_vec1::<u8>().unwrap(), shades);
    for name in ["first", "second"] {
        let damaged = folder.path().join(format!("{name}.png"));
        std::fs::write(&damaged, b"\x89PNG\r\n\x1a\nbroken").unwrap();
        files.push(damaged);
    }
    let mut pixels = PixelBuffer::new(0, MemoryLimit::new(Some(1))).unwrap();
    assert!(pictures.read(&files, &mut pixels).unwrap_err().to_string().contains("first.png"));
}
