//! Octets written as hexadecimal or Base64.

use domain::base::scan::Scanner as _;
use domain::utils::{base16, base64};

use super::{EntryScanner, Failure, unexpected};

/// Reads hexadecimal up to the end of the entry, in as many tokens as one likes.
pub(in crate::zone::master) fn hex_to_end(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    out.extend(scanner.convert_entry(base16::SymbolConverter::new())?);
    Ok(())
}

/// Reads Base64 up to the end of the entry, in as many tokens as one likes.
pub(super) fn base64_to_end(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    out.extend(scanner.convert_entry(base64::SymbolConverter::new())?);
    Ok(())
}

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
