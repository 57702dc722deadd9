//! Numbers, and what is written like several of them.

use super::{Failure, unexpected};

/// Reads a decimal number of at most the type's range.
pub(super) fn decimal<T: TryFrom<u64> + Bounded>(raw: &[u8]) -> Result<T, Failure> {
    let mut value: u64 = 0;
    let bad = || unexpected(raw, &format!("a number from 0 to {}", T::MAX));
    for &octet in raw {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            return Err(bad());
        }
        let longer = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(digit.into()));
        value = longer.ok_or_else(bad)?;
    }
    if raw.is_empty() {
        return Err(bad());
    }
    T::try_from(value).map_err(|_| bad())
}

/// A number with a largest value that can be shown.
pub(super) trait Bounded {
    /// The largest value.
    const MAX: u64;
}

impl Bounded for u8 {
    const MAX: u64 = u8::MAX as u64;
}

impl Bounded for u16 {
    const MAX: u64 = u16::MAX as u64;
}

impl Bounded for u32 {
    const MAX: u64 = u32::MAX as u64;
}

impl Bounded for u64 {
    const MAX: u64 = u64::MAX;
}

/// Reads a locator: four hexadecimal numbers between colons (RFC 6742 §2.1.2).
pub(super) fn locator(raw: &[u8]) -> Result<[u8; 8], Failure> {
    let bad = || unexpected(raw, "a locator: write hhhh:hhhh:hhhh:hhhh");
    let mut octets = [0; 8];
    let mut parts = raw.split(|octet| *octet == b':');
    for place in octets.chunks_exact_mut(2) {
        let part = parts
            .next()
            .filter(|part| (1..=4).contains(&part.len()))
            .ok_or_else(bad)?;
        place.copy_from_slice(&hexadecimal(part).ok_or_else(bad)?.to_be_bytes());
    }
    if parts.next().is_some() {
        Err(bad())
    } else {
        Ok(octets)
    }
}

/// Reads octets of two hexadecimal digits between hyphens (RFC 7043 §3.2).
pub(super) fn eui<const N: usize>(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    let octets = raw
        .split(|octet| *octet == b'-')
        .map(|pair| hexadecimal(pair).filter(|_| pair.len() == 2))
        .map(|octet| octet.and_then(|octet| u8::try_from(octet).ok()))
        .collect::<Option<Vec<u8>>>()
        .filter(|octets| octets.len() == N);
    let octets = octets.ok_or_else(|| {
        unexpected(
            raw,
            &format!("{N} pairs of hexadecimal digits with hyphens between them"),
        )
    })?;
    out.extend(octets);
    Ok(())
}

/// Reads up to four hexadecimal digits.
fn hexadecimal(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    digits.iter().try_fold(0, |value: u16, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value << 4 | u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_within_their_type() {
        assert_eq!(decimal::<u8>(b"255").unwrap(), 255);
        assert_eq!(decimal::<u64>(b"18446744073709551615").unwrap(), u64::MAX);
        assert!(
            decimal::<u8>(b"256")
                .unwrap_err()
                .to_string()
                .ends_with("from 0 to 255")
        );
        for bad in ["", "-1", "+1", "1x", "18446744073709551616"] {
            assert!(decimal::<u64>(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn locators_have_four_parts() {
        assert_eq!(
            locator(b"2001:0DB8:1:a").unwrap(),
            [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0xa]
        );
        for bad in ["1:2:3", "1:2:3:4:5", "1::3:4", "1:2:3:12345", "1:2:3:g"] {
            assert!(locator(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn hardware_addresses_have_pairs_of_digits() {
        let mut out = Vec::new();
        eui::<6>(b"00-00-5e-00-53-2A", &mut out).unwrap();
        assert_eq!(out, [0, 0, 0x5e, 0, 0x53, 0x2a]);
        for bad in [
            "00-00-5e-00-53",
            "0-00-5e-00-53-2a",
            "00:00:5e:00:53:2a",
            "00-00-5e-00-53-2g",
        ] {
            assert!(eui::<6>(bad.as_bytes(), &mut out).is_err(), "{bad}");
        }
    }
}
