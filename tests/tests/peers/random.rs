//! Random zones.

use crate::compare::{Ledger, Stage};
use crate::known::KNOWN;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tests::cases;
use tests::peer::{Peer, ZoneFile};
use tests::worlds::{ZoneText, scenario};

/// Random worlds, unless more are asked for, and queries in each.
const WORLDS: u32 = 60;
const QUERIES: usize = 400;
/// In so many, every explanation is needed at least once.
const ALL_NEEDED: u32 = 200;

#[test]
fn random_zones_are_answered_from_as_other_servers_do() {
    if !Peer::are_installed() {
        return;
    }
    let mut runner = TestRunner::deterministic();
    let mut ledger = Ledger::default();
    let (worlds, mut refused) = (cases(WORLDS).cases, 0);
    for _ in 0..worlds {
        let scenario = scenario(QUERIES).new_tree(&mut runner).unwrap().current();
        // BIND refuses NS records of a wildcard, which a zone of such a name has to have.
        let is_wild = |zone: &&ZoneText| zone.origin.labels().first().is_some_and(|l| l == b"*");
        let zones = scenario.zones.iter().filter(|zone| !is_wild(zone));
        let zones: Vec<ZoneFile> = zones
            .map(|zone| {
                (
                    zone.origin.to_string(),
                    zone.with_even_ttls().without_errors().text(),
                )
            })
            .collect();
        match Stage::new(&zones) {
            Ok(stage) => stage.compare(&scenario.asks, &mut ledger),
            // NSD takes what lies in another zone for data below a DNAME record; BIND reads more
            // into the names of records than others do.
            Err(error) if error.to_string().contains("refuses a zone") => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        refused * 5 <= worlds,
        "{refused} of {worlds} worlds are refused"
    );
    ledger.check();
    if worlds >= ALL_NEEDED {
        ledger.check_need(KNOWN);
    }
}
