//! Addresses, and the address prefixes of APL.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{EntryScanner, Failure, number, unexpected};

/// Reads an IPv4 address: four numbers without leading zeros.
pub(super) fn ipv4(raw: &[u8]) -> Result<Ipv4Addr, Failure> {
    dotted_quad(raw)
        .map(Ipv4Addr::from)
        .ok_or_else(|| unexpected(raw, "an IPv4 address"))
}

/// Reads four numbers between dots; the standard library's parser takes several times as long.
fn dotted_quad(raw: &[u8]) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    let mut rest = raw.iter();
    for (index, octet) in octets.iter_mut().enumerate() {
        let mut number: Option<u16> = None;
        for &digit in rest.by_ref() {
            if digit == b'.' && index < 3 {
                break;
            }
            let digit = digit.wrapping_sub(b'0');
            // A leading zero could mean an octal number.
            if digit > 9 || number == Some(0) {
                return None;
            }
            number = Some(number.unwrap_or(0) * 10 + u16::from(digit)).filter(|n| *n < 256);
            number?;
        }
        *octet = u8::try_from(number?).ok()?;
    }
    Some(octets)
}

/// Reads an IPv6 address (RFC 4291 §2.2).
pub(super) fn ipv6(raw: &[u8]) -> Result<Ipv6Addr, Failure> {
    parse(raw).ok_or_else(|| unexpected(raw, "an IPv6 address"))
}

/// Reads address prefixes up to the end of the entry: `[!]family:address/prefix` (RFC 3123 §5).
pub(super) fn prefixes(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    while scanner.lexer.has_token()? {
        prefix(scanner.token()?.raw, out)?;
    }
    Ok(())
}

fn prefix(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    let bad = || {
        unexpected(
            raw,
            "an address prefix: write [!]1:IPv4/number or [!]2:IPv6/number",
        )
    };
    let (negation, item) = match raw.strip_prefix(b"!") {
        Some(item) => (0x80, item),
        None => (0, raw),
    };
    let colon = item
        .iter()
        .position(|octet| *octet == b':')
        .ok_or_else(bad)?;
    let slash = item
        .iter()
        .rposition(|octet| *octet == b'/')
        .ok_or_else(bad)?;
    let family: u16 = number::decimal(&item[..colon])?;
    let address = item.get(colon + 1..slash).ok_or_else(bad)?;
    let address = match family {
        1 => ipv4(address)?.octets().to_vec(),
        2 => ipv6(address)?.octets().to_vec(),
        _ => return Err(bad()),
    };
    let prefix: u8 = number::decimal(&item[slash + 1..])?;
    let len = address
        .iter()
        .rposition(|octet| *octet != 0)
        .map_or(0, |last| last + 1);
    out.extend(family.to_be_bytes());
    out.extend([prefix, negation | u8::try_from(len).map_err(|_| bad())?]);
    out.extend_from_slice(&address[..len]);
    Ok(())
}

fn parse<T: std::str::FromStr>(raw: &[u8]) -> Option<T> {
    str::from_utf8(raw).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_has_four_numbers_without_leading_zeros() {
        assert_eq!(ipv4(b"192.0.2.255").unwrap(), Ipv4Addr::new(192, 0, 2, 255));
        assert_eq!(ipv4(b"0.0.0.0").unwrap(), Ipv4Addr::UNSPECIFIED);
        for bad in [
            "",
            "1",
            "1.2.3",
            "1.2.3.",
            "1.2.3.4.",
            "1.2.3.4.5",
            ".1.2.3",
            "1..2.3",
            "256.1.1.1",
            "01.1.1.1",
            "1.1.1.00",
            "1.1.1.1x",
            "-1.1.1.1",
            "1.1.1.99999999999",
        ] {
            assert!(ipv4(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
