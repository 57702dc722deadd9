//! The keyed hash of a name. Keyed, so that nobody outside can make names collide.

/// The secret of one snapshot's name index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameKey([u64; 3]);

/// Odd constants with balanced bits, so that a weak key still spreads (digits of π and √2, √3).
const SPREAD: [u64; 3] = [
    0x243f_6a88_85a3_08d3,
    0x6a09_e667_f3bc_c909,
    0xbb67_ae85_84ca_a73b,
];

impl NameKey {
    /// A key from random bits.
    pub fn new(random: [u64; 3]) -> Self {
        Self([
            random[0] ^ SPREAD[0],
            random[1] ^ SPREAD[1],
            random[2] ^ SPREAD[2],
        ])
    }

    /// Hashes a wire-form name whatever its case.
    ///
    /// Length bytes are below 64 and so never taken for letters: the whole name is lowered at once.
    pub fn hash(&self, name: &[u8]) -> u64 {
        let [first, second, last] = self.0;
        let mut state = last ^ name.len() as u64;
        let Some(end) = name.last_chunk::<16>() else {
            let (low, high) = short(name);
            return fold(fold(low ^ first ^ state, high ^ second) ^ second, last);
        };
        let (pairs, _) = name[..name.len() - 1].as_chunks::<16>();
        // The last pair may overlap the one before: the length is part of the state.
        for pair in pairs.iter().chain([end]) {
            let (low, high) = halves(pair);
            state = fold(low ^ first ^ state, high ^ second);
        }
        fold(state ^ second, last)
    }
}

/// Sixteen bytes as two lowered words.
fn halves(pair: &[u8; 16]) -> (u64, u64) {
    let words = u128::from_le_bytes(*pair);
    #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
    let low = words as u64;
    (lower(low), lower((words >> 64) as u64))
}

/// Fewer than sixteen bytes as two lowered words, which may overlap.
fn short(name: &[u8]) -> (u64, u64) {
    if let (Some(low), Some(high)) = (name.first_chunk(), name.last_chunk()) {
        return (
            lower(u64::from_le_bytes(*low)),
            lower(u64::from_le_bytes(*high)),
        );
    }
    let mut padded = [0; 8];
    padded[..name.len()].copy_from_slice(name);
    (lower(u64::from_le_bytes(padded)), 0)
}

/// Lowers the ASCII letters among eight bytes.
pub(crate) fn lower(value: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let low_bits = value & (ONES * 0x7f);
    let from_a = low_bits + ONES * (0x80 - b'A' as u64);
    let beyond_z = low_bits + ONES * (0x7f - b'Z' as u64);
    let letter = (from_a ^ beyond_z) & !value & (ONES * 0x80);
    value | letter >> 2
}

/// Both halves of the 128-bit product, mixed.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
    let low = product as u64;
    low ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowers_exactly_the_ascii_letters() {
        for byte in 0..=255u8 {
            let word = u64::from_le_bytes([byte; 8]);
            assert_eq!(
                lower(word).to_le_bytes(),
                [byte.to_ascii_lowercase(); 8],
                "{byte}"
            );
        }
    }

    #[test]
    fn case_does_not_matter_and_everything_else_does() {
        let key = NameKey::new([1, 2, 3]);
        assert_eq!(
            key.hash(b"\x03wWw\x07ExAmPlE\x03com\0"),
            key.hash(b"\x03www\x07example\x03COM\0")
        );
        assert_ne!(
            key.hash(b"\x03www\x07example\x03com\0"),
            key.hash(b"\x03wwx\x07example\x03com\0")
        );
        assert_ne!(
            key.hash(b"\x01a\0"),
            NameKey::new([1, 2, 4]).hash(b"\x01a\0")
        );
        assert_ne!(key.hash(b"\x01a\0"), key.hash(b"\x01a\0\0"));
    }

    #[test]
    fn similar_names_spread_over_all_bits() {
        let key = NameKey::new([7, 8, 9]);
        let mut ones = [0u32; 64];
        let count = 4096u32;
        for i in 0..count {
            let hash = key.hash(format!("\x07h{i:06}\x07example\x00").as_bytes());
            for (bit, ones) in ones.iter_mut().enumerate() {
                *ones += u32::from(hash >> bit & 1 == 1);
            }
        }
        for (bit, ones) in ones.into_iter().enumerate() {
            assert!(
                ones.abs_diff(count / 2) < 200,
                "bit {bit} is set {ones} times of {count}"
            );
        }
    }
}
