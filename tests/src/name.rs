//! Domain names of the tests: plain lists of labels, sharing nothing with the server's.

use std::fmt;

/// A domain name: its labels from the left, the root's not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<Vec<u8>>);

impl Name {
    /// The root.
    pub const ROOT: Self = Self(Vec::new());

    /// A name of these labels.
    pub fn of(labels: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self(labels.into_iter().map(Into::into).collect())
    }

    /// Reads an absolute name in presentation form (RFC 1035 §5.1); the last dot may be left out.
    ///
    /// # Panics
    /// Where an escape is torn: names in tests are written by hand.
    pub fn parse(text: &str) -> Self {
        let mut labels = vec![Vec::new()];
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            let label = labels.last_mut().expect("never empty");
            match byte {
                b'.' => labels.push(Vec::new()),
                b'\\' => label.push(unescape(&mut bytes)),
                plain => label.push(plain),
            }
        }
        labels.retain(|label| !label.is_empty());
        Self(labels)
    }

    /// Reads uncompressed wire form.
    pub fn of_wire(mut wire: &[u8]) -> Self {
        let mut labels = Vec::new();
        while let [len @ 1..=63, rest @ ..] = wire {
            let (label, behind) = rest.split_at(usize::from(*len).min(rest.len()));
            labels.push(label.to_vec());
            wire = behind;
        }
        Self(labels)
    }

    /// The labels from the left.
    pub fn labels(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// Bytes in wire form, the root label included; at most 255 in a legal name.
    pub fn wire_len(&self) -> usize {
        self.0.iter().map(|label| label.len() + 1).sum::<usize>() + 1
    }

    /// Whether labels and name are as long as they may be, at most (RFC 1035 §2.3.4).
    pub fn is_legal(&self) -> bool {
        self.wire_len() <= 255 && self.0.iter().all(|label| (1..=63).contains(&label.len()))
    }

    /// Uncompressed wire form.
    pub fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.wire_len());
        for label in &self.0 {
            wire.push(u8::try_from(label.len()).expect("a legal label"));
            wire.extend(label);
        }
        wire.push(0);
        wire
    }

    /// In small letters.
    pub fn lowered(&self) -> Self {
        Self(
            self.0
                .iter()
                .map(|label| label.to_ascii_lowercase())
                .collect(),
        )
    }

    /// Whether both are the same name, whatever their case (RFC 4343).
    pub fn is(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.is_at_or_below(other)
    }

    /// Whether this is `ancestor` or a name below it.
    pub fn is_at_or_below(&self, ancestor: &Self) -> bool {
        let Some(own) = self.0.len().checked_sub(ancestor.0.len()) else {
            return false;
        };
        let pairs = self.0[own..].iter().zip(&ancestor.0);
        pairs
            .into_iter()
            .all(|(own, other)| own.eq_ignore_ascii_case(other))
    }

    /// The name without its first label; none above the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_first().map(|(_, rest)| Self(rest.to_vec()))
    }

    /// The ancestor with `count` labels.
    pub fn suffix(&self, count: usize) -> Self {
        Self(self.0[self.0.len() - count..].to_vec())
    }

    /// The first `count` labels, followed by those of `suffix`.
    pub fn with_suffix(&self, count: usize, suffix: &Self) -> Self {
        Self([&self.0[..count], &suffix.0].concat())
    }

    /// The name `label` below this one.
    pub fn child(&self, label: impl Into<Vec<u8>>) -> Self {
        let mut labels = vec![label.into()];
        labels.extend_from_slice(&self.0);
        Self(labels)
    }
}

/// What stands behind a backslash: three digits, or a character that means itself.
fn unescape(bytes: &mut impl Iterator<Item = u8>) -> u8 {
    let first = bytes.next().expect("something behind the backslash");
    if !first.is_ascii_digit() {
        return first;
    }
    let mut digits = vec![first];
    digits.extend(bytes.take(2));
    let digits = String::from_utf8(digits).expect("digits");
    digits.parse().expect("three digits up to 255")
}

impl fmt::Display for Name {
    /// Presentation form in which everything that a master file could misread is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for label in &self.0 {
            for &byte in label {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'*' => {
                        write!(f, "{}", char::from(byte))?;
                    }
                    // One kind of escape or the other, so that both are read somewhere.
                    b'.' | b'"' | b';' | b'(' | b'@' => write!(f, "\\{}", char::from(byte))?,
                    other => write!(f, "\\{other:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presentation_form_comes_back_as_it_was() {
        for text in [".", "a.b.", r#"\000\255.x\.y\".A_-*."#] {
            assert_eq!(Name::parse(text).to_string(), text);
        }
        assert_eq!(Name::parse("a.b"), Name::parse("a.b."));
        assert_eq!(Name::parse(r"x\.y.").wire(), b"\x03x.y\0");
    }

    #[test]
    fn ancestors_are_compared_label_by_label() {
        let name = Name::parse("www.Example.com.");
        assert!(name.is_at_or_below(&Name::parse("eXample.COM.")));
        assert!(name.is_at_or_below(&Name::ROOT));
        assert!(!name.is_at_or_below(&Name::parse("ample.com.")));
        assert!(!Name::parse("com.").is_at_or_below(&name));
        assert!(name.is(&Name::parse("WWW.example.com.")));
        assert_eq!(name.suffix(1), Name::parse("com."));
        assert_eq!(
            name.with_suffix(1, &Name::parse("net.")),
            Name::parse("www.net.")
        );
    }
}
