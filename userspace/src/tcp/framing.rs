//! The two-byte length in front of each message (RFC 1035 §4.2.2).

/// Bytes of the length field.
pub const PREFIX_LEN: usize = 2;

/// What the beginning of a byte stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Not yet a whole message.
    Torn,
    /// A whole message, without its length field.
    Whole(&'a [u8]),
    /// A message longer than the limit is announced.
    TooLarge,
}

/// Finds the first message in `bytes`; one of more than `len_max` bytes is not waited for.
pub fn first(bytes: &[u8], len_max: usize) -> Frame<'_> {
    let Some((prefix, rest)) = bytes.split_first_chunk() else {
        return Frame::Torn;
    };
    let len = usize::from(u16::from_be_bytes(*prefix));
    if len > len_max {
        return Frame::TooLarge;
    }
    rest.get(..len).map_or(Frame::Torn, Frame::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_whole_with_its_last_byte() {
        let bytes = [0, 3, 7, 8, 9, 0];
        for end in 0..5 {
            assert_eq!(first(&bytes[..end], 3), Frame::Torn, "{end} bytes");
        }
        assert_eq!(first(&bytes[..5], 3), Frame::Whole(&[7, 8, 9]));
        assert_eq!(first(&bytes, 3), Frame::Whole(&[7, 8, 9]));
    }

    #[test]
    fn an_empty_message_is_a_message() {
        assert_eq!(first(&[0, 0, 5], 512), Frame::Whole(&[]));
    }

    #[test]
    fn a_message_over_the_limit_is_known_by_its_length_alone() {
        assert_eq!(first(&[2, 1], 512), Frame::TooLarge);
        assert_eq!(first(&[2, 0], 512), Frame::Torn);
    }
}
