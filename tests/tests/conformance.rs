//! The cases of the Ferret study, all of them through the library and every so many through the
//! binary. `docs/conformance.md` has the results of the study's own runner. Uses `../shared` where
//! it is there; CI promises it.
#![expect(
    clippy::unwrap_used,
    reason = "a case that cannot be read is a test that fails"
)]

use ripples::packet::reply::Transport;
use serde_json::Value;
use tests::answers::{checked_snapshot, reply};
use tests::ask::Ask;
use tests::client;
use tests::decoded::Decoded;
use tests::ferret::{agreed, cases, origin};
use tests::loopback;
use tests::name::Name;
use tests::record::type_of;
use tests::server::{Ended, Launch};

/// Of so many cases, one is put to the binary: always the same ones.
const VALID_EACH: usize = 150;
const INVALID_EACH: usize = 10;

#[test]
fn well_formed_zones_are_answered_from_as_three_of_four_servers_do() {
    let Some(cases) = cases("ferret-valid") else {
        return;
    };
    let (mut counted, mut failures) = (0, Vec::new());
    for case in &cases {
        let zone = zone(case);
        let snapshot = checked_snapshot(origin(&zone), &zone).unwrap();
        let Some(agreed) = agreed(&case["groups"]) else {
            continue;
        };
        counted += 1;
        let ours = reply(&snapshot, &ask(case).message(), Transport::Udp).unwrap();
        let difference = agreed.difference(&Decoded::read(&ours).unwrap());
        failures.extend(difference.map(|part| (case["id"].to_string(), part)));
    }
    assert_eq!((counted, failures), (6310, vec![]));
}

#[test]
fn ill_formed_zones_are_refused_or_answered_from_as_three_servers_do() {
    let Some(cases) = cases("ferret-invalid") else {
        return;
    };
    let (mut refused, mut counted, mut failures) = (0, 0, Vec::new());
    for case in &cases {
        let zone = zone(case);
        let Ok(snapshot) = checked_snapshot(origin(&zone), &zone) else {
            refused += 1;
            continue;
        };
        let id = case["id"].to_string();
        if must_be_refused(case) {
            failures.push((id.clone(), "served, though all four refuse it"));
        }
        for query in case["queries"].as_array().unwrap() {
            let Some(agreed) = agreed(&query["groups"]) else {
                continue;
            };
            counted += 1;
            let ours = reply(&snapshot, &ask(query).message(), Transport::Udp).unwrap();
            let difference = agreed.difference(&Decoded::read(&ours).unwrap());
            failures.extend(difference.map(|part| (id.clone(), part)));
        }
    }
    assert_eq!(failures, []);
    // Those that all refuse, and those that an RFC forbids.
    assert_eq!((refused, counted), (252, 6090));
}

#[test]
fn a_sample_of_well_formed_zones_is_served_by_the_binary() {
    let Some(cases) = cases("ferret-valid") else {
        return;
    };
    for case in cases.iter().step_by(VALID_EACH) {
        let Some(agreed) = agreed(&case["groups"]) else {
            continue;
        };
        let address = loopback::address();
        let zone = zone(case);
        let server = launch(&address.to_string(), &zone).start();
        let (ours, _) = client::ask(address, &ask(case).message());
        let difference = agreed.difference(&Decoded::read(&ours).unwrap());
        assert_eq!(difference, None, "case {}:\n{zone}", case["id"]);
        server.stop();
    }
}

#[test]
fn a_sample_of_ill_formed_zones_ends_the_binary_with_a_message_where_all_servers_refuse_it() {
    let Some(cases) = cases("ferret-invalid") else {
        return;
    };
    let refused: Vec<_> = cases.iter().filter(|case| must_be_refused(case)).collect();
    assert!(refused.len() >= 60, "{}", refused.len());
    for case in refused.into_iter().step_by(INVALID_EACH) {
        let zone = zone(case);
        let Ended { code, stderr, .. } = launch(&loopback::address().to_string(), &zone).finish();
        assert_eq!(code, Some(1), "case {}:\n{zone}\n{stderr}", case["id"]);
        assert!(stderr.contains("1 of 1 zones cannot be loaded"), "{stderr}");
    }
}

/// The server on one zone.
fn launch(address: &str, zone: &str) -> Launch {
    let arguments = ["--io", "socket", "--listen", address];
    Launch::run(&arguments).zone(origin(zone), zone)
}

/// The master file; the study's runner takes carriage returns out too.
fn zone(case: &Value) -> String {
    case["zone"].as_str().unwrap().replace('\r', "")
}

fn ask(query: &Value) -> Ask {
    let name = Name::parse(query["name"].as_str().unwrap());
    Ask::new(name, type_of(query["type"].as_str().unwrap()).unwrap())
}

/// Whether none of the four servers takes the zone.
fn must_be_refused(case: &Value) -> bool {
    let accepted = case["checkers"].as_object().unwrap();
    !accepted.is_empty() && accepted.values().all(|accepted| *accepted == false)
}
