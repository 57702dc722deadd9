//! Facts about an interface that only an ioctl tells: MTU, channels, driver.
//!
//! Not sysfs: what is mounted there shows the namespace of whoever mounted it, an ioctl that of the
//! calling thread.
#![expect(unsafe_code, reason = "ioctls take a union of pointers")]

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::os::fd::{AsRawFd, OwnedFd};

/// `ETHTOOL_GDRVINFO` (include/uapi/linux/ethtool.h).
const GET_DRIVER: u32 = 0x3;
/// `ETHTOOL_GCHANNELS`.
const GET_CHANNELS: u32 = 0x3c;

/// `struct ethtool_channels`: how the queues of a NIC are arranged.
#[derive(Default)]
#[repr(C)]
struct Channels {
    command: u32,
    rx_max: u32,
    tx_max: u32,
    other_max: u32,
    combined_max: u32,
    rx: u32,
    tx: u32,
    other: u32,
    combined: u32,
}

/// `struct ethtool_drvinfo`: the driver's name, and 160 bytes of no interest here.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    rest: [u8; 160],
}

/// A socket to ask the kernel about one interface.
pub(super) struct Query {
    socket: OwnedFd,
    name: [libc::c_char; libc::IFNAMSIZ],
}

impl Query {
    /// Prepares questions about the interface `name`; fails with ENODEV where no name is that long.
    pub(super) fn new(name: &str) -> Result<Self, Errno> {
        let mut chars = [0; libc::IFNAMSIZ];
        // The last byte stays zero.
        if name.len() >= chars.len() {
            return Err(Errno::ENODEV);
        }
        for (char, byte) in chars.iter_mut().zip(name.bytes()) {
            *char = libc::c_char::from_ne_bytes([byte]);
        }
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
        Ok(Self {
            socket,
            name: chars,
        })
    }

    /// The largest packet in bytes, link header not counted.
    pub(super) fn mtu(&self) -> Result<u32, Errno> {
        let mut request = self.request();
        self.ask(libc::SIOCGIFMTU, &mut request)?;
        // SAFETY: the kernel answers SIOCGIFMTU in this member.
        let mtu = unsafe { request.ifr_ifru.ifru_mtu };
        u32::try_from(mtu).map_err(|_| Errno::EINVAL)
    }

    /// The queues that receive and those that transmit. Not every driver tells.
    pub(super) fn queues(&self) -> Result<(u32, u32), Errno> {
        let mut channels = Channels {
            command: GET_CHANNELS,
            ..Channels::default()
        };
        let mut request = self.request();
        request.ifr_ifru.ifru_data = (&raw mut channels).cast();
        self.ask(libc::SIOCETHTOOL, &mut request)?;
        Ok((
            channels.rx + channels.combined,
            channels.tx + channels.combined,
        ))
    }

    /// The name of the driver.
    pub(super) fn driver(&self) -> Result<String, Errno> {
        let mut info = DriverInfo {
            command: GET_DRIVER,
            driver: [0; 32],
            rest: [0; 160],
        };
        let mut request = self.request();
        request.ifr_ifru.ifru_data = (&raw mut info).cast();
        self.ask(libc::SIOCETHTOOL, &mut request)?;
        let name = info.driver.split(|&byte| byte == 0).next().unwrap_or(&[]);
        Ok(String::from_utf8_lossy(name).into_owned())
    }

    /// A request about this interface, its argument empty.
    fn request(&self) -> libc::ifreq {
        // SAFETY: integers, arrays of them and a pointer: zero is a value of each.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        request.ifr_name = self.name;
        request
    }

    fn ask(&self, code: libc::Ioctl, request: &mut libc::ifreq) -> Result<(), Errno> {
        // SAFETY: every code asked here takes an ifreq; where that holds a pointer, it is to a live
        // structure of the layout and size that the command in it names.
        let result = unsafe { libc::ioctl(self.socket.as_raw_fd(), code, request) };
        Errno::result(result).map(|_| ())
    }
}
