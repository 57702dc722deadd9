//! Which threads go first.
#![expect(unsafe_code, reason = "nix does not have the call")]

use nix::errno::Errno;
use nix::libc;
use std::io;

/// Niceness of a thread that has stepped back: where others want the same CPU, it gets a tenth of
/// what they get (sched(7): a step is a factor of 1.25).
const STEPPED_BACK: libc::c_int = 10;

/// Lets all threads of normal priority go first, from now on. Threads that the calling one starts
/// inherit it.
pub fn step_back() -> io::Result<()> {
    // Linux counts niceness per thread, and 0 is the calling one (setpriority(2), notes).
    // SAFETY: takes and gives numbers only.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, STEPPED_BACK) };
    Errno::result(result)?;
    Ok(())
}

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
