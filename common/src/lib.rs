//! What the kernel program and userspace must agree on.
#![no_std]
