//! Names and sizes by which userspace finds the program and its maps in the object.

/// The XDP program. The kernel shows the first 15 bytes (`ip link`, `bpftool prog`).
pub const PROGRAM: &str = "ripples_xdp";

/// Array of one [`FilterConfig`](crate::FilterConfig): what is ours.
pub const CONFIG: &str = "CONFIG";

/// XSKMAP by receive queue: the AF_XDP socket that takes the queue's redirected frames.
pub const SOCKETS: &str = "SOCKETS";

/// Per-CPU array of `u64`, by [`Verdict::index`](crate::Verdict::index): frames that got it.
pub const COUNTERS: &str = "COUNTERS";

/// Receive queues for which `SOCKETS` has room; frames of queues beyond are passed.
pub const QUEUES_MAX: u32 = 1024;
