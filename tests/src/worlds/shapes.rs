//! What the records of a random zone are: single ones, and constellations that bear watching.

use super::names::{Label, RawName, labels, name};
use super::zones::ttl;
use crate::name::Name;
use crate::record::{Data, rtype};
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A record, or several.
#[derive(Clone, Debug)]
pub(super) struct RawRecord {
    pub(super) owner: Vec<Label>,
    shape: Shape,
    pub(super) ttl: u32,
    target: RawName,
    number: u8,
}

/// The kind of a record.
#[derive(Clone, Copy, Debug)]
enum Shape {
    A,
    Aaaa,
    Ns,
    Cname,
    Dname,
    Mx,
    Srv,
    Ptr,
    Txt,
    Ds,
    /// A record of a type that is seldom seen.
    Unusual,
    /// An RRset of many A records.
    ManyA,
    /// An RRset of many MX records.
    ManyMx,
    /// A cut with servers of all sorts, glue for some of them, and data that it hides.
    Delegation,
    /// An alias of an alias and so on.
    Chain,
    /// A DNAME record that leads to another one.
    Redirects,
    /// A DNAME record whose target is nearly too long.
    Stretch,
    /// A wildcard, beside it a name without records, below it another.
    Wildcard,
    /// A service with addresses.
    Hosts,
}

/// A raw record.
pub(super) fn record() -> impl Strategy<Value = RawRecord> {
    let shape = prop_oneof![
        8 => Just(Shape::A),
        4 => Just(Shape::Aaaa),
        4 => Just(Shape::Ns),
        6 => Just(Shape::Cname),
        3 => Just(Shape::Dname),
        3 => Just(Shape::Mx),
        3 => Just(Shape::Srv),
        2 => Just(Shape::Ptr),
        3 => Just(Shape::Txt),
        2 => Just(Shape::Ds),
        3 => Just(Shape::Unusual),
        1 => Just(Shape::ManyA),
        1 => Just(Shape::ManyMx),
        4 => Just(Shape::Delegation),
        2 => Just(Shape::Chain),
        1 => Just(Shape::Redirects),
        1 => Just(Shape::Stretch),
        4 => Just(Shape::Wildcard),
        3 => Just(Shape::Hosts),
    ];
    (labels(), shape, ttl(), name(), any::<u8>()).prop_map(|(owner, shape, ttl, target, number)| {
        RawRecord {
            owner,
            shape,
            ttl,
            target,
            number,
        }
    })
}

impl RawRecord {
    /// The records; not all of them are legal or in the zone.
    pub(super) fn records(&self, owner: &Name, origins: &[Name]) -> Vec<(Name, u16, Data)> {
        let target = self.target.below(origins);
        let number = self.number;
        let one = |rtype: u16, data: Data| vec![(owner.clone(), rtype, data)];
        match self.shape {
            Shape::A => one(rtype::A, address(number.into())),
            Shape::Aaaa => one(rtype::AAAA, address6(number)),
            Shape::Ns => one(rtype::NS, Data::Name(target)),
            Shape::Cname => one(rtype::CNAME, Data::Name(target)),
            Shape::Dname => one(rtype::DNAME, Data::Name(target)),
            Shape::Mx => one(rtype::MX, Data::Exchange(number.into(), target)),
            Shape::Srv => one(rtype::SRV, Data::Service([1, 2, number.into()], target)),
            Shape::Ptr => one(rtype::PTR, Data::Name(target)),
            Shape::Txt => one(rtype::TXT, text(number)),
            Shape::Ds => one(rtype::DS, signer(number)),
            Shape::Unusual => {
                let (rtype, data) = UNUSUAL[usize::from(number) % UNUSUAL.len()];
                one(rtype, Data::Octets(data.to_vec()))
            }
            Shape::ManyA => {
                let numbers = 0..u16::from(number) * 8;
                let record = |number| (owner.clone(), rtype::A, address(number));
                numbers.map(record).collect()
            }
            Shape::ManyMx => {
                let host = |at: u16| Name::of([format!("mx{}", at / 3)]).with_suffix(1, &target);
                let hosts = (0..u16::from(number)).map(|at| (at, host(at)));
                let exchange = |(at, host)| (owner.clone(), rtype::MX, Data::Exchange(at, host));
                hosts
                    .filter(|(_, host)| host.is_legal())
                    .map(exchange)
                    .collect()
            }
            Shape::Delegation => delegation(owner, target, number),
            Shape::Chain => chain(owner, target, number),
            Shape::Redirects => {
                let next = owner.parent().unwrap_or_default().child("moved");
                let first = (owner.clone(), rtype::DNAME, Data::Name(next.clone()));
                vec![first, (next, rtype::DNAME, Data::Name(target))]
            }
            Shape::Stretch => {
                let room = 254_usize.saturating_sub(target.wire_len() + usize::from(number % 64));
                let labels = [vec![b's'; 63], vec![b't'; 63], vec![b'u'; 63]];
                let labels = labels.into_iter().take(room / 64).collect::<Vec<_>>();
                let long = Name::of(labels.clone()).with_suffix(labels.len(), &target);
                one(rtype::DNAME, Data::Name(long))
            }
            Shape::Wildcard => wildcard(owner, target, number),
            Shape::Hosts => hosts(owner, target, number),
        }
    }
}

/// Types that are seldom seen, with data that is right.
const UNUSUAL: [(u16, &[u8]); 9] = [
    (rtype::PRIVATE, &[1, 2, 3, 4, 5, 6, 7]),
    (rtype::HINFO, b"\x03cpu\x02os"),
    (
        rtype::NAPTR,
        b"\0\x01\0\x02\x01s\x03sip\0\x01a\x07example\0",
    ),
    // AFSDB, KX: names that are not compressed (RFC 3597 §4).
    (18, b"\0\x01\x01a\x07example\0"),
    (36, b"\0\x01\x01b\x07example\0"),
    // SSHFP, TLSA, CAA; and a type that nobody knows.
    (44, b"\x01\x01aabbccddeeffaabbccdd"),
    (52, b"\x03\x01\x01aabbccddeeffaabbccddeeffaabbccdd"),
    (257, b"\x80\x05issueca.example"),
    (731, b"\xc0\x0c\xc0\x0c"),
];

fn address(number: u16) -> Data {
    let [high, low] = number.to_be_bytes();
    Data::Address4(Ipv4Addr::new(192, 0, high, low))
}

fn address6(number: u8) -> Data {
    Data::Address6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()))
}

fn text(number: u8) -> Data {
    Data::Octets([vec![number], vec![b't'; number.into()]].concat())
}

fn signer(number: u8) -> Data {
    Data::Octets([vec![1, 2, 13, 2], vec![number; 32]].concat())
}

/// A cut: each bit of `number` is something that it may have.
fn delegation(cut: &Name, target: Name, number: u8) -> Vec<(Name, u16, Data)> {
    let has = |bit: u8| number >> bit & 1 == 1;
    let inside = cut.child("ns");
    let beside = cut.parent().unwrap_or_default().child("b").child("ns");
    let below = cut.child("sub").child("ns");
    let lost = cut.child("lost");
    let servers = [inside.clone(), beside.clone(), below.clone(), lost, target];
    let server = |(_, server): (u8, Name)| (cut.clone(), rtype::NS, Data::Name(server));
    let mut records: Vec<_> = (0..)
        .zip(servers)
        .filter(|&(bit, _)| has(bit))
        .map(server)
        .collect();
    records.push((cut.clone(), rtype::NS, Data::Name(cut.child("ns"))));
    records.push((inside.clone(), rtype::A, address(number.into())));
    for (bit, name, rtype, data) in [
        (1, &beside, rtype::A, address(number.into())),
        (2, &below, rtype::AAAA, address6(number)),
        (5, &inside, rtype::AAAA, address6(number)),
        // What a cut hides.
        (5, &below, rtype::TXT, text(9)),
        (6, &inside, rtype::MX, Data::Exchange(1, inside.clone())),
        (6, cut, rtype::DS, signer(number)),
        (7, cut, rtype::TXT, text(7)),
        (7, &cut.child("*"), rtype::A, address(7)),
        (
            7,
            &cut.child("hidden"),
            rtype::CNAME,
            Data::Name(cut.clone()),
        ),
    ] {
        if has(bit) {
            records.push((name.clone(), rtype, data));
        }
    }
    records
}

/// Aliases, one of the next; the last leads to `target`, or back to the first.
fn chain(owner: &Name, target: Name, number: u8) -> Vec<(Name, u16, Data)> {
    let count = usize::from(number % 20);
    let link = |at: usize| match at {
        0 => owner.clone(),
        _ => owner.child(format!("link{at}")),
    };
    let links = (0..count).map(|at| (link(at), rtype::CNAME, Data::Name(link(at + 1))));
    let end = if number >= 200 { owner.clone() } else { target };
    links
        .chain([(link(count), rtype::CNAME, Data::Name(end))])
        .collect()
}

/// A wildcard with something of its own, and what keeps it from names (RFC 4592 §2.2.1).
fn wildcard(owner: &Name, target: Name, number: u8) -> Vec<(Name, u16, Data)> {
    let wild = owner.child("*");
    let own = match number % 4 {
        0 => (wild.clone(), rtype::CNAME, Data::Name(target)),
        1 => (wild.clone(), rtype::MX, Data::Exchange(1, target)),
        2 => (wild.clone(), rtype::TXT, text(number)),
        _ => (wild.clone(), rtype::A, address(number.into())),
    };
    let blocks = [
        (owner.child("a").child("b"), rtype::A, address(1)),
        (wild.child("sub"), rtype::TXT, text(3)),
        (wild.child("*"), rtype::A, address(2)),
    ];
    let count = usize::from(number / 64);
    [own]
        .into_iter()
        .chain(blocks.into_iter().take(count))
        .collect()
}

/// Records that lead to hosts, and their addresses.
fn hosts(owner: &Name, target: Name, number: u8) -> Vec<(Name, u16, Data)> {
    let host = owner.child("host");
    vec![
        (owner.clone(), rtype::MX, Data::Exchange(1, host.clone())),
        (owner.clone(), rtype::MX, Data::Exchange(2, target.clone())),
        (
            owner.child("_tcp"),
            rtype::SRV,
            Data::Service([1, 2, 3], host.clone()),
        ),
        (host.clone(), rtype::A, address(number.into())),
        (host, rtype::AAAA, address6(number)),
        (target, rtype::A, address(number.into())),
    ]
}
