//! What is served and asked: zones, made here, and queries for them.

use crate::folder::Folder;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// Most queries in a generator's file: more than it sends while it is measured.
const QUERIES_MAX: u32 = 400_000;
/// Fewest: a generator should not ask in a pattern.
const QUERIES_MIN: u32 = 20_000;
/// Where a missing name is asked for: in one query of so many.
const MISSING_EVERY: u32 = 5;

/// How much is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// One zone of a thousand names.
    Small,
    /// One zone of a million names.
    Big,
    /// A hundred thousand zones.
    Many,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Names that exist.
    Existing,
    /// The same, but a fifth of them does not.
    Missing,
}

/// Zones in files, and their names.
pub struct World {
    /// How much.
    pub size: Size,
    folder: Folder,
    /// Origins; each zone's file is called by it.
    pub origins: Vec<String>,
    /// Hosts that can be asked for.
    pub hosts: u32,
}

impl Size {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Small, Self::Big, Self::Many];

    /// Hosts that can be asked for.
    pub fn hosts(self) -> u32 {
        match self {
            Self::Small => 1000,
            Self::Big => 1_000_000,
            Self::Many => 100_000,
        }
    }

    /// A name, and its one address.
    pub fn host(self, number: u32) -> (String, Ipv4Addr) {
        let name = match self {
            Self::Many => format!("www.{}", zone_name(number)),
            size => format!("{}.{}.example", label(number), size.label()),
        };
        (name, address(number))
    }

    /// Its name in the options and the output.
    pub fn label(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Big => "big",
            Self::Many => "many",
        }
    }
}

impl Mix {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Existing, Self::Missing];

    /// Its name in the options.
    pub fn word(self) -> &'static str {
        match self {
            Self::Existing => "existing",
            Self::Missing => "missing",
        }
    }

    /// Its name in the output.
    pub fn label(self) -> &'static str {
        match self {
            Self::Existing => "existing",
            Self::Missing => "20% missing",
        }
    }

    /// The part of its queries that asks for what does not exist.
    pub fn missing(self) -> f64 {
        match self {
            Self::Existing => 0.0,
            Self::Missing => 1.0 / f64::from(MISSING_EVERY),
        }
    }
}

impl World {
    /// Writes the zones and the queries.
    pub fn make(size: Size) -> Self {
        let hosts = size.hosts();
        let origins = match size {
            Size::Many => (0..hosts).map(zone_name).collect(),
            size => vec![format!("{}.example", size.label())],
        };
        let world = Self {
            size,
            folder: Folder::new(),
            origins,
            hosts,
        };
        fs::create_dir(world.zones()).expect("a folder of one's own");
        for (number, origin) in (0..).zip(&world.origins) {
            let text = match size {
                Size::Many => zone(number..number + 1, size),
                _ => zone(0..hosts, size),
            };
            fs::write(world.zone(origin), text).expect("room on the disk");
        }
        for mix in Mix::ALL {
            world.write_queries(mix).expect("room on the disk");
        }
        world
    }

    /// The folder with all zone files and nothing else.
    pub fn zones(&self) -> PathBuf {
        self.folder.path().join("zones")
    }

    /// A zone's file.
    pub fn zone(&self, origin: &str) -> PathBuf {
        self.zones().join(origin)
    }

    /// A name, and its one address.
    pub fn host(&self, number: u32) -> (String, Ipv4Addr) {
        self.size.host(number)
    }

    /// A name that does not exist, in a zone that does.
    pub fn missing(&self, number: u32) -> String {
        match self.size {
            Size::Many => format!("none.{}", zone_name(number)),
            size => format!("{}x.{}.example", label(number), size.label()),
        }
    }

    /// The file of queries for the generators: a name and its type in each line.
    pub fn queries(&self, mix: Mix) -> PathBuf {
        self.folder.path().join(mix.word())
    }

    fn write_queries(&self, mix: Mix) -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(self.queries(mix))?);
        let mut random = 0x0123_4567_89ab_cdef;
        for at in 0..self.hosts.clamp(QUERIES_MIN, QUERIES_MAX) {
            let number = next(&mut random) % self.hosts;
            let name = match mix {
                Mix::Missing if at % MISSING_EVERY == 0 => self.missing(number),
                _ => self.host(number).0,
            };
            writeln!(file, "{name} A")?;
        }
        file.flush()
    }
}

/// A master file with these hosts.
fn zone(hosts: std::ops::Range<u32>, size: Size) -> String {
    let mut text = "$TTL 3600\n@ SOA ns hostmaster 1 7200 3600 1209600 300\n@ NS ns\n".to_owned();
    text += "ns A 192.0.2.53\n";
    for number in hosts {
        let name = match size {
            Size::Many => "@ MX 10 mail\nmail A 192.0.2.25\nwww".to_owned(),
            _ => label(number),
        };
        let _ = writeln!(text, "{name} A {}", address(number));
    }
    text
}

fn zone_name(number: u32) -> String {
    format!("z{number:06}.example")
}

fn label(number: u32) -> String {
    format!("host-{number:07}")
}

fn address(number: u32) -> Ipv4Addr {
    let [_, high, middle, low] = number.to_be_bytes();
    Ipv4Addr::new(10, high, middle, low)
}

/// A number that looks random, the same in every run (xorshift).
fn next(state: &mut u64) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    u32::try_from(*state >> 32).expect("32 bits are left")
}
