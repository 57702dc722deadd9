//! Resource records of the tests: typed data with its wire and presentation forms.

use crate::name::Name;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Record types that the tests speak of.
pub mod rtype {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// A name server.
    pub const NS: u16 = 2;
    /// An alias.
    pub const CNAME: u16 = 5;
    /// Start of authority.
    pub const SOA: u16 = 6;
    /// A pointer to a name.
    pub const PTR: u16 = 12;
    /// A mail exchange.
    pub const MX: u16 = 15;
    /// Text.
    pub const TXT: u16 = 16;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// A service's host.
    pub const SRV: u16 = 33;
    /// An alias of a subtree.
    pub const DNAME: u16 = 39;
    /// EDNS.
    pub const OPT: u16 = 41;
    /// Delegation signer.
    pub const DS: u16 = 43;
    /// Signature.
    pub const RRSIG: u16 = 46;
    /// Any type at all.
    pub const ANY: u16 = 255;
    /// For private use (RFC 6895 §3.1).
    pub const PRIVATE: u16 = 65280;
}

/// Class Internet.
pub const IN: u16 = 1;

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// One name: NS, CNAME, PTR, DNAME.
    Name(Name),
    /// A preference and a name: MX.
    Exchange(u16, Name),
    /// Priority, weight, port and a name: SRV.
    Service([u16; 3], Name),
    /// Two names; serial, refresh, retry, expire and minimum: SOA.
    Authority(Name, Name, [u32; 5]),
    /// A.
    Address4(Ipv4Addr),
    /// AAAA.
    Address6(Ipv6Addr),
    /// Anything else, as it is sent.
    Octets(Vec<u8>),
}

impl Data {
    /// Uncompressed wire form.
    pub fn wire(&self) -> Vec<u8> {
        let words = |words: &[u16]| words.iter().flat_map(|word| word.to_be_bytes()).collect();
        match self {
            Self::Name(name) => name.wire(),
            Self::Exchange(preference, host) => [words(&[*preference]), host.wire()].concat(),
            Self::Service(numbers, target) => [words(numbers), target.wire()].concat(),
            Self::Authority(primary, mailbox, numbers) => {
                let numbers = numbers
                    .iter()
                    .flat_map(|number| number.to_be_bytes())
                    .collect();
                [primary.wire(), mailbox.wire(), numbers].concat()
            }
            Self::Address4(address) => address.octets().to_vec(),
            Self::Address6(address) => address.octets().to_vec(),
            Self::Octets(octets) => octets.clone(),
        }
    }

    /// Presentation form; octets in that of RFC 3597 §5.
    pub fn text(&self) -> String {
        match self {
            Self::Name(name) => name.to_string(),
            Self::Exchange(preference, host) => format!("{preference} {host}"),
            Self::Service([priority, weight, port], target) => {
                format!("{priority} {weight} {port} {target}")
            }
            Self::Authority(primary, mailbox, [serial, refresh, retry, expire, minimum]) => {
                format!("{primary} {mailbox} {serial} {refresh} {retry} {expire} {minimum}")
            }
            Self::Address4(address) => address.to_string(),
            Self::Address6(address) => address.to_string(),
            Self::Octets(octets) => {
                let mut text = format!(r"\# {} ", octets.len());
                for octet in octets {
                    let _ = write!(text, "{octet:02x}");
                }
                text
            }
        }
    }

    /// The name that this data leads to; none where there is none.
    pub fn target(&self) -> Option<&Name> {
        match self {
            Self::Name(name) | Self::Exchange(_, name) | Self::Service(_, name) => Some(name),
            _ => None,
        }
    }
}

/// The mnemonic of a type, or its number (RFC 3597 §5).
pub fn type_text(rtype: u16) -> String {
    match rtype {
        rtype::A => "A".into(),
        rtype::NS => "NS".into(),
        rtype::CNAME => "CNAME".into(),
        rtype::SOA => "SOA".into(),
        rtype::PTR => "PTR".into(),
        rtype::MX => "MX".into(),
        rtype::AAAA => "AAAA".into(),
        rtype::SRV => "SRV".into(),
        rtype::DNAME => "DNAME".into(),
        other => format!("TYPE{other}"),
    }
}

/// Whether names in the data of a type are compared whatever their case (RFC 4034 §6.2).
pub fn has_names(rtype: u16) -> bool {
    matches!(
        rtype,
        rtype::NS | rtype::CNAME | rtype::SOA | rtype::PTR | rtype::MX | rtype::SRV | rtype::DNAME
    )
}

/// A record of class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub owner: Name,
    /// Its type.
    pub rtype: u16,
    /// Its time to live in seconds.
    pub ttl: u32,
    /// Its data.
    pub data: Data,
}

impl Record {
    /// A line of a master file.
    pub fn line(&self) -> String {
        let rtype = type_text(self.rtype);
        format!(
            "{} {} IN {rtype} {}\n",
            self.owner,
            self.ttl,
            self.data.text()
        )
    }
}
