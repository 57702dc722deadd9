//! Addresses and variants that are down: marks by `ctl` and by file, checks, and what is left.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tests::client::{ask, query};
use tests::decoded::Decoded;
use tests::loopback;
use tests::record::rtype;
use tests::server::{Launch, PATIENCE, Server};

const ZONE: &str = "@ 300 SOA ns hostmaster 1 2 3 4 5\n@ 300 NS ns.elsewhere.\n\
    www 60 A 192.0.2.1\nwww 60 A 192.0.2.2\nmail 60 A 192.0.2.1\n\
    far 60 A 192.0.2.9\n$VARIANT *\nfar 60 A 192.0.2.10\nfar 60 A 192.0.2.11\n";

#[test]
fn a_mark_of_the_operator_takes_an_address_out_at_once_and_brings_it_back() {
    let (server, address) = start(ZONE, "names = [\"www.example\"]\n");
    assert_eq!(last_octets(address, "www.example"), [1, 2]);
    let told = ctl(&server, &["down", "192.0.2.1"]);
    assert!(!told.contains("warning"), "{told}");
    assert_eq!(last_octets(address, "www.example"), [2]);
    assert_eq!(
        last_octets(address, "mail.example"),
        [1],
        "not a name of health"
    );
    let health = ctl(&server, &["health"]);
    assert!(health.contains("192.0.2.1  down"), "{health}");
    assert!(health.contains("marked by ctl"), "{health}");
    assert_eq!(server.stats().total("health.down"), 1);
    ctl(&server, &["up", "192.0.2.1"]);
    assert_eq!(last_octets(address, "www.example"), [1, 2]);
    ctl(&server, &["down", "192.0.2.2", "--for", "1"]);
    assert_eq!(last_octets(address, "www.example"), [1]);
    await_octets(address, "www.example", &[1, 2]);

    ctl(&server, &["down", "far.example/*"]);
    assert_eq!(last_octets(address, "far.example"), [9]);
    ctl(&server, &["auto", "FAR.example./*"]);
    assert_eq!(last_octets(address, "far.example"), [10, 11]);
    assert_eq!(server.stats().total("health.down"), 0);
    server.stop();
}

#[test]
fn a_mark_of_something_unknown_is_warned_of_and_one_of_nonsense_refused() {
    let (server, _) = start(ZONE, "");
    for (what, warning) in [
        ("192.0.2.77", "has 192.0.2.77"),
        ("far.example/eu", "there is no variant far.example/eu"),
    ] {
        let told = ctl(&server, &["down", what]);
        assert!(told.contains("warning") && told.contains(warning), "{told}");
    }
    let refused = server.ctl(&["down", "www.example"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused
            .stderr
            .contains("neither an address nor NAME/REGION"),
        "{}",
        refused.stderr
    );
    server.stop();
}

#[test]
fn a_file_of_marks_is_watched_and_a_broken_one_changes_nothing() {
    let (server, address) = start(ZONE, "marks = \"marks\"\nnames = [\"www.example\"]\n");
    let marks = server.folder().join("marks");
    write(&marks, "192.0.2.1 down # broken disk\nfar.example/* down\n");
    await_octets(address, "www.example", &[2]);
    assert_eq!(last_octets(address, "far.example"), [9]);
    write(&marks, "192.0.2.2 down\n192.0.2.1 sideways\n");
    let told = server.reload_refused();
    assert!(
        told.contains("marks:2: \"192.0.2.1 sideways\" is not WHAT up"),
        "{told}"
    );
    assert_eq!(last_octets(address, "www.example"), [2]);
    let checked = Launch::new(&["check", "--config"])
        .with(&[&server.folder().join("ripples.toml").to_string_lossy()])
        .finish();
    assert_eq!(checked.code, Some(1));
    assert!(checked.stdout.contains("marks:2: "), "{}", checked.stdout);
    // The operator is there, and knows better.
    ctl(&server, &["up", "192.0.2.1"]);
    assert_eq!(last_octets(address, "www.example"), [1, 2]);
    write(&marks, "");
    await_octets(address, "far.example", &[10, 11]);
    server.stop();
}

#[test]
fn an_address_leaves_when_its_port_closes_and_comes_back_when_it_opens() {
    let [one, other] = [loopback::ip(), loopback::ip()].map(IpAddr::from);
    let port = loopback::port();
    let listen = |address: IpAddr| TcpListener::bind((address, port)).expect("a free port");
    let (first, _second) = (listen(one), listen(other));
    let zone = hosts(&[one, other]);
    let check = check("tcp", &format!("port = {port}"));
    let (mut server, address) = start(&zone, &check);
    let both = sorted([one, other].map(last_octet));
    await_health(&server, "well");
    assert_eq!(last_octets(address, "www.example"), both);
    drop(first);
    await_octets(address, "www.example", &[last_octet(other)]);
    server.await_log("is down, by check c: connection refused");
    let _first = listen(one);
    await_octets(address, "www.example", &both);
    server.await_log("is up, by check c");
    let stats = server.stats();
    assert_eq!(
        (stats.total("health.changes"), stats.total("health.down")),
        (2, 0)
    );
    assert!(stats.total("health.checks") > stats.total("health.failures"));
    assert!(stats.total("health.failures") >= 2);
    server.stop();
}

#[test]
fn an_address_leaves_when_its_page_has_another_status() {
    let port = loopback::port();
    let (ill, well) = (Site::start(port), Site::start(port));
    let zone = hosts(&[ill.ip, well.ip]);
    let http =
        format!("port = {port}\npath = \"/up?x=1\"\nhost = \"www.example\"\nstatus = [200, 204]");
    let (server, address) = start(&zone, &check("http", &http));
    let both = sorted([ill.ip, well.ip].map(last_octet));
    await_health(&server, "well");
    assert_eq!(last_octets(address, "www.example"), both);
    ill.status.store(503, Ordering::Relaxed);
    await_octets(address, "www.example", &[last_octet(well.ip)]);
    let health = ctl(&server, &["health"]);
    assert!(health.contains("check c: status 503"), "{health}");
    ill.status.store(204, Ordering::Relaxed);
    await_octets(address, "www.example", &both);
    server.stop();
    for request in [ill.end(), well.end()] {
        assert!(
            request.starts_with("GET /up?x=1 HTTP/1.1\r\nHost: www.example\r\n"),
            "{request}"
        );
    }
}

#[test]
fn a_command_decides_and_states_outlive_a_reload() {
    let command = "command = [\"sh\", \"-c\", \"test ! -e down-$1\", \"sh\", \"%ADDR%\"]";
    let rest = check("command", command);
    let (server, address) = start(ZONE, &rest);
    let down = server.folder().join("down-192.0.2.1");
    fs::write(&down, "").unwrap();
    await_octets(address, "www.example", &[2]);
    // Once a minute: nobody looks again meanwhile.
    let config = server.folder().join("ripples.toml");
    let text = fs::read_to_string(&config).unwrap();
    write(
        &config,
        &text.replace("interval_s = 0.1", "interval_s = 60"),
    );
    server.reload();
    std::thread::park_timeout(Duration::from_millis(300));
    fs::remove_file(&down).unwrap();
    server.rewrite("example", &ZONE.replace("192.0.2.9", "192.0.2.8"));
    server.reload();
    std::thread::park_timeout(Duration::from_millis(300));
    assert_eq!(last_octets(address, "www.example"), [2]);
    write(&config, &text);
    server.reload();
    await_octets(address, "www.example", &[1, 2]);
    // Without its check nobody knows that it is down.
    fs::write(&down, "").unwrap();
    await_octets(address, "www.example", &[2]);
    let bare = text.split("[[health.check]]").next().unwrap();
    let zone = text.split("[[zone]]").nth(1).unwrap();
    write(&config, &format!("{bare}[[zone]]{zone}"));
    server.reload();
    assert_eq!(last_octets(address, "www.example"), [1, 2]);
    server.stop();
}

#[test]
fn where_all_variants_are_down_the_configuration_says_what_is_answered() {
    let (server, address) = start(ZONE, "all_down = \"answer-all\"\n");
    let config = server.folder().join("ripples.toml");
    ctl(&server, &["down", "192.0.2.10"]);
    assert_eq!(last_octets(address, "far.example"), [11]);
    ctl(&server, &["down", "192.0.2.11"]);
    assert_eq!(last_octets(address, "far.example"), [10, 11]);
    let text = fs::read_to_string(&config).unwrap();
    write(&config, &text.replace("answer-all", "fallback"));
    server.reload();
    assert_eq!(last_octets(address, "far.example"), [9]);
    ctl(&server, &["down", "192.0.2.9"]);
    assert_eq!(last_octets(address, "far.example"), [9], "nothing is left");
    server.stop();
}

/// A web server on an address of its own, which answers everything with one status.
struct Site {
    ip: IpAddr,
    port: u16,
    status: Arc<AtomicU16>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<String>,
}

impl Site {
    fn start(port: u16) -> Self {
        let ip = loopback::ip().into();
        let listener = TcpListener::bind((ip, port)).expect("a free port");
        let status = Arc::new(AtomicU16::new(200));
        let is_over = Arc::new(AtomicBool::new(false));
        let (code, end) = (Arc::clone(&status), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            let mut last = String::new();
            while let Ok((mut stream, _)) = listener.accept()
                && !end.load(Ordering::Relaxed)
            {
                let mut request = [0; 1024];
                let len = stream.read(&mut request).unwrap_or(0);
                last = String::from_utf8_lossy(&request[..len]).into_owned();
                let code = code.load(Ordering::Relaxed);
                // Whoever has gone does not want it.
                let _ = write!(stream, "HTTP/1.1 {code} So\r\nContent-Length: 0\r\n\r\n");
            }
            last
        });
        Self {
            ip,
            port,
            status,
            is_over,
            thread,
        }
    }

    /// Ends it; returns the last request.
    fn end(self) -> String {
        self.is_over.store(true, Ordering::Relaxed);
        TcpStream::connect((self.ip, self.port)).expect("it listens");
        self.thread.join().expect("no panic")
    }
}

/// A check every tenth of a second; two results in a row count.
fn check(kind: &str, rest: &str) -> String {
    format!(
        "[[health.check]]\nname = \"c\"\nkind = \"{kind}\"\n{rest}\ninterval_s = 0.1\n\
         timeout_s = 2\nup_after = 2\ndown_after = 2\nnames = [\"www.example\"]\n"
    )
}

/// A zone whose host has these addresses.
fn hosts(addresses: &[IpAddr]) -> String {
    let hosts = addresses.iter().map(|own| format!("www 60 A {own}\n"));
    let start = "@ 300 SOA ns hostmaster 1 2 3 4 5\n@ 300 NS ns.elsewhere.\n";
    start.to_owned() + &hosts.collect::<String>()
}

/// A server with the zone `example` and this section of health.
fn start(zone: &str, health: &str) -> (Server, SocketAddr) {
    let address = loopback::address();
    let text = format!(
        "io = \"socket\"\nlisten = [\"{address}\"]\n[health]\n{health}\
         [[zone]]\norigin = \"example\"\nfile = \"example.zone\"\n"
    );
    let launch = Launch::run(&["--config", "ripples.toml"])
        .file("ripples.toml", &text)
        .file("marks", "")
        .file("example.zone", zone);
    (launch.start(), address)
}

/// What `ripples ctl` says, which must go well.
fn ctl(server: &Server, words: &[&str]) -> String {
    let ended = server.ctl(words);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout
}

/// Waits until each address has been checked with this result.
fn await_health(server: &Server, result: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let health = ctl(server, &["health"]);
        let rows = health.lines().skip(1).filter(|line| !line.starts_with(' '));
        if rows.clone().count() > 0 && rows.clone().all(|row| row.ends_with(result)) {
            return;
        }
        assert!(Instant::now() < deadline, "{health}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn await_octets(address: SocketAddr, name: &str, wanted: &[u8]) {
    let deadline = Instant::now() + PATIENCE;
    while last_octets(address, name) != wanted {
        let found = last_octets(address, name);
        assert!(Instant::now() < deadline, "{name}: {found:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The last octets of a name's addresses, in their order.
fn last_octets(address: SocketAddr, name: &str) -> Vec<u8> {
    let (reply, _) = ask(address, &query(name, rtype::A));
    let decoded = Decoded::of(Some(reply));
    let octets = decoded.answer().iter().map(|record| record.rdata[3]);
    let mut octets: Vec<u8> = octets.collect();
    octets.sort_unstable();
    octets
}

fn last_octet(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(address) => address.octets()[15],
    }
}

fn sorted<const N: usize>(mut octets: [u8; N]) -> [u8; N] {
    octets.sort_unstable();
    octets
}

/// Writes a file in one step.
fn write(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    fs::write(&draft, text).expect("a folder of one's own");
    fs::rename(draft, path).expect("a folder of one's own");
}
