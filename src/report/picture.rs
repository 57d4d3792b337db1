//! Small pictures as data URIs: PNG (W3C, third edition) with 8 bits a channel and no filters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write as _;

use super::data::Picture;

/// The largest side of a picture that is embedded.
const LARGEST: usize = 4096;

/// A picture as `data:image/png;base64,…`; `None` if its bytes are not `(height, width, channels)`.
pub(super) fn data_uri(picture: &Picture) -> Option<String> {
    Some(format!("data:image/png;base64,{}", STANDARD.encode(png(picture)?)))
}

fn png(picture: &Picture) -> Option<Vec<u8>> {
    let Picture { width, height, channels, bytes } = picture;
    let colour_type = match channels {
        1 => 0,
        3 => 2,
        _ => return None,
    };
    let sides = 1..=LARGEST;
    if !sides.contains(width) || !sides.contains(height) || bytes.len() != width * height * channels {
        return None;
    }
    let mut header = Vec::with_capacity(13);
    for side in [width, height] {
        header.extend(u32::try_from(*side).ok()?.to_be_bytes());
    }
    header.extend([8, colour_type, 0, 0, 0]);
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in bytes.chunks(width * channels) {
        pixels.write_all(&[0]).and_then(|()| pixels.write_all(row)).ok()?;
    }
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, *b"IHDR", &header)?;
    chunk(&mut out, *b"IDAT", &pixels.finish().ok()?)?;
    chunk(&mut out, *b"IEND", &[])?;
    Some(out)
}

fn chunk(out: &mut Vec<u8>, name: [u8; 4], data: &[u8]) -> Option<()> {
    out.extend(u32::try_from(data.len()).ok()?.to_be_bytes());
    let mut sum = flate2::Crc::new();
    for part in [&name[..], data] {
        out.extend(part);
        sum.update(part);
    }
    out.extend(sum.sum().to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_pixels_come_back() {
        let picture = Picture { width: 2, height: 2, channels: 3, bytes: (0..12).collect() };
        let file = png(&picture).unwrap();
        assert_eq!(file[..8], *b"\x89PNG\r\n\x1a\n");
        // The check sum of an empty IEND chunk is in every PNG file.
        assert_eq!(file[file.len() - 12..], *b"\0\0\0\0IEND\xae\x42\x60\x82");
        assert_eq!(file[16..29], [0, 0, 0, 2, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&file[41..]).read_to_end(&mut rows).unwrap();
        assert_eq!(rows, [0, 0, 1, 2, 3, 4, 5, 0, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn what_is_no_picture_is_left_out() {
        for (width, height, channels, bytes) in [(2, 2, 1, 3), (0, 2, 1, 0), (1, 1, 2, 2), (5000, 1, 1, 5000)]
        {
            assert!(data_uri(&Picture { width, height, channels, bytes: vec![0; bytes] }).is_none());
        }
    }
}
