//! Where names lie in the data of records.

use crate::packet::code;

/// How names lie in a type's data.
pub(super) struct Layout {
    pub(super) before: usize,
    pub(super) names: usize,
    pub(super) compressed: bool,
}

/// RFC 3597 §4: only the types of RFC 1035 may have compressed names.
pub(super) fn layout(rtype: u16) -> Layout {
    let (before, names) = match rtype {
        2..=5 | 7..=9 | 12 => (0, 1),
        6 | 14 => (0, 2),
        code::MX => (2, 1),
        code::SRV => (6, 1),
        _ => (0, 0),
    };
    Layout {
        before,
        names,
        compressed: rtype != code::SRV,
    }
}

impl Layout {
    /// Whether such answers are woven.
    pub(super) fn is_woven(&self) -> bool {
        self.names != 0
    }
}
