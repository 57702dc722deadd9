//! Signed zones.

use crate::compare::{Ledger, Stage};
use crate::known_signed::KNOWN_SIGNED;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tests::ask::{Ask, AskEdns};
use tests::name::Name;
use tests::peer::{Peer, ZoneFile};
use tests::record::{Record, rtype};
use tests::signed::{Denial, can_sign, sign};
use tests::worlds::{Scenario, scenario};

/// UDP payload size and DO of the queries, in turn.
const FLAVOURS: &[Option<(u16, bool)>] = &[
    None,
    Some((512, false)),
    Some((1232, false)),
    Some((4096, false)),
    Some((512, true)),
    Some((1232, true)),
    Some((4096, true)),
];

/// Worlds for each way of denial, and random queries in each.
const WORLDS: usize = 4;
const QUERIES: usize = 300;
/// What only signed zones have.
const TYPES: [u16; 6] = [
    rtype::RRSIG,
    rtype::DNSKEY,
    rtype::NSEC,
    rtype::NSEC3,
    rtype::NSEC3PARAM,
    rtype::DS,
];

#[test]
fn signed_zones_are_answered_from_as_other_servers_do() {
    if !(Peer::are_installed() && can_sign()) {
        return;
    }
    let mut runner = TestRunner::deterministic();
    let mut ledger = Ledger::default();
    let mut worlds = 0;
    while worlds < WORLDS {
        let scenario = scenario(QUERIES).new_tree(&mut runner).unwrap().current();
        let Some(zone) = zone(&scenario) else {
            continue;
        };
        worlds += 1;
        let asks = asks(&scenario);
        for denial in Denial::ALL {
            let zones = [sign(&zone, denial)];
            let stage = Stage::new(&zones).unwrap_or_else(|error| panic!("{error}"));
            stage.compare(&asks, &mut ledger);
        }
    }
    ledger.check();
    ledger.check_need(KNOWN_SIGNED);
}

/// The one zone of a world that has only one, unless it is a wildcard's or too small to say much.
fn zone(scenario: &Scenario) -> Option<ZoneFile> {
    let [zone] = &scenario.zones[..] else {
        return None;
    };
    let is_wild = zone
        .origin
        .labels()
        .first()
        .is_some_and(|label| label == b"*");
    let mut signable = zone.with_even_ttls().without_errors();
    // The tool takes DS records at a cut only.
    let cuts = signable
        .records
        .iter()
        .filter(|record| record.rtype == rtype::NS);
    let cuts: Vec<_> = cuts.map(|record| record.owner.lowered()).collect();
    let is_placed =
        |record: &Record| record.rtype != rtype::DS || cuts.contains(&record.owner.lowered());
    // Nor names that leave no room for a wildcard below.
    let has_room = |record: &Record| record.owner.wire_len() <= 253;
    signable
        .records
        .retain(|record| is_placed(record) && has_room(record));
    (!is_wild && zone.records.len() > 10).then(|| (zone.origin.to_string(), signable.text()))
}

/// The world's own queries, and for each name what signed zones have.
fn asks(scenario: &Scenario) -> Vec<Ask> {
    let owners = scenario.zones[0].records.iter().map(|record| &record.owner);
    let mut owners: Vec<&Name> = owners.collect();
    owners.dedup();
    let more = owners
        .into_iter()
        .flat_map(|owner| TYPES.map(|qtype| Ask::new(owner.clone(), qtype)));
    let asks = scenario.asks.iter().cloned().chain(more).enumerate();
    let dress = |(number, ask): (usize, Ask)| Ask {
        edns: FLAVOURS[number % FLAVOURS.len()].map(|(size, dnssec_ok)| AskEdns {
            size,
            dnssec_ok,
            ..AskEdns::default()
        }),
        ..ask
    };
    asks.map(dress).collect()
}
