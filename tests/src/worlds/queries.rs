//! Random queries near the names of zones.

use super::ZoneText;
use super::names::{Label, RawName, label, legal, name};
use crate::ask::{Ask, AskEdns};
use crate::name::Name;
use crate::record::rtype;
use proptest::prelude::*;
use proptest::sample::Index;

/// A query, before the zones are known.
#[derive(Clone, Debug)]
pub(super) struct RawQuery {
    name: Near,
    /// Which letters are big.
    case: u64,
    qtype: u16,
    id: u16,
    rd: bool,
    cd: bool,
    edns: Option<(u16, bool)>,
}

/// How a name lies near those of the zones.
#[derive(Clone, Debug)]
enum Near {
    /// An owner, or a name in a record's data.
    Known(Index),
    /// Labels below one.
    Below(Index, Vec<Label>),
    /// With another first label.
    Beside(Index, Label),
    /// Its ancestor.
    Above(Index, usize),
    /// Any.
    Anywhere(RawName),
}

/// Between one and `count` queries.
pub(super) fn queries(count: usize) -> impl Strategy<Value = Vec<RawQuery>> {
    prop::collection::vec(query(), 1..=count)
}

fn query() -> impl Strategy<Value = RawQuery> {
    let near = prop_oneof![
        4 => any::<Index>().prop_map(Near::Known),
        4 => (any::<Index>(), prop::collection::vec(label(), 1..3))
            .prop_map(|(at, labels)| Near::Below(at, labels)),
        2 => (any::<Index>(), label()).prop_map(|(at, label)| Near::Beside(at, label)),
        2 => (any::<Index>(), 1..3usize).prop_map(|(at, up)| Near::Above(at, up)),
        1 => name().prop_map(Near::Anywhere),
    ];
    let types = vec![
        rtype::A,
        rtype::AAAA,
        rtype::NS,
        rtype::CNAME,
        rtype::SOA,
        rtype::MX,
        rtype::SRV,
        rtype::TXT,
        rtype::PTR,
        rtype::DNAME,
        rtype::DS,
        rtype::ANY,
        rtype::PRIVATE,
        rtype::HINFO,
        rtype::NAPTR,
        rtype::RRSIG,
        0,
    ];
    let qtype = prop_oneof![3 => Just(rtype::A), 6 => prop::sample::select(types)];
    let case = prop_oneof![2 => Just(0), 1 => any::<u64>()];
    let edns = prop::option::of((
        prop::sample::select(vec![0, 512, 1000, 1232, 4096]),
        any::<bool>(),
    ));
    let rest = (any::<u16>(), any::<bool>(), any::<bool>(), edns);
    (near, case, qtype, rest).prop_map(|(name, case, qtype, (id, rd, cd, edns))| RawQuery {
        name,
        case,
        qtype,
        id,
        rd,
        cd,
        edns,
    })
}

impl RawQuery {
    /// The query, near the names of `zones`.
    pub(super) fn build(&self, zones: &[ZoneText]) -> Ask {
        let known = |at: &Index| {
            let count: usize = zones.iter().map(|zone| zone.records.len()).sum();
            // Each record twice: once for its owner, once for what it leads to.
            let place = at.index(2 * count);
            let mut records = zones.iter().flat_map(|zone| &zone.records);
            let record = records.nth(place / 2).expect("a record of this number");
            let target = record.data.target().filter(|_| place % 2 == 1);
            target.unwrap_or(&record.owner).clone()
        };
        let name = match &self.name {
            Near::Known(at) => known(at),
            Near::Below(at, labels) => legal(labels, &known(at)),
            Near::Beside(at, label) => legal(
                std::slice::from_ref(label),
                &known(at).parent().unwrap_or_default(),
            ),
            Near::Above(at, up) => {
                let known = known(at);
                known.suffix(known.labels().len().saturating_sub(*up))
            }
            Near::Anywhere(name) => {
                let origins: Vec<_> = zones.iter().map(|zone| zone.origin.clone()).collect();
                name.below(&origins)
            }
        };
        Ask {
            id: self.id,
            rd: self.rd,
            cd: self.cd,
            edns: self.edns.map(|(size, dnssec_ok)| AskEdns {
                size,
                dnssec_ok,
                ..AskEdns::default()
            }),
            ..Ask::new(in_mixed_case(&name, self.case), self.qtype)
        }
    }
}

/// Turns the letters at the set bits of `case` into the other case.
fn in_mixed_case(name: &Name, case: u64) -> Name {
    let mut bit = 0;
    let mut turn = |byte: u8| {
        bit = (bit + 1) % 64;
        match case >> bit & 1 {
            1 if byte.is_ascii_uppercase() => byte.to_ascii_lowercase(),
            1 => byte.to_ascii_uppercase(),
            _ => byte,
        }
    };
    let labels = name
        .labels()
        .iter()
        .map(|label| -> Label { label.iter().map(|&byte| turn(byte)).collect() });
    Name::of(labels.collect::<Vec<_>>())
}
