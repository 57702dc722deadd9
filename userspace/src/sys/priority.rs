//! Which threads go first.
#![expect(unsafe_code, reason = "nix does not have the call")]

use nix::errno::Errno;
use nix::libc;
use std::io;

/// Niceness of a thread that has stepped back: where others want the same CPU, it gets a tenth of
/// what they get (sched(7): a step is a factor of 1.25).
const STEPPED_BACK: libc::c_int = 10;

/// How long it runs at a time where others want the same CPU: who wakes up meanwhile waits no
/// longer (since Linux 6.12; kernel/sched/syscalls.c, `__setparam_fair`).
const SLICE_NS: u64 = 100_000;

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
    let attributes = Attributes {
        size: 48,
        policy: libc::SCHED_OTHER.unsigned_abs(),
        flags: 0,
        nice: STEPPED_BACK,
        priority: 0,
        runtime_ns: SLICE_NS,
        deadline_ns: 0,
        period_ns: 0,
    };
    // SAFETY: the kernel reads `size` bytes behind the pointer, which are the structure's; 0 is the
    // calling thread.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
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
            niceness()
        });
        assert_eq!(stepped.join().unwrap(), STEPPED_BACK);
        assert_eq!(niceness(), before);
    }
}
