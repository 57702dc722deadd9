//! What is known of a frame while it is answered.

use crate::packet::{Envelope, Query, ShortName};
use crate::zone::index::NamePlace;

/// A row of the turn's table.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Row {
    /// The name of a usual query.
    pub(super) name: ShortName,
    pub(super) query: Query,
    pub(super) candidate: Option<NamePlace>,
    pub(super) envelope: Envelope,
    pub(super) is_discarded: bool,
    /// Who is told of its reply, one bit each, if anybody looks on.
    pub(super) taps: u32,
}

impl Row {
    /// Of no frame.
    pub(super) const EMPTY: Self = Self {
        name: ShortName::EMPTY,
        query: Query::NONE,
        candidate: None,
        envelope: Envelope {
            network_start: 0,
            message_start: 0,
            message_len: 0,
            is_ipv6: false,
        },
        is_discarded: false,
        taps: 0,
    };
}
