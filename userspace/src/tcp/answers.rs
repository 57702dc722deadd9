//! The answers of one connection, gathered so that they leave in one send.

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

    /// Appends an answer with its length in front (RFC 7766 §8 wants both in one write).
    ///
    /// # Panics
    ///
    /// When the answers are full, or this one is longer than any.
    pub fn push(&mut self, answer: &[u8]) {
        assert!(
            !self.is_full(),
            "answers must be sent before more are written"
        );
        let end = self.len + answer.len();
        self.bytes[self.len..end].copy_from_slice(answer);
        self.len = end;
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
    fn answers_are_gathered_in_order() {
        let mut answers = Answers::new(100);
        for answer in [b"\0\x02ab".as_slice(), b"\0\x03xyz"] {
            answers.push(answer);
        }
        assert_eq!(answers.bytes(), b"\0\x02ab\0\x03xyz");
        answers.clear();
        assert_eq!(answers.bytes(), b"");
    }

    #[test]
    fn there_is_room_for_a_largest_answer_until_the_bound_is_reached() {
        let mut answers = Answers::new(10);
        answers.push(&[1; 9]);
        assert!(!answers.is_full());
        answers.push(&[2; PREFIX_LEN + MESSAGE_LEN_MAX]);
        assert!(answers.is_full());
        assert_eq!(answers.bytes().len(), 9 + 2 + MESSAGE_LEN_MAX);
    }
}
