//! A server that replaces another one while queries come over AF_XDP.

use crate::stage::{INTERFACE, PORT, attached, xdp};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use tests::client::{self, query};
use tests::folder::Folder;
use tests::netns::{Veth, privileged};
use tests::record::rtype;
use tests::scrape::Scrape;
use tests::server::{EXAMPLE, Launch, Orphan, PATIENCE, Server};
use tests::steady::{Steady, Stop, steady};

/// A veth pair on which one server follows the other.
struct Place {
    veth: Veth,
    folder: Folder,
}

impl Place {
    fn new() -> Option<Self> {
        privileged().then(|| Self {
            veth: Veth::new(2),
            folder: Folder::new(),
        })
    }

    fn launch(&self, arguments: &[&str]) -> Launch {
        let control = self.folder.path().join("control.sock");
        Launch::run_at(&control, &["--interface", INTERFACE])
            .with(arguments)
            .within(&self.veth.server.namespace)
            .zone("example", EXAMPLE)
    }

    fn start(&self) -> Server {
        self.launch(&["--io", "xdp"]).start()
    }

    fn replace(&self, io: &str) -> Server {
        self.launch(&["--io", io, "--replace"]).start()
    }

    fn address(&self) -> SocketAddr {
        (self.veth.server.ipv4, PORT).into()
    }

    /// Lets queries come at `rate` while `work` goes on.
    fn under_load<T>(&self, rate: u32, work: impl FnOnce() -> T) -> (Steady, T) {
        let (stop, query) = (AtomicBool::new(false), query("www.example", rtype::A));
        std::thread::scope(|scope| {
            let load = || steady(self.address(), &query, rate, &stop);
            let load = scope.spawn(move || self.veth.client.namespace.run(load));
            let stop = Stop(&stop);
            let result = work();
            drop(stop);
            (load.join().unwrap(), result)
        })
    }

    /// Sees that a query is answered over AF_XDP.
    fn ask_over_xdp(&self, server: &Server) {
        let before = xdp(&server.stats(), "answers");
        let (address, query) = (self.address(), query("www.example", rtype::A));
        let client = &self.veth.client.namespace;
        client.run(|| client::ask(address, &query));
        server.await_stats(|stats| xdp(stats, "answers") > before);
    }
}

/// Waits until a server has answered so many over AF_XDP.
fn await_answers(server: &Server, count: u64) {
    server.await_stats(|stats| xdp(stats, "answers") >= count);
}

/// A number of the environment, for more than CI has time for (docs/performance.md).
fn number(name: &str, default: u32) -> u32 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn servers_replace_each_other_under_load_and_lose_nothing() {
    let Some(place) = Place::new() else { return };
    let replacements = number("RIPPLES_REPLACEMENTS", 3);
    let rate = number("RIPPLES_REPLACE_RATE", 5_000);
    let first = place.start();
    let (result, (last, logs)) = place.under_load(rate, || {
        let (mut server, mut logs) = (first, String::new());
        for _ in 0..replacements {
            await_answers(&server, u64::from(rate) / 2);
            let next = place.replace("xdp");
            let ended = server.wait();
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            logs += &ended.stderr;
            server = next;
        }
        await_answers(&server, u64::from(rate) / 2);
        (server, logs)
    });
    println!("{replacements} replacements at {rate} queries/s: {result}");
    let switches = logs.lines().filter(|line| line.contains(" ms="));
    switches.for_each(|line| println!("{line}"));
    assert_eq!(result.lost, [], "{result}\n{logs}");
    let stats = last.stats();
    assert_eq!(xdp(&stats, "discards"), 0, "{stats}");
    last.stop();
    assert!(!attached(&place.veth.server));
}

#[test]
fn a_server_gets_its_queues_back_from_one_that_dies_half_way_and_loses_nothing() {
    let Some(place) = Place::new() else { return };
    let logged = ["--io", "xdp", "--query-log", "logs"];
    let mut server = place.launch(&logged).start();
    let (result, ()) = place.under_load(2_000, || {
        for _ in 0..2 {
            await_answers(&server, 500);
            drop(half_way(&server));
            server.await_log("has its queues back");
        }
        await_answers(&server, 500);
    });
    assert_eq!(result.lost, [], "{result}\n{}", server.log());
    let log = server.log();
    assert!(log.contains("which goes on: it has ended"), "{log}");
    place.ask_over_xdp(&server);
    // What its new workers answer is written down as before.
    let (address, logs) = (place.address(), server.folder().join("logs"));
    let client = &place.veth.client.namespace;
    client.run(|| client::ask(address, &query("example", rtype::SOA)));
    let is_written = || {
        let files = std::fs::read_dir(&logs).into_iter().flatten().flatten();
        let mut texts = files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default());
        texts.any(|text| text.contains("\"type\":\"SOA\""))
    };
    server.await_stats(|_| is_written());
    // It can still be replaced by one that lives.
    let next = place.replace("xdp");
    assert_eq!(server.wait().code, Some(0));
    place.ask_over_xdp(&next);
    next.stop();
}

/// What a new server says before it opens its own sockets, and nothing more.
fn half_way(server: &Server) -> UnixStream {
    let mut stream = UnixStream::connect(server.control()).unwrap();
    writeln!(stream, "{{\"version\":1,\"command\":\"replace\"}}").unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let greeting = lines.next().unwrap().unwrap();
    assert!(greeting.contains("\"handover\":1"), "{greeting}");
    writeln!(stream, "\"take\"").unwrap();
    let mut lines = lines.map(|line| line.unwrap());
    assert!(lines.any(|line| line == "\"released\""));
    stream
}

#[test]
fn nothing_that_was_counted_is_forgotten_while_queues_come_and_go() {
    let Some(place) = Place::new() else { return };
    let http = "127.0.0.1:9053";
    let mut server = place.launch(&["--io", "xdp", "--http", http]).start();
    let scrape = || {
        let at = http.parse().unwrap();
        place.veth.server.namespace.run(|| Scrape::of(at))
    };
    (0..5).for_each(|_| place.ask_over_xdp(&server));
    let mut before = scrape();
    for round in 1..=2 {
        let stream = half_way(&server);
        let without = scrape();
        without.assert_nothing_forgotten(&before);
        drop(stream);
        server.await_stats(|_| server.log().matches("has its queues back").count() == round);
        let back = scrape();
        back.assert_nothing_forgotten(&without);
        place.ask_over_xdp(&server);
        before = scrape();
        before.assert_nothing_forgotten(&back);
    }
    let answered = before.sum("ripples_replies_total", INTERFACE);
    assert_eq!(answered, 7.0, "{before}");
    server.await_log("has its queues back");
    server.stop();
}

#[test]
fn while_neither_has_the_queues_kernel_sockets_answer() {
    let Some(place) = Place::new() else { return };
    let server = place.start();
    let stream = half_way(&server);
    let (address, query) = (place.address(), query("www.example", rtype::A));
    let before = server.stats().siblings("answers");
    place
        .veth
        .client
        .namespace
        .run(|| client::ask(address, &query));
    server.await_stats(|stats| stats.siblings("answers") == before + 1);
    drop(stream);
    server.stop();
}

#[test]
fn one_goes_on_when_the_server_that_it_replaces_is_killed() {
    let Some(place) = Place::new() else { return };
    let mut old = place.start();
    let pipe = place.folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let slow = format!("slow={}", pipe.display());
    let mut new = place
        .launch(&["--io", "xdp", "--replace", "--zone", &slow])
        .begin();
    old.await_log("a server prepares to replace this one");
    new.await_log("replaces a server");
    old.kill();
    std::fs::write(&pipe, EXAMPLE).unwrap();
    new.await_log("ready\n");
    place.ask_over_xdp(&new);
    new.stop();
    assert!(!attached(&place.veth.server));
}

#[test]
fn one_that_fails_leaves_the_old_one_its_queues() {
    let Some(place) = Place::new() else { return };
    let mut server = place.start();
    let broken = place.launch(&["--io", "xdp", "--replace"]);
    let failed = broken.zone("broken", "@ SOA nonsense\n").finish();
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    server.await_log("does not replace this server, which goes on");
    place.ask_over_xdp(&server);
    server.stop();
}

#[test]
fn af_xdp_comes_and_goes_with_the_servers_and_the_mode_stays() {
    let Some(place) = Place::new() else { return };
    let mut server = place.launch(&["--io", "socket"]).start();
    for (io, path) in [
        ("xdp-generic", "AF_XDP, generic, copy mode"),
        ("xdp", "AF_XDP, generic, copy mode"),
        ("socket", "UDP: kernel sockets"),
        ("auto", "AF_XDP, native, copy mode"),
        ("xdp", "AF_XDP, native, copy mode"),
    ] {
        let next = place.replace(io);
        assert_eq!(server.wait().code, Some(0));
        server = next;
        let status = server.ctl(&["status"]).stdout;
        assert!(status.contains(path), "{path}: {status}");
        let (address, query) = (place.address(), query("www.example", rtype::A));
        let client = &place.veth.client.namespace;
        client.run(|| client::ask(address, &query));
    }
    server.stop();
}

#[test]
fn an_upgrade_brings_the_queues_along() {
    let Some(place) = Place::new() else { return };
    let mut old = place.start();
    let pid = format!("\"pid\":{},", old.id());
    assert_eq!(old.ctl(&["upgrade"]).code, Some(0));
    let new = Orphan(old.control());
    old.await_log("handover replaced ");
    // The new one has the control socket, and the log.
    let status = new.ctl(&["status", "--json"]).stdout;
    assert!(status.contains("AF_XDP, native"), "{status}");
    assert_eq!(
        status.matches(&pid).count(),
        1,
        "as the replaced one: {status}"
    );
    place.ask_over_xdp(&old);
    drop(new);
    let ended = old.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("ready\n").count(), 2);
}
