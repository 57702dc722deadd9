//! A bond: its member is attached, and answers.

use crate::cable::{ADDRESS, Cable, SERVER, run};
use crate::load::load;
use crate::queues::{by_queue, shown};
use std::process::Command;
use tests::netns::ip;
use tests::server::{EXAMPLE, Launch};

/// Not `bond0`, which the module makes by itself.
const BOND: &str = "bond1";

/// Queries, and how many a second.
const COUNT: usize = 1000;
const RATE: u32 = 500;

pub(crate) fn members(cable: &Cable) -> String {
    cable.set_queues(2);
    ip(&format!(
        "link add {BOND} type bond mode active-backup miimon 100"
    ));
    ip(&format!("addr flush dev {SERVER}"));
    ip(&format!("link set {SERVER} down"));
    ip(&format!("link set {SERVER} master {BOND}"));
    ip(&format!("link set {BOND} up"));
    ip(&format!("addr add {ADDRESS}/24 dev {BOND}"));
    let figures = serve(cable);
    ip(&format!("link del {BOND}"));
    cable.plug_in();
    cable.await_link();
    figures
}

/// Serves the bond, and asks.
fn serve(cable: &Cable) -> String {
    let advice = run(Command::new("/programs/ripples").args(["check", "--interface", BOND]));
    let expected = "bond1: ok: bond: its members are attached: eth0";
    assert!(advice.contains(expected), "{advice}");
    let listen = cable.server().to_string();
    let arguments = ["--interface", BOND, "--listen", &listen, "--io", "xdp"];
    let server = Launch::run(&arguments).zone("example", EXAMPLE).start();
    let log = server.log();
    assert!(log.contains("a bond: its members are attached"), "{log}");
    let status = server.ctl(&["status"]).stdout;
    let expected = "eth0: AF_XDP, native, zero-copy, 2 queues";
    assert!(status.contains(expected), "not {expected:?}: {status}");
    cable.await_link();
    // The bond looks at its member's link now and then.
    std::thread::park_timeout(std::time::Duration::from_secs(1));
    let load = load(cable, COUNT, RATE);
    let answers = by_queue(&server.stats(), SERVER, "answers");
    let figures = format!("{load} queues={}", shown(&answers));
    server.stop();
    assert!(load.is_whole(), "not all are answered: {figures}");
    let sum = answers.iter().sum::<u64>();
    assert_eq!(sum, COUNT as u64, "not all by AF_XDP: {figures}");
    figures
}
