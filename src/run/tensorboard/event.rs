//! TensorBoard's event files: records of protocol buffers, written by hand, as no more than five messages are needed.
//! <https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto>

use super::crc;
use super::histogram::Histogram;
use crate::protobuf::Message;

/// The record at the head of a file.
pub(super) fn header(wall_time: f64) -> Vec<u8> {
    record(event(wall_time, 0).text(3, "brain.Event:2"))
}

/// A run continues, with this step as its next: TensorBoard drops the events of other files from there on. The record
/// is written twice, as TensorBoard's Python server takes the first one for the beginning of the run.
pub(super) fn restart(wall_time: f64, step: i64) -> Vec<u8> {
    const START: u64 = 1;
    record(event(wall_time, step).message(7, &Message::default().number(1, START))).repeat(2)
}

/// Numbers by their names.
pub(super) fn scalars(wall_time: f64, step: i64, values: &[(&str, f64)]) -> Vec<u8> {
    let summary = values.iter().fold(Message::default(), |summary, (tag, value)| {
        #[allow(clippy::cast_possible_truncation, reason = "the format has 32 bits for it")]
        summary.message(1, &Message::default().text(1, tag).float(2, *value as f32))
    });
    record(event(wall_time, step).message(5, &summary))
}

/// A histogram of numbers.
pub(super) fn histogram(wall_time: f64, step: i64, tag: &str, histogram: &Histogram) -> Vec<u8> {
    let value = Message::default().text(1, tag).message(5, &histogram.message());
    record(event(wall_time, step).message(5, &Message::default().message(1, &value)))
}

/// A text in Markdown.
pub(super) fn text(wall_time: f64, step: i64, tag: &str, markdown: &str) -> Vec<u8> {
    const STRING: u64 = 7;
    const TENSOR: u64 = 2;
    // A scalar: an empty shape.
    let tensor = Message::default().number(1, STRING).message(2, &Message::default()).text(8, markdown);
    let plugin = Message::default().text(1, "text");
    let metadata = Message::default().message(1, &plugin).number(4, TENSOR);
    let value = Message::default().text(1, tag).message(8, &tensor).message(9, &metadata);
    record(event(wall_time, step).message(5, &Message::default().message(1, &value)))
}

/// The prefix of the names of event files.
pub(in crate::run) const EVENTS: &str = "events.out.tfevents.";

/// The name of a file that was begun at this time, in seconds since 1970. TensorBoard reads a folder's files in the
/// order of their names.
pub(super) fn file_name(seconds: u64, pid: u32) -> String {
    format!("{EVENTS}{seconds:010}.descent.{pid}")
}

fn event(wall_time: f64, step: i64) -> Message {
    let event = Message::default().double(1, wall_time);
    // 0 is left out, as protocol buffers do.
    if step == 0 { event } else { event.number(2, step.cast_unsigned()) }
}

/// A `TFRecord`: length, its sum, the bytes, their sum.
/// <https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>
fn record(message: Message) -> Vec<u8> {
    let data = message.bytes();
    let length = (data.len() as u64).to_le_bytes();
    let sums = [crc::masked(&length).to_le_bytes(), crc::masked(&data).to_le_bytes()];
    [&length[..], &sums[0], &data, &sums[1]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of a message: number and bytes.
    fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        fn varint(bytes: &mut &[u8]) -> u64 {
            let mut value = 0;
            for shift in (0..).step_by(7) {
                let (first, rest) = bytes.split_first().unwrap();
                *bytes = rest;
                value |= u64::from(first & 0x7f) << shift;
                if *first < 0x80 {
                    break;
                }
            }
            value
        }
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let length = match key & 7 {
                0 => {
                    found.push((key >> 3, varint(&mut bytes).to_le_bytes().to_vec()));
                    continue;
                }
                1 => 8,
                5 => 4,
                2 => usize::try_from(varint(&mut bytes)).unwrap(),
                other => panic!("wire type {other}"),
            };
            let (value, rest) = bytes.split_at(length);
            found.push((key >> 3, value.to_vec()));
            bytes = rest;
        }
        found
    }

    fn field(bytes: &[u8], number: u64) -> Vec<u8> {
        fields(bytes).into_iter().find(|(own, _)| *own == number).unwrap().1
    }

    /// The data of a record whose sums are right.
    fn data(record: &[u8]) -> Vec<u8> {
        let length = usize::try_from(u64::from_le_bytes(record[..8].try_into().unwrap())).unwrap();
        assert_eq!(record.len(), length + 16);
        assert_eq!(record[8..12], crc::masked(&record[..8]).to_le_bytes());
        assert_eq!(record[12 + length..], crc::masked(&record[12..12 + length]).to_le_bytes());
        record[12..12 + length].to_vec()
    }

    #[test]
    fn an_event_has_its_time_its_step_and_its_values() {
        let event = data(&scalars(1.5, 300, &[("loss", 0.25), ("lr", 1e-3)]));
        assert_eq!(field(&event, 1), 1.5f64.to_le_bytes());
        assert_eq!(field(&event, 2), 300u64.to_le_bytes());
        let values: Vec<_> = fields(&field(&event, 5)).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values.len(), 2);
        assert_eq!(
            (field(&values[0], 1), field(&values[0], 2)),
            (b"loss".to_vec(), 0.25f32.to_le_bytes().to_vec())
        );
        assert_eq!(field(&data(&header(0.0)), 3), b"brain.Event:2");
    }

    #[test]
    fn a_text_is_a_tensor_of_one_string() {
        let value = field(&field(&data(&text(0.0, 0, "config", "a\nb")), 5), 1);
        assert_eq!(field(&value, 1), b"config");
        assert_eq!(field(&field(&value, 8), 8), b"a\nb");
        assert_eq!(field(&field(&field(&value, 9), 1), 1), b"text");
    }
}
