//! Which CPUs the threads of a server run on.

use std::collections::BTreeMap;
use std::fs;
use std::thread::park_timeout;
use std::time::{Duration, Instant};
use tests::client::{ask, query};
use tests::loopback;
use tests::record::rtype;
use tests::scrape::Scrape;
use tests::server::{EXAMPLE, Launch, PATIENCE, Server};

/// Threads that keep off the workers' CPUs: the log's, the query log's and its outlet's, and the
/// one for HTTP and live streams.
const ASIDE: [&str; 4] = ["log", "querylog", "querylog-out", "runtime"];

#[test]
fn whoever_writes_or_tells_keeps_off_the_workers_cpus() {
    let all = cpus("/proc/thread-self/status").expect("this thread");
    let [first, others @ ..] = &all[..] else {
        panic!("a thread without a CPU");
    };
    if others.is_empty() {
        eprintln!("there is one CPU only");
        return;
    }
    let (address, http) = (loopback::address(), loopback::address());
    let server = Launch::run(&["--io", "socket", "--workers", "1"])
        .with(&["--listen", &address.to_string()])
        .with(&["--http", &http.to_string(), "--query-log", "logs"])
        .with(&["--cpus", &first.to_string()])
        .zone("example", EXAMPLE)
        .start();
    ask(address, &query("www.example", rtype::A));
    Scrape::of(http);
    server.await_stats(|stats| stats.query_log("written") == 1);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let threads = threads(&server);
        let aside = ASIDE
            .iter()
            .all(|name| threads.get(*name).map(Vec::as_slice) == Some(others));
        if aside {
            assert_eq!(threads.get("socket/0"), Some(&vec![*first]), "{threads:?}");
            break;
        }
        // The log's thread does it when it gets to it.
        assert!(Instant::now() < deadline, "{threads:?}");
        park_timeout(Duration::from_millis(20));
    }
    server.stop();
}

/// The CPUs that each thread may run on, by its name.
fn threads(server: &Server) -> BTreeMap<String, Vec<usize>> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).expect("it runs");
    let tasks = tasks.map(|task| task.expect("it runs").path());
    // A thread may end meanwhile.
    let threads = tasks.filter_map(|task| {
        let name = fs::read_to_string(task.join("comm")).ok()?;
        let cpus = cpus(&task.join("status").to_string_lossy())?;
        Some((name.trim().to_owned(), cpus))
    });
    threads.collect()
}

/// The list `Cpus_allowed_list` of a thread's status (proc_pid_status(5)), as in `0-2,5`.
fn cpus(status: &str) -> Option<Vec<usize>> {
    let text = fs::read_to_string(status).ok()?;
    let list = text
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let ranges = list.trim().split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.parse::<usize>().expect("a number");
        number(first)..=number(last)
    });
    Some(ranges.flatten().collect())
}
