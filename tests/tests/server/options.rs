//! What clients as operators have them see of EDNS options and class CH.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use tests::loopback;
use tests::server::{EXAMPLE, Launch, Server};

const TOML: &str = r#"
[edns]
nsid = "fra1"
[cookies]
secrets = ["e5e973e5a6b2a43f48e7dc849e37bfcf"]
[chaos]
version = "Ripples 1"
hostname = "ns1.example"
id = "fra1"
[tcp]
keepalive_ms = 12300
"#;

#[test]
fn kdig_sees_every_option_by_udp_and_tcp() {
    if !has_kdig() {
        return;
    }
    let (server, address) = start(TOML);
    for transport in ["+notcp", "+tcp"] {
        let ask = |options: &str| kdig(address, &format!("www.example A {transport} {options}"));
        let said = ask("+nsid");
        assert!(said.contains("NSID: 66726131 \"fra1\""), "{said}");
        let said = ask("+cookie=0123456789abcdef");
        assert!(age_s(&said).abs() < 300, "{said}");
        let said = ask("+subnet=2001:db8::/56");
        assert!(said.contains("CLIENT-SUBNET: 2001:db8::/56/0"), "{said}");
        let said = ask("+padding=64");
        assert!(said.contains("status: NOERROR"), "{said}");
        let said = ask("+edns=1");
        assert!(
            said.contains("BADVERS") && said.contains("Version: 0"),
            "{said}"
        );
        let said = kdig(address, &format!("nothing.test {transport} +edns"));
        assert!(
            said.contains("REFUSED") && said.contains("EDE: 20"),
            "{said}"
        );
    }
    // The empty option 11; the reply has 123 times 100 ms.
    let said = kdig(address, "www.example +tcp +ednsopt=11");
    assert!(said.contains("007B"), "{said}");
    let said = kdig(address, "www.example +notcp +ednsopt=11");
    assert!(!said.contains("007B") && said.contains("NOERROR"), "{said}");
    let stats = server.await_stats(|stats| stats.total("events.keepalive") == 1);
    for (event, count) in [
        ("events.nsid", 2),
        ("events.client_subnet", 2),
        ("events.cookie_client_only", 2),
    ] {
        assert_eq!(stats.total(event), count, "{event}: {stats}");
    }
    server.stop();
}

#[test]
fn kdig_keeps_the_cookie_that_it_learnt_where_one_is_required() {
    if !has_kdig() {
        return;
    }
    let toml = "[cookies]\npolicy = \"require\"\n";
    let (server, address) = start(toml);
    let said = kdig(address, "www.example +cookie +nobadcookie");
    assert!(said.contains("status: BADCOOKIE"), "{said}");
    // It asks again with the cookie of that reply.
    let said = kdig(address, "www.example +cookie +badcookie");
    assert!(said.contains("status: NOERROR"), "{said}");
    let said = kdig(address, "www.example +cookie +tcp");
    assert!(said.contains("status: NOERROR"), "{said}");
    let said = kdig(address, "www.example");
    assert!(said.contains("status: NOERROR"), "{said}");
    // What was learnt by TCP is good for UDP.
    let said = kdig(address, "www.example +cookie=0123456789abcdef +tcp");
    let (_, learnt) = said.split_once("COOKIE: ").expect("a cookie");
    let learnt = format!("www.example +cookie={} +nobadcookie", &learnt[..48]);
    let said = kdig(address, &learnt);
    assert!(said.contains("status: NOERROR"), "{said}");
    let stats = server.await_stats(|stats| stats.total("events.cookie_valid") == 2);
    assert_eq!(stats.total("rcodes.badcookie"), 2, "{stats}");
    server.stop();
}

#[test]
fn a_server_says_of_itself_what_it_was_told_to_say() {
    if !has_kdig() {
        return;
    }
    let (server, address) = start(TOML);
    for (name, text) in [
        ("version.bind", "Ripples 1"),
        ("VERSION.SERVER", "Ripples 1"),
        ("hostname.bind", "ns1.example"),
        ("id.server", "fra1"),
    ] {
        let said = kdig(address, &format!("{name} TXT CH"));
        assert!(said.contains(&format!("CH\tTXT\t\"{text}\"")), "{said}");
    }
    server.stop();
    let (server, address) = start("");
    let said = kdig(address, "version.bind TXT CH +nsid");
    assert!(
        said.contains("status: REFUSED") && !said.contains("NSID"),
        "{said}"
    );
    server.stop();
}

fn start(toml: &str) -> (Server, SocketAddr) {
    let address = loopback::address();
    let listen = address.to_string();
    let arguments = ["--io", "socket", "--listen", &listen, "--config", "r.toml"];
    let launch = Launch::run(&arguments).file("r.toml", toml);
    (launch.zone("example", EXAMPLE).start(), address)
}

/// How old the server cookie in a reply is, by the clock of this machine.
fn age_s(said: &str) -> i64 {
    let (_, cookie) = said
        .split_once("COOKIE: 0123456789ABCDEF01000000")
        .unwrap_or_else(|| panic!("no cookie: {said}"));
    let stamp = i64::from_str_radix(&cookie[..8], 16).expect("a time stamp");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("63 bits") - stamp
}

/// Whether there is somebody to ask.
fn has_kdig() -> bool {
    let promised = std::env::var("CI").is_ok_and(|value| value == "true");
    let installed = Command::new("kdig").arg("-V").output().is_ok();
    assert!(installed || !promised, "CI=true promises kdig");
    if !installed {
        eprintln!("not run: there is no kdig (the package knot-dnsutils has it)");
    }
    installed
}

/// What kdig says of this query.
fn kdig(address: SocketAddr, words: &str) -> String {
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    let mut command = Command::new("kdig");
    command.args([&format!("@{ip}"), "-p", &port]);
    let output = command.args(words.split(' ')).output();
    let output = output.unwrap_or_else(|error| panic!("kdig: {error}"));
    String::from_utf8(output.stdout).expect("kdig speaks UTF-8")
}
