//! Waiting until the kernel is through with what it has begun.
#![expect(unsafe_code, reason = "membarrier(2) has no wrapper in nix")]

use super::wait;
use nix::errno::Errno;
use nix::libc;
use std::time::Duration;

/// Far longer than a CPU stays with the frames of one interface before it does anything else.
const INSTEAD: Duration = Duration::from_millis(100);

/// Returns when every CPU has ended the receiving of frames that it was in: what they are then
/// given, they look up anew.
///
/// `MEMBARRIER_CMD_GLOBAL` is `synchronize_rcu` (kernel/sched/membarrier.c), and a CPU that polls a
/// NIC is in an RCU reader from the XDP program's lookup to the last frame's arrival in its ring.
pub fn frames_in_flight() {
    // SAFETY: no memory is passed.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_GLOBAL, 0, 0) };
    // Kernels with nohz_full have no such barrier.
    if Errno::result(done).is_err() {
        wait::pause(INSTEAD);
    }
}
