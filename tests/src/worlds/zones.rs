//! Random zones, made legal.

use super::ZoneText;
use super::names::{Label, RawName, labels, legal, name};
use crate::name::Name;
use crate::record::{Data, Record, rtype};
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a zone is made of, before it is legal.
#[derive(Clone, Debug)]
pub(super) struct RawZone {
    soa_ttl: u32,
    soa_minimum: u32,
    servers: Vec<RawName>,
    records: Vec<RawRecord>,
}

/// A record, or several of one RRset.
#[derive(Clone, Debug)]
pub(super) struct RawRecord {
    owner: Vec<Label>,
    shape: Shape,
    ttl: u32,
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
    Private,
    /// An RRset of many A records.
    ManyA,
    /// An RRset of many MX records.
    ManyMx,
}

/// A zone of up to thirty records.
pub(super) fn zone() -> impl Strategy<Value = RawZone> {
    let servers = prop::collection::vec(name(), 1..4);
    let records = prop::collection::vec(record(), 0..30);
    (ttl(), ttl(), servers, records).prop_map(|(soa_ttl, soa_minimum, servers, records)| RawZone {
        soa_ttl,
        soa_minimum,
        servers,
        records,
    })
}

fn ttl() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![0, 60, 300, 3600, 604_800])
}

fn record() -> impl Strategy<Value = RawRecord> {
    let shape = prop_oneof![
        8 => Just(Shape::A),
        4 => Just(Shape::Aaaa),
        6 => Just(Shape::Ns),
        8 => Just(Shape::Cname),
        4 => Just(Shape::Dname),
        3 => Just(Shape::Mx),
        3 => Just(Shape::Srv),
        2 => Just(Shape::Ptr),
        3 => Just(Shape::Txt),
        2 => Just(Shape::Ds),
        2 => Just(Shape::Private),
        1 => Just(Shape::ManyA),
        1 => Just(Shape::ManyMx),
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

/// Leaves out what no zone may have, and adds what every zone must.
pub(super) fn build(origin: &Name, raw: &RawZone, origins: &[Name]) -> ZoneText {
    let mut records = vec![Record {
        owner: origin.clone(),
        rtype: rtype::SOA,
        ttl: raw.soa_ttl,
        data: Data::Authority(
            legal(&[b"ns".to_vec()], origin),
            Name::parse("hostmaster.example."),
            [2_024_010_101, 7200, 3600, 1_209_600, raw.soa_minimum],
        ),
    }];
    records.extend(raw.servers.iter().map(|server| Record {
        owner: origin.clone(),
        rtype: rtype::NS,
        ttl: 3600,
        data: Data::Name(server.below(origins)),
    }));
    for raw in &raw.records {
        let owner = legal(&raw.owner, origin);
        for (rtype, data) in shape(raw, origins) {
            let record = Record {
                owner: owner.clone(),
                rtype,
                ttl: raw.ttl,
                data,
            };
            if may_join(&record, &records, origin) {
                records.push(record);
            }
        }
    }
    // RFC 6672 §2.4: nothing lies below a DNAME record.
    let redirected: Vec<Name> = records
        .iter()
        .filter(|record| record.rtype == rtype::DNAME)
        .map(|record| record.owner.clone())
        .collect();
    records.retain(|record| {
        let below = |owner: &Name| record.owner.is_at_or_below(owner) && !record.owner.is(owner);
        !redirected.iter().any(below)
    });
    ZoneText {
        origin: origin.clone(),
        records,
    }
}

/// Type and data of a raw record.
fn shape(raw: &RawRecord, origins: &[Name]) -> Vec<(u16, Data)> {
    let target = raw.target.below(origins);
    let number = raw.number;
    let address = |number: u16| {
        let [high, low] = number.to_be_bytes();
        Data::Address4(Ipv4Addr::new(192, 0, high, low))
    };
    let one = match raw.shape {
        Shape::A => (rtype::A, address(number.into())),
        Shape::Aaaa => {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into());
            (rtype::AAAA, Data::Address6(address))
        }
        Shape::Ns => (rtype::NS, Data::Name(target)),
        Shape::Cname => (rtype::CNAME, Data::Name(target)),
        Shape::Dname => (rtype::DNAME, Data::Name(target)),
        Shape::Mx => (rtype::MX, Data::Exchange(number.into(), target)),
        Shape::Srv => (rtype::SRV, Data::Service([1, 2, number.into()], target)),
        Shape::Ptr => (rtype::PTR, Data::Name(target)),
        Shape::Txt => {
            let text = vec![b't'; number.into()];
            (rtype::TXT, Data::Octets([vec![number], text].concat()))
        }
        Shape::Ds => {
            let digest = vec![number; 32];
            (
                rtype::DS,
                Data::Octets([vec![1, 2, 13, 2], digest].concat()),
            )
        }
        Shape::Private => (rtype::PRIVATE, Data::Octets(vec![number; 7])),
        Shape::ManyA => {
            let count = u16::from(number) * 16;
            return (0..count).map(|at| (rtype::A, address(at))).collect();
        }
        Shape::ManyMx => {
            let count = u16::from(number) * 2;
            let host = |at: u16| Name::of([format!("mx{}", at / 3)]).with_suffix(1, &target);
            let hosts = (0..count)
                .map(|at| (at, host(at)))
                .filter(|(_, host)| host.is_legal());
            return hosts
                .map(|(at, host)| (rtype::MX, Data::Exchange(at, host)))
                .collect();
        }
    };
    vec![one]
}

/// Whether a zone of `records` may have this one as well.
fn may_join(record: &Record, records: &[Record], origin: &Name) -> bool {
    let beside = |rtype: u16| {
        records
            .iter()
            .any(|other| other.rtype == rtype && other.owner.is(&record.owner))
    };
    let is_alone = !records.iter().any(|other| other.owner.is(&record.owner));
    let is_apex = record.owner.is(origin);
    let is_wildcard = record
        .owner
        .labels()
        .first()
        .is_some_and(|label| label == b"*");
    match record.rtype {
        // RFC 2181 §10.1.
        rtype::CNAME => is_alone,
        _ if beside(rtype::CNAME) => false,
        // RFC 4592 §4.2 and §4.4 leave these undefined; RFC 6672 §2.3 forbids both together.
        rtype::NS => is_apex || !(is_wildcard || beside(rtype::DNAME)),
        rtype::DNAME => {
            !(is_wildcard && !is_apex) && !beside(rtype::DNAME) && (is_apex || !beside(rtype::NS))
        }
        rtype::DS => !is_apex,
        _ => true,
    }
}
