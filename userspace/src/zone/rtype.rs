//! Record types: the numbers that the code speaks of, and the mnemonics of all of them.

use std::fmt;

use domain::base::iana::Rtype;

/// An IPv4 address.
pub const A: u16 = 1;
/// An authoritative server of the zone, or of a delegated one.
pub const NS: u16 = 2;
/// The canonical name of an alias.
pub const CNAME: u16 = 5;
/// The start of a zone of authority.
pub const SOA: u16 = 6;
/// A pointer to another name.
pub const PTR: u16 = 12;
/// A mail exchange.
pub const MX: u16 = 15;
/// Text strings.
pub const TXT: u16 = 16;
/// A security key of RFC 2535; may stand beside a CNAME.
pub const KEY: u16 = 25;
/// An IPv6 address.
pub const AAAA: u16 = 28;
/// A server of a service.
pub const SRV: u16 = 33;
/// The redirection of a subtree.
pub const DNAME: u16 = 39;
/// A digest of a delegated zone's key.
pub const DS: u16 = 43;
/// A signature over an RRset.
pub const RRSIG: u16 = 46;
/// The next name of a signed zone.
pub const NSEC: u16 = 47;
/// A key of a signed zone.
pub const DNSKEY: u16 = 48;
/// The next hashed name of a signed zone.
pub const NSEC3: u16 = 50;
/// How the names of a signed zone are hashed.
pub const NSEC3PARAM: u16 = 51;
/// What the child wants its DS to be.
pub const CDS: u16 = 59;
/// What the child wants its DS to be, as keys.
pub const CDNSKEY: u16 = 60;
/// What the child wants the parent to copy.
pub const CSYNC: u16 = 62;
/// A digest of the whole zone.
pub const ZONEMD: u16 = 63;
/// The binding of a service.
pub const SVCB: u16 = 64;
/// The binding of a web service.
pub const HTTPS: u16 = 65;

/// Reads a mnemonic or `TYPE12345` (RFC 3597 §5), capital or small.
pub fn from_text(text: &[u8]) -> Option<u16> {
    // What most zones consist of; the list of all types takes a hundred comparisons.
    match text {
        b"A" | b"a" => return Some(A),
        b"NS" | b"ns" => return Some(NS),
        b"AAAA" | b"aaaa" => return Some(AAAA),
        b"CNAME" | b"cname" => return Some(CNAME),
        b"PTR" | b"ptr" => return Some(PTR),
        b"MX" | b"mx" => return Some(MX),
        b"TXT" | b"txt" => return Some(TXT),
        b"DS" | b"ds" => return Some(DS),
        b"RRSIG" | b"rrsig" => return Some(RRSIG),
        b"NSEC" | b"nsec" => return Some(NSEC),
        b"NSEC3" | b"nsec3" => return Some(NSEC3),
        _ => {}
    }
    if let Some(known) = Rtype::from_mnemonic(text) {
        return Some(known.to_int());
    }
    if text.eq_ignore_ascii_case(b"NSAP-PTR") {
        return Some(Rtype::NSAPPTR.to_int());
    }
    let (prefix, number) = text.split_at_checked(4)?;
    let digits = number.first()?.is_ascii_digit();
    let number = str::from_utf8(number).ok().filter(|_| digits)?;
    number
        .parse()
        .ok()
        .filter(|_| prefix.eq_ignore_ascii_case(b"TYPE"))
}

/// Shows a type by its mnemonic, or as `TYPE12345`.
pub fn display(rtype: u16) -> impl fmt::Display {
    Rtype::from_int(rtype)
}

/// Says whether records of this type exist in questions and messages only, never in a zone:
/// 0, OPT, and the meta types and QTYPEs 128 to 255 (RFC 6895 §3.1).
pub fn is_meta(rtype: u16) -> bool {
    matches!(rtype, 0 | 41 | 128..=255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_by_mnemonic_and_by_number() {
        assert_eq!(from_text(b"A"), Some(A));
        assert_eq!(from_text(b"aAaA"), Some(AAAA));
        assert_eq!(from_text(b"nsap-ptr"), Some(23));
        assert_eq!(from_text(b"OpenPGPkey"), Some(61));
        assert_eq!(from_text(b"TYPE65535"), Some(65535));
        assert_eq!(from_text(b"type1"), Some(A));
        for bad in [
            &b"TYPE65536"[..],
            b"TYPE",
            b"TYPE+1",
            b"TYPE-1",
            b"FOO",
            b"",
            b"\xff",
        ] {
            assert_eq!(from_text(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_type_without_mnemonic_is_shown_by_its_number() {
        assert_eq!(display(HTTPS).to_string(), "HTTPS");
        assert_eq!(display(4711).to_string(), "TYPE4711");
    }
}
