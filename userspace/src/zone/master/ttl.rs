//! Times: to live, as seconds or with units, and of signatures, as dates.

use super::failure::Failure;

/// The longest time to live in seconds (RFC 2181 §8).
const TTL_MAX: u32 = 0x7fff_ffff;

/// Reads a record's TTL.
///
/// A TTL with its highest bit set would have to be treated as 0 by those who receive it (RFC 2181
/// §8). Nobody writes that on purpose, so it is an error.
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

/// Reads a signature's time: `YYYYMMDDHHmmSS` in UTC, or seconds since 1970 (RFC 4034 §3.2).
///
/// The number of seconds is taken modulo 2^32, as the field has it (RFC 4034 §3.1.5).
pub(super) fn timestamp(text: &[u8]) -> Result<u32, Failure> {
    let bad = || {
        let shown = String::from_utf8_lossy(text);
        Failure::new(format!("`{shown}` is no time: write YYYYMMDDHHmmSS"))
    };
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(bad());
    }
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'))
    };
    match text.len() {
        1..=10 => u32::try_from(number(text)).map_err(|_| bad()),
        14 => {
            let year = number(&text[..4]);
            let [month, day, hour, minute, second] =
                [4, 6, 8, 10, 12].map(|at| number(&text[at..at + 2]));
            if hour > 23 || minute > 59 || second > 59 {
                return Err(bad());
            }
            let days = days_since_1970(year, month, day).ok_or_else(bad)?;
            let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
            u32::try_from(seconds & u64::from(u32::MAX)).map_err(|_| bad())
        }
        _ => Err(bad()),
    }
}

/// Counts the days from 1970-01-01 to a date in the Gregorian calendar, or gives `None` if there is
/// no such date.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    const DAYS_BEFORE: [u64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let month_index = usize::try_from(month).ok()?.checked_sub(1)?;
    let (before, after) = (
        DAYS_BEFORE[..12].get(month_index)?,
        DAYS_BEFORE.get(month_index + 1)?,
    );
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let leap_day = u64::from(is_leap && month == 2);
    if year < 1970 || day == 0 || day > after - before + leap_day {
        return None;
    }
    let leap_days_before = |year: u64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let leap_days =
        leap_days_before(year) - leap_days_before(1970) + u64::from(is_leap && month > 2);
    Some((year - 1970) * 365 + leap_days + before + day - 1)
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

    #[test]
    fn a_date_is_seconds_since_1970() {
        for (text, seconds) in [
            ("0", 0),
            ("4294967295", u32::MAX),
            ("19700101000000", 0),
            ("20000229235959", 951_868_799),
            ("20000301000000", 951_868_800),
            ("20240229120000", 1_709_208_000),
            ("20380119031408", 0x8000_0000),
            ("21000301000000", 4_107_542_400),
            // 2^32 seconds: serial numbers begin anew.
            ("21060207062816", 0),
        ] {
            assert_eq!(timestamp(text.as_bytes()).unwrap(), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_not_in_the_calendar_is_no_time() {
        for bad in [
            "",
            "-1",
            "4294967296",
            "20240230000000",
            "20230229000000",
            "21000229000000",
            "20241301000000",
            "20240001000000",
            "20240100000000",
            "20240101240000",
            "20240101006000",
            "20240101000060",
            "19691231235959",
            "2024010100000",
            "2024010100000x",
        ] {
            assert!(timestamp(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
