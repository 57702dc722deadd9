//! A bond: its member is attached, and answers.

use crate::cable::{ADDRESS, Cable, SERVER, run};
use crate::load::load;
use crate::queues::all_by_af_xdp;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;
use tests::netns::ip;
use tests::server::{EXAMPLE, Launch, Server};

/// Not `bond0`, which the module makes by itself.
pub(crate) const BOND: &str = "bond1";
/// Queries, and how many a second.
const COUNT: usize = 1000;
const RATE: u32 = 500;

pub(crate) fn members(cable: &Cable) -> String {
    bring_up(cable);
    ip(&format!("addr add {ADDRESS}/24 dev {BOND}"));
    let advice = run(Command::new("/programs/ripples").args(["check", "--interface", BOND]));
    let expected = "bond1: ok: bond: its members are attached: eth0";
    assert!(advice.contains(expected), "{advice}");
    let server = serve(cable, &[cable.server()], "");
    let figures = all_by_af_xdp(&server, || load(cable, COUNT, RATE));
    server.stop();
    take_down(cable);
    figures
}

/// Puts the server's interface into a bond.
pub(crate) fn bring_up(cable: &Cable) {
    cable.set_queues(2);
    ip(&format!(
        "link add {BOND} type bond mode active-backup miimon 100"
    ));
    ip(&format!("addr flush dev {SERVER}"));
    ip(&format!("link set {SERVER} down"));
    ip(&format!("link set {SERVER} master {BOND}"));
    ip(&format!("link set {BOND} up"));
}

/// Gives the server's interface back.
pub(crate) fn take_down(cable: &Cable) {
    ip(&format!("link del {BOND}"));
    cable.plug_in();
    cable.await_link();
}

/// Serves the bond with such a configuration.
pub(crate) fn serve(cable: &Cable, listen: &[SocketAddr], config: &str) -> Server {
    let mut arguments = vec!["--interface".to_owned(), BOND.to_owned()];
    for address in listen {
        arguments.extend(["--listen".to_owned(), address.to_string()]);
    }
    arguments.extend(["--io", "xdp", "--config", "r.toml"].map(str::to_owned));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let launch = Launch::run(&arguments).file("r.toml", config);
    let server = launch.zone("example", EXAMPLE).start();
    let log = server.log();
    assert!(log.contains("a bond: its members are attached"), "{log}");
    let status = server.ctl(&["status"]).stdout;
    let expected = "eth0: AF_XDP, native, zero-copy, 2 queues";
    assert!(status.contains(expected), "not {expected:?}: {status}");
    cable.await_link();
    // The bond looks at its member's link now and then.
    std::thread::park_timeout(Duration::from_secs(1));
    server
}
