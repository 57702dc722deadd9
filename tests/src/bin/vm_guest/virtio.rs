//! Virtio: attaching a program natively gives the driver more queues, to which RSS spreads at once.

use crate::cable::{Cable, SERVER, ethtool};
use crate::load::{Load, load};
use crate::queues::{by_queue, shown};
use common::Verdict;
use std::{fmt, fs};

/// Queries, and how many a second.
const COUNT: usize = 2000;
const RATE: u32 = 1000;

/// Queues for XDP alone cannot send: the kernel answers what comes by them, and the log says so.
pub(crate) fn added(cable: &Cable) -> String {
    ethtool(&["-L", SERVER, "combined", "2"]);
    let before = receive_queues();
    let asked = Asked::of(cable, "auto");
    let figures = format!("{asked} rx={before}->{}", asked.receiving);
    assert!(asked.receiving > before, "no queue was added: {figures}");
    let warning = format!("eth0 receives by {} queues and sends by 2", asked.receiving);
    assert!(asked.log.contains(&warning), "no warning: {figures}");
    assert!(
        asked.log.contains("ethtool -L eth0 combined N"),
        "no advice: {figures}"
    );
    assert_eq!(
        asked.answers.len(),
        2,
        "a socket where none can send: {figures}"
    );
    let (by_sockets, no_socket) = (asked.siblings, asked.no_socket);
    assert!(
        by_sockets > 0 && by_sockets == no_socket,
        "not by kernel sockets: {figures}"
    );
    figures
}

/// The warning's own advice: no queue is added, and all is answered by AF_XDP.
pub(crate) fn advice(cable: &Cable) -> String {
    ethtool(&["-L", SERVER, "combined", "8"]);
    let before = receive_queues();
    let asked = Asked::of(cable, "auto");
    ethtool(&["-L", SERVER, "combined", "2"]);
    let figures = format!("{asked} rx={before}->{}", asked.receiving);
    assert!(!asked.log.contains("receives by"), "it warns: {figures}");
    asked.all_by_af_xdp(&figures);
    figures
}

/// Generic mode adds no queue.
pub(crate) fn generic(cable: &Cable) -> String {
    ethtool(&["-L", SERVER, "combined", "2"]);
    let asked = Asked::of(cable, "xdp-generic");
    let figures = asked.to_string();
    asked.all_by_af_xdp(&figures);
    figures
}

/// A server that was asked, and answered every query.
struct Asked {
    load: Load,
    log: String,
    /// Answers of each AF_XDP worker.
    answers: Vec<u64>,
    /// Answers of kernel sockets.
    siblings: u64,
    /// Queries that the kernel program found no socket for.
    no_socket: u64,
    /// The queues that the interface received by meanwhile.
    receiving: usize,
}

impl Asked {
    fn of(cable: &Cable, io: &str) -> Self {
        cable.await_link();
        let server = cable.launch(&["--io", io]).start();
        cable.await_link();
        let load = load(cable, COUNT, RATE);
        let stats = server.stats();
        let asked = Self {
            answers: by_queue(&stats, SERVER, "answers"),
            siblings: stats.siblings("answers"),
            no_socket: stats.xdp(SERVER, Verdict::NoSocket),
            receiving: receive_queues(),
            load,
            log: server.log(),
        };
        eprintln!("{}", asked.log);
        server.stop();
        assert!(asked.load.is_whole(), "not all are answered: {asked}");
        asked
    }

    fn all_by_af_xdp(&self, figures: &str) {
        assert_eq!(
            self.answers.len(),
            self.receiving,
            "a queue has no socket: {figures}"
        );
        assert_eq!(
            (self.siblings, self.no_socket),
            (0, 0),
            "not all by AF_XDP: {figures}"
        );
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (load, answers) = (&self.load, shown(&self.answers));
        write!(f, "{load} queues={answers} sockets={}", self.siblings)
    }
}

/// The queues that the interface receives by just now.
fn receive_queues() -> usize {
    let folder = fs::read_dir(format!("/sys/class/net/{SERVER}/queues")).expect("an interface");
    let names = folder.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with("rx-"))
        .count()
}
