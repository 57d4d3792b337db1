//! The work that a JPEG file asks for, from its markers alone: ITU-T T.81, annex B.
//!
//! A progressive picture is decoded in scans, each of which passes over all of its pixels, and a scan that says nothing takes
//! a few bytes. A file of some kilobytes can ask for minutes.

/// The most pixels that all scans of a picture may pass over: ten scans, as common encoders write them, of 200 megapixels.
const MOST_WORK: u64 = 2_000_000_000;

/// Start of frame, but for the three markers of this range that are none.
const FRAMES: std::ops::RangeInclusive<u8> = 0xc0..=0xcf;
const NO_FRAMES: [u8; 3] = [0xc4, 0xc8, 0xcc];
const START_OF_SCAN: u8 = 0xda;
const END: u8 = 0xd9;

/// Checks that a JPEG file can be decoded in reasonable time. What is damaged is left to the decoder to refuse.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let (mut pixels, mut scans) = (0u64, 0u64);
    let mut at = 2;
    while let Some(Segment { marker, bytes: segment }) = next(bytes, &mut at) {
        if FRAMES.contains(&marker) && !NO_FRAMES.contains(&marker) {
            let side =
                |at: usize| Some(u64::from(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?])));
            pixels = pixels.max(side(1).unwrap_or(0) * side(3).unwrap_or(0));
        }
        scans += u64::from(marker == START_OF_SCAN);
        if pixels * scans > MOST_WORK {
            return Err(format!(
                "its {pixels} pixels are to be decoded in {scans} scans or more, which takes too long; save it anew, not \
                 progressive"
            ));
        }
    }
    Ok(())
}

/// A marker and what belongs to it.
struct Segment<'a> {
    marker: u8,
    bytes: &'a [u8],
}

/// The next segment; skips what is packed behind the start of a scan.
fn next<'a>(bytes: &'a [u8], at: &mut usize) -> Option<Segment<'a>> {
    loop {
        let found = *at + memchr::memchr(0xff, bytes.get(*at..)?)?;
        let marker = *bytes.get(found + 1)?;
        match marker {
            // Fill bytes.
            0xff => *at = found + 1,
            // A byte of packed data, a restart, and markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => *at = found + 2,
            END => return None,
            _ => {
                let length = u16::from_be_bytes([*bytes.get(found + 2)?, *bytes.get(found + 3)?]);
                let start = found + 4;
                *at = found + 2 + usize::from(length.max(2));
                let bytes = bytes.get(start..(*at).min(bytes.len())).unwrap_or(&[]);
                return Some(Segment { marker, bytes });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of a frame of `side` x `side` pixels and `scans` empty scans.
    fn file(side: u16, scans: usize) -> Vec<u8> {
        let [high, low] = side.to_be_bytes();
        // A thumbnail in the Exif segment has scans of its own, which do not count.
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xda, 0, 2];
        let frame = [0xff, 0xc2, 0, 11, 8, high, low, high, low, 1, 1, 0x11, 0];
        let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 1, 1, 0, 0x7f, 0xff, 0x00, 0x7f];
        [&[0xff, 0xd8][..], &thumbnail, &frame, &scan.repeat(scans), &[0xff, 0xd9]].concat()
    }

    #[test]
    fn scans_of_many_pixels_are_refused() {
        assert!(check(&file(8000, 10)).is_ok());
        let error = check(&file(20_000, 6)).unwrap_err();
        assert!(error.contains("400000000 pixels") && error.contains("6 scans"), "{error}");
        assert!(check(&file(20_000, 5)).is_ok());
    }

    #[test]
    fn damaged_files_end_the_search() {
        let good = file(100, 3);
        for length in 0..good.len() {
            assert!(check(&good[..length]).is_ok());
        }
        assert!(check(&[0xff; 100]).is_ok() && check(&[]).is_ok());
    }
}
