//! What the server's workers have counted, queue by queue.

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
