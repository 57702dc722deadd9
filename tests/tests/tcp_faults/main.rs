//! Faults of TCP clients, and of the system, against the `ripples` binary in network namespaces of
//! the tests' own. Meanwhile others ask steadily, and each of them is answered.

mod crowd;
mod descriptors;
mod disk;
mod kernel_errors;
mod million;
mod others;
mod resets;
mod slow;
mod splits;
mod stage;
mod tools;
mod unread;
