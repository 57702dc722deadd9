//! Domain names in wire form (RFC 1035 §3.1): labels behind length octets, ended by the root label.
//!
//! The functions take plain `&[u8]`, because that is what messages and zone data hold. They expect
//! a well-formed uncompressed name; [`wire_len`] makes sure of it. Only text is ever allocated.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

use arrayvec::ArrayVec;

/// The longest name in octets, length octets and root label included (RFC 1035 §2.3.4).
pub const NAME_LEN_MAX: usize = 255;

/// The longest label in octets, without its length octet (RFC 1035 §2.3.4).
pub const LABEL_LEN_MAX: usize = 63;

/// The root's name.
pub const ROOT: &[u8] = &[0];

/// A name of its own, on the stack: a sequence of labels, usually with the root label at its end.
#[derive(Clone, Copy)]
pub struct NameBuf {
    octets: [u8; NAME_LEN_MAX],
    len: u8,
}

impl NameBuf {
    /// Makes an empty sequence of labels: not yet a name, the root label is missing.
    pub const fn new() -> Self {
        Self {
            octets: [0; NAME_LEN_MAX],
            len: 0,
        }
    }

    /// Reads presentation form (RFC 1035 §5.1); without a dot at its end the name goes on with
    /// `origin`, a name in wire form. The case is kept.
    pub fn from_text(text: &[u8], origin: &[u8]) -> Result<Self, NameError> {
        let mut name = Self::new();
        let absolute = name.push_text(text)?;
        name.push_wire(if absolute { ROOT } else { origin })?;
        Ok(name)
    }

    /// Appends the labels of a presentation form and says whether it ended in a dot.
    pub fn push_text(&mut self, text: &[u8]) -> Result<bool, NameError> {
        match text {
            b"" => return Err(NameError::Empty),
            b"." => return Ok(true),
            _ => {}
        }
        if text.contains(&b'\\') {
            return self.push_escaped_text(text);
        }
        let start = usize::from(self.len);
        // One octet stays free for the root label: a last dot stands in its place.
        let text_max = NAME_LEN_MAX - usize::from(!text.ends_with(b"."));
        let free = self.octets[..text_max].get_mut(start + 1..start + 1 + text.len());
        free.ok_or(NameError::NameTooLong)?.copy_from_slice(text);
        let mut length_at = start;
        for (index, octet) in text.iter().enumerate() {
            if *octet == b'.' {
                let end = start + 1 + index;
                self.close_label(length_at, end)?;
                length_at = end;
            }
        }
        self.close_last_label(length_at, start + 1 + text.len())
    }

    /// Does what [`push_text`](Self::push_text) does, octet by octet, for text with escapes.
    fn push_escaped_text(&mut self, text: &[u8]) -> Result<bool, NameError> {
        let mut length_at = usize::from(self.len);
        let mut end = length_at + 1;
        let mut rest = text.iter();
        while let Some(&octet) = rest.next() {
            let octet = match octet {
                b'.' => {
                    self.close_label(length_at, end)?;
                    (length_at, end) = (end, end + 1);
                    continue;
                }
                b'\\' => unescape(&mut rest).ok_or(NameError::BadEscape)?,
                plain => plain,
            };
            if end >= NAME_LEN_MAX - 1 {
                return Err(NameError::NameTooLong);
            }
            self.octets[end] = octet;
            end += 1;
        }
        self.close_last_label(length_at, end)
    }

    /// Ends the last label of a text, unless the text ended in a dot: that is what it says.
    fn close_last_label(&mut self, length_at: usize, end: usize) -> Result<bool, NameError> {
        let is_absolute = end == length_at + 1;
        if !is_absolute {
            self.close_label(length_at, end)?;
        }
        Ok(is_absolute)
    }

    /// Appends labels in wire form.
    pub fn push_wire(&mut self, labels: &[u8]) -> Result<(), NameError> {
        let start = usize::from(self.len);
        let end = start + labels.len();
        self.octets
            .get_mut(start..end)
            .ok_or(NameError::NameTooLong)?
            .copy_from_slice(labels);
        self.len = u8::try_from(end).map_err(|_| NameError::NameTooLong)?;
        Ok(())
    }

    /// Empties the sequence of labels.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Cuts the sequence off; `len` must be at the end of a label.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(u8::try_from(len).unwrap_or(u8::MAX));
    }

    /// Turns `A` to `Z` into small letters.
    pub fn make_lowercase(&mut self) {
        let len = usize::from(self.len);
        make_lowercase(&mut self.octets[..len]);
    }

    /// Ends the label whose length octet is at `length_at` and whose last octet is before `end`.
    fn close_label(&mut self, length_at: usize, end: usize) -> Result<(), NameError> {
        let len = end - length_at - 1;
        if len == 0 {
            return Err(NameError::EmptyLabel);
        }
        if len > LABEL_LEN_MAX {
            return Err(NameError::LabelTooLong);
        }
        self.octets[length_at] = u8::try_from(len).map_err(|_| NameError::LabelTooLong)?;
        self.len = u8::try_from(end).map_err(|_| NameError::NameTooLong)?;
        Ok(())
    }
}

impl Default for NameBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for NameBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

impl fmt::Debug for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameBuf({})", display(self))
    }
}

impl PartialEq for NameBuf {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for NameBuf {}

/// Why a presentation form is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is no text at all.
    #[error("a domain name is missing")]
    Empty,
    /// Two dots follow each other, or one stands at the beginning.
    #[error("a label of the domain name is empty")]
    EmptyLabel,
    /// A label has more than 63 octets.
    #[error("a label of the domain name is longer than 63 octets")]
    LabelTooLong,
    /// The name has more than 255 octets.
    #[error("the domain name is longer than 255 octets")]
    NameTooLong,
    /// A backslash is followed neither by three digits up to 255 nor by a printable character.
    #[error("a backslash wants three digits up to 255 or one printable character behind it")]
    BadEscape,
}

/// Reads what follows a backslash: `DDD` up to 255, or one printable character.
pub(crate) fn unescape<'t>(rest: &mut impl Iterator<Item = &'t u8>) -> Option<u8> {
    let first = *rest.next()?;
    if !first.is_ascii_digit() {
        return (first == b' ' || first.is_ascii_graphic()).then_some(first);
    }
    let mut value = u32::from(first - b'0');
    for _ in 0..2 {
        let digit = *rest.next()?;
        value = value * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    u8::try_from(value).ok()
}

/// Shows a name, or a sequence of labels, in presentation form; a full name ends in a dot.
pub fn display(name: &[u8]) -> Display<'_> {
    Display(name)
}

/// A name that is shown in presentation form.
#[derive(Clone, Copy)]
pub struct Display<'a>(&'a [u8]);

impl fmt::Display for Display<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == ROOT {
            return f.write_str(".");
        }
        for (index, label) in labels(self.0).enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &octet in label {
                match octet {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(octet))?;
                    }
                    b'!'..=b'~' => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
        }
        Ok(())
    }
}

/// Walks the labels from the left, without their length octets; the root label comes last, empty.
pub fn labels(name: &[u8]) -> Labels<'_> {
    Labels(name)
}

/// The labels of a name, from the left.
#[derive(Clone)]
pub struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (label, rest) = split_first(self.0)?;
        self.0 = rest;
        Some(label)
    }
}

/// Counts the labels, without the root's.
pub fn label_count(name: &[u8]) -> usize {
    labels(name).filter(|label| !label.is_empty()).count()
}

/// Finds the length of the uncompressed name at the head of `octets`, or `None` if there is none.
pub fn wire_len(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let len = usize::from(*octets.get(at)?);
        at += 1 + len;
        if len > LABEL_LEN_MAX || at > NAME_LEN_MAX {
            return None;
        }
        if len == 0 {
            return Some(at);
        }
    }
}

/// Cuts `ancestor` off the end of `name`; what remains are labels without a root label, and they
/// are none when both are equal. `None` if `name` is not at or below `ancestor`. Minds the case.
pub fn strip_ancestor<'a>(name: &'a [u8], ancestor: &[u8]) -> Option<&'a [u8]> {
    let cut = name.len().checked_sub(ancestor.len())?;
    if &name[cut..] != ancestor {
        return None;
    }
    let mut at = 0;
    while at < cut {
        at += 1 + usize::from(name[at]);
    }
    (at == cut).then(|| &name[..cut])
}

/// Reads a full name in presentation format into lowered wire form.
pub fn lowered_from_text(text: &str) -> Result<Vec<u8>, NameError> {
    let mut name = NameBuf::from_text(text.as_bytes(), ROOT)?;
    name.make_lowercase();
    Ok(name.to_vec())
}

/// Says whether `name` is `ancestor` or below it. Minds the case.
pub fn is_at_or_below(name: &[u8], ancestor: &[u8]) -> bool {
    strip_ancestor(name, ancestor).is_some()
}

/// Takes away the first label; the root has no parent.
pub fn parent(name: &[u8]) -> Option<&[u8]> {
    match name.first() {
        None | Some(0) => None,
        Some(&len) => name.get(1 + usize::from(len)..),
    }
}

/// Turns `A` to `Z` into small letters, in place.
///
/// Whole names can be treated at once: length octets are below `A`.
pub fn make_lowercase(name: &mut [u8]) {
    name.make_ascii_lowercase();
}

/// Compares in canonical order (RFC 4034 §6.1): by labels from the right, letters without case.
pub fn canonical_cmp(left: &[u8], right: &[u8]) -> Ordering {
    cmp_by_labels(left, right, |left, right| {
        let lowercase = u8::to_ascii_lowercase;
        left.iter().map(lowercase).cmp(right.iter().map(lowercase))
    })
}

/// Compares two names (or two sequences of labels) that have no capital letters in canonical order.
pub fn canonical_cmp_lowercase(left: &[u8], right: &[u8]) -> Ordering {
    cmp_by_labels(left, right, |left, right| left.cmp(right))
}

/// The first octets of lowered labels in canonical order, so that most comparisons need no more:
/// where those of two names differ they decide, where they are equal they say nothing.
///
/// A label's end is 0, so the octet 0 counts as 1, as 1 itself does: behind either of them nothing
/// may decide.
pub fn canonical_prefix<const N: usize>(labels: &[u8]) -> [u8; N] {
    let list = label_list(labels);
    let octets = list
        .iter()
        .rev()
        .flat_map(|label| label.iter().map(|octet| (*octet).max(1)).chain([0]));
    let mut prefix = [0; N];
    for (place, octet) in prefix.iter_mut().zip(octets) {
        *place = octet;
        if octet == 1 {
            break;
        }
    }
    prefix
}

/// Compares labels from the right; a name sorts before its descendants.
fn cmp_by_labels(
    left: &[u8],
    right: &[u8],
    compare: impl Fn(&[u8], &[u8]) -> Ordering,
) -> Ordering {
    // Neighbours in a zone are often siblings.
    if let (Some((left_label, left_parent)), Some((right_label, right_parent))) =
        (split_first(left), split_first(right))
        && left_parent == right_parent
    {
        return compare(left_label, right_label);
    }
    let (left, right) = (label_list(left), label_list(right));
    left.iter()
        .rev()
        .zip(right.iter().rev())
        .map(|(left, right)| compare(left, right))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// The first label, without its length octet, and what follows it.
fn split_first(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = name.split_first()?;
    rest.split_at_checked(usize::from(len))
}

/// The labels of a name as a list; a name has at most 128.
fn label_list(name: &[u8]) -> ArrayVec<&[u8], 128> {
    labels(name).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> NameBuf {
        NameBuf::from_text(text.as_bytes(), ROOT).unwrap()
    }

    #[test]
    fn a_relative_name_goes_on_with_the_origin() {
        let origin = wire("example.com.");
        let name = NameBuf::from_text(b"www", &origin).unwrap();
        assert_eq!(&*name, b"\x03www\x07example\x03com\x00");
        let name = NameBuf::from_text(b"www.", &origin).unwrap();
        assert_eq!(&*name, b"\x03www\x00");
        assert_eq!(&*NameBuf::from_text(b".", &origin).unwrap(), ROOT);
    }

    #[test]
    fn escapes_are_octets_and_an_escaped_dot_is_no_border() {
        let name = wire(r"a\.b\\\000\255c.x");
        assert_eq!(&*name, b"\x07a.b\\\x00\xffc\x01x\x00");
        assert_eq!(display(&name).to_string(), r"a\.b\\\000\255c.x.");
    }

    #[test]
    fn bad_names_are_refused_with_their_reason() {
        let refused = |text: &[u8]| NameBuf::from_text(text, ROOT).unwrap_err();
        assert_eq!(refused(b""), NameError::Empty);
        assert_eq!(refused(b".."), NameError::EmptyLabel);
        assert_eq!(refused(b"a..b"), NameError::EmptyLabel);
        assert_eq!(refused(b".a"), NameError::EmptyLabel);
        assert_eq!(refused(&[b'a'; 64]), NameError::LabelTooLong);
        for text in [&b"a\\"[..], b"\\25", b"\\256", b"\\2x5", b"\\\n"] {
            assert_eq!(refused(text), NameError::BadEscape, "{text:?}");
        }
    }

    #[test]
    fn the_longest_name_has_255_octets() {
        let fits = [[b'a'; 63], [b'b'; 63], [b'c'; 63]].join(&b'.');
        let longest = [&fits[..], &[b'd'; 61]].join(&b'.');
        assert_eq!(
            NameBuf::from_text(&longest, ROOT).unwrap().len(),
            NAME_LEN_MAX
        );
        let with_dot = [&longest[..], b"."].concat();
        assert_eq!(
            NameBuf::from_text(&with_dot, ROOT),
            NameBuf::from_text(&longest, ROOT)
        );
        let too_long = [&fits[..], &[b'd'; 62]].join(&b'.');
        assert_eq!(
            NameBuf::from_text(&too_long, ROOT),
            Err(NameError::NameTooLong)
        );
        let too_long = [&too_long[..], b"."].concat();
        assert_eq!(
            NameBuf::from_text(&too_long, ROOT),
            Err(NameError::NameTooLong)
        );
        assert_eq!(
            NameBuf::from_text(&longest, &wire("x.")),
            Err(NameError::NameTooLong)
        );
    }

    #[test]
    fn names_sort_as_in_rfc_4034_section_6_1() {
        let mut sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            r"\001.z.example.",
            "*.z.example.",
            r"\200.z.example.",
        ]
        .map(wire);
        let expected = sorted;
        sorted.reverse();
        sorted.sort_by(|left, right| canonical_cmp(left, right));
        assert_eq!(sorted, expected);
    }

    #[test]
    fn an_ancestor_ends_at_a_label_border() {
        let (name, zone) = (wire("a.b.example."), wire("example."));
        assert_eq!(strip_ancestor(&name, &zone), Some(&b"\x01a\x01b"[..]));
        assert_eq!(strip_ancestor(&zone, &zone), Some(&b""[..]));
        assert_eq!(strip_ancestor(&zone, &name), None);
        // The octets of `example.` also end a longer label that only looks like it.
        assert!(!is_at_or_below(b"\x0aab\x07example\x00", &zone));
    }

    #[test]
    fn a_name_on_the_wire_ends_at_its_root_label() {
        assert_eq!(wire_len(b"\x01a\x00rest"), Some(3));
        assert_eq!(wire_len(b"\x01a"), None);
        assert_eq!(wire_len(b"\x40"), None);
        assert_eq!(wire_len(b"\xc0\x0c"), None);
        assert_eq!(wire_len(&[1; 300]), None);
    }

    #[test]
    fn labels_are_counted_without_the_root() {
        assert_eq!(label_count(ROOT), 0);
        assert_eq!(label_count(&wire("a.b.")), 2);
        assert_eq!(parent(&wire("a.b.")), Some(&b"\x01b\x00"[..]));
        assert_eq!(parent(ROOT), None);
    }
}
