//! What the server says of itself in class CH (RFC 4892).

use crate::packet::code;

/// Longest text: one character string (RFC 1035 §3.3).
pub const TEXT_LEN_MAX: usize = 255;

/// The TXT records of the four names that are asked for, each ready to be copied behind its
/// question; none where the server keeps it to itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chaos {
    version: Option<Box<[u8]>>,
    hostname: Option<Box<[u8]>>,
    id: Option<Box<[u8]>>,
}

impl Chaos {
    /// Texts of `version.bind.` and `version.server.`, of `hostname.bind.`, and of `id.server.`; an
    /// empty one is not told.
    ///
    /// # Panics
    /// Where a text is longer than [`TEXT_LEN_MAX`].
    pub fn new(version: &str, hostname: &str, id: &str) -> Self {
        let [version, hostname, id] = [version, hostname, id].map(record);
        Self {
            version,
            hostname,
            id,
        }
    }

    /// The record that `name`, in wire form and whatever case, has.
    pub fn find(&self, name: &[u8]) -> Option<&[u8]> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        let record = if is(b"\x07version\x04bind\0") || is(b"\x07version\x06server\0") {
            &self.version
        } else if is(b"\x08hostname\x04bind\0") {
            &self.hostname
        } else if is(b"\x02id\x06server\0") {
            &self.id
        } else {
            &None
        };
        record.as_deref()
    }

    /// The text that `name` has.
    pub fn text(&self, name: &[u8]) -> Option<&[u8]> {
        self.find(name).map(|record| &record[FIXED_LEN..])
    }
}

/// Bytes of a record before its text: owner, type, class, TTL, two lengths.
const FIXED_LEN: usize = 13;

/// A TXT record owned by the question, TTL 0: nobody is to keep it.
fn record(text: &str) -> Option<Box<[u8]>> {
    if text.is_empty() {
        return None;
    }
    let len = u8::try_from(text.len()).expect("a text of at most 255 bytes");
    let mut record = vec![0xc0, 0x0c];
    record.extend(code::TXT.to_be_bytes());
    record.extend(code::CLASS_CH.to_be_bytes());
    record.extend([0; 4]);
    record.extend((u16::from(len) + 1).to_be_bytes());
    record.push(len);
    record.extend(text.bytes());
    Some(record.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_own_text_whatever_its_case() {
        let chaos = Chaos::new("one", "two", "three");
        let text = |name: &[u8]| chaos.find(name).map(|record| &record[13..]);
        assert_eq!(text(b"\x07version\x04bind\0"), Some(&b"one"[..]));
        assert_eq!(text(b"\x07VERSION\x06Server\0"), Some(&b"one"[..]));
        assert_eq!(text(b"\x08hostName\x04bind\0"), Some(&b"two"[..]));
        assert_eq!(text(b"\x02id\x06server\0"), Some(&b"three"[..]));
        for other in [&b"\0"[..], b"\x04bind\0", b"\x02id\x04bind\0"] {
            assert_eq!(text(other), None);
        }
    }

    #[test]
    fn an_empty_text_is_not_told() {
        let chaos = Chaos::new("", "", "x");
        assert_eq!(chaos.find(b"\x07version\x04bind\0"), None);
        assert_eq!(chaos.find(b"\x08hostname\x04bind\0"), None);
        assert!(chaos.find(b"\x02id\x06server\0").is_some());
    }
}
