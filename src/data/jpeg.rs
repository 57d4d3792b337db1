//! The work that a JPEG file asks for, and whether it is whole, from its markers alone: ITU-T T.81, annex B.
//!
//! A progressive picture is decoded in scans. Each scan passes over all pixels, and an empty one takes a few bytes, so
//! a file of some kilobytes can ask for minutes.

/// The most pixels that all scans of a picture may pass over: ten scans, as common encoders write them, of 200 megapixels.
const MOST_WORK: u64 = 2_000_000_000;

/// Start of frame, but for the three markers of this range that are none.
const FRAMES: std::ops::RangeInclusive<u8> = 0xc0..=0xcf;
const NO_FRAMES: [u8; 3] = [0xc4, 0xc8, 0xcc];
const START_OF_SCAN: u8 = 0xda;
const END: u8 = 0xd9;
/// The last two bytes of a complete file, except for trailing data.
pub(super) const END_MARKER: [u8; 2] = [0xff, END];

/// The coefficients of a block.
const COEFFICIENTS: usize = 64;
/// Paddings for the data that a file without an end marker may lack. Their first bits differ.
const PADDINGS: [u8; 3] = [0x00, 0x55, 0xaa];
/// The bytes of each.
const PADDED: usize = 256;

/// The amount of a picture that a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The end marker is there.
    Ended,
    /// The scans begin that a whole picture has, but there is no end marker: the last scan may be cut short.
    Open,
    /// A scan is missing.
    Short,
}

/// Checks that a JPEG file can be decoded in reasonable time, and returns how much of the picture it has. The decoder
/// is left to refuse damaged data.
pub(super) fn check(bytes: &[u8]) -> Result<Extent, String> {
    let (mut pixels, mut scans) = (0u64, 0u64);
    let mut coefficients = Coefficients::default();
    let mut at = 2;
    while let Some(Segment { marker, bytes: segment }) = next(bytes, &mut at) {
        if marker == END {
            return Ok(Extent::Ended);
        }
        if FRAMES.contains(&marker) && !NO_FRAMES.contains(&marker) {
            coefficients.begin(segment);
            let side =
                |at: usize| Some(u64::from(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?])));
            pixels = pixels.max(side(1).unwrap_or(0) * side(3).unwrap_or(0));
        }
        if marker == START_OF_SCAN {
            coefficients.see(segment);
            scans += 1;
        }
        if pixels * scans > MOST_WORK {
            return Err(format!(
                "its {pixels} pixels are to be decoded in {scans} scans or more, which takes too long; save it anew, not \
                 progressive"
            ));
        }
    }
    Ok(if coefficients.are_all_exact() { Extent::Open } else { Extent::Short })
}

/// A file without an end marker, with an end marker added after various data: its pictures are the same if it lacks
/// nothing else.
pub(super) fn ended(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    // A download that broke off may have left zeros; a byte 0xff is followed by one alone.
    let data = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let bytes = if bytes.len() - data > 1 { &bytes[..data] } else { bytes };
    let own = bytes.strip_suffix(&[0xff]).unwrap_or(bytes);
    PADDINGS.iter().map(move |byte| [own, &[*byte; PADDED], &END_MARKER].concat())
}

/// To how many bits the scans have brought each coefficient of each component.
#[derive(Default)]
struct Coefficients {
    /// The numbers of the components, and the bits that each of their coefficients lacks; nothing: all of them.
    components: Vec<(u8, [Option<u8>; COEFFICIENTS])>,
}

impl Coefficients {
    /// Takes the components of a frame header.
    fn begin(&mut self, header: &[u8]) {
        let components = header.get(6..).unwrap_or(&[]).chunks_exact(3);
        self.components = components.map(|component| (component[0], [None; COEFFICIENTS])).collect();
    }

    /// Counts the components and coefficients that the header of a scan announces.
    fn see(&mut self, header: &[u8]) {
        let Some((count, rest)) = header.split_first() else { return };
        let count = usize::from(*count);
        let (Some(numbers), Some([first, last, bits])) = (rest.get(..2 * count), rest.get(2 * count..))
        else {
            return;
        };
        let band = usize::from(*first)..=usize::from(*last).min(COEFFICIENTS - 1);
        for number in numbers.iter().step_by(2) {
            let own = self.components.iter_mut().find(|(component, _)| component == number);
            let band = own.and_then(|(_, coefficients)| coefficients.get_mut(band.clone()));
            band.into_iter().flatten().for_each(|coefficient| *coefficient = Some(bits & 0x0f));
        }
    }

    fn are_all_exact(&self) -> bool {
        let exact = |coefficients: &[Option<u8>]| coefficients.iter().all(|lacking| *lacking == Some(0));
        !self.components.is_empty() && self.components.iter().all(|(_, own)| exact(own))
    }
}

/// A marker and its payload; the end marker has none.
struct Segment<'a> {
    marker: u8,
    bytes: &'a [u8],
}

/// The next segment; skips the compressed data after the start of a scan.
fn next<'a>(bytes: &'a [u8], at: &mut usize) -> Option<Segment<'a>> {
    loop {
        let found = *at + memchr::memchr(0xff, bytes.get(*at..)?)?;
        let marker = *bytes.get(found + 1)?;
        match marker {
            // Fill bytes.
            0xff => *at = found + 1,
            // A byte of packed data, a restart, and markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => *at = found + 2,
            END => return Some(Segment { marker, bytes: &[] }),
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
            assert!(matches!(check(&good[..length]), Ok(Extent::Open | Extent::Short)));
        }
        assert_eq!(check(&good), Ok(Extent::Ended));
        assert!(check(&[0xff; 100]).is_ok() && check(&[]).is_ok());
    }
}
