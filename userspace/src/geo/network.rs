//! A range of addresses that share their first bits.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

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

    /// The network of one address.
    pub fn single(address: IpAddr) -> Self {
        Self {
            address,
            prefix_len: len(address),
        }
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Bits that its addresses share.
    pub fn prefix_len(&self) -> u8 {
        self.prefix_len
    }

    /// Whether an address is one of its addresses.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::of(address, self.prefix_len) == Some(*self)
    }
}

/// As in `192.0.2.0/24`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

/// What is wrong with the text of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkProblem {
    /// It is something else.
    #[error("is not ADDRESS/BITS, as in 192.0.2.0/24 or 2001:db8::/32")]
    Shape,
    /// There are more bits than the address has.
    #[error("has more bits than the address")]
    TooLong,
    /// It is an address in a network.
    #[error("has bits set behind its prefix; the network is {0}")]
    HostBits(Network),
}

impl FromStr for Network {
    type Err = NetworkProblem;

    fn from_str(text: &str) -> Result<Self, NetworkProblem> {
        let (address, bits) = text.split_once('/').ok_or(NetworkProblem::Shape)?;
        let address: IpAddr = address.parse().map_err(|_| NetworkProblem::Shape)?;
        let is_number = (1..=3).contains(&bits.len()) && bits.bytes().all(|c| c.is_ascii_digit());
        if !is_number {
            return Err(NetworkProblem::Shape);
        }
        let prefix_len = bits.parse().map_err(|_| NetworkProblem::TooLong)?;
        let network = Self::of(address, prefix_len).ok_or(NetworkProblem::TooLong)?;
        match network.address == address {
            true => Ok(network),
            false => Err(NetworkProblem::HostBits(network)),
        }
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

    #[test]
    fn a_network_is_read_and_written_alike() {
        for text in ["192.0.2.0/24", "0.0.0.0/0", "::1/128", "2001:db8::/32"] {
            let network: Network = text.parse().unwrap();
            assert_eq!(network.to_string(), text);
            assert!(network.contains(network.address()));
        }
        let network: Network = "192.0.2.0/24".parse().unwrap();
        assert!(network.contains("192.0.2.255".parse().unwrap()));
        assert!(!network.contains("192.0.3.0".parse().unwrap()));
        assert!(!network.contains("::192.0.2.0".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let problem = |text: &str| text.parse::<Network>().unwrap_err();
        for text in [
            "",
            "192.0.2.0",
            "192.0.2/24",
            "192.0.2.0/",
            "192.0.2.0/+1",
            "x/8",
            "::/0x",
        ] {
            assert_eq!(problem(text), NetworkProblem::Shape, "{text}");
        }
        for text in ["192.0.2.0/33", "::/129", "::/999"] {
            assert_eq!(problem(text), NetworkProblem::TooLong, "{text}");
        }
        let said = problem("2001:db8::1/64").to_string();
        assert_eq!(
            said,
            "has bits set behind its prefix; the network is 2001:db8::/64"
        );
    }
}
