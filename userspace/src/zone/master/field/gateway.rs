//! Data of AMTRELAY, HIP and WKS: parts whose form depends on parts before them.

use domain::base::scan::Scanner as _;
use domain::utils::{base16, base64};

use super::{EntryScanner, Failure, address, number, too_long, unexpected};

/// Reads AMTRELAY: `precedence discovery-optional type relay` (RFC 8777 §4.3).
pub(super) fn amt_relay(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    out.push(number::decimal(scanner.token()?.raw)?);
    let discovery = scanner.token()?.raw;
    let discovery = match discovery {
        b"0" => 0,
        b"1" => 0x80,
        _ => return Err(unexpected(discovery, "0 or 1")),
    };
    let kind = scanner.token()?.raw;
    match kind {
        b"0" => {
            out.push(discovery);
            let relay = scanner.token()?.raw;
            if relay != b"." {
                return Err(unexpected(relay, "`.`, which a relay of type 0 has to be"));
            }
        }
        b"1" => {
            out.push(discovery | 1);
            out.extend(address::ipv4(scanner.token()?.raw)?.octets());
        }
        b"2" => {
            out.push(discovery | 2);
            out.extend(address::ipv6(scanner.token()?.raw)?.octets());
        }
        b"3" => {
            out.push(discovery | 3);
            scanner.append_name(out)?;
        }
        _ => return Err(unexpected(kind, "a relay type from 0 to 3")),
    }
    Ok(())
}

/// Reads the part of HIP before the rendezvous servers: `algorithm tag key` (RFC 8005 §6).
pub(super) fn host_identity(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let algorithm: u8 = number::decimal(scanner.token()?.raw)?;
    let tag = scanner.convert_token(base16::SymbolConverter::new())?;
    out.push(u8::try_from(tag.len()).map_err(too_long)?);
    let key = scanner.convert_token(base64::SymbolConverter::new())?;
    out.push(algorithm);
    out.extend(u16::try_from(key.len()).map_err(too_long)?.to_be_bytes());
    out.extend(tag);
    out.extend(key);
    Ok(())
}

/// Reads WKS: `address protocol port...`, ports as numbers (RFC 1035 §3.4.2).
///
/// Names of services are not read: the list of them is the system's, and WKS is long obsolete.
pub(super) fn services(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    out.extend(address::ipv4(scanner.token()?.raw)?.octets());
    let protocol = scanner.token()?.raw;
    out.push(match super::by_name(&[("TCP", 6), ("UDP", 17)], protocol) {
        Some(known) => known,
        None => number::decimal(protocol)?,
    });
    let mut bitmap = Vec::new();
    while scanner.lexer.has_token()? {
        let port = usize::from(number::decimal::<u16>(scanner.token()?.raw)?);
        if bitmap.len() <= port / 8 {
            bitmap.resize(port / 8 + 1, 0);
        }
        bitmap[port / 8] |= 0x80 >> (port % 8);
    }
    out.extend(bitmap);
    Ok(())
}
