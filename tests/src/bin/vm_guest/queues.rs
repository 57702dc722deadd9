//! What the server's workers have counted, queue by queue.

use crate::cable::SERVER;
use crate::load::Load;
use tests::server::Server;
use tests::stats::Stats;

/// A counter of each queue's worker, in order of the queues.
pub(crate) fn by_queue(stats: &Stats, interface: &str, counter: &str) -> Vec<u64> {
    let mut queues: Vec<(u32, u64)> = stats
        .workers()
        .into_iter()
        .filter_map(|worker| {
            let queue = worker.strip_prefix(interface)?.strip_prefix('/')?;
            Some((queue.parse().ok()?, stats.worker(worker, counter)))
        })
        .collect();
    queues.sort_unstable();
    queues.into_iter().map(|(_, count)| count).collect()
}

/// Numbers with commas between.
pub(crate) fn shown(numbers: &[u64]) -> String {
    let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
    numbers.join(",")
}

/// Asks; all must be answered, by AF_XDP. Returns the figures.
pub(crate) fn all_by_af_xdp(server: &Server, ask: impl FnOnce() -> Load) -> String {
    let count = || by_queue(&server.stats(), SERVER, "answers");
    let before = count();
    let load = ask();
    let after = count();
    let queues: Vec<_> = after
        .iter()
        .zip(&before)
        .map(|(after, before)| after - before)
        .collect();
    let figures = format!("{load} queues={}", shown(&queues));
    assert!(load.is_whole(), "not all are answered: {figures}");
    assert_eq!(
        queues.iter().sum::<u64>(),
        load.asked as u64,
        "not all by AF_XDP: {figures}"
    );
    figures
}
