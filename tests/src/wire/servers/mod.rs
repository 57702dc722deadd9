//! What is compared: each server with what it takes to start it, on one CPU, for one interface.

mod bind;
mod gdnsd;
mod knot;
mod nsd;
mod pdns;
mod ripples;

use crate::wire::worlds::World;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

/// A server, or what takes its place.
pub struct Server {
    /// Its name in the options and the output.
    pub label: &'static str,
    /// Debian's package of it; none for ours.
    package: Option<&'static str>,
    /// How its packets come in.
    pub way: Way,
    /// Whether it answers, or sends queries back as they came.
    pub reflects: bool,
    /// Writes its configuration, and says what starts it in the foreground.
    pub configure: Configure,
}

/// How packets come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By AF_XDP.
    Xdp,
    /// By the kernel's sockets.
    Sockets,
}

/// What a server is to serve, and where.
pub struct Site<'a> {
    /// For its own files.
    pub folder: &'a Path,
    /// The server's interface.
    pub interface: &'a str,
    /// Its address.
    pub address: Ipv4Addr,
    /// The CPU of the server.
    pub cpu: usize,
    /// Its zones.
    pub world: &'a World,
    /// More arguments for Ripples.
    pub ripples: &'a [String],
    /// TCP connections that there are to be room for, and that may be idle for [`IDLE_S`]; none: as
    /// the server has it by itself.
    pub connections: Option<u32>,
}

/// Seconds that a connection may be idle, where TCP is measured: to make ten thousand takes a
/// while.
pub const IDLE_S: u32 = 60;

/// All of them, what is compared most closely next to each other.
pub static ALL: [Server; 9] = [
    Server {
        reflects: true,
        ..ours("reflector", Way::Xdp, ripples::reflector)
    },
    ours("ripples-xdp", Way::Xdp, ripples::xdp),
    peer("knot-xdp", "knot", Way::Xdp, knot::xdp),
    ours("ripples-socket", Way::Sockets, ripples::socket),
    peer("knot", "knot", Way::Sockets, knot::udp),
    peer("nsd", "nsd", Way::Sockets, nsd::configure),
    peer("bind", "bind9", Way::Sockets, bind::configure),
    peer("pdns", "pdns-server", Way::Sockets, pdns::configure),
    peer("gdnsd", "gdnsd", Way::Sockets, gdnsd::configure),
];

/// Writes a server's files, and says what starts it.
pub type Configure = fn(&Site<'_>) -> Vec<String>;

const fn ours(label: &'static str, way: Way, configure: Configure) -> Server {
    Server {
        label,
        package: None,
        way,
        reflects: false,
        configure,
    }
}

const fn peer(
    label: &'static str,
    package: &'static str,
    way: Way,
    configure: Configure,
) -> Server {
    Server {
        package: Some(package),
        ..ours(label, way, configure)
    }
}

/// The server of this name.
///
/// # Panics
/// Where there is none.
pub fn named(label: &str) -> &'static Server {
    let found = ALL.iter().find(|server| server.label == label);
    found.unwrap_or_else(|| {
        let labels: Vec<_> = ALL.iter().map(|server| server.label).collect();
        panic!("{label:?} is none of {}", labels.join(", "))
    })
}

impl Way {
    /// Its name in the output.
    pub fn label(self) -> &'static str {
        match self {
            Self::Xdp => "xdp",
            Self::Sockets => "sockets",
        }
    }
}

impl Server {
    /// Whether it is somebody else's.
    pub fn is_peer(&self) -> bool {
        self.package.is_some()
    }

    /// Its version, as Debian or cargo has it.
    pub fn version(&self) -> String {
        let Some(package) = self.package else {
            return env!("CARGO_PKG_VERSION").to_owned();
        };
        let mut dpkg = Command::new("dpkg-query");
        dpkg.args(["--show", "--showformat=${Version}", package]);
        match dpkg.output() {
            Ok(output) if output.status.success() => {
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
            _ => "not from a package".to_owned(),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label)
    }
}

impl Site<'_> {
    /// A path in the server's folder, as configuration files have it.
    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Writes a file into the server's folder; returns its path.
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("room on the disk");
        path
    }

    /// What `limits` makes of the connections that there are to be room for.
    fn tcp(&self, limits: impl Fn(u32) -> String) -> String {
        self.connections.map(limits).unwrap_or_default()
    }

    /// What `each` makes of every zone's origin and file.
    fn each_zone(&self, each: impl Fn(&str, &str) -> String) -> String {
        let zones = self.world.origins.iter();
        zones
            .map(|origin| each(origin, &self.world.zone(origin).display().to_string()))
            .collect()
    }
}

/// The words of a command line.
fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
