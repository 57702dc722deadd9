//! A range of addresses that share their first bits.

use std::net::IpAddr;

/// An address and how many of its first bits count; the others are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix_len: u8,
}

impl Network {
    /// The network of `prefix_len` bits that `address` is in; `None` when the address has fewer.
    pub fn of(address: IpAddr, prefix_len: u8) -> Option<Self> {
        let (bits, len) = (bits(address), len(address));
        let unused = len.checked_sub(prefix_len)?;
        let kept = bits & u128::MAX.checked_shl(u32::from(unused)).unwrap_or(0);
        Some(Self {
            address: address_of(kept, len),
            prefix_len,
        })
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Bits that its addresses share.
    pub fn prefix_len(&self) -> u8 {
        self.prefix_len
    }
}

/// An address as a number.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// How many bits an address has.
fn len(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address that a number of `len` bits is.
fn address_of(bits: u128, len: u8) -> IpAddr {
    match (len, u32::try_from(bits)) {
        (32, Ok(bits)) => IpAddr::V4(bits.into()),
        _ => IpAddr::V6(bits.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_keeps_the_first_bits_of_an_address() {
        let network = |text: &str, prefix_len| {
            let network = Network::of(text.parse().unwrap(), prefix_len)?;
            Some(network.address().to_string())
        };
        assert_eq!(network("192.0.2.255", 25).as_deref(), Some("192.0.2.128"));
        assert_eq!(network("192.0.2.255", 0).as_deref(), Some("0.0.0.0"));
        assert_eq!(network("192.0.2.255", 32).as_deref(), Some("192.0.2.255"));
        assert_eq!(network("192.0.2.255", 33), None);
        assert_eq!(
            network("2001:db8::ff", 121).as_deref(),
            Some("2001:db8::80")
        );
        assert_eq!(network("2001:db8::ff", 0).as_deref(), Some("::"));
        assert_eq!(network("::1", 128).as_deref(), Some("::1"));
    }
}
