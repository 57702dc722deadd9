//! Facts about an interface that only an ioctl tells: MTU, channels, rings, offloads, driver.
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
/// `ETHTOOL_GRINGPARAM`.
const GET_RINGS: u32 = 0x10;
/// `ETHTOOL_GFLAGS`.
const GET_FLAGS: u32 = 0x25;
/// `ETHTOOL_GRXFH`.
const GET_FLOW_HASH: u32 = 0x29;
/// `ETHTOOL_GRXFHINDIR`.
const GET_SPREAD: u32 = 0x38;
/// `ETHTOOL_GCHANNELS`.
const GET_CHANNELS: u32 = 0x3c;
/// `RXH_L4_B_0_1 | RXH_L4_B_2_3`: both ports.
const HASH_PORTS: u64 = 3 << 6;
/// Entries of the largest table that says which hash goes to which queue.
const SPREAD_MAX: u32 = 1 << 14;

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

/// `struct ethtool_ringparam`.
#[derive(Default)]
#[repr(C)]
struct RingParameters {
    command: u32,
    rx_max: u32,
    rx_mini_max: u32,
    rx_jumbo_max: u32,
    tx_max: u32,
    rx: u32,
    rx_mini: u32,
    rx_jumbo: u32,
    tx: u32,
}

/// How many packets the rings of each queue hold, and could hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rings {
    /// Received packets.
    pub rx: u32,
    /// Received packets, at most.
    pub rx_max: u32,
    /// Packets to transmit.
    pub tx: u32,
    /// Packets to transmit, at most.
    pub tx_max: u32,
}

/// `struct ethtool_value`.
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// `struct ethtool_rxnfc`, whose end is of no interest here.
#[repr(C)]
struct FlowHash {
    command: u32,
    flow: u32,
    data: u64,
    rest: [u64; 24],
}

/// `struct ethtool_rxfh_indir` with room for the largest table.
#[repr(C)]
struct Spread {
    command: u32,
    size: u32,
    queues: [u32; SPREAD_MAX as usize],
}

/// What a NIC does to packets before they are seen (`enum ethtool_flags`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offloads {
    /// It joins TCP segments (LRO).
    pub joins: bool,
    /// It takes VLAN tags off.
    pub strips_tags: bool,
}

/// Flows whose packets a NIC spreads over its queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Flow {
    /// UDP over IPv4 (`UDP_V4_FLOW`).
    Udp4 = 2,
    /// UDP over IPv6 (`UDP_V6_FLOW`).
    Udp6 = 6,
}

/// `struct ethtool_drvinfo`: the driver's name, and 160 bytes of no interest here.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    rest: [u8; 160],
}

/// A socket to ask the kernel about one interface.
pub struct Query {
    socket: OwnedFd,
    name: [libc::c_char; libc::IFNAMSIZ],
}

impl Query {
    /// Prepares questions about the interface `name`; fails with ENODEV where no name is that long.
    pub fn new(name: &str) -> Result<Self, Errno> {
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
    pub fn mtu(&self) -> Result<u32, Errno> {
        let mut request = self.request();
        self.ask(libc::SIOCGIFMTU, &mut request)?;
        // SAFETY: the kernel answers SIOCGIFMTU in this member.
        let mtu = unsafe { request.ifr_ifru.ifru_mtu };
        u32::try_from(mtu).map_err(|_| Errno::EINVAL)
    }

    /// The queues that receive and those that transmit. Not every driver tells.
    pub fn queues(&self) -> Result<(u32, u32), Errno> {
        let channels = self.channels()?;
        Ok((
            channels.rx + channels.combined,
            channels.tx + channels.combined,
        ))
    }

    /// The most channels that there can be that receive and transmit. Not every driver tells.
    pub fn combined_max(&self) -> Result<u32, Errno> {
        Ok(self.channels()?.combined_max)
    }

    fn channels(&self) -> Result<Channels, Errno> {
        let mut channels = Channels {
            command: GET_CHANNELS,
            ..Channels::default()
        };
        self.ask_driver((&raw mut channels).cast())?;
        Ok(channels)
    }

    /// What the NIC's rings hold. Not every driver tells.
    pub fn rings(&self) -> Result<Rings, Errno> {
        let mut rings = RingParameters {
            command: GET_RINGS,
            ..RingParameters::default()
        };
        self.ask_driver((&raw mut rings).cast())?;
        Ok(Rings {
            rx: rings.rx,
            rx_max: rings.rx_max,
            tx: rings.tx,
            tx_max: rings.tx_max,
        })
    }

    /// What is done to packets before they are seen.
    pub fn offloads(&self) -> Result<Offloads, Errno> {
        let mut value = Value {
            command: GET_FLAGS,
            data: 0,
        };
        self.ask_driver((&raw mut value).cast())?;
        Ok(Offloads {
            joins: value.data & 1 << 15 != 0,
            strips_tags: value.data & 1 << 8 != 0,
        })
    }

    /// Whether the ports have a say in which queue a packet of this flow goes to.
    pub fn hashes_ports(&self, flow: Flow) -> Result<bool, Errno> {
        let mut hash = FlowHash {
            command: GET_FLOW_HASH,
            flow: flow as u32,
            data: 0,
            rest: [0; 24],
        };
        self.ask_driver((&raw mut hash).cast())?;
        Ok(hash.data & HASH_PORTS == HASH_PORTS)
    }

    /// The queues over which hashes are spread, ascending, each once.
    pub fn spread(&self) -> Result<Vec<u32>, Errno> {
        let mut spread = Box::new(Spread {
            command: GET_SPREAD,
            size: SPREAD_MAX,
            queues: [0; SPREAD_MAX as usize],
        });
        self.ask_driver((&raw mut *spread).cast())?;
        let size = spread.size.min(SPREAD_MAX) as usize;
        let mut queues = spread.queues[..size].to_vec();
        queues.sort_unstable();
        queues.dedup();
        Ok(queues)
    }

    /// The name of the driver.
    pub fn driver(&self) -> Result<String, Errno> {
        let mut info = DriverInfo {
            command: GET_DRIVER,
            driver: [0; 32],
            rest: [0; 160],
        };
        self.ask_driver((&raw mut info).cast())?;
        let name = info.driver.split(|&byte| byte == 0).next().unwrap_or(&[]);
        Ok(String::from_utf8_lossy(name).into_owned())
    }

    /// Has the driver fill one of the structures above, which says by its command what is asked.
    fn ask_driver(&self, structure: *mut libc::c_char) -> Result<(), Errno> {
        let mut request = self.request();
        request.ifr_ifru.ifru_data = structure;
        self.ask(libc::SIOCETHTOOL, &mut request)
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
