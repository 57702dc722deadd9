//! What a thread hands to the writer: one message in bounded bytes, its fields still apart.

use super::timestamp::Timestamp;
use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// Longest record in bytes. What a message has beyond is left out.
pub(super) const SIZE_MAX: usize = 16 << 10;
/// The record's own length, in front of it.
pub(super) const LEN_SIZE: usize = 4;
/// Behind the length: time, level, the length of the target.
const HEAD_SIZE: usize = LEN_SIZE + Timestamp::SIZE + 1 + 2;
/// In front of each field: its kind, the lengths of its name and its value.
const FIELD_SIZE: usize = 1 + 1 + 2;
/// Stands for what is left out.
const CUT: &str = "…";
/// The name of the field that is the message.
const MESSAGE: &str = "message";

/// How the value of a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As text, in quotes where needed.
    Text,
    /// As it is: a number, or true or false.
    Literal,
}

/// A record as it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'r> {
    /// When.
    pub(super) time: Timestamp,
    /// How bad.
    pub(super) level: Level,
    /// Where in the program.
    pub(super) target: &'r str,
    fields: &'r [u8],
}

/// Writes an event into `record`, whose former content goes.
pub(super) fn encode(record: &mut Vec<u8>, time: Timestamp, event: &Event<'_>) {
    let metadata = event.metadata();
    let mut encoder = Encoder::begin(record, time, *metadata.level(), metadata.target());
    event.record(&mut encoder);
    encoder.end();
}

/// As [`encode`], for what the log says itself.
pub(super) fn compose(
    record: &mut Vec<u8>,
    level: Level,
    target: &str,
    message: fmt::Arguments<'_>,
) {
    let mut encoder = Encoder::begin(record, Timestamp::now(), level, target);
    encoder.put(MESSAGE, Kind::Text, message);
    encoder.end();
}

impl<'r> Record<'r> {
    /// Reads a whole record; none if it is not what [`encode`] wrote.
    pub(super) fn decode(bytes: &'r [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_SIZE>()?;
        let [.., level, low, high] = *head;
        let time = head[LEN_SIZE..].first_chunk::<{ Timestamp::SIZE }>()?;
        let target_len = usize::from(u16::from_le_bytes([low, high]));
        let (target, fields) = rest.split_at_checked(target_len)?;
        Some(Self {
            time: Timestamp::from_bytes(*time),
            level: LEVELS.get(usize::from(level)).copied()?,
            target: str::from_utf8(target).ok()?,
            fields,
        })
    }

    /// The message.
    pub(super) fn message(&self) -> &'r str {
        let message = self.all().find(|&(name, ..)| name == MESSAGE);
        message.map_or("", |(_, _, text)| text)
    }

    /// The fields beside the message: name, kind, value.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'r str, Kind, &'r str)> + use<'r> {
        self.all().filter(|&(name, ..)| name != MESSAGE)
    }

    fn all(&self) -> impl Iterator<Item = (&'r str, Kind, &'r str)> + use<'r> {
        let mut rest = self.fields;
        std::iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk::<FIELD_SIZE>()?;
            let [kind, name_len, low, high] = *head;
            let (name, after) = after.split_at_checked(name_len.into())?;
            let value_len = usize::from(u16::from_le_bytes([low, high]));
            let (value, after) = after.split_at_checked(value_len)?;
            rest = after;
            let kind = if kind == 0 { Kind::Text } else { Kind::Literal };
            Some((
                str::from_utf8(name).ok()?,
                kind,
                str::from_utf8(value).ok()?,
            ))
        })
    }
}

/// Levels by their number in a record.
pub(super) const LEVELS: [Level; 5] = [
    Level::ERROR,
    Level::WARN,
    Level::INFO,
    Level::DEBUG,
    Level::TRACE,
];

/// The number of a level in a record.
pub(super) fn level_index(level: Level) -> usize {
    LEVELS.iter().position(|&known| known == level).unwrap_or(0)
}

/// Writes a record's fields one behind the other, as long as there is room.
struct Encoder<'b>(&'b mut Vec<u8>);

impl<'b> Encoder<'b> {
    fn begin(record: &'b mut Vec<u8>, time: Timestamp, level: Level, target: &str) -> Self {
        // Targets are paths of modules: far shorter.
        let target = &target[..target.floor_char_boundary(1024)];
        record.clear();
        record.extend([0; LEN_SIZE]);
        record.extend(time.to_bytes());
        record.push(u8::try_from(level_index(level)).unwrap_or(0));
        record.extend(u16::try_from(target.len()).unwrap_or(0).to_le_bytes());
        record.extend(target.as_bytes());
        Self(record)
    }

    /// A field; left out where there is not even room for its name.
    fn put(&mut self, name: &str, kind: Kind, value: fmt::Arguments<'_>) {
        let name = &name[..name.floor_char_boundary(255)];
        let name = name.strip_prefix("r#").unwrap_or(name);
        let start = self.0.len();
        let behind = start + FIELD_SIZE + name.len();
        if behind + CUT.len() > SIZE_MAX {
            return;
        }
        self.0.push(u8::from(kind == Kind::Literal));
        self.0.push(u8::try_from(name.len()).unwrap_or(0));
        self.0.extend([0; 2]);
        self.0.extend(name.as_bytes());
        let mut bounded = Bounded(self.0);
        if bounded.write_fmt(value).is_err() {
            self.0.extend(CUT.as_bytes());
        }
        let len = u16::try_from(self.0.len() - behind).unwrap_or(0);
        self.0[start + 2..start + FIELD_SIZE].copy_from_slice(&len.to_le_bytes());
    }

    fn end(self) {
        let len = u32::try_from(self.0.len()).unwrap_or(0);
        self.0[..LEN_SIZE].copy_from_slice(&len.to_le_bytes());
    }
}

/// Takes text as long as a record with it and [`CUT`] is not too long.
struct Bounded<'b>(&'b mut Vec<u8>);

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = (SIZE_MAX - CUT.len()).saturating_sub(self.0.len());
        let fitting = &text[..text.floor_char_boundary(room)];
        self.0.extend(fitting.as_bytes());
        // Whoever formats stops at the first error: an endless text costs no more than a long one.
        match fitting.len() == text.len() {
            true => Ok(()),
            false => Err(fmt::Error),
        }
    }
}

impl Visit for Encoder<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), Kind::Text, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), Kind::Text, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field.name(), Kind::Text, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), Kind::Literal, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), Kind::Literal, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), Kind::Literal, format_args!("{value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field.name(), Kind::Literal, format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field.name(), Kind::Literal, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no number for the others.
        let kind = match value.is_finite() {
            true => Kind::Literal,
            false => Kind::Text,
        };
        self.put(field.name(), kind, format_args!("{value:?}"));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record of these parts.
    pub(in crate::telemetry::log) fn record(
        target: &str,
        message: &str,
        fields: &[(&str, Kind, &str)],
    ) -> Vec<u8> {
        let time = Timestamp {
            seconds: 951_782_400,
            nanos: 254_111_903,
        };
        let mut record = Vec::new();
        let mut encoder = Encoder::begin(&mut record, time, Level::WARN, target);
        encoder.put(MESSAGE, Kind::Text, format_args!("{message}"));
        for (name, kind, value) in fields {
            encoder.put(name, *kind, format_args!("{value}"));
        }
        encoder.end();
        record
    }

    #[test]
    fn what_is_written_is_read() {
        let fields = [
            ("zone", Kind::Text, "example."),
            ("serial", Kind::Literal, "7"),
        ];
        let bytes = record("ripples::zone", "new serial", &fields);
        let record = Record::decode(&bytes).unwrap();
        assert_eq!(
            (record.level, record.target),
            (Level::WARN, "ripples::zone")
        );
        assert_eq!(record.message(), "new serial");
        assert!(record.fields().eq(fields));
        assert_eq!(record.time.nanos, 254_111_903);
    }

    #[test]
    fn what_is_too_long_is_cut_and_later_fields_are_left_out() {
        let long = "ü".repeat(SIZE_MAX);
        let bytes = record("t", &long, &[("after", Kind::Literal, "1")]);
        assert!(bytes.len() <= SIZE_MAX);
        let record = Record::decode(&bytes).unwrap();
        assert!(record.message().starts_with("üü") && record.message().ends_with("ü…"));
        assert_eq!(record.fields().count(), 0);
    }

    #[test]
    fn what_is_no_record_is_none_and_no_panic() {
        let whole = record("ripples", "m", &[("a", Kind::Text, "b")]);
        for len in 0..whole.len() {
            if let Some(record) = Record::decode(&whole[..len]) {
                record.all().for_each(drop);
            }
        }
        let mut wrong = whole.clone();
        for at in 0..wrong.len() {
            wrong[at] = 0xff;
            if let Some(record) = Record::decode(&wrong) {
                record.all().for_each(drop);
            }
        }
        assert!(Record::decode(&wrong).is_none());
    }
}
