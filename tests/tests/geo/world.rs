//! A small world of the tests' own.

use crate::judge::judge;
use crate::options;
use ripples::geo::load::{Reason, Sources};
use ripples::geo::{Geo, load};
use tests::folder::Folder;
use tests::mmdb::{Datum, Writer};

/// Countries, parts of them and places, in both families.
fn places() -> Writer {
    let mut writer = Writer::new("Test-City");
    let germany = || Datum::country("EU", "DE");
    writer.say("192.0.2.0/24", germany().within(&["HE"]).at(50.1, 8.7));
    writer.say("192.0.2.128/26", Datum::country("EU", "FR").at(48.9, 2.3));
    writer.say(
        "198.51.100.0/25",
        Datum::country("NA", "US").within(&["CA"]).at(37.4, -122.1),
    );
    writer.say(
        "198.51.100.128/25",
        Datum::country("NA", "US").within(&["NY"]).at(40.7, -74.0),
    );
    writer.say(
        "203.0.113.0/24",
        Datum::country("EU", "GB").within(&["ENG", "OXF"]),
    );
    writer.say(
        "203.0.113.77/32",
        Datum::country("OC", "AU").at(-33.9, 151.2),
    );
    writer.say("100.64.0.0/10", Datum::map([]).at(35.7, 139.7));
    writer.say("2001:db8::/32", germany());
    writer.say(
        "2001:db8:100::/40",
        Datum::country("AS", "JP").at(35.7, 139.7),
    );
    writer.say("2001:db8:100:1::/64", Datum::country("NA", "CA"));
    writer
}

/// Autonomous systems, cut otherwise.
fn systems() -> Writer {
    let mut writer = Writer::new("Test-ASN");
    writer.say("192.0.0.0/14", Datum::asn(64_500));
    writer.say("192.0.2.0/27", Datum::asn(64_512));
    writer.say("203.0.113.64/26", Datum::asn(64_512));
    writer.say("2001:db8::/33", Datum::asn(64_512));
    writer
}

const RULES: &str = r#"
    [geo.map.world]
    default = "us-east"
    continent = { EU = "eu", AS = "asia" }
    country = { DE = "de", US = "us-east" }
    subdivision = { US-CA = "us-west", GB-ENG = "england", GB-OXF = "oxford" }
    asn = { 64512 = "lab" }
    nearest = { sydney = [-33.9, 151.2], us-east = [39, -77.5], tokyo = [35.7, 139.7] }
    fallback = { de = ["eu", "us-east"] }
"#;

/// The rules over databases.
fn world(folder: &Folder, databases: &[(&str, Writer)], rules: &str) -> String {
    for (name, writer) in databases {
        folder.write(name, writer.finish());
    }
    let names: Vec<_> = databases.iter().map(|(name, _)| name).collect();
    format!("databases = {names:?}\n{rules}")
}

/// Region and prefix of an address in the first map.
fn find<'g>(geo: &'g Geo, address: &str) -> (&'g str, u8) {
    let map = &geo.maps[0];
    let found = map.find(address.parse().expect("a good address"));
    (
        &map.regions[usize::from(found.region)].name,
        found.prefix_len,
    )
}

#[test]
fn the_most_specific_rule_decides_and_the_database_says_how_far() {
    let folder = Folder::new();
    let text = world(
        &folder,
        &[("city.mmdb", places()), ("asn.mmdb", systems())],
        RULES,
    );
    let loaded = load(&options(&folder, &text)).unwrap();
    for (address, region, prefix_len) in [
        ("192.0.2.1", "lab", 27),
        ("192.0.2.33", "de", 27),
        ("192.0.2.65", "de", 26),
        ("192.0.2.129", "eu", 26),
        ("198.51.100.1", "us-west", 25),
        ("198.51.100.200", "us-east", 25),
        ("203.0.113.1", "oxford", 26),
        ("203.0.113.78", "lab", 31),
        ("203.0.113.77", "lab", 32),
        ("100.64.0.1", "tokyo", 10),
        ("10.0.0.1", "us-east", 2),
        ("2001:db8::1", "lab", 40),
        ("2001:db8:100::1", "lab", 64),
        ("2001:db8:8000::1", "de", 33),
        ("2002:c000:0221::1", "de", 43),
        ("::ffff:192.0.2.33", "de", 123),
        ("::192.0.2.33", "de", 123),
        ("fe80::1", "us-east", 1),
    ] {
        assert_eq!(
            find(&loaded.geo, address),
            (region, prefix_len),
            "{address}"
        );
    }
    let map = &loaded.geo.maps[0];
    let de = &map.regions[usize::from(map.region("de").unwrap())];
    assert_eq!(*de.fallbacks, [map.region("eu").unwrap(), 0]);
    assert_eq!(map.region("nowhere"), None);
}

#[test]
fn every_network_is_where_the_crate_says_whatever_the_format() {
    for record_size in [24, 28, 32] {
        for aliases in [false, true] {
            let form = |writer: Writer| Writer {
                record_size,
                aliases,
                ..writer
            };
            let folder = Folder::new();
            let databases = [("city.mmdb", form(places())), ("asn.mmdb", form(systems()))];
            judge(&options(&folder, &world(&folder, &databases, RULES)));
            let rules = RULES.replace("asn = { 64512 = \"lab\" }", "");
            judge(&options(&folder, &world(&folder, &databases[..1], &rules)));
            let network = "network = { \"192.0.2.160/27\" = \"lab\", \"192.0.2.0/30\" = \"own\", \
                           \"2001:db8:100:1::5/128\" = \"own\", \"::/3\" = \"eu\" }\n";
            judge(&options(
                &folder,
                &world(&folder, &databases, &format!("{RULES}{network}")),
            ));
        }
    }
}

#[test]
fn a_database_of_ipv4_alone_says_nothing_of_ipv6() {
    let mut writer = Writer {
        ip_version: 4,
        ..Writer::new("Test-Country")
    };
    writer.say("192.0.2.0/24", Datum::country("EU", "DE"));
    let folder = Folder::new();
    let rules = "[geo.map.m]\ndefault = \"rest\"\ncountry = { DE = \"de\" }\n";
    let options = options(&folder, &world(&folder, &[("c.mmdb", writer)], rules));
    judge(&options);
    let loaded = load(&options).unwrap();
    assert_eq!(find(&loaded.geo, "192.0.2.7"), ("de", 24));
    assert_eq!(find(&loaded.geo, "::ffff:192.0.2.7"), ("rest", 0));
    assert_eq!(loaded.databases[0].ip_version, 4);
}

#[test]
fn all_of_ipv4_may_be_one_network_of_ipv6() {
    let mut writer = Writer {
        aliases: false,
        ..Writer::new("Test-Country")
    };
    writer.say("::/16", Datum::country("EU", "DE"));
    let folder = Folder::new();
    let rules = "[geo.map.m]\ndefault = \"rest\"\ncountry = { DE = \"de\" }\n";
    let options = options(&folder, &world(&folder, &[("c.mmdb", writer)], rules));
    judge(&options);
    let loaded = load(&options).unwrap();
    assert_eq!(find(&loaded.geo, "192.0.2.7"), ("de", 0));
    assert_eq!(find(&loaded.geo, "::ffff:192.0.2.7"), ("de", 16));
}

#[test]
fn of_two_databases_only_the_first_that_knows_is_heard() {
    let mut other = Writer::new("Other-Country");
    // The first knows that 192.0.2.0/24 is in Germany; it does not know 198.18.0.0/15.
    other.say("192.0.2.0/24", Datum::country("NA", "US"));
    other.say("198.18.0.0/15", Datum::country("NA", "US"));
    let folder = Folder::new();
    let rules = "[geo.map.m]\ndefault = \"rest\"\ncountry = { US = \"us\" }\n";
    let databases = [("first.mmdb", places()), ("other.mmdb", other)];
    let loaded = load(&options(&folder, &world(&folder, &databases, rules))).unwrap();
    assert_eq!(find(&loaded.geo, "192.0.2.1"), ("rest", 25));
    assert_eq!(find(&loaded.geo, "198.18.0.1"), ("us", 15));
}

#[test]
fn a_database_that_a_map_does_not_ask_cuts_nothing() {
    let folder = Folder::new();
    let rules = "[geo.map.m]\ndefault = \"rest\"\nasn = { 64512 = \"lab\" }\n\
                 [geo.map.n]\ndefault = \"rest\"\nnetwork = { \"192.0.2.0/24\" = \"lab\" }\n";
    let databases = [("city.mmdb", places()), ("asn.mmdb", systems())];
    let loaded = load(&options(&folder, &world(&folder, &databases, rules))).unwrap();
    assert_eq!(find(&loaded.geo, "192.0.2.129"), ("rest", 25));
    let explicit = loaded
        .geo
        .map("n")
        .unwrap()
        .find("192.0.2.1".parse().unwrap());
    assert_eq!((explicit.region, explicit.prefix_len), (1, 24));
}

#[test]
fn loading_says_what_was_read_and_what_the_rules_miss() {
    let folder = Folder::new();
    let rules = RULES.replace("DE = \"de\"", "DE = \"de\", UK = \"de\", XK = \"de\"");
    let databases = [("city.mmdb", places()), ("asn.mmdb", systems())];
    let loaded = load(&options(&folder, &world(&folder, &databases, &rules))).unwrap();
    let warning = "geo.map.world.country: no network of the databases is in UK, XK";
    assert_eq!(loaded.warnings, [warning]);
    let [city, asn] = &loaded.databases[..] else {
        panic!("{:?}", loaded.databases)
    };
    assert_eq!(city.file, folder.path().join("city.mmdb"));
    assert_eq!(
        (&*city.database_type, city.build_epoch),
        ("Test-City", 1_767_225_600)
    );
    assert_eq!((asn.records, asn.ip_version), (2, 6));
    // A network that lies in another one cuts it: 192.0.0.0/14 into 13 pieces.
    assert_eq!(asn.networks, 13 + 1 + 1 + 1);
    let map = &loaded.maps[0];
    assert_eq!((&*map.name, map.regions), ("world", 10));
    assert!(map.networks > 100 && map.size_bytes > 1 << 19, "{map:?}");
}

#[test]
fn rules_that_no_database_can_answer_and_missing_files_are_errors() {
    let folder = Folder::new();
    let text = world(&folder, &[("city.mmdb", places())], RULES);
    let problems = load(&options(&folder, &text)).unwrap_err();
    assert_eq!(
        problems,
        ["geo.map.world.asn: no database knows autonomous systems"]
    );
    folder.write("text.mmdb", "no database");
    let text = format!("databases = [\"no.mmdb\", \"text.mmdb\", \".\"]\n{RULES}");
    let options = options(&folder, &text.replace("\".\"", "\"/dev/zero\""));
    let problems = load(&options).unwrap_err();
    let complaints = [
        "no.mmdb: No such file",
        "text.mmdb: invalid database: could not find MaxMind DB metadata in file",
        "/dev/zero: is no regular file",
    ];
    for (problem, complaint) in problems.iter().zip(complaints) {
        assert!(problem.contains(complaint), "{problem}");
    }
    assert_eq!(problems.len(), complaints.len());
}

#[test]
fn records_of_another_shape_are_refused_with_their_network() {
    let mut writer = places();
    writer.say(
        "198.18.0.0/15",
        Datum::map([("country", Datum::Text("DE".to_owned()))]),
    );
    let folder = Folder::new();
    let rules = "[geo.map.m]\ndefault = \"d\"\n";
    let text = world(&folder, &[("odd.mmdb", writer)], rules);
    let problems = load(&options(&folder, &text)).unwrap_err();
    let problem = &problems[0];
    assert!(
        problem.contains("odd.mmdb: 198.18.0.0/15: decoding error"),
        "{problem}"
    );
}

#[test]
fn numbers_of_any_type_and_fields_that_are_not_asked_for_are_read() {
    let mut writer = Writer::new("Other-City");
    let place = Datum::map([
        ("latitude", Datum::Float(-33.5)),
        ("longitude", Datum::I32(151)),
        ("time_zone", Datum::Text("x".repeat(70_000))),
        ("accuracy_radius", Datum::U64(u64::MAX)),
    ]);
    let traits = Datum::map([
        ("autonomous_system_number", Datum::U16(7)),
        ("is_anycast", Datum::Bool(true)),
        ("raw", Datum::Bytes(vec![0xff; 300])),
    ]);
    writer.say(
        "192.0.2.0/24",
        Datum::map([("location", place), ("traits", traits)]),
    );
    let folder = Folder::new();
    let rules = "[geo.map.m]\ndefault = \"rest\"\nasn = { 7 = \"seven\" }\n\
                 [geo.map.n]\ndefault = \"rest\"\nnearest = { near = [0, 0] }\n";
    let options = options(&folder, &world(&folder, &[("o.mmdb", writer)], rules));
    let loaded = load(&options).unwrap();
    assert_eq!(find(&loaded.geo, "192.0.2.1"), ("seven", 24));
    let sources = Sources::open(&options).unwrap();
    let explanation = sources.explain("192.0.2.1".parse().unwrap()).unwrap();
    let place = explanation.findings[0].place.clone().unwrap();
    let coordinates = place.coordinates.unwrap();
    assert_eq!(
        (coordinates.latitude(), coordinates.longitude()),
        (-33.5, 151.0)
    );
    assert!(
        matches!(&explanation.reasons[1], Reason::Field { value, .. } if value == "15215 km away")
    );
}
