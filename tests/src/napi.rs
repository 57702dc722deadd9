//! Who drives the receive side of a veth pair, and with which priority and on which CPU.

use crate::netns::End;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::{Pid, gettid};
use std::collections::HashSet;
use std::fs;
use std::process::Command;

/// Who drives the receive side of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Napi {
    /// The CPU of the sender, in its softirq: Linux's default.
    Softirq,
    /// A kernel thread of each end's own, on that end's CPU.
    Threaded,
}

impl Napi {
    /// Its name in the options and the output.
    pub fn label(self) -> &'static str {
        match self {
            Self::Softirq => "softirq",
            Self::Threaded => "threaded",
        }
    }

    /// Reads its name.
    ///
    /// # Panics
    /// Where there is none of this name.
    pub fn named(text: &str) -> Self {
        match text {
            "softirq" => Self::Softirq,
            "threaded" => Self::Threaded,
            _ => panic!("{text:?} is neither softirq nor threaded"),
        }
    }
}

/// Has kernel threads poll the interface from now on (Documentation/networking/napi.rst); returns
/// those that came for it.
///
/// # Panics
/// Where there is no NAPI instance yet: without an XDP program an end of a veth pair has one only
/// for GRO's sake.
pub fn thread(end: &End) -> Vec<i32> {
    let before = threads(end.interface);
    let write = format!("echo 1 > /sys/class/net/{}/threaded", end.interface);
    let mut shell = end.namespace.command("sh");
    assert!(shell.args(["-c", &write]).status().expect("sh").success());
    // Other namespaces may have an interface of this name: only what is new is ours.
    let threads = threads(end.interface);
    let ours: Vec<_> = threads.difference(&before).copied().collect();
    assert!(!ours.is_empty(), "{}: no NAPI thread", end.interface);
    ours
}

/// The kernel threads that poll interfaces of this name, in whatever namespace.
pub fn threads(interface: &str) -> HashSet<i32> {
    let prefix = format!("napi/{interface}-");
    let named = |process: &fs::DirEntry| {
        let name = fs::read_to_string(process.path().join("comm"));
        name.is_ok_and(|name| name.starts_with(&prefix))
    };
    let processes = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let ids = processes.filter(named).map(|process| process.file_name());
    ids.filter_map(|id| id.to_str()?.parse().ok()).collect()
}

/// Lets a thread run on one CPU only. It may be gone meanwhile.
pub fn pin(thread: i32, cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu).expect("a CPU of this machine");
    let _ = sched_setaffinity(Pid::from_raw(thread), &set);
}

/// Puts a thread before all that runs in the normal way, and before those with less `priority`.
pub fn put_first(thread: i32, priority: u32) {
    chrt(&[
        "--fifo",
        "--pid",
        &priority.to_string(),
        &thread.to_string(),
    ]);
}

/// Puts all threads of a process before all that runs in the normal way.
pub fn put_process_first(process: u32, priority: u32) {
    let (priority, process) = (priority.to_string(), process.to_string());
    chrt(&["--all-tasks", "--fifo", "--pid", &priority, &process]);
}

/// Puts the calling thread before all that runs in the normal way.
pub fn go_first() {
    put_first(gettid().as_raw(), 50);
}

/// Runs `chrt` from util-linux, which every Linux has.
fn chrt(words: &[&str]) {
    let status = Command::new("chrt").args(words).status();
    assert!(status.expect("chrt").success(), "chrt {words:?}");
}
