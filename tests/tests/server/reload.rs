//! New zones without a restart.

use nix::sys::signal::Signal;
use std::net::SocketAddr;
use std::time::Duration;
use tests::client::{ask, ask_tcp, load, query};
use tests::loopback;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, Server};

#[test]
fn sighup_and_ctl_reload_bring_new_answers_over_udp_and_tcp() {
    let (mut server, address) = start("1");
    assert_eq!(last_byte(address), 80);
    server.rewrite("example", &EXAMPLE.replace("192.0.2.80", "192.0.2.81"));
    assert_eq!(last_byte(address), 80, "nobody has asked for a reload");
    server.reload();
    assert_eq!(last_byte(address), 81);
    server.rewrite("example", &EXAMPLE.replace("192.0.2.80", "192.0.2.82"));
    let before = server.reloads();
    server.signal(Signal::SIGHUP);
    server.await_reload(before);
    assert_eq!(last_byte(address), 82);
    server.stop();
}

#[test]
fn a_broken_zone_keeps_its_old_answers_and_the_log_says_where_it_is_broken() {
    let (server, address) = start("1");
    let file = server.folder().join("example.zone");
    server.rewrite("example", &EXAMPLE.replace("192.0.2.80", "192.0.2.300"));
    let told = server.reload_refused();
    let line = EXAMPLE.lines().position(|line| line.contains("192.0.2.80"));
    let place = format!("{}:{}:17: `192.0.2.300`", file.display(), line.unwrap() + 1);
    let log = server.log();
    let zones = server.ctl(&["zones"]).stdout;
    for said in [log, told, zones] {
        assert!(said.contains(&place), "{place}: {said}");
    }
    let stats = server.stats();
    assert_eq!(stats.total("resources.zones_failed"), 1);
    assert_eq!(stats.total("resources.reload_errors"), 1);
    assert_eq!(last_byte(address), 80);

    std::fs::remove_file(&file).unwrap();
    server.reload_refused();
    let missing = format!("{}: cannot open: No such file", file.display());
    assert!(server.log().contains(&missing), "{}", server.log());
    assert_eq!(last_byte(address), 80);

    server.rewrite("example", &EXAMPLE.replace("192.0.2.80", "192.0.2.83"));
    server.reload();
    assert_eq!(last_byte(address), 83);
    assert_eq!(server.stats().total("resources.zones_failed"), 0);
    server.stop();
}

#[test]
fn a_reload_under_load_loses_no_query_on_kernel_sockets() {
    let (server, address) = start("2");
    let query = query("www.example", rtype::A);
    let answered = std::thread::scope(|scope| {
        let load = scope.spawn(|| load(address, &query, 2_000, Duration::from_secs(2)));
        server.await_stats(|stats| stats.total("answers") > 500);
        server.rewrite("example", &EXAMPLE.replace("192.0.2.80", "192.0.2.84"));
        server.reload();
        load.join().unwrap()
    });
    assert_eq!((answered.sent, answered.received), (2_000, 2_000));
    let mut last: Vec<u8> = answered
        .replies
        .keys()
        .map(|reply| reply[reply.len() - 1])
        .collect();
    last.sort_unstable();
    assert_eq!(
        last,
        [80, 84],
        "each answer is of one of the zones, and whole"
    );
    server.stop();
}

fn start(workers: &str) -> (Server, SocketAddr) {
    let address = loopback::address();
    let listen = address.to_string();
    let arguments = ["--io", "socket", "--listen", &listen, "--workers", workers];
    let launch = Launch::run(&arguments)
        .with(&["--no-watch"])
        .zone("example", EXAMPLE);
    (launch.start(), address)
}

/// The last byte of the address that is answered for `www.example`, the same over both protocols.
fn last_byte(address: SocketAddr) -> u8 {
    let query = query("www.example", rtype::A);
    let (reply, _) = ask(address, &query);
    assert_eq!(reply, ask_tcp(address, &query));
    reply[reply.len() - 1]
}

#[test]
fn a_broken_image_keeps_the_old_one_and_a_new_one_takes_its_place() {
    let address = loopback::address();
    let listen = address.to_string();
    let launch = Launch::run(&["--io", "socket", "--listen", &listen, "--no-watch"]);
    let image = launch.folder().join("example.img");
    let compile = |last: &str| {
        let text = EXAMPLE.replace("192.0.2.80", last);
        let compile = Launch::new(&["compile", "--output", &image.to_string_lossy()]);
        assert_eq!(compile.zone("example", &text).finish().code, Some(0));
    };
    compile("192.0.2.80");
    let server = launch
        .with(&["--zone", &format!("example={}", image.display())])
        .start();
    assert_eq!(last_byte(address), 80);
    compile("192.0.2.81");
    server.reload();
    assert_eq!(last_byte(address), 81);

    let mut broken = std::fs::read(&image).unwrap();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    std::fs::write(image.with_extension("new"), broken).unwrap();
    std::fs::rename(image.with_extension("new"), &image).unwrap();
    server.reload_refused();
    assert_eq!(last_byte(address), 81);
    let complaint = "example.img: byte ";
    assert!(server.log().contains(complaint), "{}", server.log());

    compile("192.0.2.82");
    server.reload();
    assert_eq!(last_byte(address), 82);
    server.stop();
}
