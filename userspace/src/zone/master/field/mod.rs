//! Reads the parts of record data from text. `domain` reads what it knows in full; the rest is
//! here.

mod address;
mod binary;
mod gateway;
mod location;
mod number;
mod svcb;

use domain::base::iana::SecurityAlgorithm;
use domain::base::rdata::ComposeRecordData as _;
use domain::rdata::Ipseckey;
use domain::rdata::dnssec::RtypeBitmap;
use domain::rdata::nsec3::{Nsec3Salt, OwnerHash};

use super::failure::Failure;
use super::scanner::EntryScanner;
use super::ttl::{duration, timestamp};
use crate::zone::rdata::Field;
use crate::zone::rtype;

/// Mnemonics of certificate types (RFC 4398 §2.1).
const CERTIFICATE_TYPES: [(&str, u16); 10] = [
    ("PKIX", 1),
    ("SPKI", 2),
    ("PGP", 3),
    ("IPKIX", 4),
    ("ISPKI", 5),
    ("IPGP", 6),
    ("ACPKIX", 7),
    ("IACPKIX", 8),
    ("URI", 253),
    ("OID", 254),
];

/// Names that BIND knows DNSSEC algorithms by beside IANA's mnemonics.
const ALGORITHM_ALIASES: [(&str, u8); 3] = [("NSEC3DSA", 6), ("NSEC3RSASHA1", 7), ("ECCGOST", 12)];

/// Reads data in the form of RFC 3597 §5, behind `\\#`: a length and hexadecimal.
pub(super) fn unknown(
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let len: u16 = number::decimal(scanner.token()?.raw)?;
    if len > 0 {
        binary::hex_to_end(scanner, out)?;
    }
    if out.len() == usize::from(len) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "there are {} octets of data, not {len}",
        out.len()
    )))
}

/// Reads one part of record data and appends its wire form to `out`.
pub(super) fn read(
    field: Field,
    scanner: &mut EntryScanner<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    match field {
        Field::U8 => out.push(number::decimal(scanner.token()?.raw)?),
        Field::U16 => {
            out.extend_from_slice(&number::decimal::<u16>(scanner.token()?.raw)?.to_be_bytes())
        }
        Field::U32 => {
            out.extend_from_slice(&number::decimal::<u32>(scanner.token()?.raw)?.to_be_bytes())
        }
        Field::U64 => {
            out.extend_from_slice(&number::decimal::<u64>(scanner.token()?.raw)?.to_be_bytes())
        }
        Field::Ttl => out.extend_from_slice(&duration(scanner.token()?.raw)?.to_be_bytes()),
        Field::Time => out.extend_from_slice(&timestamp(scanner.token()?.raw)?.to_be_bytes()),
        Field::RecordType => out.extend_from_slice(&record_type(scanner)?.to_be_bytes()),
        Field::Algorithm => out.push(algorithm(scanner)?),
        Field::CertificateType => out.extend(certificate_type(scanner)?.to_be_bytes()),
        Field::DsyncScheme => out.push(dsync_scheme(scanner)?),
        Field::Ipv4 => out.extend_from_slice(&address::ipv4(scanner.token()?.raw)?.octets()),
        Field::Ipv6 => out.extend_from_slice(&address::ipv6(scanner.token()?.raw)?.octets()),
        Field::Locator64 => out.extend(number::locator(scanner.token()?.raw)?),
        Field::Eui48 => number::eui::<6>(scanner.token()?.raw, out)?,
        Field::Eui64 => number::eui::<8>(scanner.token()?.raw, out)?,
        Field::Name | Field::NameAsIs => scanner.append_name(out)?,
        Field::NamesAsIs => until_end(scanner, |scanner| scanner.append_name(out))?,
        Field::Text | Field::CaaTag => scanner.append_text(out)?,
        Field::OptionalText if !scanner.lexer.has_token()? => {}
        Field::OptionalText => scanner.append_text(out)?,
        Field::Texts => {
            scanner.append_text(out)?;
            until_end(scanner, |scanner| scanner.append_text(out))?;
        }
        Field::LongText => scanner.append_octets(out)?,
        Field::Hex | Field::Digest(_) => binary::hex_to_end(scanner, out)?,
        Field::OptionalBase64 if !scanner.lexer.has_token()? => {}
        Field::Base64OrDash if scanner.lexer.take_if(b"-")? => {}
        Field::Base64 | Field::OptionalBase64 | Field::Base64OrDash => {
            binary::base64_to_end(scanner, out)?;
        }
        Field::Salt => with_length(out, Nsec3Salt::scan(scanner)?.as_slice())?,
        Field::HashedName => with_length(out, OwnerHash::scan(scanner)?.as_slice())?,
        Field::Types | Field::OptionalTypes => {
            out.extend_from_slice(RtypeBitmap::<Vec<u8>>::scan(scanner)?.as_slice());
        }
        Field::SvcParams => svcb::params(scanner, out)?,
        Field::Location => location::location(scanner, out)?,
        Field::Prefixes => address::prefixes(scanner, out)?,
        Field::Ipseckey => Ipseckey::scan(scanner)?
            .compose_rdata(out)
            .map_err(too_long)?,
        Field::AmtRelay => gateway::amt_relay(scanner, out)?,
        Field::HostIdentity => gateway::host_identity(scanner, out)?,
        Field::Services => gateway::services(scanner, out)?,
        Field::Nsap => binary::nsap(scanner, out)?,
        Field::Opaque => {
            scanner.token()?;
            return Err(Failure::new(
                r"data of this type is written as `\# length hexadecimal`",
            ));
        }
    }
    Ok(())
}

/// Repeats a step up to the end of the entry.
fn until_end<'e, 't>(
    scanner: &mut EntryScanner<'e, 't>,
    mut step: impl FnMut(&mut EntryScanner<'e, 't>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    while scanner.lexer.has_token()? {
        step(scanner)?;
    }
    Ok(())
}

fn record_type(scanner: &mut EntryScanner<'_, '_>) -> Result<u16, Failure> {
    let token = scanner.token()?;
    rtype::from_text(token.raw).ok_or_else(|| unexpected(token.raw, "a record type"))
}

fn algorithm(scanner: &mut EntryScanner<'_, '_>) -> Result<u8, Failure> {
    let raw = scanner.token()?.raw;
    if raw.first().is_some_and(u8::is_ascii_digit) {
        return number::decimal(raw);
    }
    SecurityAlgorithm::from_mnemonic(raw)
        .map(SecurityAlgorithm::to_int)
        .or_else(|| by_name(&ALGORITHM_ALIASES, raw))
        .ok_or_else(|| unexpected(raw, "a number or mnemonic of a DNSSEC algorithm"))
}

fn certificate_type(scanner: &mut EntryScanner<'_, '_>) -> Result<u16, Failure> {
    let raw = scanner.token()?.raw;
    by_name(&CERTIFICATE_TYPES, raw).map_or_else(|| number::decimal(raw), Ok)
}

fn dsync_scheme(scanner: &mut EntryScanner<'_, '_>) -> Result<u8, Failure> {
    let raw = scanner.token()?.raw;
    by_name(&[("NOTIFY", 1)], raw).map_or_else(|| number::decimal(raw), Ok)
}

/// Finds a mnemonic in a short list, capital or small.
fn by_name<T: Copy>(list: &[(&str, T)], raw: &[u8]) -> Option<T> {
    let is_same = |(name, _): &&(&str, T)| raw.eq_ignore_ascii_case(name.as_bytes());
    list.iter().find(is_same).map(|(_, value)| *value)
}

/// Appends octets behind their length.
fn with_length(out: &mut Vec<u8>, octets: &[u8]) -> Result<(), Failure> {
    out.push(u8::try_from(octets.len()).map_err(too_long)?);
    out.extend_from_slice(octets);
    Ok(())
}

/// The complaint about something that has no room in its place.
fn too_long<E>(_: E) -> Failure {
    Failure::new("this is too long for the record data")
}

/// The complaint about a token that is not what its place wants.
#[cold]
fn unexpected(raw: &[u8], wanted: &str) -> Failure {
    Failure::new(format!(
        "`{}` is not {wanted}",
        String::from_utf8_lossy(raw)
    ))
}
