//! Databases and maps that change while the server runs, and what clients and their subnets get.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use tests::ask::Ask;
use tests::client::{ask_from, ask_tcp, socket};
use tests::decoded::Decoded;
use tests::loopback;
use tests::mmdb::{Datum, Writer};
use tests::name::Name;
use tests::record::rtype;
use tests::server::{Launch, PATIENCE, Server};
use tests::zones::shared;

const MAP: &str = "\
[geo]
databases = [\"geo.mmdb\"]
[geo.map.world]
default = \"other\"
country = { DE = \"de\", US = \"us\" }
";

const ZONE: &str = "\
@ 300 SOA ns host 1 2 3 4 5
@ 300 NS ns.elsewhere.
www 60 A 192.0.2.1
plain 60 A 192.0.2.1
alias 60 CNAME www
both 60 A 192.0.2.1
$VARIANT de
www 60 A 192.0.2.49
$VARIANT us
www 60 A 192.0.2.10
both 60 A 192.0.2.11
$VARIANT us
both 60 A 192.0.2.12
";

const EVERYBODY: &str = "192.0.2.1";
const DE: &str = "192.0.2.49";
const US: &str = "192.0.2.10";

/// A database in which the loopback, and a documentation network, are in a country.
fn database(country: &str) -> Vec<u8> {
    let mut writer = Writer::new("Test-Country");
    writer.say("127.0.0.0/9", Datum::country("EU", country));
    writer.say("198.51.100.0/25", Datum::country("EU", country));
    writer.say("127.128.0.0/9", Datum::country("NA", "US"));
    writer.say("2001:db8::/40", Datum::country("NA", "US"));
    writer.finish()
}

#[test]
fn a_changed_database_is_used_soon_and_nobody_has_to_say_so() {
    let (server, address) = start(&[]);
    assert_eq!(answer(address), DE);
    replace(&server, "geo.mmdb", &database("US"));
    await_answer(address, US);
    replace(&server, "geo.mmdb", &database("FR"));
    await_answer(address, EVERYBODY);
    assert!(server.log().contains("database read"), "{}", server.log());
    server.stop();
}

#[test]
fn with_no_watch_a_changed_database_waits_until_somebody_asks() {
    let (server, address) = start(&["--no-watch"]);
    replace(&server, "geo.mmdb", &database("US"));
    std::thread::park_timeout(Duration::from_secs(1));
    assert_eq!(answer(address), DE);
    server.reload();
    assert_eq!(answer(address), US);
    server.stop();
}

#[test]
fn a_broken_database_is_refused_with_the_reason_and_the_old_one_stays() {
    let (server, address) = start(&["--no-watch"]);
    let whole = database("US");
    let mut broken: Vec<(String, Vec<u8>)> = (1..8)
        .map(|part| {
            (
                format!("{part}/8 of it"),
                whole[..whole.len() * part / 8].to_vec(),
            )
        })
        .collect();
    broken.push(("a text".to_owned(), b"nonsense".to_vec()));
    broken.push(("nothing".to_owned(), Vec::new()));
    if let Some(folder) = shared("data/mmdb") {
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let is_broken = |path: &PathBuf| {
            let name = path.to_string_lossy();
            name.contains("broken") || name.contains("Invalid")
        };
        let files: Vec<_> = files.filter(is_broken).collect();
        assert!(files.len() >= 3, "{files:?}");
        let named = |path: &PathBuf| (path.display().to_string(), fs::read(path).unwrap());
        broken.extend(files.iter().map(named));
    }
    for (what, bytes) in &broken {
        replace(&server, "geo.mmdb", bytes);
        let told = server.reload_refused();
        let complaint = told.lines().find(|line| line.contains("geo.mmdb: "));
        let reason = complaint.unwrap_or_else(|| panic!("{what}: {told}")).trim();
        assert!(reason.len() > "geo.mmdb: ".len(), "{what}: {told}");
        assert!(server.log().contains(reason), "{what}: {}", server.log());
        assert_eq!(answer(address), DE, "{what}");
    }
    fs::remove_file(server.folder().join("geo.mmdb")).unwrap();
    let told = server.reload_refused();
    assert!(told.contains("geo.mmdb: No such file"), "{told}");
    // It is as broken when somebody asks again.
    server.reload_refused();
    assert_eq!(answer(address), DE);
    // What else has changed is served, by the old maps.
    change(
        &server,
        "example.zone",
        "plain 60 A 192.0.2.1",
        "plain 60 A 192.0.2.2",
    );
    server.reload_refused();
    assert_eq!(of_name("plain", address), "192.0.2.2");
    assert_eq!(answer(address), DE);
    assert!(server.stats().total("resources.reload_errors") > 8);
    replace(&server, "geo.mmdb", &whole);
    server.reload();
    assert_eq!(answer(address), US);
    server.stop();
}

#[test]
fn a_broken_database_that_nobody_asked_for_is_told_in_the_log_and_mended_by_itself() {
    let (mut server, address) = start(&[]);
    let whole = database("US");
    replace(&server, "geo.mmdb", &whole[..whole.len() / 2]);
    server.await_log("geo.mmdb: ");
    assert_eq!(answer(address), DE);
    replace(&server, "geo.mmdb", &whole);
    await_answer(address, US);
    server.stop();
}

#[test]
fn a_server_does_not_start_with_a_broken_database() {
    let (launch, _) = prepared(&[]);
    let whole = database("US");
    fs::write(launch.folder().join("geo.mmdb"), &whole[..whole.len() / 2]).unwrap();
    let ended = launch.finish();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("geo.mmdb: "), "{}", ended.stderr);
}

#[test]
fn a_map_that_is_changed_in_the_configuration_takes_effect() {
    let (server, address) = start(&[]);
    change(
        &server,
        "ripples.toml",
        "DE = \"de\"",
        "DE = \"us\", FR = \"de\"",
    );
    await_answer(address, US);
    change(
        &server,
        "ripples.toml",
        "default",
        "network = { \"127.0.0.0/30\" = \"de\" }\ndefault",
    );
    await_answer(address, DE);
    let weighted = "[geo]\nweighted = \"random\"\n";
    change(&server, "ripples.toml", "[geo]\n", weighted);
    change(
        &server,
        "ripples.toml",
        "127.0.0.0/30\" = \"de",
        "127.0.0.0/30\" = \"us",
    );
    await_answer(address, US);
    let drawn = |_| of_name("both", address);
    let drawn: Vec<String> = (0..64).map(drawn).collect();
    assert!(drawn.contains(&"192.0.2.11".to_owned()), "{drawn:?}");
    assert!(drawn.contains(&"192.0.2.12".to_owned()), "{drawn:?}");
    server.stop();
}

#[test]
fn a_map_that_loses_a_region_of_a_zone_is_refused_until_the_zone_can_do_without() {
    let (server, address) = start(&["--no-watch"]);
    change(&server, "ripples.toml", "DE = \"de\", ", "");
    let told = server.reload_refused();
    let complaint = "example.zone:7:10: the map `world` has no region `de`; it has other, us";
    assert!(told.contains(complaint), "{told}");
    assert!(server.log().contains(complaint), "{}", server.log());
    assert_eq!(answer(address), DE);
    // Another database comes in its time, the old map over it does not.
    replace(&server, "geo.mmdb", &database("US"));
    assert!(server.reload_refused().contains(complaint));
    assert_eq!(answer(address), DE);
    change(&server, "example.zone", "$VARIANT de", "$VARIANT us");
    server.reload();
    assert!([DE, US].contains(&&*answer(address)), "both are us's now");
    server.stop();
}

#[test]
fn a_region_can_be_renamed_in_map_and_zone_at_once() {
    let (server, address) = start(&["--no-watch"]);
    change(&server, "ripples.toml", "\"de\"", "\"germany\"");
    change(
        &server,
        "example.zone",
        "$VARIANT de\nwww 60 A 192.0.2.49",
        "$VARIANT germany\nwww 60 A 192.0.2.50",
    );
    server.reload();
    assert_eq!(answer(address), "192.0.2.50");
    server.stop();
}

#[test]
fn a_region_can_be_renamed_in_the_map_and_later_in_the_zone_or_the_other_way_round() {
    for map_first in [true, false] {
        let (server, address) = start(&[]);
        let map = || change(&server, "ripples.toml", "\"de\"", "\"germany\"");
        let zone = || {
            change(
                &server,
                "example.zone",
                "de\nwww 60 A 192.0.2.49",
                "germany\nwww 60 A 192.0.2.50",
            )
        };
        let before = server.log().matches("has no region").count();
        if map_first {
            map()
        } else {
            zone()
        }
        let deadline = Instant::now() + PATIENCE;
        while server.log().matches("has no region").count() == before {
            assert!(Instant::now() < deadline, "{}", server.log());
            std::thread::park_timeout(Duration::from_millis(20));
        }
        assert_eq!(answer(address), DE);
        if map_first {
            zone()
        } else {
            map()
        }
        await_answer(address, "192.0.2.50");
        server.reload();
        server.stop();
    }
}

#[test]
fn a_zone_that_speaks_of_an_unknown_region_is_refused_and_the_old_one_stays() {
    let (server, address) = start(&["--no-watch"]);
    change(
        &server,
        "example.zone",
        "$VARIANT de\nwww 60 A 192.0.2.49",
        "$VARIANT mars\nwww 60 A 192.0.2.50",
    );
    let told = server.reload_refused();
    let complaint = "example.zone:7:10: the map `world` has no region `mars`; it has other, de, us";
    assert!(told.contains(complaint), "{told}");
    assert!(server.log().contains(complaint), "{}", server.log());
    assert!(server.ctl(&["zones"]).stdout.contains(complaint));
    assert_eq!(answer(address), DE);
    change(
        &server,
        "ripples.toml",
        "DE = \"de\"",
        "DE = \"mars\", FR = \"de\"",
    );
    server.reload();
    assert_eq!(answer(address), "192.0.2.50", "the map has it now");
    server.stop();
}

#[test]
fn clients_and_their_subnets_get_variants_with_the_scope_of_the_map_s_network() {
    let (server, address) = start(&["--no-watch"]);
    for (name, subnet, expected, scope) in [
        ("www", "198.51.100.0/24", DE, 25),
        ("www", "198.51.100.0/32", DE, 25),
        ("www", "127.0.0.0/9", DE, 9),
        ("www", "127.128.0.0/16", US, 9),
        ("www", "2001:db8::/56", US, 40),
        ("alias", "127.128.0.0/16", US, 9),
        ("plain", "127.128.0.0/16", EVERYBODY, 0),
        // The whole of it says nothing: the source counts.
        ("www", "0.0.0.0/0", DE, 0),
    ] {
        let ask = asking(name).subnet(subnet);
        let prefix_len = subnet.split_once('/').unwrap().1.parse().unwrap();
        for reply in both_ways(address, &ask) {
            let told = (reply.texts().last().copied(), reply.subnet());
            assert_eq!(
                told,
                (Some(expected), Some((prefix_len, scope))),
                "{name} {subnet}"
            );
        }
    }
    // One of two, by the client's address: valid for its network only.
    for (subnet, prefix_len, scope) in [("127.128.0.0/24", 24, 24), ("127.128.0.0/9", 9, 9)] {
        for reply in both_ways(address, &asking("both").subnet(subnet)) {
            assert_eq!(reply.subnet(), Some((prefix_len, scope)), "{subnet}");
        }
    }
    for reply in both_ways(address, &asking("www").edns(1232)) {
        assert_eq!((reply.texts(), reply.subnet()), (vec![DE], None));
    }
    // Another source, in the other half of the loopback.
    let american = UdpSocket::bind((Ipv4Addr::new(127, 128, 0, 1), 0)).unwrap();
    american.set_read_timeout(Some(PATIENCE)).unwrap();
    let (reply, _) = ask_from(&american, address, &asking("www").message());
    assert_eq!(Decoded::of(Some(reply)).texts(), [US]);
    server.stop();
}

#[test]
fn the_running_server_explains_where_an_address_is_as_the_command_does() {
    let (server, _) = start(&[]);
    let config = server.folder().join("ripples.toml");
    for words in [
        &["127.0.0.1"][..],
        &["127.0.0.1", "www.example"],
        &["127.0.0.1", "alias.example", "--subnet"],
        &["127.128.0.1", "both.example", "--subnet=9"],
        &["2001:db8::1", "nosuch.example"],
    ] {
        let own = Launch::new(&["geo", "lookup", "--config", &config.to_string_lossy()]);
        let own = own.with(words).finish();
        let told = server.ctl(&[&["geo", "lookup"][..], words].concat());
        assert_eq!((own.code, told.code), (Some(0), Some(0)), "{}", told.stderr);
        // The server was started in the folder.
        let folder = format!("{}/", server.folder().display());
        let expected = own.stdout.replace(&folder, "");
        assert_eq!(told.stdout, expected, "{words:?}");
    }
    // What is served, not what the file has now.
    change(&server, "example.zone", "192.0.2.49", "192.0.2.300");
    let told = server
        .ctl(&["geo", "lookup", "127.0.0.1", "www.example"])
        .stdout;
    assert!(told.contains("    60 A 192.0.2.49\n"), "{told}");
    let maps = server.ctl(&["geo"]).stdout;
    assert!(
        maps.contains("Test-Country") && maps.contains("other de us"),
        "{maps}"
    );
    server.stop();
}

fn prepared(words: &[&str]) -> (Launch, SocketAddr) {
    let address = loopback::address();
    let config = format!(
        "io = \"socket\"\nlisten = [\"{address}\"]\n{MAP}\
         [[zone]]\norigin = \"example\"\nfile = \"example.zone\"\n"
    );
    let launch = Launch::run(&["--config", "ripples.toml"]).with(words);
    let launch = launch
        .file("ripples.toml", &config)
        .file("example.zone", ZONE);
    fs::write(launch.folder().join("geo.mmdb"), database("DE")).expect("a folder of one's own");
    (launch, address)
}

/// A server whose database has the loopback in Germany.
fn start(words: &[&str]) -> (Server, SocketAddr) {
    let (launch, address) = prepared(words);
    (launch.start(), address)
}

/// Puts a file in the place of another, in one step.
fn replace(server: &Server, name: &str, bytes: &[u8]) {
    let path = server.folder().join(name);
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes).expect("a folder of one's own");
    fs::rename(draft, path).expect("a folder of one's own");
}

/// Puts other words into a file.
fn change(server: &Server, name: &str, old: &str, new: &str) {
    let text = fs::read_to_string(server.folder().join(name)).expect("it is there");
    assert!(text.contains(old), "{text}");
    replace(server, name, text.replace(old, new).as_bytes());
}

fn asking(name: &str) -> Ask {
    Ask::new(Name::parse(&format!("{name}.example")), rtype::A)
}

/// The replies over UDP and TCP.
fn both_ways(address: SocketAddr, ask: &Ask) -> [Decoded; 2] {
    let query = ask.message();
    let (by_udp, _) = ask_from(&socket(address), address, &query);
    [by_udp, ask_tcp(address, &query)].map(|reply| Decoded::of(Some(reply)))
}

/// What `www` is for clients on the loopback.
fn answer(address: SocketAddr) -> String {
    of_name("www", address)
}

/// The address of a name, the same over UDP and TCP unless it is drawn.
fn of_name(name: &str, address: SocketAddr) -> String {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let mut ask = asking(name);
    ask.id = NEXT.fetch_add(1, Ordering::Relaxed);
    let [by_udp, by_tcp] = both_ways(address, &ask).map(|reply| reply.texts().join(" "));
    assert_eq!(by_udp, by_tcp);
    by_udp
}

fn await_answer(address: SocketAddr, wanted: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = answer(address);
        if found == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{found} instead of {wanted}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
