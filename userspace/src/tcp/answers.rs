//! The answers of one visit, gathered so that they leave in one send.

use super::{MESSAGE_LEN_MAX, framing::PREFIX_LEN};

/// Framed answers, one behind the other: working memory that all connections share in turn.
#[derive(Debug)]
pub struct Answers {
    bytes: Box<[u8]>,
    len: usize,
    bound: usize,
}

impl Answers {
    /// Room for one largest answer behind `bound` bytes of others.
    pub fn new(bound: usize) -> Self {
        Self {
            bytes: vec![0; bound + PREFIX_LEN + MESSAGE_LEN_MAX].into(),
            len: 0,
            bound,
        }
    }

    /// Lets `respond` write a reply over a copy of `query`, and appends it with its length in
    /// front (RFC 7766 §8 wants both in one write). Returns whether there was a reply.
    ///
    /// # Panics
    ///
    /// When the answers are full, or `respond` claims more than its buffer's length.
    pub fn push(
        &mut self,
        query: &[u8],
        respond: impl FnOnce(&mut [u8], usize) -> Option<usize>,
    ) -> bool {
        assert!(
            !self.is_full(),
            "answers must be sent before more are written"
        );
        let (prefix, rest) = self.bytes[self.len..].split_at_mut(PREFIX_LEN);
        let buffer = &mut rest[..MESSAGE_LEN_MAX];
        buffer[..query.len()].copy_from_slice(query);
        let Some(reply_len) = respond(buffer, query.len()) else {
            return false;
        };
        let Ok(announced) = u16::try_from(reply_len) else {
            panic!("a reply of {reply_len} bytes was claimed in a buffer of {MESSAGE_LEN_MAX}");
        };
        prefix.copy_from_slice(&announced.to_be_bytes());
        self.len += PREFIX_LEN + reply_len;
        true
    }

    /// Whether the gathered answers must be sent before there is room for another.
    pub fn is_full(&self) -> bool {
        self.len >= self.bound
    }

    /// The gathered bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_framed_and_gathered_in_order() {
        let mut answers = Answers::new(100);
        assert!(answers.push(b"ab", |_, len| Some(len)));
        assert!(answers.push(b"cd", |buffer, len| {
            assert_eq!(
                (&buffer[..2], len, buffer.len()),
                (b"cd".as_slice(), 2, MESSAGE_LEN_MAX)
            );
            buffer[..3].copy_from_slice(b"xyz");
            Some(3)
        }));
        assert!(!answers.push(b"ef", |_, _| None));
        assert_eq!(answers.bytes(), b"\0\x02ab\0\x03xyz");
        answers.clear();
        assert_eq!(answers.bytes(), b"");
    }

    #[test]
    fn there_is_room_for_a_largest_answer_until_the_bound_is_reached() {
        let mut answers = Answers::new(10);
        assert!(answers.push(&[1; 7], |_, len| Some(len)));
        assert!(!answers.is_full());
        assert!(answers.push(&[2; 7], |_, _| Some(MESSAGE_LEN_MAX)));
        assert!(answers.is_full());
        assert_eq!(answers.bytes().len(), 9 + 2 + MESSAGE_LEN_MAX);
    }
}
