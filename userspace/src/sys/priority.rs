//! Which threads go first.
#![expect(unsafe_code, reason = "nix does not have the calls")]

use nix::errno::Errno;
use nix::libc::{self, c_int, pid_t};
use std::io;
use std::thread;

/// Niceness of a thread that has stepped back: where others want the same CPU, it gets a tenth of
/// what they get (sched(7): a step is a factor of 1.25).
const STEPPED_BACK: c_int = 10;

/// How long it runs at a time where others want the same CPU: who wakes up meanwhile waits no
/// longer (since Linux 6.12; kernel/sched/syscalls.c, `__setparam_fair`).
const SLICE_NS: u64 = 100_000;

/// The calling thread, as the scheduler's calls name it.
const THIS_THREAD: pid_t = 0;

/// `struct sched_attr` in its first form (sched_setattr(2)).
#[repr(C)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime_ns: u64,
    deadline_ns: u64,
    period_ns: u64,
}

/// Lets all threads of normal priority go first, from now on. Threads that the calling one starts
/// inherit it.
pub fn step_back() -> io::Result<()> {
    set(THIS_THREAD, libc::SCHED_OTHER)
}

/// Lets the calling thread run only where a CPU has nothing else to do: whoever wakes up there
/// takes its place at once. Threads that it starts inherit it. Where all CPUs are busy it gets
/// next to nothing.
pub fn give_way() -> io::Result<()> {
    set(THIS_THREAD, libc::SCHED_IDLE)
}

/// Whether a thread that gives way may be brought back: that needs CAP_SYS_NICE, or RLIMIT_NICE
/// for the niceness of those that step back.
pub fn may_come_back() -> bool {
    // On a thread of its own, for it may be of no use afterwards.
    let is_found = || {
        let all = GivingWay::all().unwrap_or_default();
        all.iter().any(GivingWay::is_this_thread)
    };
    let trial = move || {
        // And those who bring it back must be able to see it.
        step_back().is_ok() && give_way().is_ok() && is_found() && step_back().is_ok()
    };
    thread::spawn(trial).join().unwrap_or(false)
}

/// A thread of this process that gives way, and what it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivingWay {
    /// Its number.
    pub thread: pid_t,
    /// Time that it has run, in nanoseconds.
    pub run_ns: u64,
    /// Time that it could have run and had no CPU, in nanoseconds.
    pub waited_ns: u64,
    /// Whether it runs, or would if it had a CPU.
    pub is_ready: bool,
}

impl GivingWay {
    /// All threads of this process that give way (proc_pid_task(5); for the times, "schedstat" in
    /// Documentation/scheduler/sched-stats.rst).
    pub fn all() -> io::Result<Vec<Self>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir("/proc/self/task")? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(thread) = name.and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A thread may have ended meanwhile.
            if !gives_way(thread) {
                continue;
            }
            let read = |name| std::fs::read_to_string(path.join(name));
            let (Ok(times), Ok(stat)) = (read("schedstat"), read("stat")) else {
                continue;
            };
            // The state stands behind the name, which may hold anything (proc_pid_stat(5)).
            let is_ready = stat
                .rsplit_once(')')
                .is_some_and(|(_, rest)| rest.starts_with(" R"));
            let mut times = times.split_whitespace().map(str::parse);
            if let (Some(Ok(run_ns)), Some(Ok(waited_ns))) = (times.next(), times.next()) {
                all.push(Self {
                    thread,
                    run_ns,
                    waited_ns,
                    is_ready,
                });
            }
        }
        Ok(all)
    }

    /// Whether it is the calling thread.
    pub fn is_this_thread(&self) -> bool {
        self.thread == nix::unistd::gettid().as_raw()
    }

    /// Makes it one that has stepped back.
    pub fn bring_back(self) -> io::Result<()> {
        set(self.thread, libc::SCHED_OTHER)
    }
}

/// Whether a thread gives way; 0 is the calling one.
fn gives_way(thread: pid_t) -> bool {
    policy(thread) == libc::SCHED_IDLE
}

/// The scheduling policy of a thread; negative when there is none of that number.
fn policy(thread: pid_t) -> c_int {
    // SAFETY: the call takes a number and touches no memory.
    unsafe { libc::sched_getscheduler(thread) }
}

/// Lets the calling thread, whenever it wakes up, run before others that have run for a while:
/// their slices are longer (since Linux 6.12; kernel/sched/fair.c, `PREEMPT_SHORT`). Its share of
/// the CPU stays as it is, and so does a policy that the operator has chosen.
pub fn wake_promptly() -> io::Result<()> {
    if policy(THIS_THREAD) != libc::SCHED_OTHER {
        return Ok(());
    }
    // SAFETY: the call takes numbers and touches no memory.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    set_all(THIS_THREAD, libc::SCHED_OTHER, nice)
}

fn set(thread: pid_t, policy: c_int) -> io::Result<()> {
    set_all(thread, policy, STEPPED_BACK)
}

fn set_all(thread: pid_t, policy: c_int, nice: c_int) -> io::Result<()> {
    let attributes = Attributes {
        size: 48,
        policy: policy.unsigned_abs(),
        flags: 0,
        nice,
        priority: 0,
        runtime_ns: SLICE_NS,
        deadline_ns: 0,
        period_ns: 0,
    };
    // SAFETY: the kernel reads `size` bytes behind the pointer, which are the structure's.
    let result =
        unsafe { libc::syscall(libc::SYS_sched_setattr, thread, &raw const attributes, 0) };
    Errno::result(result)?;
    Ok(())
}

const _: () = assert!(size_of::<Attributes>() == 48);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_steps_back_alone() {
        let niceness = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            // Field 19; the second one, in parentheses, may hold anything (proc_pid_stat(5)).
            let fields = stat.rsplit_once(')').unwrap().1;
            fields
                .split_whitespace()
                .nth(16)
                .unwrap()
                .parse::<i32>()
                .unwrap()
        };
        let before = niceness();
        let stepped = std::thread::spawn(move || {
            step_back().unwrap();
            let stepped = niceness();
            wake_promptly().unwrap();
            (stepped, niceness())
        });
        let (stepped, prompt) = stepped.join().unwrap();
        assert_eq!((stepped, prompt), (STEPPED_BACK, STEPPED_BACK));
        assert_eq!(niceness(), before);
    }

    #[test]
    fn who_gives_way_is_found_and_brought_back() {
        if !may_come_back() {
            eprintln!("skipped: needs CAP_SYS_NICE");
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"));
            return;
        }
        std::thread::spawn(|| {
            give_way().unwrap();
            let all = GivingWay::all().unwrap();
            let found = all.iter().find(|found| found.is_this_thread()).unwrap();
            assert!(found.run_ns > 0);
            found.bring_back().unwrap();
            assert!(!gives_way(THIS_THREAD));
        })
        .join()
        .unwrap();
        assert!(!gives_way(THIS_THREAD));
    }
}
