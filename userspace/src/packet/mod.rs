//! Bytes ⇄ values: headers, query, reply, checksum. Pure.

mod arrival;
pub mod checksum;
pub mod cookie;
pub mod edns;
mod ends;
mod envelope;
pub mod headers;
mod name_key;
pub mod query;
mod records;
pub mod reply;
mod short_name;

pub use arrival::Arrival;
pub use ends::Ends;
pub use envelope::Envelope;
pub use name_key::NameKey;
pub(crate) use name_key::lower;
pub use query::{Query, QueryFlags};
pub use short_name::{LabelStarts, ShortName};

/// Bytes of a DNS message header (RFC 1035 §4.1.1); the question begins behind them.
pub const HEADER_LEN: usize = 12;

/// Longest name on the wire, the root label included (RFC 1035 §3.1).
pub const NAME_LEN_MAX: usize = 255;

/// Eight bytes at `at` as a little-endian word; 0 where they run over the end.
#[inline(always)]
fn word_at<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

/// Four bytes, in the same way.
#[inline(always)]
fn quad_at<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    let quad = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    quad.map_or(0, |quad| u32::from_le_bytes(*quad))
}

/// The record types, classes and option codes that the core itself must know.
pub mod code {
    /// Class Internet.
    pub const CLASS_IN: u16 = 1;
    /// Class Chaos: what servers say of themselves.
    pub const CLASS_CH: u16 = 3;
    /// QCLASS any.
    pub const CLASS_ANY: u16 = 255;
    /// Type NS.
    pub const NS: u16 = 2;
    /// Type CNAME.
    pub const CNAME: u16 = 5;
    /// Type SOA.
    pub const SOA: u16 = 6;
    /// Type MX.
    pub const MX: u16 = 15;
    /// Type PTR.
    pub const PTR: u16 = 12;
    /// Type A.
    pub const A: u16 = 1;
    /// Type TXT.
    pub const TXT: u16 = 16;
    /// Type AAAA.
    pub const AAAA: u16 = 28;
    /// Type SRV.
    pub const SRV: u16 = 33;
    /// Type DNAME.
    pub const DNAME: u16 = 39;
    /// Type OPT, the EDNS pseudo-record.
    pub const OPT: u16 = 41;
    /// Type DS.
    pub const DS: u16 = 43;
    /// Type RRSIG.
    pub const RRSIG: u16 = 46;
    /// Type NSEC.
    pub const NSEC: u16 = 47;
    /// Type NSEC3.
    pub const NSEC3: u16 = 50;
    /// Type NSEC3PARAM.
    pub const NSEC3PARAM: u16 = 51;
    /// Type TSIG, a signature of the message.
    pub const TSIG: u16 = 250;
    /// QTYPE IXFR.
    pub const IXFR: u16 = 251;
    /// QTYPE AXFR.
    pub const AXFR: u16 = 252;
    /// QTYPE MAILB (obsolete).
    pub const MAILB: u16 = 253;
    /// QTYPE MAILA (obsolete).
    pub const MAILA: u16 = 254;
    /// QTYPE any.
    pub const ANY: u16 = 255;
    /// Option NSID: the server's identifier.
    pub const OPTION_NSID: u16 = 3;
    /// Option of the client's subnet.
    pub const OPTION_SUBNET: u16 = 8;
    /// Option COOKIE.
    pub const OPTION_COOKIE: u16 = 10;
    /// Option edns-tcp-keepalive.
    pub const OPTION_KEEPALIVE: u16 = 11;
}
