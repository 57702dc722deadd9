//! A network interface whose other end is the test itself: whole frames go in and come out.
#![expect(
    unsafe_code,
    reason = "TUNSETIFF is an ioctl that takes a structure with a union"
)]

use crate::server::PATIENCE;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Instant;

nix::ioctl_write_ptr_bad!(
    /// Makes a file of /dev/net/tun the other end of an interface (tuntap.rst).
    set_interface,
    libc::TUNSETIFF,
    libc::ifreq
);

/// The test's end of an Ethernet interface, which is gone with it.
#[derive(Debug)]
pub struct Tap(File);

impl Tap {
    /// Makes the interface `name` in the network namespace of the calling thread.
    pub fn new(name: &str) -> Self {
        let mut options = File::options();
        let file = options.read(true).write(true).open("/dev/net/tun");
        let file = file.unwrap_or_else(|error| panic!("/dev/net/tun: {error}"));
        let mut chars = [0; libc::IFNAMSIZ];
        assert!(name.len() < chars.len(), "{name}");
        for (char, byte) in chars.iter_mut().zip(name.bytes()) {
            *char = libc::c_char::from_ne_bytes([byte]);
        }
        let flags = libc::IFF_TAP | libc::IFF_NO_PI;
        let request = libc::ifreq {
            ifr_name: chars,
            ifr_ifru: libc::__c_anonymous_ifr_ifru {
                ifru_flags: libc::c_short::try_from(flags).expect("two low bits"),
            },
        };
        // SAFETY: the ioctl reads the name and the flags of a live structure.
        let made = unsafe { set_interface(file.as_raw_fd(), &raw const request) };
        made.unwrap_or_else(|error| panic!("TUNSETIFF {name}: {error}"));
        Self(file)
    }

    /// Lets the interface receive a frame.
    pub fn send(&self, frame: &[u8]) {
        let sent = (&self.0).write(frame).expect("the interface is up");
        assert_eq!(sent, frame.len());
    }

    /// The next frame that the interface sends and that is `wanted`; none when none comes for long.
    pub fn receive(&self, wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = PollTimeout::try_from(left).expect("some seconds");
            let mut ready = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            if poll(&mut ready, left).expect("a descriptor") == 0 {
                return None;
            }
            let mut frame = vec![0; 65_535];
            let len = (&self.0).read(&mut frame).expect("a frame is there");
            frame.truncate(len);
            if wanted(&frame) {
                return Some(frame);
            }
        }
    }
}
