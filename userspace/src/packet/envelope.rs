//! Where a DNS message lies in a frame.

/// What the headers around a message said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Offset of the IP header from the frame's first byte; 0 where the kernel keeps the headers.
    pub network_start: u16,
    /// Offset of the message's first byte from the frame's.
    pub message_start: u16,
    /// Bytes of message.
    pub message_len: u16,
    /// Whether the IP header is one of IPv6.
    pub is_ipv6: bool,
}

impl Envelope {
    /// The longest that headers can be before a message: two VLAN tags, IPv4 with all its options.
    pub const DEEPEST: Self = Self {
        network_start: 14 + 2 * 4,
        message_start: 14 + 2 * 4 + 60 + 8,
        message_len: 0,
        is_ipv6: false,
    };

    /// The message's place in the frame.
    pub fn message(&self) -> std::ops::Range<usize> {
        let start = usize::from(self.message_start);
        start..start + usize::from(self.message_len)
    }
}
