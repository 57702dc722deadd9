//! Names as images have them.

use super::{Flaw, demand};
use crate::name;

/// A whole name in wire form.
pub(super) fn whole(bytes: &[u8], at: usize) -> Result<(), Flaw> {
    let is_whole = name::wire_len(bytes) == Some(bytes.len());
    demand(is_whole, at, "this is no name")
}

/// The same in small letters.
pub(super) fn lowered(bytes: &[u8], at: usize) -> Result<(), Flaw> {
    whole(bytes, at)?;
    let has_capital = bytes
        .iter()
        .fold(false, |found, byte| found | byte.is_ascii_uppercase());
    demand(!has_capital, at, "the name has capital letters")
}

/// Whether a label of the name begins at this offset; the root's does not count.
pub(super) fn has_label(name: &[u8], offset: usize) -> bool {
    let mut at = 0;
    while at < offset && at < name.len() {
        at += 1 + usize::from(name[at]);
    }
    at == offset && name.get(at).is_some_and(|&len| len != 0)
}
