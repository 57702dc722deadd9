//! The Internet checksum (RFC 1071).

/// A sum of 16-bit words that is not folded yet: eight bytes at a time, with end-around carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// Adds bytes that begin at an even offset of the summed data; an odd last one is padded.
    ///
    /// Words are added with their bytes the wrong way round and swapped once at the end: the sum
    /// does not care (RFC 1071 §2 (B)).
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut sum = self;
        for word in words {
            sum = sum.add(u64::from_le_bytes(*word));
        }
        if rest.is_empty() {
            return sum;
        }
        let rest_bits = 8 * rest.len();
        let tail = match bytes.last_chunk::<8>() {
            // Without what was added before: bytes gathered one by one would be waited for.
            Some(last) => u64::from_le_bytes(*last) >> (64 - rest_bits),
            None => rest
                .iter()
                .rev()
                .fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        sum.add(tail)
    }

    /// Adds one 16-bit word in host order.
    pub fn word(self, word: u16) -> Self {
        self.add(u64::from(word.swap_bytes()))
    }

    /// Adds four bytes at an even offset.
    pub fn quad(self, bytes: [u8; 4]) -> Self {
        self.add(u64::from(u32::from_le_bytes(bytes)))
    }

    /// Adds eight bytes at an even offset.
    pub fn octet(self, bytes: [u8; 8]) -> Self {
        self.add(u64::from_le_bytes(bytes))
    }

    /// Adds a sum of few words, each at an even offset and the wrong way round: it is far below
    /// 2^64, and so may the whole be.
    #[inline(always)]
    pub fn small(self, words: u64) -> Self {
        self.add(words)
    }

    /// Adds another sum.
    pub fn plus(self, other: Self) -> Self {
        self.add(other.0)
    }

    /// A carry out of the top is one at the bottom: 2^64 and 1 are the same modulo 2^16 − 1.
    fn add(self, value: u64) -> Self {
        let (sum, carry) = self.0.overflowing_add(value);
        Self(sum + u64::from(carry))
    }

    /// The checksum: complement of the folded sum, in host order.
    #[inline(always)]
    pub fn finish(self) -> u16 {
        (!self.folded()).swap_bytes()
    }

    /// The sum in 16 bits, its bytes the wrong way round: what `small` takes.
    #[inline(always)]
    pub fn folded(self) -> u16 {
        // Both halves and their carry are in the upper half of what is added up turned round.
        let half = (self.0.wrapping_add(self.0.rotate_left(32)) >> 32) as u32;
        (half.wrapping_add(half.rotate_left(16)) >> 16) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: big-endian words, end-around carry.
    fn reference(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap()
    }

    #[test]
    fn agrees_with_the_definition_at_every_length() {
        let bytes: Vec<u8> = (0..2000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        for len in 0..bytes.len() {
            assert_eq!(
                Sum::default().bytes(&bytes[..len]).finish(),
                reference(&bytes[..len])
            );
        }
    }

    #[test]
    fn words_and_bytes_add_up_alike() {
        let by_words = Sum::default().word(0x1234).word(0xfffe).finish();
        assert_eq!(by_words, reference(&[0x12, 0x34, 0xff, 0xfe]));
    }

    #[test]
    fn data_with_its_checksum_sums_to_zero() {
        let mut bytes = *b"ripples-cross-the-pond\0\0";
        let sum = Sum::default().bytes(&bytes).finish();
        bytes[22..].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(Sum::default().bytes(&bytes).finish(), 0);
    }
}
