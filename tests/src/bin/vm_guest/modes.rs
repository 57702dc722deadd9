//! Every mode on every number of queues: all paced queries are answered, on all queues.

use crate::cable::{Cable, SERVER};
use crate::load::load;
use crate::queues::{by_queue, shown};
use tests::server::Server;

/// Queries, and how many a second.
const COUNT: usize = 2000;
const RATE: u32 = 1000;

pub(crate) fn zero_copy_2(cable: &Cable) -> String {
    mode(cable, 2, "xdp", "native, zero-copy")
}

pub(crate) fn zero_copy_8(cable: &Cable) -> String {
    mode(cable, 8, "xdp-zero-copy", "native, zero-copy")
}

pub(crate) fn copy_2(cable: &Cable) -> String {
    mode(cable, 2, "xdp-copy", "native, copy mode")
}

pub(crate) fn copy_8(cable: &Cable) -> String {
    mode(cable, 8, "xdp-copy", "native, copy mode")
}

pub(crate) fn generic_2(cable: &Cable) -> String {
    mode(cable, 2, "xdp-generic", "generic, copy mode")
}

pub(crate) fn generic_8(cable: &Cable) -> String {
    mode(cable, 8, "xdp-generic", "generic, copy mode")
}

/// A driver without zero-copy: who insists on it is told, and starts nothing.
pub(crate) fn zero_copy_refused(cable: &Cable) -> String {
    cable.set_queues(2);
    let ended = cable.launch(&["--io", "xdp-zero-copy"]).finish();
    assert_eq!(ended.code, Some(1), "it starts: {}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap_or_default();
    let expected = "AF_XDP on eth0, queue 0, zero-copy: not supported by this driver or kernel";
    assert!(last.contains(expected), "it says {last:?}");
    format!("exit=1 said={last:?}")
}

/// The same driver for whoever does not insist: the next best mode, and the log says why.
pub(crate) fn zero_copy_fallback(cable: &Cable) -> String {
    cable.set_queues(2);
    let server = cable.launch(&["--io", "auto"]).start();
    let log = server.log();
    assert!(log.contains("no zero-copy: AF_XDP on eth0"), "{log}");
    answers(cable, server, 2, "native, copy mode")
}

/// Answers on so many queues in one mode.
fn mode(cable: &Cable, queues: u32, io: &str, path: &str) -> String {
    cable.set_queues(queues);
    let server = cable.launch(&["--io", io]).start();
    answers(cable, server, queues, path)
}

/// Asks a server that has been started, and stops it.
fn answers(cable: &Cable, server: Server, queues: u32, path: &str) -> String {
    let expected = format!("{SERVER}: AF_XDP, {path}, {queues} queues");
    let status = server.ctl(&["status"]).stdout;
    assert!(status.contains(&expected), "not {expected:?}: {status}");
    cable.await_link();
    let load = load(cable, COUNT, RATE);
    let stats = server.stats();
    let answers = by_queue(&stats, SERVER, "answers");
    let siblings = stats.siblings("answers");
    let figures = format!("{load} queues={} sockets={siblings}", shown(&answers));
    server.stop();
    assert!(load.is_whole(), "not all are answered: {figures}");
    assert!(
        answers.iter().all(|&count| count > 0),
        "a queue has none: {figures}"
    );
    let sum = answers.iter().sum::<u64>();
    assert_eq!(sum, COUNT as u64, "not all by AF_XDP: {figures}");
    figures
}
