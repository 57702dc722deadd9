//! Where the names lie in a record's data that an answer compresses, or may point to.

use crate::packet::code;

/// The names of a type's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// Bytes before the first one.
    pub(crate) before: usize,
    /// How many there are, one behind the other.
    pub(crate) count: usize,
    /// Whether they may be pointers themselves; SRV's must not (RFC 2782).
    pub(crate) compressed: bool,
}

/// RFC 3597 §4: only the types of RFC 1035 may have compressed names.
pub(crate) fn names(rtype: u16) -> Names {
    let (before, count) = match rtype {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR
        2..=5 | 7..=9 | 12 => (0, 1),
        // SOA, MINFO
        6 | 14 => (0, 2),
        code::MX => (2, 1),
        code::SRV => (6, 1),
        _ => (0, 0),
    };
    Names {
        before,
        count,
        compressed: rtype != code::SRV,
    }
}

/// Whether answers of a type have such names, or bring addresses along: then they are woven.
pub(crate) fn is_woven(rtype: u16) -> bool {
    names(rtype).count != 0
}
