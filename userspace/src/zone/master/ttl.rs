//! Times to live: seconds, or numbers with units.

use super::failure::Failure;

/// The longest time to live in seconds (RFC 2181 §8).
const TTL_MAX: u32 = 0x7fff_ffff;

/// Reads a record's TTL.
///
/// A TTL with its highest bit set would have to be treated as 0 by those who receive it (RFC 2181 §8). Nobody
/// writes that on purpose, so it is an error.
pub(super) fn ttl(text: &[u8]) -> Result<u32, Failure> {
    match duration(text)? {
        seconds @ 0..=TTL_MAX => Ok(seconds),
        _ => Err(Failure::new(format!(
            "a TTL is at most {TTL_MAX} seconds (RFC 2181)"
        ))),
    }
}

/// Reads a time in seconds: `3600`, `1h`, `1w2d3h4m5s`.
pub(super) fn duration(text: &[u8]) -> Result<u32, Failure> {
    let bad = || {
        let shown = String::from_utf8_lossy(text);
        Failure::new(format!(
            "`{shown}` is no time: write seconds, or units as in 1h30m"
        ))
    };
    let mut total: u32 = 0;
    let mut number: Option<u32> = None;
    let mut has_unit = false;
    for &octet in text {
        let unit = match octet.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => {
                let digit = u32::from(digit - b'0');
                let longer = number.unwrap_or(0).checked_mul(10);
                number = Some(
                    longer
                        .and_then(|longer| longer.checked_add(digit))
                        .ok_or_else(bad)?,
                );
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return Err(bad()),
        };
        has_unit = true;
        let part = number.take().and_then(|number| number.checked_mul(unit));
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(bad)?;
    }
    match number {
        Some(seconds) if !has_unit => Ok(seconds),
        None if has_unit => Ok(total),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        assert_eq!(duration(b"0").unwrap(), 0);
        assert_eq!(duration(b"4294967295").unwrap(), u32::MAX);
        assert_eq!(duration(b"1h30m").unwrap(), 5400);
        assert_eq!(duration(b"1W2D3H4M5S").unwrap(), 788_645);
    }

    #[test]
    fn half_a_time_is_none() {
        for bad in [
            "",
            "h",
            "1h30",
            "1x",
            "-1",
            "4294967296",
            "8000w",
            "1.5h",
            "1h h",
        ] {
            assert!(duration(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ttl_has_31_bits() {
        assert_eq!(ttl(b"2147483647").unwrap(), 0x7fff_ffff);
        assert!(ttl(b"2147483648").is_err());
    }
}
