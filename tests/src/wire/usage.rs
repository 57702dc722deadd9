//! What a process has used and an interface has carried, from the tables in `/proc`.

use std::fs;

/// The threads of a process; none where it is gone.
pub fn threads(process: i32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    let names = tasks
        .into_iter()
        .flatten()
        .flatten()
        .map(|task| task.file_name());
    names
        .filter_map(|name| name.to_str()?.parse().ok())
        .collect()
}

/// CPU time of a thread; a thread that is gone has none.
pub fn processor_ns(thread: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{thread}/schedstat"));
    text.ok().as_deref().and_then(on_cpu_ns).unwrap_or_default()
}

/// The first number of a `schedstat` (Documentation/scheduler/sched-stats.rst).
fn on_cpu_ns(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Received and sent packets of an interface in `/proc/net/dev`.
pub fn packets(table: &str, interface: &str) -> Option<[u64; 2]> {
    let mut rows = table.lines().filter_map(|line| line.split_once(':'));
    let (_, row) = rows.find(|(name, _)| name.trim() == interface)?;
    let cells: Vec<&str> = row.split_whitespace().collect();
    Some([cells.get(1)?.parse().ok()?, cells.get(9)?.parse().ok()?])
}

/// Datagrams that UDP has taken, from `/proc/net/snmp`.
pub fn datagrams(table: &str) -> Option<u64> {
    let mut rows = table.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = (rows.next()?, rows.next()?);
    let at = names
        .split_whitespace()
        .position(|name| name == "InDatagrams")?;
    values.split_whitespace().nth(at)?.parse().ok()
}

/// The line `Pss` of an `smaps_rollup`.
pub fn proportional_kib(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_on_the_cpu_is_the_first_of_three() {
        assert_eq!(on_cpu_ns("123456789 42 7\n"), Some(123_456_789));
        assert_eq!(on_cpu_ns(""), None);
    }

    #[test]
    fn packets_are_those_of_the_interface() {
        let table = "Inter-|   Receive                  |  Transmit\n \
            face |bytes    packets errs drop fifo frame compressed multicast|bytes packets\n\
                lo:       1       2    3    4    5     6          7         8       9 10 0 0\n\
             server0: 4000      40    0    0    0     0          0         0    6000 60 0 0\n";
        assert_eq!(packets(table, "server0"), Some([40, 60]));
        assert_eq!(packets(table, "server"), None);
    }

    #[test]
    fn datagrams_are_found_by_their_column() {
        let table = "Tcp: A B\nTcp: 1 2\nUdp: NoPorts InDatagrams InErrors\nUdp: 3 5 8\n\
                     UdpLite: InDatagrams\nUdpLite: 9\n";
        assert_eq!(datagrams(table), Some(5));
    }

    #[test]
    fn memory_is_the_proportional_set() {
        let text = "Rss:      900 kB\nPss:      700 kB\nPss_Dirty:  100 kB\n";
        assert_eq!(proportional_kib(text), Some(700));
    }
}
