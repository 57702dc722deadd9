//! Every mode on every number of queues: all paced queries are answered, on all queues.

use crate::cable::{Cable, SERVER};
use crate::load::load;
use crate::queues::{by_queue, shown};

/// Queries, and how many a second.
const COUNT: usize = 2000;
const RATE: u32 = 1000;

pub(crate) fn zero_copy_2(cable: &Cable) -> String {
    mode(cable, 2, "xdp", "native, zero-copy")
}

/// Answers on so many queues in one mode.
fn mode(cable: &Cable, queues: u32, io: &str, path: &str) -> String {
    cable.set_queues(queues);
    let server = cable.launch(&["--io", io]).start();
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
