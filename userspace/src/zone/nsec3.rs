//! Hashed owner names (RFC 5155 §5).

use crate::packet::NAME_LEN_MAX;
use sha1::{Digest, Sha1};

/// Bytes of a hash: SHA-1, the only algorithm there is.
pub const HASH_LEN: usize = 20;
/// The algorithm's number (RFC 5155 §11).
pub const SHA1: u8 = 1;
/// Characters of a hash as a label.
pub const HASH_LABEL_LEN: usize = 32;

/// How the names of a zone are hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nsec3Params<'a> {
    /// Hashes beyond the first.
    pub iterations: u16,
    /// What is hashed with each name.
    pub salt: &'a [u8],
}

/// A name's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nsec3Hash(pub [u8; HASH_LEN]);

impl<'a> Nsec3Params<'a> {
    /// Reads what NSEC3 and NSEC3PARAM records begin with; `None` for unknown algorithms.
    pub fn of_rdata(rdata: &'a [u8]) -> Option<Self> {
        let (&[algorithm, _flags, high, low, salt_len], rest) = rdata.split_first_chunk()?;
        Some(Self {
            iterations: u16::from_be_bytes([high, low]),
            salt: rest.get(..usize::from(salt_len))?,
        })
        .filter(|_| algorithm == SHA1)
    }

    /// Hashes a name in wire form, whatever its case.
    pub fn hash(&self, name: &[u8]) -> Nsec3Hash {
        let mut buffer = [0; NAME_LEN_MAX];
        let lowered = &mut buffer[..name.len().min(NAME_LEN_MAX)];
        lowered.copy_from_slice(&name[..lowered.len()]);
        // Length bytes are below 64 and so never taken for letters.
        lowered.make_ascii_lowercase();
        let mut hash = self.round(lowered);
        for _ in 0..self.iterations {
            hash = self.round(&hash);
        }
        Nsec3Hash(hash)
    }

    fn round(&self, data: &[u8]) -> [u8; HASH_LEN] {
        let mut sha1 = Sha1::new();
        sha1.update(data);
        sha1.update(self.salt);
        sha1.finalize().into()
    }
}

impl Nsec3Hash {
    /// The hash that the owner of an NSEC3 record begins with: base32hex without padding (RFC 4648
    /// §7). `None` when it does not.
    pub fn of_owner(owner: &[u8]) -> Option<Self> {
        let (&len, rest) = owner.split_first()?;
        let label = rest.get(..HASH_LABEL_LEN)?;
        if usize::from(len) != HASH_LABEL_LEN {
            return None;
        }
        let mut hash = [0; HASH_LEN];
        // Eight characters make five bytes.
        for (characters, bytes) in label.chunks_exact(8).zip(hash.chunks_exact_mut(5)) {
            let mut bits = 0u64;
            for &character in characters {
                bits = bits << 5 | u64::from(digit(character)?);
            }
            bytes.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        Some(Self(hash))
    }
}

/// The value of a base32hex character.
fn digit(character: u8) -> Option<u8> {
    match character.to_ascii_lowercase() {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        letter @ b'a'..=b'v' => Some(letter - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5155 Appendix A.
    #[test]
    fn the_example_of_the_rfc_hashes_as_it_says() {
        let params = Nsec3Params::of_rdata(b"\x01\x00\x00\x0c\x04\xaa\xbb\xcc\xdd").unwrap();
        for (name, hashed) in [
            (
                b"\x07example\0".as_slice(),
                b"\x200p9mhaveqvm6t7vbl5lop2u3t2rp3tom".as_slice(),
            ),
            (
                b"\x01a\x07Example\0",
                b"\x2035mthgpgcu1qg68fab165klnsnk3dpvl",
            ),
            (
                b"\x03ns1\x07example\0",
                b"\x202t7b4g4vsa5smi47k61mv5bv1a22bojr",
            ),
            (
                b"\x01*\x01w\x07example\0",
                b"\x20R53BQ7CC2UVMUBFU5OCMM6PERS9TK9EN",
            ),
        ] {
            assert_eq!(Some(params.hash(name)), Nsec3Hash::of_owner(hashed));
        }
    }

    #[test]
    fn what_is_no_hash_is_none() {
        for owner in [
            b"\0".as_slice(),
            b"\x03www\0",
            b"\x200p9mhaveqvm6t7vbl5lop2u3t2rp3to",
            b"\x200p9mhaveqvm6t7vbl5lop2u3t2rp3tow",
        ] {
            assert_eq!(Nsec3Hash::of_owner(owner), None);
        }
        assert_eq!(Nsec3Params::of_rdata(b"\x02\0\0\0\0"), None, "algorithm 2");
        assert_eq!(Nsec3Params::of_rdata(b"\x01\0\0\0\x01"), None, "no salt");
    }
}
