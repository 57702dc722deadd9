//! Addresses and ports as they lie on the wire, in words that compare in one instruction.

/// An address of either family, as [`classify`](crate::classify) compares it.
pub(crate) trait Address: Copy + PartialEq {
    /// The address that stands for every address of the family.
    const UNSPECIFIED: Self;
}

/// An IPv4 address: the four bytes in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Ipv4(u32);

/// An IPv6 address: the sixteen bytes in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Ipv6([u64; 2]);

/// A UDP port: the two bytes in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Port(u16);

impl Port {
    /// No port.
    pub(crate) const UNSPECIFIED: Self = Self(0);
}

impl Address for Ipv4 {
    const UNSPECIFIED: Self = Self(0);
}

impl Address for Ipv6 {
    const UNSPECIFIED: Self = Self([0; 2]);
}

impl From<[u8; 4]> for Ipv4 {
    #[inline(always)]
    fn from(bytes: [u8; 4]) -> Self {
        Self(u32::from_ne_bytes(bytes))
    }
}

impl From<[u8; 16]> for Ipv6 {
    #[inline(always)]
    fn from(bytes: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
        Self([
            u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
            u64::from_ne_bytes([i, j, k, l, m, n, o, p]),
        ])
    }
}

impl From<[u8; 2]> for Port {
    #[inline(always)]
    fn from(bytes: [u8; 2]) -> Self {
        Self(u16::from_ne_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_as_they_lie_on_the_wire() {
        assert_eq!(Port::from([0x00, 0x35]).0.to_ne_bytes(), [0x00, 0x35]);
        assert_eq!(Ipv4::from([192, 0, 2, 1]).0.to_ne_bytes(), [192, 0, 2, 1]);
        let bytes = *b"0123456789abcdef";
        let [upper, lower] = Ipv6::from(bytes).0.map(u64::to_ne_bytes);
        assert_eq!(upper, bytes[..8]);
        assert_eq!(lower, bytes[8..]);
    }
}
