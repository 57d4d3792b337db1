//! Unpacks gzip files of any number of members: RFC 1952, 2.2.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

/// The first bytes of a member.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The contents of the members of a gzip file, one after the other. Zeros after a member are padding, as for gzip and
/// Python.
pub(super) struct Gunzip<R> {
    /// The decoder of the current member; `None` after the last.
    member: Option<GzDecoder<BufReader<R>>>,
}

impl<R: Read> Gunzip<R> {
    /// Unpacks `source`.
    pub(super) fn new(source: R) -> Self {
        Self { member: Some(GzDecoder::new(BufReader::with_capacity(1 << 16, source))) }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer).map_err(in_words)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.member = self.member.take().map(GzDecoder::into_inner).map(next).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The error of a file that ends within a member, or is damaged.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(
            error.kind(),
            "the gzip file is cut off: its last member has no end; copy or fetch it again",
        ),
        // flate2's own, of bytes that are not what was packed.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the gzip file is damaged ({error}); copy or fetch it again"),
        ),
        _ => error,
    }
}

/// The member after the one that has ended, if there is one.
fn next<R: Read>(mut source: BufReader<R>) -> io::Result<Option<GzDecoder<BufReader<R>>>> {
    loop {
        let bytes = source.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if bytes.is_empty() {
            return Ok(None);
        }
        if zeros == 0 {
            if bytes[0] != MAGIC[0] || bytes.get(1).is_some_and(|byte| *byte != MAGIC[1]) {
                let problem = "the bytes behind the last gzip member are not gzip; cut them off, or pack the file again";
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
            return Ok(Some(GzDecoder::new(source)));
        }
        source.consume(zeros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(file: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Gunzip::new(file).read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn all_members_are_unpacked() {
        let (long, padding) = (vec![b'2'; 200_000], vec![0; 100_000]);
        let (one, none, two) = (member(b"one "), member(b""), member(&long));
        let expected = [&b"one "[..], &long].concat();
        assert_eq!(unpacked(&[&one[..], &none, &two, &none].concat()).unwrap(), expected);
        // Padding, as on a tape, also between members.
        assert_eq!(unpacked(&[&one[..], &padding, &two, &[0; 3]].concat()).unwrap(), expected);
        let error = |file: &[&[u8]]| unpacked(&file.concat()).unwrap_err().to_string();
        for garbage in [&b"garbage"[..], b"\n", b"\x1fgarbage that is longer than a header"] {
            assert!(error(&[&one, garbage]).contains("behind the last gzip member"));
            assert!(error(&[&one, &padding, garbage]).contains("behind the last gzip member"));
        }
        assert!(error(&[&one, &two[..two.len() - 5]]).contains("is cut off"));
        assert!(error(&[&two[..100]]).contains("is cut off"));
        assert!(unpacked(b"").is_err());
        let mut flipped = one.clone();
        let checksum = flipped.len() - 8;
        flipped[checksum] ^= 1;
        let error = error(&[&flipped]);
        assert!(error.contains("is damaged (") && error.contains("; copy or fetch it again"), "{error}");
    }
}
