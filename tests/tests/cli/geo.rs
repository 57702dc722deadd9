//! `ripples geo lookup`, and what `ripples check` says of maps and databases.

use serde_json::{Value, json};
use std::fs;
use tests::mmdb::{Datum, Writer};
use tests::server::{Ended, Launch};

const CONFIG: &str = r#"
[geo]
databases = ["city.mmdb", "asn.mmdb"]
[geo.map.world]
default = "us-east"
country = { DE = "de" }
continent = { EU = "eu" }
nearest = { us-west = [37.4, -122.1], us-east = [39, -77.5] }
fallback = { de = ["eu", "us-east"] }
[geo.map.labs]
default = "none"
asn = { 64512 = "lab" }
network = { "203.0.113.0/24" = "lab" }
"#;

fn databases() -> [(&'static str, Vec<u8>); 2] {
    let mut city = Writer::new("Test-City");
    city.say(
        "192.0.2.0/24",
        Datum::country("EU", "DE").within(&["HE"]).at(50.1, 8.75),
    );
    city.say("198.51.100.0/24", Datum::map([]).at(45.0, -120.0));
    let mut asn = Writer::new("Test-ASN");
    asn.say("192.0.2.128/25", Datum::asn(64_512));
    [("city.mmdb", city.finish()), ("asn.mmdb", asn.finish())]
}

/// Runs `ripples` in a folder with a configuration and its databases.
fn ripples(arguments: &[&str], config: &str) -> Ended {
    let launch = Launch::new(arguments).file("r.toml", config);
    for (name, bytes) in databases() {
        fs::write(launch.folder().join(name), bytes).expect("a folder of one's own");
    }
    launch.finish()
}

fn lookup(arguments: &[&str]) -> Ended {
    ripples(
        &[&["geo", "lookup", "--config", "r.toml"], arguments].concat(),
        CONFIG,
    )
}

#[test]
fn lookup_says_the_region_in_each_map_and_why() {
    let ended = lookup(&["192.0.2.200"]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let expected = "\
192.0.2.200
  city.mmdb: 192.0.2.0/24: continent EU, country DE, subdivision DE-HE, coordinates 50.1, 8.75
  asn.mmdb: 192.0.2.128/25: AS64512
world: de, as all of 192.0.2.0/24: country DE, by city.mmdb
  without a variant for it: eu, us-east
labs: lab, as all of 192.0.2.128/25: asn AS64512, by asn.mmdb
";
    assert_eq!(ended.stdout, expected);
    let ended = lookup(&["198.51.100.1", "www.Example.com"]);
    let expected = "\
198.51.100.1
  city.mmdb: 198.51.100.0/24: coordinates 45, -120
  asn.mmdb: 196.0.0.0/6: nothing
world: us-west, as all of 198.51.100.0/24: nearest 863 km away, by city.mmdb
labs: none, as all of 196.0.0.0/6: no rule matches, so the default
www.Example.com. has no variants
";
    assert_eq!(ended.stdout, expected);
}

#[test]
fn lookup_says_the_same_as_json() {
    let ended = lookup(&["203.0.113.9", "www.example", "--json"]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    let nothing = |file: &str, network: &str| {
        json!({
            "file": file, "network": network, "continent": null, "country": null,
            "subdivisions": [], "latitude": null, "longitude": null, "asn": null,
        })
    };
    let expected = json!({
        "address": "203.0.113.9",
        "databases": [nothing("city.mmdb", "200.0.0.0/5"), nothing("asn.mmdb", "200.0.0.0/5")],
        "maps": [
            {
                "map": "world", "region": "us-east", "network": "200.0.0.0/5",
                "rule": { "kind": "default" }, "fallbacks": [],
            },
            {
                "map": "labs", "region": "lab", "network": "203.0.113.0/24",
                "rule": { "kind": "network", "value": "203.0.113.0/24" }, "fallbacks": [],
            },
        ],
        "name": "www.example.",
        "variants": [],
    });
    assert_eq!(answer, expected);
    let answer = lookup(&["192.0.2.1", "--json"]).stdout;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let rule = json!({ "kind": "country", "value": "DE", "database": "city.mmdb" });
    assert_eq!(answer["maps"][0]["rule"], rule);
    assert_eq!(answer["maps"][0]["fallbacks"], json!(["eu", "us-east"]));
    assert_eq!(answer["databases"][0]["subdivisions"], json!(["DE-HE"]));
}

#[test]
fn lookup_reads_databases_without_a_configuration_and_in_place_of_its_own() {
    let ended = ripples(&["geo", "lookup", "192.0.2.200", "--geoip", "asn.mmdb"], "");
    assert_eq!(
        ended.stdout,
        "192.0.2.200\n  asn.mmdb: 192.0.2.128/25: AS64512\n"
    );
    let ended = lookup(&["192.0.2.200", "--geoip", "city.mmdb"]);
    assert_eq!(ended.code, Some(1));
    let complaint = "ripples: geo.map.labs.asn: no database knows autonomous systems\n";
    assert_eq!(ended.stderr, complaint);
}

#[test]
fn lookup_refuses_what_is_no_address_and_no_name_and_having_nothing_to_look_in() {
    for (arguments, code, complaint) in [
        (
            &["localhost"][..],
            2,
            "invalid value 'localhost' for '<ADDR>'",
        ),
        (
            &["192.0.2.1", "a..b"],
            1,
            "ripples: NAME: \"a..b\" is no name: ",
        ),
        (
            &["192.0.2.1", "--geoip", "no.mmdb"],
            1,
            "ripples: no.mmdb: No such file",
        ),
    ] {
        let ended = lookup(arguments);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(complaint), "{}", ended.stderr);
    }
    let ended = ripples(&["geo", "lookup", "192.0.2.1"], "");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .contains("there is no map and no database: --config FILE")
    );
}

#[test]
fn check_reads_the_databases_too() {
    let ended = ripples(&["check", "--config", "r.toml"], CONFIG);
    assert_eq!(
        (ended.code, &*ended.stdout, &*ended.stderr),
        (Some(0), "", "")
    );
    let unknown = CONFIG.replace("DE = \"de\"", "DE = \"de\", UK = \"de\"");
    let ended = ripples(&["check", "--config", "r.toml"], &unknown);
    let warning = "geo.map.world.country: no network of the databases is in UK\n";
    assert_eq!((ended.code, &*ended.stdout), (Some(0), warning));
    let broken = CONFIG.replace("\"asn.mmdb\"", "\"r.toml\", \"no.mmdb\"");
    let ended = ripples(&["check", "--config", "r.toml"], &broken);
    assert_eq!(ended.code, Some(1));
    for complaint in [
        "r.toml: invalid database: could not find",
        "no.mmdb: No such file",
    ] {
        assert!(ended.stdout.contains(complaint), "{}", ended.stdout);
    }
}

#[test]
fn maps_that_cannot_be_are_refused_by_the_names_of_their_options() {
    let config = "[geo.map.world]\ndefault = \"d\"\ncountry = { de = \"eu\" }\n";
    for command in ["run", "check"] {
        let ended = ripples(&[command, "--config", "r.toml"], config);
        assert_eq!(ended.code, Some(1));
        let complaint = "ripples: geo.map.world.country: \"de\" is no country's ISO 3166-1 code";
        assert!(ended.stderr.starts_with(complaint), "{}", ended.stderr);
    }
    let ended = ripples(
        &["check", "--config", "r.toml"],
        "[geo]\ndatabase = \"x\"\n",
    );
    assert!(
        ended
            .stderr
            .starts_with("ripples: r.toml:2:1: unknown field `database`")
    );
}
