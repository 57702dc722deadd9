//! What happens to a NIC while the server answers.

use crate::cable::{Cable, SERVER, ethtool};
use crate::load::{Load, load};
use crate::queues::all_by_af_xdp;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};
use tests::client;
use tests::decoded::Decoded;
use tests::netns::ip;
use tests::record::rtype;
use tests::server::{PATIENCE, Server};

/// Queries before, during and after an event, and how many a second.
const COUNT: usize = 3000;
const RATE: u32 = 500;
const AFTER: usize = 500;

/// A second without a link, and what the NIC takes to have one again.
pub(crate) fn link(cable: &Cable) -> String {
    survive(cable, Duration::from_secs(4), || {
        ip(&format!("link set {SERVER} down"));
        std::thread::park_timeout(Duration::from_secs(1));
        ip(&format!("link set {SERVER} up"));
    })
}

pub(crate) fn rings(cable: &Cable) -> String {
    survive(cable, Duration::from_secs(3), || {
        drop(ethtool(&["-G", SERVER, "rx", "512", "tx", "512"]))
    })
}

pub(crate) fn negotiation(cable: &Cable) -> String {
    survive(cable, Duration::from_secs(3), || {
        drop(ethtool(&["-r", SERVER]))
    })
}

/// A larger MTU is refused, or goes well.
pub(crate) fn mtu(cable: &Cable) -> String {
    let mut refusal = String::new();
    let figures = survive(cable, Duration::ZERO, || {
        let mut change = Command::new("ip");
        let output = change
            .args(["link", "set", SERVER, "mtu", "3000"])
            .output()
            .expect("ip");
        refusal = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    });
    ip(&format!("link set {SERVER} mtu 1500"));
    let answer = if refusal.is_empty() {
        "taken"
    } else {
        &refusal
    };
    format!("{figures} mtu={answer:?}")
}

/// Queues that have sockets cannot be taken away.
pub(crate) fn channels(cable: &Cable) -> String {
    let mut refusal = String::new();
    let figures = survive(cable, Duration::ZERO, || {
        let output = Command::new("ethtool")
            .args(["-L", SERVER, "combined", "1"])
            .output();
        let output = output.expect("ethtool");
        assert!(
            !output.status.success(),
            "a queue with a socket was taken away"
        );
        refusal = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    });
    assert!(
        refusal.contains("AF_XDP"),
        "for another reason: {refusal:?}"
    );
    format!("{figures} refused={refusal:?}")
}

/// A server that is killed leaves nothing behind, and the next one has all.
pub(crate) fn kill(cable: &Cable) -> String {
    let server = start(cable, "xdp");
    assert!(is_attached(), "nothing is attached");
    let during = meanwhile(cable, || server.kill());
    nothing_lost_before(&during);
    assert!(!during.is_whole(), "the dead answer: {during}");
    let start_of_wait = Instant::now();
    while is_attached() {
        assert!(
            start_of_wait.elapsed() < PATIENCE,
            "the program outlived its process"
        );
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let gone_ms = start_of_wait.elapsed().as_millis();
    let server = start(cable, "xdp");
    let figures = answers(cable, &server);
    server.stop();
    format!("during: {during} after: {figures} detached_ms={gone_ms}")
}

/// A driver that lets go of the NIC: the server says so, stays, and takes the NIC again.
pub(crate) fn unbind(cable: &Cable) -> String {
    cable.set_queues(2);
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let launch = cable.launch(&["--io", "auto", "--listen", &loopback.to_string()]);
    let mut server = launch.start();
    answers(cable, &server);
    let device = Device::of_server();
    let mut noticed_ms = 0;
    let during = meanwhile(cable, || {
        let start = Instant::now();
        device.tell("unbind");
        server.await_log("eth0 is gone");
        noticed_ms = start.elapsed().as_millis();
    });
    nothing_lost_before(&during);
    let (reply, _) = client::ask(loopback, &client::query("www.example", rtype::A));
    let reply = Decoded::of(Some(reply));
    assert_eq!(reply.answer()[0].text, "192.0.2.80", "by kernel sockets");
    let status = server.ctl(&["status"]).stdout;
    assert!(status.contains("eth0: gone"), "{status}");
    let used = server.processor_time_of(Duration::from_secs(1));
    assert!(
        used < Duration::from_millis(250),
        "without a NIC it uses {used:?} of a second"
    );
    let start = Instant::now();
    device.tell("bind");
    // Once it is up the server takes all queues that there are.
    ethtool(&["-L", SERVER, "combined", "2"]);
    cable.plug_in();
    cable.set_queues(2);
    server.await_log("eth0 is back");
    let back_ms = start.elapsed().as_millis();
    let figures = answers(cable, &server);
    let status = server.ctl(&["status"]).stdout;
    server.stop();
    assert!(
        status.contains("eth0: AF_XDP, native, zero-copy, 2 queues"),
        "{status}"
    );
    format!("{figures} noticed_ms={noticed_ms} back_ms={back_ms}")
}

/// The same for a server that was to have AF_XDP or nothing.
pub(crate) fn unbind_forced(cable: &Cable) -> String {
    let server = start(cable, "xdp");
    let device = Device::of_server();
    let start = Instant::now();
    device.tell("unbind");
    let ended = server.wait();
    let ended_ms = start.elapsed().as_millis();
    device.tell("bind");
    cable.plug_in();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("eth0 is gone"), "it says {last:?}");
    format!("exit=1 ended_ms={ended_ms} said={last:?}")
}

/// The PCI device behind the server's interface.
struct Device(String);

impl Device {
    fn of_server() -> Self {
        let link = std::fs::read_link(format!("/sys/class/net/{SERVER}/device"));
        let link = link.expect("a PCI device");
        Self(
            link.file_name()
                .expect("it has a name")
                .to_string_lossy()
                .into_owned(),
        )
    }

    /// Has its driver take it, or let go of it.
    fn tell(&self, what: &str) {
        let file = format!("/sys/bus/pci/drivers/igb/{what}");
        std::fs::write(&file, &self.0).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

/// A server on two queues that answers.
fn start(cable: &Cable, io: &str) -> Server {
    cable.set_queues(2);
    let server = cable.launch(&["--io", io]).start();
    cable.await_link();
    server
}

/// Does something while queries come, of which those of a while may be lost; afterwards all are
/// answered again, by AF_XDP.
fn survive(cable: &Cable, outage: Duration, event: impl FnOnce()) -> String {
    let server = start(cable, "xdp");
    let before = answers(cable, &server);
    let during = meanwhile(cable, event);
    let after = answers(cable, &server);
    server.stop();
    let figures = format!("before: {before} during: {during} after: {after}");
    nothing_lost_before(&during);
    if let Some((first, last)) = during.lost {
        let lost = Duration::from_secs((last - first + 1) as u64) / RATE;
        assert!(lost <= outage, "lost for {lost:?}: {figures}");
    }
    figures
}

/// Only what came after the event may be lost, or was just under way.
fn nothing_lost_before(load: &Load) {
    let first = load.lost.map_or(COUNT, |(first, _)| first);
    assert!(first >= RATE as usize * 9 / 10, "lost before: {load}");
}

/// Does something a second after queries have begun to come.
fn meanwhile(cable: &Cable, event: impl FnOnce()) -> Load {
    std::thread::scope(|scope| {
        let during = scope.spawn(|| load(cable, COUNT, RATE));
        std::thread::park_timeout(Duration::from_secs(1));
        event();
        let during = during.join();
        during.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Asks; all must be answered, by AF_XDP.
fn answers(cable: &Cable, server: &Server) -> String {
    cable.await_link();
    all_by_af_xdp(server, || load(cable, AFTER, RATE))
}

/// Whether a program is attached to the server's interface, as `ip` sees it.
fn is_attached() -> bool {
    let mut show = Command::new("ip");
    let output = show
        .args(["-details", "link", "show", "dev", SERVER])
        .output()
        .expect("ip");
    String::from_utf8_lossy(&output.stdout).contains("prog/xdp")
}
