//! MaxMind databases, written from the format's description
//! (<https://maxmind.github.io/MaxMind-DB/>, version 2.0): what the tests read, and the
//! demonstration.

mod data;
mod source;

pub use data::Datum;
pub use source::{SourceProblem, from_toml};

use data::{DataSection, encode};
use ripples::geo::Network;
use std::net::IpAddr;

/// A database that is to be written.
#[derive(Clone, Debug)]
pub struct Writer {
    /// What it calls itself.
    pub database_type: String,
    /// 4 or 6; one of version 6 has IPv4 below `::/96`.
    pub ip_version: u16,
    /// Bits of a record of the search tree: 24, 28 or 32.
    pub record_size: u16,
    /// When it was built, in seconds since 1970.
    pub build_epoch: u64,
    /// Whether IPv4 is found below `::ffff:0:0/96`, `2001::/32` and `2002::/16` as well, as in
    /// MaxMind's own databases.
    pub aliases: bool,
    /// What is said of networks; of two that lie in each other the smaller one counts.
    pub networks: Vec<(Network, Datum)>,
}

/// Where IPv4 lies in a tree of IPv6, and where it is found again.
const IPV4_DEPTH: u8 = 96;
const ALIASES: [(u128, u8); 3] = [
    (0xffff_0000_0000, 96),
    (0x2001_0000 << 96, 32),
    (0x2002 << 112, 16),
];

/// Between the search tree and the data.
const SEPARATOR: [u8; 16] = [0; 16];
const METADATA_MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// A record of the search tree.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Record {
    Nothing,
    Node(usize),
    /// An offset in the data section.
    Data(usize),
}

impl Writer {
    /// An empty database of IPv6 and IPv4.
    pub fn new(database_type: &str) -> Self {
        Self {
            database_type: database_type.to_owned(),
            ip_version: 6,
            record_size: 28,
            build_epoch: 1_767_225_600,
            aliases: true,
            networks: Vec::new(),
        }
    }

    /// Says something of a network.
    ///
    /// # Panics
    /// Where `network` is none.
    pub fn say(&mut self, network: &str, datum: Datum) {
        let network = network.parse().expect("a test's own networks are good");
        self.networks.push((network, datum));
    }

    /// The database's file.
    ///
    /// # Panics
    /// Where it holds what it cannot hold: IPv6 networks in one of IPv4, or too much for its record
    /// size.
    pub fn finish(&self) -> Vec<u8> {
        let mut data = DataSection::default();
        let mut tree = Tree(vec![[Record::Nothing; 2]]);
        let mut networks: Vec<_> = self.networks.iter().collect();
        networks.sort_by_key(|(network, _)| network.prefix_len());
        for (network, datum) in networks {
            let (bits, len) = self.place(*network);
            tree.put(bits, len, Record::Data(data.place(datum)));
        }
        if self.ip_version == 6 && self.aliases {
            tree.alias();
        }
        let mut file = tree.bytes(self.record_size);
        file.extend(SEPARATOR);
        file.extend(data.bytes);
        file.extend(METADATA_MARKER);
        file.extend(encode(&self.metadata(tree.0.len())));
        file
    }

    /// A network's bits, the first at the top, and how many there are in the tree.
    fn place(&self, network: Network) -> (u128, u8) {
        let len = network.prefix_len();
        match (network.address(), self.ip_version) {
            (IpAddr::V4(address), 4) => (u128::from(address.to_bits()) << 96, len),
            (IpAddr::V4(address), _) => (address.to_bits().into(), IPV4_DEPTH + len),
            (IpAddr::V6(address), 6) => (address.to_bits(), len),
            (IpAddr::V6(_), _) => panic!("{network} in a database of IPv4"),
        }
    }

    fn metadata(&self, node_count: usize) -> Datum {
        let text = |text: &str| Datum::Text(text.to_owned());
        let node_count = u32::try_from(node_count).expect("a small tree");
        Datum::map([
            ("binary_format_major_version", Datum::U16(2)),
            ("binary_format_minor_version", Datum::U16(0)),
            ("build_epoch", Datum::U64(self.build_epoch)),
            ("database_type", text(&self.database_type)),
            (
                "description",
                Datum::map([("en", text("Made by Ripples' tests"))]),
            ),
            ("ip_version", Datum::U16(self.ip_version)),
            ("languages", Datum::Array(vec![text("en")])),
            ("node_count", Datum::U32(node_count)),
            ("record_size", Datum::U16(self.record_size)),
        ])
    }
}

/// The nodes of a search tree; the first is the root.
struct Tree(Vec<[Record; 2]>);

impl Tree {
    /// Puts a record where `len` bits lead to, over all that is there.
    fn put(&mut self, bits: u128, len: u8, record: Record) {
        let Some(last) = len.checked_sub(1) else {
            self.0[0] = [record; 2];
            return;
        };
        let mut node = 0;
        for depth in 0..last {
            let record = self.0[node][bit(bits, depth)];
            let Record::Node(next) = record else {
                let next = self.0.len();
                self.0.push([record; 2]);
                self.0[node][bit(bits, depth)] = Record::Node(next);
                node = next;
                continue;
            };
            node = next;
        }
        self.0[node][bit(bits, last)] = record;
    }

    /// Lets IPv4 be found where it is found in MaxMind's databases.
    fn alias(&mut self) {
        let mut record = Record::Node(0);
        for _ in 0..IPV4_DEPTH {
            let Record::Node(node) = record else { return };
            record = self.0[node][0];
        }
        if record != Record::Nothing {
            for (bits, len) in ALIASES {
                self.put(bits, len, record);
            }
        }
    }

    /// The search tree in the file.
    fn bytes(&self, record_size: u16) -> Vec<u8> {
        let node_count = self.0.len();
        let number = |record: Record| {
            let number = match record {
                Record::Nothing => node_count,
                Record::Node(node) => node,
                Record::Data(offset) => node_count + SEPARATOR.len() + offset,
            };
            let number = u32::try_from(number).expect("a small database");
            assert!(
                u64::from(number) >> record_size == 0,
                "{number} does not fit"
            );
            number
        };
        let mut bytes = Vec::new();
        for node in &self.0 {
            let [left, right] = node.map(number);
            let [l, r] = [left, right].map(u32::to_be_bytes);
            match record_size {
                24 => bytes.extend([&l[1..], &r[1..]].concat()),
                // The high half byte of each shares the byte in the middle.
                28 => bytes.extend([&l[1..], &[l[0] << 4 | r[0]], &r[1..]].concat()),
                32 => bytes.extend([l, r].concat()),
                _ => panic!("{record_size} is no record size"),
            }
        }
        bytes
    }
}

fn bit(bits: u128, depth: u8) -> usize {
    usize::from(bits << depth >> 127 == 1)
}
