//! Octets written as hexadecimal or Base64.

use domain::base::scan::{Scanner as _, ScannerError as _};
use domain::utils::base16;

use super::{EntryScanner, Failure, unexpected};

/// Reads hexadecimal up to the end of the entry, in as many tokens as one likes, but one at least.
pub(in crate::zone::master) fn hex_to_end(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    if !scanner.lexer.has_token()? {
        return Err(Failure::end_of_entry());
    }
    out.extend(scanner.convert_entry(base16::SymbolConverter::new())?);
    Ok(())
}

/// Reads Base64 up to the end of the entry, in as many tokens as one likes, but one at least.
///
/// Signed zones consist of it by half, and `domain`'s decoder, which takes symbol by symbol, was a
/// quarter of the time to read them.
pub(super) fn base64_to_end(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let bad = || Failure::new("this is not Base64");
    let mut bits: u32 = 0;
    let mut character_count = 0_u32;
    let mut padding_count = 0_u32;
    loop {
        for &character in scanner.token()?.raw {
            match BASE64_DIGITS[usize::from(character)] {
                NO_DIGIT if character == b'=' => padding_count += 1,
                digit if digit == NO_DIGIT || padding_count > 0 => return Err(bad()),
                digit => bits = bits << 6 | u32::from(digit),
            }
            character_count += 1;
            if character_count.is_multiple_of(4) && padding_count == 0 {
                out.extend_from_slice(&bits.to_be_bytes()[1..]);
            }
        }
        if !scanner.lexer.has_token()? {
            break;
        }
    }
    // What a padded group has left over is zero (RFC 4648 §3.5).
    match (character_count % 4, padding_count) {
        (0, 0) => {}
        (0, 1) if bits & 0b11 == 0 => out.extend_from_slice(&(bits << 6).to_be_bytes()[1..3]),
        (0, 2) if bits & 0b1111 == 0 => out.extend_from_slice(&(bits << 12).to_be_bytes()[1..2]),
        _ => return Err(bad()),
    }
    Ok(())
}

/// Stands for a character that is no digit of Base64.
const NO_DIGIT: u8 = u8::MAX;

/// The values of Base64's digits (RFC 4648 §4).
const BASE64_DIGITS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0_u8;
    while value < 64 {
        digits[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// Reads an NSAP address: `0x` and hexadecimal, in which dots say nothing (RFC 1706 §7).
pub(super) fn nsap(scanner: &mut EntryScanner<'_, '_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let raw = scanner.token()?.raw;
    let bad = || {
        unexpected(
            raw,
            "an NSAP address: write 0x and pairs of hexadecimal digits",
        )
    };
    let digits = raw
        .strip_prefix(b"0x")
        .or_else(|| raw.strip_prefix(b"0X"))
        .ok_or_else(bad)?;
    let digits: String = digits
        .iter()
        .filter(|octet| **octet != b'.')
        .map(|o| char::from(*o))
        .collect();
    out.extend(base16::decode::<Vec<u8>>(&digits).map_err(|_| bad())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::ROOT;
    use crate::zone::master::lexer::Lexer;

    fn decoded(text: &str) -> Option<Vec<u8>> {
        let mut lexer = Lexer::new(text.as_bytes(), true);
        let mut scanner = EntryScanner {
            lexer: &mut lexer,
            origin: ROOT,
        };
        let mut out = Vec::new();
        base64_to_end(&mut scanner, &mut out).ok().map(|()| out)
    }

    #[test]
    fn base64_is_read_over_tokens_and_with_padding() {
        assert_eq!(decoded("Zg==").unwrap(), b"f");
        assert_eq!(decoded("Zm8=").unwrap(), b"fo");
        assert_eq!(decoded("Zm9v").unwrap(), b"foo");
        assert_eq!(decoded("Z m9 vYm Fy").unwrap(), b"foobar");
        assert_eq!(decoded("+/+/ AA= =").unwrap(), b"\xfb\xff\xbf\x00");
        for bad in [
            "", "Z", "Zg", "Zg=", "Zg===", "=", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm.v", "A=B=",
        ] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
