//! The server against Knot DNS with the same zones: rcode, AA, answer and authority agree, but for
//! differences that are explained here.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use ripples::packet::reply::Transport;
use std::collections::{BTreeMap, BTreeSet};
use tests::answers::{reply, snapshot};
use tests::ask::Ask;
use tests::decoded::{Decoded, Rr};
use tests::knot::Knot;
use tests::name::Name;
use tests::record::rtype;
use tests::worlds::scenario;
use tests::zones::shared;

/// Random worlds, and queries in each.
const WORLDS: usize = 150;
const QUERIES: usize = 300;
/// Aliases that Knot follows.
const KNOT_CHAIN_MAX: usize = 5;

/// Why Knot may answer otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// RFC 1034 §4.3.2 step 3.a goes back to step 2, where the zone is chosen; Knot follows an
    /// alias within its zone only.
    AliasLeavesZone,
    /// RFC 6672 §3.2 ends where a name grows too long; Knot goes on with the DNAME record's own
    /// target.
    OverlongName,
    /// Knot follows no alias for RRSIG: where there are signatures, the alias has its own.
    SignatureOfAlias,
    /// Knot follows fewer aliases.
    ShorterChain,
    /// RFC 8482 §4.1 leaves the choice among the RRsets; and Knot does not take a CNAME record that
    /// a DNAME implies for one of them, as BIND does.
    OtherRrset,
    /// RFC 6895 §3.1 reserves type 0 and says nothing of queries: no such records, or NOTIMP.
    ReservedType,
}

#[test]
fn random_zones_are_answered_from_as_knot_does() {
    let mut runner = TestRunner::deterministic();
    let mut explained = BTreeMap::new();
    for _ in 0..WORLDS {
        let scenario = scenario(QUERIES).new_tree(&mut runner).unwrap().current();
        let zones = scenario
            .zones
            .iter()
            .map(|zone| (zone.origin.to_string(), zone.with_even_ttls().text()));
        let zones: Vec<_> = zones.collect();
        let failures = compare(&zones, &scenario.asks, &mut explained);
        assert!(failures.is_empty(), "{}\n{scenario:?}", failures.join("\n"));
    }
    eprintln!("explained: {explained:?}");
}

#[test]
fn the_root_zone_is_answered_from_as_knot_does() {
    let Some(file) = shared("data/root.zone") else {
        return;
    };
    // Published copies come without the SOA record, and Knot takes no zone without.
    let soa =
        ". 86400 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400\n";
    let text = format!("{soa}{}", std::fs::read_to_string(file).unwrap());
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    names.dedup();
    let types = [
        rtype::A,
        rtype::NS,
        rtype::DS,
        rtype::SOA,
        rtype::AAAA,
        rtype::TXT,
    ];
    let mut asks = Vec::new();
    for (number, name) in names.iter().map(|name| Name::parse(name)).enumerate() {
        let qtype = types[number % types.len()];
        let beside = name.parent().unwrap_or_default().child("no-such-name");
        asks.extend([name.clone(), name.child("www"), beside].map(|name| Ask::new(name, qtype)));
        asks.push(Ask::new(name, rtype::DS));
    }
    let zones = [(".".to_owned(), text.clone())];
    let failures = compare(&zones, &asks, &mut BTreeMap::new());
    assert!(asks.len() > 10_000, "only {} queries", asks.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Asks both; returns what differs without an explanation.
fn compare(
    zones: &[(String, String)],
    asks: &[Ask],
    explained: &mut BTreeMap<Reason, usize>,
) -> Vec<String> {
    let texts: Vec<_> = zones
        .iter()
        .map(|(origin, text)| (&origin[..], &text[..]))
        .collect();
    let snapshot = snapshot(&texts);
    let knot = Knot::start(zones).unwrap_or_else(|error| panic!("{error}\n{zones:?}"));
    let queries: Vec<_> = asks.iter().map(Ask::message).collect();
    let theirs = knot.ask(&queries).expect("knotd answers");
    let mut failures = Vec::new();
    for (ask, theirs) in asks.iter().zip(&theirs) {
        let ours = reply(&snapshot, &ask.message(), Transport::Tcp).expect("a reply");
        let [ours, theirs] = [&ours, theirs].map(|reply| Decoded::read(reply).expect("a message"));
        if same(&ours, &theirs) {
            continue;
        }
        match explain(ask, &ours, &theirs, zones) {
            Some(reason) => *explained.entry(reason).or_default() += 1,
            None => failures.push(format!(
                "{} TYPE{}:\nours   {}\nKnot's {}",
                ask.name,
                ask.qtype,
                show(&ours),
                show(&theirs)
            )),
        }
    }
    failures
}

fn same(ours: &Decoded, theirs: &Decoded) -> bool {
    (ours.rcode, ours.aa) == (theirs.rcode, theirs.aa)
        && set(ours.answer()) == set(theirs.answer())
        && set(ours.authority()) == set(theirs.authority())
}

fn set(section: &[Rr]) -> BTreeSet<(Name, u16, u32, Vec<u8>)> {
    section.iter().map(Rr::canonical).collect()
}

/// The reason for a difference, if it is a known one.
fn explain(
    ask: &Ask,
    ours: &Decoded,
    theirs: &Decoded,
    zones: &[(String, String)],
) -> Option<Reason> {
    if ask.qtype == rtype::ANY && ours.rcode == 0 && ours.aa == theirs.aa {
        return Some(Reason::OtherRrset);
    }
    if ask.qtype == 0 && theirs.rcode == 4 {
        return Some(Reason::ReservedType);
    }
    let is_alias = |section: &[Rr]| section.iter().any(|rr| rr.rtype == rtype::CNAME);
    if ask.qtype == rtype::RRSIG && is_alias(ours.answer()) && theirs.rcode == 0 {
        return Some(Reason::SignatureOfAlias);
    }
    let is_common = set(ours.answer()).is_subset(&set(theirs.answer()));
    if ours.rcode == 6 && matches!(theirs.rcode, 3 | 6) && is_common {
        return Some(Reason::OverlongName);
    }
    let theirs = set(theirs.answer());
    // Up to the alias that leaves the zone they agree; from there on Knot stays where it is.
    let zone_of = |name: &Name| zone_of(name, ask.qtype, zones);
    let leaves = |rr: &Rr| rr.rtype == rtype::CNAME && zone_of(&rr.owner) != zone_of(&target(rr));
    let common = ours
        .answer()
        .iter()
        .position(leaves)
        .map(|last| &ours.answer()[..=last]);
    if common.is_some_and(|common| set(common).is_subset(&theirs)) {
        return Some(Reason::AliasLeavesZone);
    }
    let links = theirs
        .iter()
        .filter(|(_, rtype, ..)| *rtype == rtype::CNAME)
        .count();
    let is_shorter = links == KNOT_CHAIN_MAX && theirs.is_subset(&set(ours.answer()));
    is_shorter.then_some(Reason::ShorterChain)
}

/// The origin of the zone that answers for a name; for DS records the one above, if there is one.
fn zone_of(name: &Name, qtype: u16, zones: &[(String, String)]) -> Option<Name> {
    let origins = zones.iter().map(|(origin, _)| Name::parse(origin));
    let above = origins.filter(|origin| name.is_at_or_below(origin));
    above.max_by_key(|origin| {
        let is_below = qtype != rtype::DS || !origin.is(name);
        (is_below, origin.labels().len())
    })
}

/// Where an alias leads.
fn target(alias: &Rr) -> Name {
    Name::of_wire(&alias.rdata)
}

fn show(reply: &Decoded) -> String {
    let records = reply.sections[..2].iter().map(|section| {
        let lines = section.iter().map(
            |Rr {
                 owner,
                 ttl,
                 rtype,
                 text,
                 ..
             }| { format!("{owner} {ttl} TYPE{rtype} {text}") },
        );
        lines.take(10).collect::<Vec<_>>()
    });
    let records: Vec<_> = records.collect();
    format!("rcode {} aa {} {records:#?}", reply.rcode, reply.aa)
}
