//! `ripples geo lookup`, and what `ripples check` says of maps and databases.

use serde_json::{Value, json};
use std::fs;
use tests::ask::Ask;
use tests::client::ask;
use tests::decoded::Decoded;
use tests::loopback;
use tests::mmdb::{Datum, Writer};
use tests::name::Name;
use tests::record::rtype;
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
www.Example.com. is in no zone that is served here
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
        "last": "www.example.",
        "end": "no-zone",
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

/// Two zones, the second of which is only reached by the first one's aliases.
const ZONES: [(&str, &str); 2] = [
    (
        "example.zone",
        "\
@ 300 SOA ns host 1 2 3 4 5
@ 300 NS ns.elsewhere.
www 60 A 192.0.2.1
www 60 TXT everybody
plain 60 A 192.0.2.1
cdn 60 CNAME www
*.wild 60 A 192.0.2.1
old 60 DNAME other.
sub 60 NS ns.elsewhere.
ring 60 CNAME ring
away 60 CNAME www.away.
$VARIANT eu weight=2
www 60 A 192.0.2.10
www 60 A 192.0.2.11
$VARIANT eu
www 30 A 192.0.2.12
$VARIANT us-west
www 60 TXT \"the west\"
cdn 60 CNAME www.other.
$VARIANT *
*.wild 60 A 192.0.2.40
",
    ),
    (
        "other.zone",
        "\
@ 300 SOA ns host 1 2 3 4 5
@ 300 NS ns.elsewhere.
www 60 A 192.0.2.1
$VARIANT map=labs lab
www 60 A 192.0.2.50
",
    ),
];

/// The configuration with these zones and one that is broken, which nobody needs to read.
fn with_zones() -> String {
    let zone = |name: &str| format!("[[zone]]\norigin = \"{name}\"\nfile = \"{name}.zone\"\n");
    [CONFIG.to_owned(), zone("example"), zone("other")].concat() + &zone("broken")
}

/// Looks an address up, and a name in the zones.
fn lookup_name(arguments: &[&str], config: &str) -> Ended {
    let arguments = [&["geo", "lookup", "--config", "r.toml"], arguments].concat();
    let launch = Launch::new(&arguments).file("r.toml", config);
    for (name, bytes) in databases() {
        fs::write(launch.folder().join(name), bytes).expect("a folder of one's own");
    }
    let files = ZONES.iter().chain(&[("broken.zone", "nonsense")]);
    files
        .fold(launch, |launch, (name, text)| launch.file(name, text))
        .finish()
}

/// What is said of a name: all behind the maps.
fn said_of_name(arguments: &[&str], config: &str) -> String {
    let ended = lookup_name(arguments, config);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let (_, behind) = ended.stdout.split_once("\nlabs: ").expect("two maps");
    behind.split_once('\n').expect("lines").1.to_owned()
}

#[test]
fn lookup_says_which_variant_a_client_gets_and_why() {
    let config = with_zones();
    let expected = "\
www.example. A: nothing for region de of map world, eu stands in
  weight 2 of 3, example.zone:12: this client gets it, always
    60 A 192.0.2.10
    60 A 192.0.2.11
  weight 1 of 3, example.zone:15
    30 A 192.0.2.12
  scope of a client subnet: 24, or all of its prefix where that is longer
www.example. TXT: nothing for region de of map world, so what everybody gets
  records for everybody
    60 TXT \"everybody\"
  scope of a client subnet: 24
";
    let said = said_of_name(&["192.0.2.200", "www.example"], &config);
    assert_eq!(said, expected);
    let expected = "\
cdn.example. CNAME: region us-west of map world
  example.zone:17
    60 CNAME www.other.
  scope of a client subnet: 24
www.other. A: nothing for region none of map labs, so what everybody gets
  records for everybody
    60 A 192.0.2.1
  scope of a client subnet: 6
cdn.example. is an alias of www.other., which varies
";
    let said = said_of_name(&["198.51.100.1", "cdn.example"], &config);
    assert_eq!(said, expected);
    let expected = "\
any.wild.example. A: clients of any region get the same
  example.zone:20
    60 A 192.0.2.40
  scope of a client subnet: 0
";
    let said = said_of_name(&["198.51.100.1", "any.wild.example"], &config);
    assert_eq!(said, expected);
    let expected = "\
www.other. A: region lab of map labs
  other.zone:4
    60 A 192.0.2.50
  scope of a client subnet: 24
www.old.example. is an alias of www.other., which varies
";
    let said = said_of_name(&["203.0.113.9", "www.old.example"], &config);
    assert_eq!(said, expected);
}

#[test]
fn lookup_says_of_a_drawn_variant_that_it_is_drawn() {
    let config = with_zones().replace("[geo]", "[geo]\nweighted = \"random\"");
    let said = said_of_name(&["192.0.2.200", "www.example"], &config);
    let expected = "\
  weight 2 of 3, example.zone:12, drawn anew with each query
    60 A 192.0.2.10
    60 A 192.0.2.11
  weight 1 of 3, example.zone:15, drawn anew with each query
    30 A 192.0.2.12
  scope of a client subnet: 24
";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn lookup_says_of_names_without_variants_what_they_are() {
    let config = with_zones();
    for (name, expected) in [
        ("plain.example", "plain.example. has no variants\n"),
        ("no.example", "no.example. does not exist\n"),
        (
            "no.elsewhere",
            "no.elsewhere. is in no zone that is served here\n",
        ),
        (
            "x.sub.example",
            "x.sub.example. is delegated to other servers\n",
        ),
        (
            "ring.example",
            "ring.example. is an alias in a circle, or a chain that is too long\n",
        ),
        (
            "away.example",
            "away.example. is an alias of www.away., which is in no zone that is served here\n",
        ),
    ] {
        assert_eq!(said_of_name(&["192.0.2.200", name], &config), expected);
    }
    let ended = lookup_name(&["192.0.2.200", "www.broken"], &config);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.starts_with("ripples: broken.zone:1:9: "),
        "{}",
        ended.stderr
    );
    let ended = lookup_name(&["::1", "www.example", "--subnet=129"], &config);
    let complaint = "ripples: --subnet: 129 bits are no such prefix\n";
    assert_eq!(
        (ended.code, &*ended.stderr),
        (Some(1), complaint),
        "{}",
        ended.stdout
    );
    let off = config + "[edns]\nclient_subnet = false\n";
    let ended = lookup_name(&["192.0.2.200", "www.example", "--subnet"], &off);
    let complaint = "ripples: --subnet: the configuration has edns.client_subnet off";
    assert!(ended.stderr.starts_with(complaint), "{}", ended.stderr);
}

#[test]
fn lookup_says_what_a_server_answers_to_clients_and_their_subnets() {
    let address = loopback::address();
    let config = format!(
        "io = \"socket\"\nlisten = [\"{address}\"]\n{}",
        with_zones()
    );
    let launch = Launch::run(&["--config", "r.toml"]).file("r.toml", &config);
    for (name, bytes) in databases() {
        fs::write(launch.folder().join(name), bytes).unwrap();
    }
    let files = ZONES.iter().chain(&[("broken.zone", ZONES[1].1)]);
    let server = files
        .fold(launch, |launch, (name, text)| launch.file(name, text))
        .start();
    let mut seen = [0; 2];
    for bits in 22_u8..=32 {
        let client = format!("192.0.2.{}", if bits == 22 { 0 } else { 7 * bits });
        let flag = format!("--subnet={bits}");
        for name in [
            "www.example",
            "cdn.example",
            "any.wild.example",
            "www.old.example",
        ] {
            let ended = lookup_name(&[&client, name, &flag, "--json"], &config);
            let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
            let (records, place, scope) = addresses(&told);
            let subnet = told["subnet"].as_str().expect("a subnet");
            let query = Ask::new(Name::parse(name), rtype::A).subnet(subnet);
            let reply = Decoded::of(Some(ask(address, &query.message()).0));
            let answered = reply.answer().iter().filter(|rr| rr.rtype == rtype::A);
            let answered: Vec<&str> = answered.map(|rr| &*rr.text).collect();
            assert_eq!(answered, records, "{name} {subnet}");
            assert_eq!(reply.subnet(), Some((bits, scope)), "{name} {subnet}");
            seen[place] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    server.stop();
}

/// The addresses that the client gets, as `lookup` tells them, which place they have among others,
/// and the scope of all on the way.
fn addresses(told: &Value) -> (Vec<&str>, usize, u8) {
    let varied = told["variants"].as_array().expect("a list");
    let is_asked = |it: &&Value| it["type"] == "A" || it["type"] == "CNAME";
    let scopes = varied.iter().filter(is_asked);
    let scope = scopes.filter_map(|it| it["scope"].as_u64()).max();
    let last = varied.iter().find(|it| it["type"] == "A").expect("A");
    let members = last["members"].as_array().expect("members");
    let place = members.iter().position(|it| it["chosen"] == json!(true));
    let place = place.expect("a chosen one");
    let records = members[place]["records"].as_array().expect("records");
    let records = records.iter().filter_map(|it| it["data"].as_str());
    let scope = u8::try_from(scope.expect("a scope")).expect("a prefix");
    (records.collect(), place, scope)
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
