//! MaxMind's own test databases, from the shared data beside the repository: every network.

use crate::judge::judge;
use crate::options;
use maxminddb::{Reader, WithinOptions};
use ripples::geo::load;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use tests::folder::Folder;
use tests::zones::shared;

const SOUND: [&str; 5] = [
    "GeoIP2-City-Test.mmdb",
    "GeoIP2-Country-Test.mmdb",
    "GeoLite2-ASN-Test.mmdb",
    "GeoLite2-City-Test.mmdb",
    "GeoLite2-Country-Test.mmdb",
];

#[test]
fn every_network_of_every_test_database_is_in_the_region_that_the_crate_says() {
    let mut tried = 0;
    for name in SOUND {
        let Some(file) = database(name) else { return };
        tried += judge(&options(&Folder::new(), &rules(&[file], Explicit::None)));
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn two_databases_together_are_the_first_and_then_the_second() {
    let files = |names: [&str; 2]| names.map(database);
    for names in [[3, 2], [2, 3], [0, 4], [4, 0]] {
        let [Some(one), Some(other)] = files(names.map(|name: usize| SOUND[name])) else {
            return;
        };
        judge(&options(
            &Folder::new(),
            &rules(&[one, other], Explicit::None),
        ));
    }
}

#[test]
fn networks_of_the_operator_go_before_all_of_them() {
    let [Some(one), Some(other)] = [SOUND[0], SOUND[2]].map(database) else {
        return;
    };
    judge(&options(
        &Folder::new(),
        &rules(&[one, other], Explicit::Some),
    ));
}

#[test]
fn broken_databases_are_refused_by_their_names() {
    for (name, complaint) in [
        (
            "GeoIP2-City-Test-Invalid-Node-Count.mmdb",
            "invalid database",
        ),
        (
            "MaxMind-DB-test-broken-pointers-24.mmdb",
            "invalid database",
        ),
        (
            "MaxMind-DB-test-broken-search-tree-24.mmdb",
            "invalid database",
        ),
        (
            "MaxMind-DB-test-ipv4-24.mmdb",
            "of type Test that says nothing of where clients are",
        ),
        (
            "MaxMind-DB-test-mixed-32.mmdb",
            "of type Test that says nothing of where clients are",
        ),
    ] {
        let Some(file) = database(name) else { return };
        let text = format!("databases = [{file:?}]\n[geo.map.world]\ndefault = \"all\"\n");
        let problems = load(&options(&Folder::new(), &text)).unwrap_err();
        let [problem] = &problems[..] else {
            panic!("{problems:?}")
        };
        assert!(
            problem.contains(name) && problem.contains(complaint),
            "{problem}"
        );
    }
}

fn database(name: &str) -> Option<PathBuf> {
    shared(&format!("data/mmdb/{name}"))
}

/// Whether there are networks that override.
#[derive(Clone, Copy, PartialEq)]
enum Explicit {
    None,
    Some,
}

/// Rules about half of what there is in the databases, so that each kind of rule matches somewhere
/// and leaves something to the next.
fn rules(files: &[PathBuf], explicit: Explicit) -> String {
    let mut codes: [BTreeSet<String>; 4] = Default::default();
    let mut has_coordinates = false;
    let mut networks = Vec::new();
    for file in files {
        let reader = Reader::open_readfile(file).expect("sound");
        for (at, found) in reader
            .networks(WithinOptions::default())
            .expect("sound")
            .enumerate()
        {
            let found = found.expect("sound");
            let record: Value = found.decode().expect("sound").expect("sound");
            note(&mut codes, &record);
            has_coordinates |= record["location"]["latitude"].is_number();
            if at % 40 == 0 {
                networks.push(found.network().expect("sound").to_string());
            }
        }
    }
    let options = ["continent", "country", "subdivision", "asn"];
    let mut text = format!("databases = {files:?}\n[geo.map.world]\ndefault = \"rest\"\n");
    for (option, codes) in options.iter().zip(&codes) {
        let rules = codes.iter().step_by(2).enumerate();
        let rules: Vec<_> = rules
            .map(|(at, code)| format!("\"{code}\" = \"{option}-{}\"", at % 7))
            .collect();
        text += &format!("{option} = {{ {} }}\n", rules.join(", "));
    }
    if has_coordinates {
        text += "nearest = { berlin = [52.5, 13.4], tokyo = [35.7, 139.7], lima = [-12, -77] }\n";
    }
    if explicit == Explicit::Some {
        networks.extend(
            ["0.0.0.0/1", "2000::/5", "2002::/17", "::ffff:2.0.0.0/104"].map(str::to_owned),
        );
        networks.sort();
        networks.dedup();
        let rules: Vec<_> = networks
            .iter()
            .enumerate()
            .map(|(at, network)| format!("\"{network}\" = \"explicit-{}\"", at % 5))
            .collect();
        text += &format!("network = {{ {} }}\n", rules.join(", "));
    }
    text
}

/// What a record has that rules may be about.
fn note(codes: &mut [BTreeSet<String>; 4], record: &Value) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    codes[0].extend(text(&record["continent"]["code"]));
    let country = text(&record["country"]["iso_code"]);
    if let Some(country) = &country {
        let parts = record["subdivisions"].as_array().into_iter().flatten();
        let parts = parts.filter_map(|part| part["iso_code"].as_str());
        codes[2].extend(parts.map(|part| format!("{country}-{part}")));
    }
    codes[1].extend(country);
    let asn = record["autonomous_system_number"].as_u64();
    codes[3].extend(asn.map(|asn| asn.to_string()));
}
