//! The algorithm.

use super::expected::Expected;
use super::zone::{Node, Rrset, World, Zone};
use crate::name::Name;
use crate::record::{Data, rtype};
use std::collections::BTreeSet;

/// Aliases that a server follows before it leaves the rest to the client.
pub const CHAIN_MAX: usize = 16;

/// Response codes.
const NXDOMAIN: u16 = 3;
const REFUSED: u16 = 5;
const YXDOMAIN: u16 = 6;

/// How the search for a name ends (RFC 1034 §4.3.2 step 3).
enum Match {
    /// Step 3.a, or 3.c by a wildcard: the name's own or the wildcard's RRsets.
    Node(Node),
    /// Step 3.b: a cut of this name lies on the way.
    Cut(Name),
    /// RFC 6672 §3.2: this name above the one asked for owns a DNAME record.
    Redirect(Name),
    /// Step 3.c without a wildcard.
    Nothing,
}

/// What a server of `world` answers.
pub fn resolve(world: &World, qname: &Name, qtype: u16) -> Expected {
    let mut expected = Expected::default();
    let mut name = qname.clone();
    let mut seen: Vec<Name> = Vec::new();
    loop {
        let Some(zone) = world.zone_for(&name, qtype) else {
            if seen.is_empty() {
                expected.rcode = REFUSED;
            }
            return expected;
        };
        let found = search(zone, &name, qtype);
        if seen.is_empty() {
            // RFC 1035 §4.1.1: AA speaks of the first owner name in the answer.
            expected.aa = !matches!(found, Match::Cut(_));
        }
        seen.push(name.clone());
        let target = match found {
            Match::Node(node) => match answer(world, zone, &node, &name, qtype, &mut expected) {
                Some(target) => target,
                None => return expected,
            },
            Match::Cut(cut) => {
                referral(zone, &cut, &mut expected);
                return expected;
            }
            Match::Redirect(owner) => match redirect(zone, &owner, &name, &mut expected) {
                // The implied CNAME record is what was asked for.
                Some(_) if matches!(qtype, rtype::CNAME | rtype::ANY) => return expected,
                Some(target) => target,
                None => return expected,
            },
            Match::Nothing => {
                expected.rcode = NXDOMAIN;
                expected.authority = vec![zone.negative()];
                return expected;
            }
        };
        if seen.len() == CHAIN_MAX || seen.iter().any(|earlier| earlier.is(&target)) {
            return expected;
        }
        name = target;
    }
}

/// Matches down, label by label.
fn search(zone: &Zone, name: &Name, qtype: u16) -> Match {
    let mut depth = zone.origin().labels().len();
    loop {
        let here = name.suffix(depth);
        let is_whole = depth == name.labels().len();
        // RFC 4035 §3.1.4.1: the parent's side of a cut answers for DS records.
        if zone.is_cut(&here) && !(is_whole && qtype == rtype::DS) {
            return Match::Cut(here);
        }
        if is_whole {
            let mut node = zone.node(&here).cloned().unwrap_or_default();
            if zone.is_cut(&here) {
                node.retain(|&rtype, _| rtype == rtype::DS);
            }
            return Match::Node(node);
        }
        if zone.exists(&name.suffix(depth + 1)) {
            depth += 1;
            continue;
        }
        if zone.rrset(&here, rtype::DNAME).is_some() {
            return Match::Redirect(here);
        }
        let wildcard = here.child("*");
        if zone.exists(&wildcard) {
            return Match::Node(zone.node(&wildcard).cloned().unwrap_or_default());
        }
        return Match::Nothing;
    }
}

/// Copies what a name, or its wildcard, has for the type. Returns where an alias leads.
fn answer(
    world: &World,
    zone: &Zone,
    node: &Node,
    name: &Name,
    qtype: u16,
    expected: &mut Expected,
) -> Option<Name> {
    if qtype == rtype::ANY && !node.is_empty() {
        // RFC 8482 §4.1: one of the RRsets.
        expected.choices = node.values().map(|rrset| rrset.owned_by(name)).collect();
        let hosts = node
            .values()
            .flat_map(|rrset| hosts_beside(world, zone, rrset));
        expected.choice_additional = hosts.collect();
        return None;
    }
    if let Some(rrset) = node.get(&qtype) {
        // RFC 2181 §5: the DNAME record that is asked for may have led here.
        let is_same = |other: &Rrset| other.rtype == qtype && other.owner.is(name);
        if !expected.answer.iter().any(is_same) {
            expected.answer.push(rrset.owned_by(name));
        }
        expected.additional = addresses(zone, hosts_beside(world, zone, rrset));
        return None;
    }
    if let Some(alias) = node.get(&rtype::CNAME) {
        expected.answer.push(alias.owned_by(name));
        return alias.data[0].target().cloned();
    }
    expected.authority = vec![zone.negative()];
    None
}

/// Copies the DNAME record, makes the CNAME record, and returns where that leads; none when the
/// name grows too long (RFC 6672 §2.2).
fn redirect(zone: &Zone, owner: &Name, name: &Name, expected: &mut Expected) -> Option<Name> {
    let dname = zone.rrset(owner, rtype::DNAME)?;
    // As the owner stands in the name that was asked for: only its case may differ.
    let dname = dname.owned_by(owner);
    // RFC 2181 §5: no record comes twice, though the chain comes past it again.
    let is_same = |rrset: &Rrset| rrset.rtype == rtype::DNAME && rrset.owner.is(owner);
    if !expected.answer.iter().any(is_same) {
        expected.answer.push(dname.clone());
    }
    let prefix = name.labels().len() - owner.labels().len();
    let target = name.with_suffix(prefix, dname.data[0].target()?);
    if !target.is_legal() {
        expected.rcode = YXDOMAIN;
        return None;
    }
    expected.answer.push(Rrset {
        owner: name.clone(),
        rtype: rtype::CNAME,
        ttl: dname.ttl,
        data: vec![Data::Name(target.clone())],
    });
    Some(target)
}

/// The NS records of a cut, and the addresses of servers within the zone: below the cut, and beside
/// it (RFC 9471 §3.1, §3.2).
fn referral(zone: &Zone, cut: &Name, expected: &mut Expected) {
    let servers = zone.rrset(cut, rtype::NS).expect("a cut has NS records");
    expected.authority = vec![servers.clone()];
    expected.additional = addresses(zone, hosts(zone, servers));
}

/// The hosts whose addresses come with an answer: what a zone has where another one has authority,
/// is given for servers only.
fn hosts_beside(world: &World, zone: &Zone, rrset: &Rrset) -> BTreeSet<Name> {
    let is_ours = |host: &Name| {
        let zone_of = world.zone_for(host, rtype::A);
        zone_of.is_some_and(|other| other.origin().is(zone.origin()))
    };
    let mut hosts = hosts(zone, rrset);
    hosts.retain(|host| rrset.rtype == rtype::NS || is_ours(host));
    hosts
}

/// The hosts that an RRset names and whose addresses are useful beside it.
fn hosts(zone: &Zone, rrset: &Rrset) -> BTreeSet<Name> {
    let targets = rrset
        .data
        .iter()
        .filter_map(Data::target)
        .map(Name::lowered);
    let targets = targets.filter(|host| host.is_at_or_below(zone.origin()));
    match rrset.rtype {
        rtype::NS => targets.collect(),
        // Addresses below a cut are glue, and no authority's to give for anything but the cut.
        rtype::MX | rtype::SRV => targets.filter(|host| !zone.is_delegated(host)).collect(),
        _ => BTreeSet::new(),
    }
}

/// The addresses that the zone has of hosts.
fn addresses(zone: &Zone, hosts: BTreeSet<Name>) -> Vec<Rrset> {
    let rrsets = hosts.iter().flat_map(|host| {
        [rtype::A, rtype::AAAA]
            .into_iter()
            .filter_map(|rtype| zone.rrset(host, rtype).cloned())
    });
    rrsets.collect()
}
