//! Record data: what each type consists of.
//!
//! One table, [`layout`], says it for the reader of master files, for the check of RFC 3597 data
//! and for the canonical order.

mod apl;
mod compressed;
mod shown;
mod svcb;
mod wire;

pub(crate) use compressed::{is_woven, names};
pub use shown::shown;
pub(crate) use svcb::key as svcb_key;
pub use wire::{canonical_cmp, check, target};

/// The longest record data: its length is 16 bits on the wire.
pub const RDATA_LEN_MAX: usize = 65_535;

/// One part of a record's data. Unless said otherwise numbers are unsigned and decimal in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// 8 bits.
    U8,
    /// 16 bits.
    U16,
    /// 32 bits.
    U32,
    /// 64 bits.
    U64,
    /// 32 bits, in text seconds or with units: `1h30m`.
    Ttl,
    /// 32 bits, in text `YYYYMMDDHHmmSS` or seconds since 1970 (RFC 4034 §3.2).
    Time,
    /// 16 bits, in text the mnemonic of a record type.
    RecordType,
    /// 8 bits, in text a number or the mnemonic of a DNSSEC algorithm.
    Algorithm,
    /// 16 bits, in text a number or the mnemonic of a certificate type (RFC 4398 §2.1).
    CertificateType,
    /// 8 bits, in text a number or the mnemonic of a DSYNC scheme (RFC 9859 §2.1).
    DsyncScheme,
    /// 4 octets.
    Ipv4,
    /// 16 octets.
    Ipv6,
    /// 8 octets, in text `hhhh:hhhh:hhhh:hhhh` (RFC 6742 §2).
    Locator64,
    /// 6 octets, in text `hh-hh-hh-hh-hh-hh` (RFC 7043).
    Eui48,
    /// 8 octets, in text `hh-hh-hh-hh-hh-hh-hh-hh` (RFC 7043).
    Eui64,
    /// A domain name whose letters are small in canonical form (RFC 4034 §6.2).
    Name,
    /// A domain name that canonical form leaves as it is: NSEC's (RFC 6840 §5.1), and all newer
    /// types.
    NameAsIs,
    /// Domain names as they are, up to the end of the data.
    NamesAsIs,
    /// A character string: a length octet and up to 255 octets.
    Text,
    /// A character string that may be missing.
    OptionalText,
    /// One or more character strings, up to the end of the data.
    Texts,
    /// Octets up to the end of the data; in text one string of any length.
    LongText,
    /// A length octet and letters and digits (RFC 8659 §4.1).
    CaaTag,
    /// At least one octet up to the end of the data, in text hexadecimal.
    Hex,
    /// A digest up to the end of the data, in text hexadecimal. The octet before it is the digest's
    /// type; the list says how long the digests of which types are.
    Digest(&'static [(u8, usize)]),
    /// At least one octet up to the end of the data, in text Base64.
    Base64,
    /// Octets up to the end of the data, in text Base64 or nothing.
    OptionalBase64,
    /// Octets up to the end of the data, in text Base64 or `-` for none (DOA).
    Base64OrDash,
    /// A length octet and octets, in text hexadecimal or `-` for none (RFC 5155 §3.3).
    Salt,
    /// A length octet and octets, in text Base32 with the extended hex alphabet (RFC 5155 §3.3).
    HashedName,
    /// A bitmap of at least one record type (RFC 4034 §4.1.2).
    Types,
    /// A bitmap of record types, or nothing.
    OptionalTypes,
    /// Parameters of a service binding (RFC 9460 §2.2).
    SvcParams,
    /// The data of LOC (RFC 1876 §2).
    Location,
    /// The data of APL: prefixes of addresses (RFC 3123 §4).
    Prefixes,
    /// The data of IPSECKEY (RFC 4025 §2).
    Ipseckey,
    /// The data of AMTRELAY (RFC 8777 §4.2).
    AmtRelay,
    /// The data of HIP in front of the rendezvous servers (RFC 8005 §5).
    HostIdentity,
    /// The data of WKS: address, protocol, bitmap of ports (RFC 1035 §3.4.2).
    Services,
    /// An address of OSI, in text `0x` and hexadecimal, dots allowed (RFC 1706 §5).
    Nsap,
    /// Anything; in text only in the form of RFC 3597.
    Opaque,
}

use Field::{
    Algorithm, AmtRelay, Base64, Base64OrDash, CaaTag, CertificateType, Digest, DsyncScheme, Eui48,
    Eui64, HashedName, Hex, HostIdentity, Ipseckey, Ipv4, Ipv6, Location, Locator64, LongText,
    Name, NameAsIs, NamesAsIs, Nsap, Opaque, OptionalBase64, OptionalText, OptionalTypes, Prefixes,
    RecordType, Salt, Services, SvcParams, Text, Texts, Time, Ttl, Types, U8, U16, U32, U64,
};

/// Lengths of the digests in DS: SHA-1, SHA-256, GOST R 34.11-94, SHA-384, GOST R 34.11-2012, SM3.
const DS_DIGESTS: &[(u8, usize)] = &[(1, 20), (2, 32), (3, 32), (4, 48), (5, 32), (6, 32)];

/// Lengths of the fingerprints in SSHFP: SHA-1, SHA-256.
const SSHFP_DIGESTS: &[(u8, usize)] = &[(1, 20), (2, 32)];

/// Lengths of the digests in ZONEMD: SHA-384, SHA-512 (RFC 8976 §5.3).
const ZONEMD_DIGESTS: &[(u8, usize)] = &[(1, 48), (2, 64)];

/// Says what the data of a type consists of. The numbers are IANA's registry of RR TYPEs.
pub(crate) const fn layout(rtype: u16) -> &'static [Field] {
    match rtype {
        1 => &[Ipv4],                                // A
        2..=5 | 7..=9 | 12 | 39 => &[Name],          // NS MD MF CNAME MB MG MR PTR DNAME
        6 => &[Name, Name, U32, Ttl, Ttl, Ttl, Ttl], // SOA
        11 => &[Services],                           // WKS
        13 => &[Text, Text],                         // HINFO
        14 | 17 => &[Name, Name],                    // MINFO RP
        15 | 18 | 21 | 36 => &[U16, Name],           // MX AFSDB RT KX
        16 | 56 | 99 | 258 | 261..=263 => &[Texts],  // TXT NINFO SPF AVC RESINFO WALLET CLA
        19 => &[Text],                               // X25
        20 => &[Text, OptionalText],                 // ISDN
        22 => &[Nsap],                               // NSAP
        23 => &[NameAsIs],                           // NSAP-PTR
        24 | 46 => &[
            RecordType, Algorithm, U8, Ttl, Time, Time, U16, Name, Base64,
        ], // SIG RRSIG
        25 => &[U16, U8, Algorithm, OptionalBase64], // KEY
        26 => &[U16, Name, Name],                    // PX
        27 => &[Text, Text, Text],                   // GPOS
        28 => &[Ipv6],                               // AAAA
        29 => &[Location],                           // LOC
        31 | 32 => &[Hex],                           // EID NIMLOC
        33 => &[U16, U16, U16, Name],                // SRV
        35 => &[U16, U16, Text, Text, Text, Name],   // NAPTR
        37 => &[CertificateType, U16, Algorithm, Base64], // CERT
        40 => &[U8, U8, U8, OptionalBase64],         // SINK
        42 => &[Prefixes],                           // APL
        43 | 59 | 32768 | 32769 => &[U16, Algorithm, U8, Digest(DS_DIGESTS)], // DS CDS TA DLV
        44 => &[U8, U8, Digest(SSHFP_DIGESTS)],      // SSHFP
        45 => &[Ipseckey],                           // IPSECKEY
        47 => &[NameAsIs, Types],                    // NSEC
        48 | 57 | 60 => &[U16, U8, Algorithm, Base64], // DNSKEY RKEY CDNSKEY
        49 | 61 | 67 | 68 => &[Base64],              // DHCID OPENPGPKEY HHIT BRID
        50 => &[U8, U8, U16, Salt, HashedName, OptionalTypes], // NSEC3
        51 => &[U8, U8, U16, Salt],                  // NSEC3PARAM
        52 | 53 => &[U8, U8, U8, Hex],               // TLSA SMIMEA
        55 => &[HostIdentity, NamesAsIs],            // HIP
        58 => &[NameAsIs, NameAsIs],                 // TALINK
        62 => &[U32, U16, OptionalTypes],            // CSYNC
        63 => &[U32, U8, U8, Digest(ZONEMD_DIGESTS)], // ZONEMD
        64 | 65 => &[U16, NameAsIs, SvcParams],      // SVCB HTTPS
        66 => &[RecordType, DsyncScheme, U16, NameAsIs], // DSYNC
        104 | 106 => &[U16, Locator64],              // NID L64
        105 => &[U16, Ipv4],                         // L32
        107 => &[U16, NameAsIs],                     // LP
        108 => &[Eui48],                             // EUI48
        109 => &[Eui64],                             // EUI64
        256 => &[U16, U16, LongText],                // URI
        257 => &[U8, CaaTag, LongText],              // CAA
        259 => &[U32, U32, U8, Text, Base64OrDash],  // DOA
        260 => &[AmtRelay],                          // AMTRELAY
        264 => &[U64],                               // IPN
        _ => &[Opaque],
    }
}
