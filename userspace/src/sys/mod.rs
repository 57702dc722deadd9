//! System calls, fenced in: each module is one thing that the server asks of the kernel.

pub mod barrier;
pub mod bpf_link;
pub mod clock;
pub mod connect;
pub mod cpu;
pub mod descriptor_limit;
pub mod descriptor_reserve;
pub mod descriptors;
pub mod ethtool;
pub mod exit;
pub mod heap;
pub mod inotify;
pub mod interface;
pub mod kernel;
pub mod mapping;
pub mod memory;
pub mod netlink;
pub mod pages;
pub mod peer;
pub mod priority;
pub mod signals;
pub mod user;
pub mod wait;
pub mod waker;
pub mod xdp_socket;
