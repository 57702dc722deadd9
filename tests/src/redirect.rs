//! The smallest XDP program for a port: every frame to the socket of its queue, or to the kernel
//! where there is none. So that ports can be tested without the server's own program.
#![expect(unsafe_code, reason = "bpf(2) takes a union of pointers")]

use nix::errno::Errno;
use nix::libc;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Queues that the map has room for.
const QUEUES_MAX: u32 = 64;

/// The program, its map and its attachment; dropping it detaches the program.
#[derive(Debug)]
pub struct Redirect {
    sockets: OwnedFd,
    _program: OwnedFd,
    _link: OwnedFd,
}

/// Where a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// In the driver.
    Native = 4,
    /// After the driver, where each packet is a socket buffer already.
    Generic = 2,
}

impl Redirect {
    /// Loads the program and attaches it to the interface with number `index`.
    pub fn attach(index: u32, mode: Attach) -> io::Result<Self> {
        let sockets = call(command::MAP_CREATE, &[XSKMAP, 4, 4, QUEUES_MAX])?;
        let program = load(sockets.as_raw_fd())?;
        let link = [number(program.as_raw_fd()), index, ATTACH_XDP, mode as u32];
        Ok(Self {
            _link: call(command::LINK_CREATE, &link)?,
            _program: program,
            sockets,
        })
    }

    /// Sends the frames of `queue` to `socket`.
    pub fn connect(&self, queue: u32, socket: BorrowedFd<'_>) -> io::Result<()> {
        let value = socket.as_raw_fd();
        let mut attribute = Attribute::default();
        attribute.words(0, &[number(self.sockets.as_raw_fd())]);
        attribute.pointer(8, (&raw const queue).cast());
        attribute.pointer(16, (&raw const value).cast());
        attribute.run(command::MAP_UPDATE).map(|_| ())
    }
}

/// Numbers of include/uapi/linux/bpf.h: commands, and kinds of maps, programs and attachments.
mod command {
    pub(super) const MAP_CREATE: libc::c_int = 0;
    pub(super) const MAP_UPDATE: libc::c_int = 2;
    pub(super) const PROGRAM_LOAD: libc::c_int = 5;
    pub(super) const LINK_CREATE: libc::c_int = 28;
    use nix::libc;
}
const XSKMAP: u32 = 17;
const PROGRAM_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;

/// Loads `return bpf_redirect_map(sockets, ctx->rx_queue_index, XDP_PASS)`.
fn load(sockets: RawFd) -> io::Result<OwnedFd> {
    let instructions: [[u8; 8]; 6] = [
        instruction(0x61, 0x12, 16, 0), // r2 = ((struct xdp_md *)r1)->rx_queue_index
        instruction(0x18, 0x11, 0, sockets), // r1 = the map, by its descriptor
        instruction(0x00, 0x00, 0, 0),
        instruction(0xb7, 0x03, 0, 2),  // r3 = XDP_PASS
        instruction(0x85, 0x00, 0, 51), // r0 = bpf_redirect_map(r1, r2, r3)
        instruction(0x95, 0x00, 0, 0),  // return r0
    ];
    let mut attribute = Attribute::default();
    attribute.words(0, &[PROGRAM_XDP, 6]);
    attribute.pointer(8, instructions.as_ptr().cast());
    attribute.pointer(16, c"Dual MIT/GPL".as_ptr().cast());
    attribute.words(68, &[ATTACH_XDP]);
    attribute.descriptor(command::PROGRAM_LOAD)
}

/// One instruction of the kernel's virtual machine.
fn instruction(code: u8, registers: u8, offset: i16, immediate: i32) -> [u8; 8] {
    let mut bytes = [code, registers, 0, 0, 0, 0, 0, 0];
    bytes[2..4].copy_from_slice(&offset.to_ne_bytes());
    bytes[4..].copy_from_slice(&immediate.to_ne_bytes());
    bytes
}

/// Runs a command whose arguments are all 32 bits wide; returns the descriptor that it made.
fn call(command: libc::c_int, words: &[u32]) -> io::Result<OwnedFd> {
    let mut attribute = Attribute::default();
    attribute.words(0, words);
    attribute.descriptor(command)
}

/// `union bpf_attr`, as far as it is used here.
#[repr(C, align(8))]
struct Attribute([u8; 128]);

impl Default for Attribute {
    fn default() -> Self {
        Self([0; 128])
    }
}

impl Attribute {
    fn words(&mut self, at: usize, words: &[u32]) {
        for (bytes, word) in self.0[at..].chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
    }

    fn pointer(&mut self, at: usize, pointer: *const u8) {
        let address = pointer.expose_provenance() as u64;
        self.0[at..at + 8].copy_from_slice(&address.to_ne_bytes());
    }

    fn descriptor(&self, command: libc::c_int) -> io::Result<OwnedFd> {
        let fd = self.run(command)?;
        // SAFETY: the command makes a descriptor, and this is its only owner.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn run(&self, command: libc::c_int) -> io::Result<RawFd> {
        // SAFETY: the attribute is as long as said, and what it points to outlives the call.
        let result =
            unsafe { libc::syscall(libc::SYS_bpf, command, self.0.as_ptr(), self.0.len()) };
        Ok(i32::try_from(Errno::result(result)?).unwrap_or_default())
    }
}

/// A descriptor as bpf(2) takes it.
fn number(fd: RawFd) -> u32 {
    u32::try_from(fd).unwrap_or_default()
}
