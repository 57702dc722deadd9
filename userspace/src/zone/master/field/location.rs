//! Data of LOC: where something is on earth (RFC 1876).

use super::{EntryScanner, Failure, number, unexpected};

/// The equator, the prime meridian: angles count in 1/1000 of a second of arc from here.
const ANGLE_ZERO: u32 = 1 << 31;

/// The lowest altitude, in centimetres below the WGS 84 reference spheroid.
const ALTITUDE_BASE_CM: i64 = 100_000 * 100;

/// The largest size or precision: 90 000 km, in centimetres.
const SIZE_CM_MAX: u64 = 9_000_000_000;

/// Reads LOC: `d [m [s]] N|S d [m [s]] E|W altitude [size [horizontal [vertical]]]` (RFC 1876 §3).
pub(super) fn location(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let latitude = angle(scanner, 90, b'N', b'S')?;
    let longitude = angle(scanner, 180, b'E', b'W')?;
    let altitude = altitude(scanner.token()?.raw)?;
    // RFC 1876 §3: 1 m, 10 km and 10 m unless given.
    let mut sizes = [0x12, 0x16, 0x13];
    for size in &mut sizes {
        if !scanner.lexer.has_token()? {
            break;
        }
        *size = self::size(scanner.token()?.raw)?;
    }
    out.push(0);
    out.extend(sizes);
    out.extend(latitude.to_be_bytes());
    out.extend(longitude.to_be_bytes());
    out.extend(altitude.to_be_bytes());
    Ok(())
}

/// Reads degrees, minutes, seconds and one of two directions.
fn angle(
    scanner: &mut EntryScanner<'_, '_>,
    degrees_max: u32,
    positive: u8,
    negative: u8,
) -> Result<u32, Failure> {
    const UNITS_MS: [u32; 3] = [3_600_000, 60_000, 1_000];
    let mut total_ms: u32 = 0;
    for (index, unit_ms) in UNITS_MS.iter().chain([&0]).enumerate() {
        let raw = scanner.token()?.raw;
        if index > 0
            && let [direction] = raw
        {
            let direction = direction.to_ascii_uppercase();
            if direction == positive {
                return Ok(ANGLE_ZERO + total_ms);
            }
            if direction == negative {
                return Ok(ANGLE_ZERO - total_ms);
            }
        }
        total_ms += match index {
            0 => number::decimal::<u32>(raw)?.min(degrees_max + 1) * unit_ms,
            1 => below(raw, 60)? * unit_ms,
            2 => seconds_ms(raw)?,
            _ => {
                let (positive, negative) = (char::from(positive), char::from(negative));
                return Err(unexpected(raw, &format!("{positive} or {negative}")));
            }
        };
        if total_ms > degrees_max * UNITS_MS[0] {
            return Err(Failure::new(format!(
                "an angle here is at most {degrees_max} degrees"
            )));
        }
    }
    Err(Failure::new("an angle wants a direction"))
}

/// Reads seconds of arc with up to three decimals.
fn seconds_ms(raw: &[u8]) -> Result<u32, Failure> {
    let (whole, fraction) = fixed_point(raw, 3).ok_or_else(|| unexpected(raw, "seconds of arc"))?;
    Ok(below(whole, 60)? * 1_000 + fraction)
}

/// Reads metres with two decimals, above or below the reference spheroid.
fn altitude(raw: &[u8]) -> Result<u32, Failure> {
    let bad = || unexpected(raw, "an altitude from -100000.00m to 42849672.95m");
    let (sign, digits) = match raw.strip_prefix(b"-") {
        Some(digits) => (-1, digits),
        None => (1, raw.strip_prefix(b"+").unwrap_or(raw)),
    };
    let centimetres = i64::try_from(centimetres(digits).ok_or_else(bad)?).map_err(|_| bad())?;
    u32::try_from(sign * centimetres + ALTITUDE_BASE_CM).map_err(|_| bad())
}

/// Reads a size in metres and rounds it down to a digit and a power of ten, in centimetres.
fn size(raw: &[u8]) -> Result<u8, Failure> {
    let bad = || unexpected(raw, "a size from 0 to 90000000.00m");
    let mut digit = centimetres(raw)
        .filter(|size| *size <= SIZE_CM_MAX)
        .ok_or_else(bad)?;
    let mut exponent = 0;
    while digit >= 10 {
        digit /= 10;
        exponent += 1;
    }
    u8::try_from(digit << 4 | exponent).map_err(|_| bad())
}

/// Reads metres with up to two decimals, with or without `m` behind them.
fn centimetres(raw: &[u8]) -> Option<u64> {
    let number = raw
        .strip_suffix(b"m")
        .or_else(|| raw.strip_suffix(b"M"))
        .unwrap_or(raw);
    let (whole, fraction) = fixed_point(number, 2)?;
    let whole: u32 = number::decimal(whole).ok()?;
    Some(u64::from(whole) * 100 + u64::from(fraction))
}

/// Splits a number at its point and reads the decimals as an integer of so many digits.
fn fixed_point(raw: &[u8], digit_count: usize) -> Option<(&[u8], u32)> {
    let Some(point) = raw.iter().position(|octet| *octet == b'.') else {
        return Some((raw, 0));
    };
    let (whole, digits) = (&raw[..point], &raw[point + 1..]);
    if digits.is_empty() || digits.len() > digit_count {
        return None;
    }
    let missing = u32::try_from(digit_count - digits.len()).ok()?;
    let decimals: u32 = number::decimal(digits).ok()?;
    Some((whole, decimals * 10_u32.pow(missing)))
}

/// Reads a number below a limit.
fn below(raw: &[u8], limit: u32) -> Result<u32, Failure> {
    let number = number::decimal::<u32>(raw)
        .ok()
        .filter(|number| *number < limit);
    number.ok_or_else(|| unexpected(raw, &format!("a number below {limit}")))
}
