//! Lists of address prefixes (RFC 3123).

/// Says what is wrong with the data of an APL record, if anything.
pub(super) fn check(mut items: &[u8]) -> Result<(), &'static str> {
    while let [family_high, family_low, prefix, len, rest @ ..] = items {
        let (address, rest) = rest
            .split_at_checked(usize::from(len & 0x7f))
            .ok_or("an address prefix ends too early")?;
        let (prefix_max, len_max) = match u16::from_be_bytes([*family_high, *family_low]) {
            1 => (32, 4),
            2 => (128, 16),
            _ => (255, 127),
        };
        if *prefix > prefix_max || address.len() > len_max {
            return Err("an address prefix is longer than its address family allows");
        }
        // RFC 3123 §4: trailing zero octets are not sent.
        if address.last() == Some(&0) {
            return Err("an address prefix ends in a zero octet");
        }
        items = rest;
    }
    if items.is_empty() {
        Ok(())
    } else {
        Err("an address prefix ends too early")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_fit_their_address_family() {
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[0, 1, 24, 0x83, 192, 0, 2, 0, 2, 0, 0]), Ok(()));
        for bad in [
            &[0, 1, 33, 1, 1][..],
            &[0, 1, 32, 5, 1, 1, 1, 1, 1],
            &[0, 1, 24, 2, 10, 0],
            &[0, 1, 24, 2, 10],
            &[0, 1, 24],
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
