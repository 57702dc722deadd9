//! The root zone as it was published once, from the shared data beside the repository.

use crate::compare::{Ledger, Stage};
use std::fs;
use tests::ask::{Ask, AskEdns};
use tests::name::Name;
use tests::peer::Peer;
use tests::record::rtype;
use tests::zones::shared;

/// Published copies come without the SOA record, and no other server takes a zone without.
const SOA: &str =
    ". 86400 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400\n";

#[test]
fn the_root_zone_is_answered_from_as_other_servers_do() {
    let Some(file) = shared("data/root.zone") else {
        return;
    };
    if !Peer::are_installed() {
        return;
    }
    let text = [SOA, &fs::read_to_string(file).unwrap()].concat();
    let asks = asks(&text);
    assert!(asks.len() > 5_000, "only {} queries", asks.len());
    let stage = Stage::new(&[(".".to_owned(), text)]).unwrap_or_else(|error| panic!("{error}"));
    let mut ledger = Ledger::default();
    stage.compare(&asks, &mut ledger);
    ledger.check();
}

/// Queries for each name of the zone, a name below it and one beside it; each of them in another
/// dress.
fn asks(text: &str) -> Vec<Ask> {
    let owners = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let mut owners: Vec<&str> = owners.collect();
    owners.dedup();
    let types = [
        rtype::A,
        rtype::NS,
        rtype::DS,
        rtype::SOA,
        rtype::AAAA,
        rtype::TXT,
        rtype::ANY,
    ];
    let edns = [None, Some(512), Some(1232), Some(4096)];
    let mut asks = Vec::new();
    for (number, name) in owners.iter().map(|name| Name::parse(name)).enumerate() {
        let beside = name.parent().unwrap_or_default().child("no-such-name");
        let below = name.child("WWW");
        let names = [(name.clone(), types[number % 7]), (name, rtype::DS)];
        let others = [(below, types[number % 5]), (beside, types[number % 3])];
        for (name, qtype) in names.into_iter().chain(others) {
            let size = edns[asks.len() % edns.len()];
            asks.push(Ask {
                id: u16::try_from(asks.len() % 65_536).unwrap(),
                edns: size.map(|size| AskEdns {
                    size,
                    dnssec_ok: number % 2 == 0,
                    ..AskEdns::default()
                }),
                ..Ask::new(name, qtype)
            });
        }
    }
    asks
}
