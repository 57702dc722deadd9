//! Parameters of SVCB and HTTPS (RFC 9460 §2.1, appendix A).
//!
//! `domain` 0.12 cannot be used for them: it refuses keys with the characters `z` and `9` and has
//! no escapes in lists.

use domain::utils::base64;

use super::{EntryScanner, Failure, address, number, too_long, unexpected};
use crate::zone::master::scanner::append_unescaped;
use crate::zone::rdata::svcb_key as key;

/// Reads parameters up to the end of the entry and sorts them by key.
pub(super) fn params(scanner: &mut EntryScanner<'_, '_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let mut params: Vec<(u16, Vec<u8>)> = Vec::new();
    while scanner.lexer.has_token()? {
        let raw = scanner.token()?.raw;
        let (name, inline) = match raw.iter().position(|octet| *octet == b'=') {
            Some(equals) => (&raw[..equals], Some(&raw[equals + 1..])),
            None => (raw, None),
        };
        let (key, form) = key_of(name)?;
        let value = match inline {
            Some(b"") => scanner
                .lexer
                .adjacent_quoted_token()?
                .map_or(&b""[..], |token| token.raw),
            other => other.unwrap_or_default(),
        };
        let mut octets = Vec::new();
        append_unescaped(value, &mut octets)?;
        match params.binary_search_by_key(&key, |param| param.0) {
            Ok(_) => {
                let shown = String::from_utf8_lossy(name).into_owned();
                return Err(Failure::new(format!(
                    "the parameter `{shown}` is there twice"
                )));
            }
            Err(place) => {
                let octets = if form == Form::Known {
                    wire_value(key, &octets)?
                } else {
                    octets
                };
                params.insert(place, (key, octets));
            }
        }
    }
    for (key, value) in params {
        out.extend(key.to_be_bytes());
        out.extend(u16::try_from(value.len()).map_err(too_long)?.to_be_bytes());
        out.extend(value);
    }
    Ok(())
}

/// How a parameter's value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In the way of its key.
    Known,
    /// As the octets that go on the wire: so if the key is written as a number.
    Octets,
}

/// Reads a key's name, or `key123` without leading zeros.
fn key_of(name: &[u8]) -> Result<(u16, Form), Failure> {
    if let Some((_, key)) = key::NAMES.iter().find(|(known, _)| *known == name) {
        return Ok((*key, Form::Known));
    }
    name.strip_prefix(b"key")
        .filter(|digits| digits.len() == 1 || !digits.starts_with(b"0"))
        .and_then(|digits| number::decimal(digits).ok())
        .map(|key| (key, Form::Octets))
        .ok_or_else(|| unexpected(name, "a parameter's key: write key123 for one without name"))
}

/// Turns a value, its escapes resolved once, into wire form. Whether it is complete is checked with
/// the record.
fn wire_value(key: u16, value: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    match key {
        key::MANDATORY => {
            let keys = plain_list(value).map(|item| key_of(item).map(|(key, _)| key));
            let mut keys = keys.collect::<Result<Vec<u16>, _>>()?;
            keys.sort_unstable();
            octets.extend(keys.iter().flat_map(|key| key.to_be_bytes()));
        }
        key::ALPN => {
            for item in escaped_list(value)? {
                super::with_length(&mut octets, &item)?;
            }
        }
        key::PORT => octets.extend(number::decimal::<u16>(value)?.to_be_bytes()),
        key::IPV4HINT => {
            for item in plain_list(value) {
                octets.extend(address::ipv4(item)?.octets());
            }
        }
        key::ECH => {
            let text = str::from_utf8(value).map_err(|_| unexpected(value, "Base64"))?;
            octets = base64::decode(text).map_err(|_| unexpected(value, "Base64"))?;
        }
        key::IPV6HINT => {
            for item in plain_list(value) {
                octets.extend(address::ipv6(item)?.octets());
            }
        }
        key::TLS_SUPPORTED_GROUPS => {
            for item in plain_list(value) {
                octets.extend(number::decimal::<u16>(item)?.to_be_bytes());
            }
        }
        _ => octets.extend_from_slice(value),
    }
    Ok(octets)
}

/// Splits a list whose items cannot have commas.
fn plain_list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|octet| *octet == b',')
        .filter(|_| !value.is_empty())
}

/// Splits a list in which `\,` and `\\` stand for a comma and a backslash (RFC 9460 appendix A.1).
fn escaped_list(value: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut items = Vec::new();
    let mut item = Vec::new();
    let mut rest = value.iter();
    while let Some(&octet) = rest.next() {
        match octet {
            b',' => items.push(std::mem::take(&mut item)),
            b'\\' => item.push(
                *rest
                    .next()
                    .filter(|octet| b",\\".contains(octet))
                    .ok_or_else(|| {
                        Failure::new(r"in this list a backslash stands before , or \ only")
                    })?,
            ),
            plain => item.push(plain),
        }
    }
    items.push(item);
    Ok(items)
}
