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
    /// A host's kind.
    pub const HINFO: u16 = 13;
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
    /// A rewriting rule.
    pub const NAPTR: u16 = 35;
    /// An alias of a subtree.
    pub const DNAME: u16 = 39;
    /// EDNS.
    pub const OPT: u16 = 41;
    /// Delegation signer.
    pub const DS: u16 = 43;
    /// Signature.
    pub const RRSIG: u16 = 46;
    /// The next name.
    pub const NSEC: u16 = 47;
    /// A key.
    pub const DNSKEY: u16 = 48;
    /// The next name's hash.
    pub const NSEC3: u16 = 50;
    /// How names are hashed.
    pub const NSEC3PARAM: u16 = 51;
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

    /// Reads presentation form, as far as the tests write it.
    pub fn parse(rtype: u16, text: &str) -> Option<Self> {
        if let Some(generic) = text.strip_prefix(r"\#") {
            let digits: Vec<u32> = generic
                .split_whitespace()
                .skip(1)
                .flat_map(str::chars)
                .map_while(hex)
                .collect();
            let octets = digits
                .chunks_exact(2)
                .map(|pair| u8::try_from(pair[0] << 4 | pair[1]));
            return octets.collect::<Result<_, _>>().ok().map(Self::Octets);
        }
        let words: Vec<_> = text.split_whitespace().collect();
        let numbers = || words.iter().map_while(|word| word.parse().ok());
        match (rtype, &words[..]) {
            (rtype::A, [address]) => address.parse().ok().map(Self::Address4),
            (rtype::AAAA, [address]) => address.parse().ok().map(Self::Address6),
            (rtype::TXT, _) => {
                let text = text.strip_prefix('"')?.strip_suffix('"')?;
                let len = u8::try_from(text.len()).ok()?;
                Some(Self::Octets([&[len], text.as_bytes()].concat()))
            }
            (rtype::MX, [preference, host]) => {
                Some(Self::Exchange(preference.parse().ok()?, Name::parse(host)))
            }
            (rtype::SRV, [.., target]) => {
                let numbers: Vec<u16> = numbers().collect();
                Some(Self::Service(numbers.try_into().ok()?, Name::parse(target)))
            }
            (rtype::SOA, [primary, mailbox, numbers @ ..]) => {
                let numbers: Vec<u32> = numbers.iter().map_while(|n| n.parse().ok()).collect();
                let names = [primary, mailbox].map(|name| Name::parse(name));
                let [primary, mailbox] = names;
                Some(Self::Authority(primary, mailbox, numbers.try_into().ok()?))
            }
            (rtype::NS | rtype::CNAME | rtype::PTR | rtype::DNAME, [name]) => {
                Some(Self::Name(Name::parse(name)))
            }
            _ => None,
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

/// Types with their mnemonics.
const MNEMONICS: [(u16, &str); 18] = [
    (rtype::A, "A"),
    (rtype::NS, "NS"),
    (rtype::CNAME, "CNAME"),
    (rtype::SOA, "SOA"),
    (rtype::PTR, "PTR"),
    (rtype::MX, "MX"),
    (rtype::TXT, "TXT"),
    (rtype::AAAA, "AAAA"),
    (rtype::SRV, "SRV"),
    (rtype::DNAME, "DNAME"),
    (rtype::OPT, "OPT"),
    (rtype::DS, "DS"),
    (rtype::RRSIG, "RRSIG"),
    (rtype::NSEC, "NSEC"),
    (rtype::NSEC3, "NSEC3"),
    (251, "IXFR"),
    (252, "AXFR"),
    (rtype::ANY, "ANY"),
];

/// The mnemonic of a type, or its number (RFC 3597 §5).
pub fn type_text(rtype: u16) -> String {
    let known = MNEMONICS.iter().find(|(known, _)| *known == rtype);
    known.map_or_else(|| format!("TYPE{rtype}"), |(_, text)| (*text).to_owned())
}

/// The type with this mnemonic, or number.
pub fn type_of(text: &str) -> Option<u16> {
    let known = MNEMONICS.iter().find(|(_, known)| *known == text);
    known
        .map(|(rtype, _)| *rtype)
        .or_else(|| text.strip_prefix("TYPE")?.parse().ok())
}

fn hex(digit: char) -> Option<u32> {
    digit.to_digit(16)
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
