//! What a process has used and an interface has carried, from clocks and the tables in `/proc`.

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::fs;
use std::time::Duration;

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

/// What threads have had of their CPUs, and what others had that they wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// CPU time, the kernel's work in their calls included.
    pub ran_ns: u64,
    /// Time in which they could have run, but others did.
    pub waited_ns: u64,
}

impl Used {
    /// Of these processes up to now: what their threads ran, those that have ended included, and
    /// what those waited that have not. A process that is gone counts nothing.
    pub fn of(processes: &[i32]) -> Self {
        let all = processes.iter().map(|&process| Self::of_process(process));
        all.fold(Self::default(), Self::and)
    }

    fn of_process(process: i32) -> Self {
        let clock = clock_getcpuclockid(Pid::from_raw(process));
        let ran = clock.and_then(clock_gettime).map(Duration::from);
        let ran = ran.unwrap_or_default().as_nanos();
        let waited = threads(process).into_iter().map(Self::of_thread);
        Self {
            ran_ns: u64::try_from(ran).unwrap_or(u64::MAX),
            waited_ns: waited.map(|used| used.waited_ns).sum(),
        }
    }

    fn of_thread(thread: i32) -> Self {
        let text = fs::read_to_string(format!("/proc/{thread}/schedstat"));
        text.ok().as_deref().and_then(schedstat).unwrap_or_default()
    }

    fn and(self, other: Self) -> Self {
        Self {
            ran_ns: self.ran_ns + other.ran_ns,
            waited_ns: self.waited_ns + other.waited_ns,
        }
    }

    /// What came since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            ran_ns: self.ran_ns.saturating_sub(earlier.ran_ns),
            waited_ns: self.waited_ns.saturating_sub(earlier.waited_ns),
        }
    }
}

/// CPU time of a thread; a thread that is gone has none.
pub fn processor_ns(thread: i32) -> u64 {
    Used::of_thread(thread).ran_ns
}

/// The first two numbers of a `schedstat` (Documentation/scheduler/sched-stats.rst).
fn schedstat(text: &str) -> Option<Used> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some(Used {
        ran_ns: numbers.next()?.ok()?,
        waited_ns: numbers.next()?.ok()?,
    })
}

/// Received and sent packets of an interface in `/proc/net/dev`.
pub fn packets(table: &str, interface: &str) -> Option<[u64; 2]> {
    let cells = cells(table, interface)?;
    Some([cells.get(1)?.parse().ok()?, cells.get(9)?.parse().ok()?])
}

/// Packets in `/proc/net/dev` that an interface should have sent and has dropped.
pub fn dropped_sending(table: &str, interface: &str) -> Option<u64> {
    cells(table, interface)?.get(11)?.parse().ok()
}

/// What `/proc/net/dev` says of an interface: eight numbers of receiving, eight of sending.
fn cells<'a>(table: &'a str, interface: &str) -> Option<Vec<&'a str>> {
    let mut rows = table.lines().filter_map(|line| line.split_once(':'));
    let (_, row) = rows.find(|(name, _)| name.trim() == interface)?;
    Some(row.split_whitespace().collect())
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
    fn time_on_the_cpu_is_the_first_of_three_and_waiting_the_second() {
        let used = Used {
            ran_ns: 123_456_789,
            waited_ns: 42,
        };
        assert_eq!(schedstat("123456789 42 7\n"), Some(used));
        assert_eq!(schedstat("123456789\n"), None);
        assert_eq!(schedstat(""), None);
        let since = used.and(used).since(used);
        assert_eq!(since, used);
    }

    #[test]
    fn what_a_thread_ran_counts_when_it_has_ended() {
        let id = nix::unistd::getpid().as_raw();
        let before = Used::of(&[id]);
        std::thread::spawn(|| {
            let start = std::time::Instant::now();
            while start.elapsed() < Duration::from_millis(50) {
                std::hint::black_box(0);
            }
        })
        .join()
        .unwrap();
        let ran = Used::of(&[id]).since(before).ran_ns;
        // Others run as well.
        assert!(ran > 1_000_000, "{ran}");
        // Linux counts to just below it.
        assert_eq!(Used::of(&[1 << 22]), Used::default(), "nobody");
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
