//! The XDP program: classify, count, redirect or pass. Built by `cargo xtask build-ebpf`.
//!
//! For the host this is an empty `main`, so that whole-workspace commands work without a kernel
//! toolchain.
#![cfg_attr(target_arch = "bpf", no_std, no_main, feature(asm_experimental_arch))]

#[cfg(target_arch = "bpf")]
mod frame;
#[cfg(target_arch = "bpf")]
mod program;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
