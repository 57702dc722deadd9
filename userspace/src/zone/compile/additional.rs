//! Which addresses an answer brings along.

use super::CompileError;
use super::answers::signatures;
use super::body::{BodyWriter, OwnerForm, Section, name_len};
use crate::name;
use crate::packet::code;
use crate::zone::records::{Rrset, ZoneRecords};

/// Adds the glue of a referral: addresses of all its servers that lie in the zone or below it.
pub(super) fn glue(
    body: &mut BodyWriter,
    records: &ZoneRecords,
    ns: &Rrset<'_>,
    dnssec: bool,
) -> Result<(), CompileError> {
    for server in ns.records() {
        add(body, records, server, dnssec)?;
    }
    Ok(())
}

/// Adds the addresses of the hosts that an answer names, where the zone has authority for them
/// (RFC 1035 §3.3.9, §3.3.11; RFC 2782) and not one of those at `nested`, which are served too. A
/// host at `varied` is left to a question of its own, which says who wants to know.
pub(super) fn addresses(
    body: &mut BodyWriter,
    records: &ZoneRecords,
    [nested, varied]: [&[&[u8]]; 2],
    rrset: &Rrset<'_>,
    dnssec: bool,
) -> Result<(), CompileError> {
    let skip = match rrset.rtype() {
        code::NS => 0,
        code::MX => 2,
        code::SRV => 6,
        _ => return Ok(()),
    };
    for rdata in rrset.records() {
        let host = rdata.get(skip..).unwrap_or_default();
        // RFC 8109 §4.2: who asks for a zone's servers wants all addresses that are known.
        let is_hidden = || {
            is_below_cut(records, host)
                || is_nested(nested, host)
                || is_varied(records, varied, host)
        };
        if rrset.rtype() == code::NS || !is_hidden() {
            add(body, records, host, dnssec)?;
        }
    }
    Ok(())
}

/// Adds the addresses of the host that `wire` begins with, and their signatures if wanted. A host
/// that is named twice comes once.
fn add(
    body: &mut BodyWriter,
    records: &ZoneRecords,
    wire: &[u8],
    dnssec: bool,
) -> Result<(), CompileError> {
    if wire.is_empty() {
        return Ok(());
    }
    let host = wire[..name_len(wire)].to_ascii_lowercase();
    if !name::is_at_or_below(&host, records.origin()) {
        return Ok(());
    }
    let Some(owner) = records.find(&host) else {
        return Ok(());
    };
    if !body.add_host(&host) {
        return Ok(());
    }
    for rtype in [code::A, code::AAAA] {
        let signatures = signatures(&owner, rtype).filter(|_| dnssec);
        for rrset in owner.rrset(rtype).into_iter().chain(signatures) {
            if body.has_room_for(&host, &rrset) {
                body.rrset(
                    Section::Additional,
                    OwnerForm::Name(&host),
                    &rrset,
                    rrset.ttl(),
                )?;
            }
        }
    }
    Ok(())
}

/// Whether a name lies in one of the zones at `apexes`.
fn is_nested(apexes: &[&[u8]], wire: &[u8]) -> bool {
    if apexes.is_empty() || wire.is_empty() {
        return false;
    }
    let host = wire[..name_len(wire)].to_ascii_lowercase();
    apexes.iter().any(|apex| name::is_at_or_below(&host, apex))
}

/// Whether a name's addresses depend on who asks.
fn is_varied(records: &ZoneRecords, varied: &[&[u8]], wire: &[u8]) -> bool {
    if varied.is_empty() || wire.is_empty() {
        return false;
    }
    let host = wire[..name_len(wire)].to_ascii_lowercase();
    let labels = name::strip_ancestor(&host, records.origin());
    let compare = |labels: &[u8]| {
        varied.binary_search_by(|varied| name::canonical_cmp_lowercase(varied, labels))
    };
    labels.is_some_and(|labels| compare(labels).is_ok())
}

/// Whether a name lies at or below one of the zone's cuts: then its addresses are not the zone's.
fn is_below_cut(records: &ZoneRecords, wire: &[u8]) -> bool {
    if wire.is_empty() {
        return false;
    }
    let host = wire[..name_len(wire)].to_ascii_lowercase();
    let apex_len = records.origin().len();
    let mut at = 0;
    while host.len() - at > apex_len {
        let is_cut = records
            .find(&host[at..])
            .is_some_and(|owner| owner.rrset(code::NS).is_some());
        if is_cut {
            return true;
        }
        at += 1 + usize::from(host[at]);
    }
    false
}
