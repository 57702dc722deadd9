//! The attachment of a kernel program to an interface, as a descriptor that can be handed to
//! another process: aya keeps those that it makes to itself.
#![expect(unsafe_code, reason = "bpf(2) has no wrapper in nix")]

use nix::errno::Errno;
use nix::libc;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// `enum bpf_cmd` and `enum bpf_attach_type` (include/uapi/linux/bpf.h).
const BPF_LINK_CREATE: libc::c_int = 28;
const BPF_LINK_UPDATE: libc::c_int = 29;
const BPF_XDP: u32 = 37;
/// include/uapi/linux/if_link.h
const XDP_FLAGS_SKB_MODE: u32 = 1 << 1;
const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;

/// Attaches a program to the interface of this number; it stays until the last copy of the
/// descriptor is closed.
pub fn attach(program: BorrowedFd<'_>, interface: u32, generic: bool) -> io::Result<OwnedFd> {
    let flags = if generic {
        XDP_FLAGS_SKB_MODE
    } else {
        XDP_FLAGS_DRV_MODE
    };
    let link = bpf(
        BPF_LINK_CREATE,
        [number(program), interface, BPF_XDP, flags],
    )?;
    // SAFETY: the kernel has just made it, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(link) })
}

/// Puts another program in the attached one's place, between two frames: none goes without. The
/// driver does not notice, so its rings are not reset as they are by detaching and attaching.
pub fn switch(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    bpf(BPF_LINK_UPDATE, [number(link), number(program), 0, 0]).map(|_| ())
}

/// A descriptor as `union bpf_attr` has it.
fn number(descriptor: BorrowedFd<'_>) -> u32 {
    // An open descriptor has no negative number.
    descriptor.as_raw_fd().cast_unsigned()
}

/// bpf(2); the first four words of the attributes are all that is asked with here.
fn bpf(command: libc::c_int, attributes: [u32; 4]) -> io::Result<RawFd> {
    let size = size_of_val(&attributes);
    // SAFETY: the kernel reads `size` bytes, which are there, and takes what follows for zero.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, &raw const attributes, size) };
    let answer = Errno::result(answer)?;
    RawFd::try_from(answer).map_err(io::Error::other)
}
