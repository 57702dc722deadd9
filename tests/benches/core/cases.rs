//! What is measured: a snapshot, and the queries that it is asked.

use ripples::packet::NameKey;
use ripples::snapshot::{Policy, Snapshot};
use ripples::zone::compile::compile;
use ripples::zone::records::ZoneRecords;
use std::fmt::Write;
use tests::answers::signed_world;
use tests::ask::{Ask, AskEdns};
use tests::name::Name;
use tests::packets::Packet;
use tests::record::rtype;

/// Templates of a case with many names: more than any cache holds of their index.
const TEMPLATES: u64 = 1 << 16;

/// Queries of one kind.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// What it is called.
    pub(crate) name: &'static str,
    /// The zones that are asked.
    pub(crate) world: World,
    /// The name of query `i`.
    qname: fn(u64) -> String,
    /// With an OPT record that has DO set.
    dnssec: bool,
    /// Different queries.
    templates: u64,
}

/// Zones to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    /// One zone with this many names.
    Hosts(u64),
    /// The tests' small signed zones.
    Signed,
}

/// All cases; those of one world behind each other.
pub(crate) const CASES: &[Case] = &[
    Case::new("hot", World::Hosts(1_000), |_| host(7)).templates(64),
    Case::new("1k uniform", World::Hosts(1_000), |i| {
        host(spread(i) % 1_000)
    }),
    Case::new("1k uniform, DO", World::Hosts(1_000), |i| {
        host(spread(i) % 1_000)
    })
    .dnssec(),
    Case::new("1k nxdomain", World::Hosts(1_000), missing),
    Case::new("signed, NSEC nxdomain", World::Signed, |i| {
        format!("x{}.nsec.test", spread(i))
    })
    .dnssec(),
    Case::new("signed, NSEC3 nxdomain", World::Signed, |i| {
        format!("x{}.nsec3.test", spread(i))
    })
    .dnssec(),
    Case::new("signed, hot", World::Signed, |_| "www.nsec.test".into()).dnssec(),
    Case::new("1M uniform", World::Hosts(1_000_000), |i| {
        host(spread(i) % 1_000_000)
    }),
    Case::new("1M nxdomain", World::Hosts(1_000_000), missing),
];

impl Case {
    const fn new(name: &'static str, world: World, qname: fn(u64) -> String) -> Self {
        Self {
            name,
            world,
            qname,
            dnssec: false,
            templates: TEMPLATES,
        }
    }

    const fn dnssec(mut self) -> Self {
        self.dnssec = true;
        self
    }

    const fn templates(mut self, templates: u64) -> Self {
        self.templates = templates;
        self
    }

    /// The queries as frames.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let client = "198.51.100.7:40000".parse().expect("address");
        let server = "192.0.2.1:53".parse().expect("address");
        let edns = self.dnssec.then(|| AskEdns {
            size: 1232,
            dnssec_ok: true,
            ..AskEdns::default()
        });
        let frame = |i| {
            let ask = Ask {
                edns: edns.clone(),
                ..Ask::new(Name::parse(&(self.qname)(i)), rtype::A)
            };
            Packet::udp(client, server, &ask.message()).frame()
        };
        (0..self.templates).map(frame).collect()
    }
}

impl World {
    /// Compiles it.
    pub(crate) fn snapshot(self) -> Snapshot {
        match self {
            World::Hosts(names) => hosts(names),
            World::Signed => signed_world(),
        }
    }
}

/// A zone of `names` hosts with one or two addresses each.
fn hosts(names: u64) -> Snapshot {
    let mut text =
        String::from("$TTL 300\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n");
    for i in 0..names {
        let [.., b, c, d] = i.to_be_bytes();
        let _ = writeln!(text, "{}. A 10.{b}.{c}.{d}", host(i));
        if i % 5 < 2 {
            let _ = writeln!(text, "{}. A 11.{b}.{c}.{d}", host(i));
        }
    }
    let origin = b"\x07example\x03com\0";
    let parsed = ZoneRecords::parse(text.as_bytes(), "bench.zone", origin);
    let (records, _) = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
    let image = compile(&records).unwrap_or_else(|error| panic!("{error}"));
    let image_len = image.bytes().len() as u64 / names;
    let key = NameKey::new([1, 2, 3]);
    let snapshot = Snapshot::new(1, vec![image], Policy::default(), key).expect("snapshot");
    let all_len = snapshot.size_bytes() as u64 / names;
    eprintln!("{names} names: {image_len} bytes of image each, {all_len} with the index");
    snapshot
}

/// A name of 29 bytes on the wire.
fn host(i: u64) -> String {
    format!("host-{i:010}.example.com")
}

/// A name that does not exist.
fn missing(i: u64) -> String {
    format!("x{}.example.com", spread(i))
}

/// Stirs a counter into something that no prefetcher guesses (splitmix64).
fn spread(i: u64) -> u64 {
    let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
