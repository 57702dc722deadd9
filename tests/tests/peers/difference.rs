//! In what two replies to one query differ.

use std::collections::BTreeSet;
use tests::ask::Ask;
use tests::decoded::{Decoded, Rr};
use tests::name::Name;

/// A part of a message that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// ID, opcode, RD and CD, and the question byte by byte.
    Query,
    Rcode,
    Aa,
    Tc,
    Ra,
    Ad,
    /// Whether there is an OPT record, and its DO bit.
    Edns,
    Answer,
    Authority,
    Additional,
}

/// A record without its case.
pub(crate) type Canonical = (Name, u16, u32, Vec<u8>);

/// A section as a set.
pub(crate) fn set(section: &[Rr]) -> BTreeSet<Canonical> {
    section.iter().map(Rr::canonical).collect()
}

/// A reply, as it came and taken apart.
pub(crate) struct Reply {
    bytes: Vec<u8>,
    pub(crate) decoded: Decoded,
}

impl Reply {
    /// Reads a reply.
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let decoded = Decoded::read(&bytes)?;
        Ok(Self { bytes, decoded })
    }

    /// ID, flags and question as they have to be.
    fn repeats(&self, ask: &Ask) -> bool {
        let (query, reply) = (ask.message(), &self.bytes);
        let end = 12 + ask.name.wire_len() + 4;
        let flags = (self.decoded.opcode, self.decoded.rd);
        reply[..2] == query[..2]
            && flags == (ask.opcode, ask.rd)
            && reply[4..6] == [0, 1]
            && reply.get(12..end) == query.get(12..end)
    }

    /// The parts in which it is not as another one to the same query.
    pub(crate) fn differs(&self, other: &Self, ask: &Ask) -> BTreeSet<Part> {
        let (a, b) = (&self.decoded, &other.decoded);
        let edns = |reply: &Decoded| {
            reply
                .edns
                .as_ref()
                .map(|edns| (edns.version, edns.dnssec_ok))
        };
        let mut parts = vec![
            (Part::Query, self.repeats(ask) == other.repeats(ask)),
            (Part::Rcode, a.rcode == b.rcode),
            (Part::Aa, a.aa == b.aa),
            (Part::Tc, a.tc == b.tc),
            (Part::Ra, a.ra == b.ra),
            (Part::Ad, a.ad == b.ad),
            (Part::Edns, edns(a) == edns(b)),
        ];
        // RFC 2181 §9: what stands in a truncated message is nobody's to use.
        if !(a.tc || b.tc) {
            let sections = [Part::Answer, Part::Authority, Part::Additional];
            let same = |at: usize| {
                let [a, b] = [&a.sections[at], &b.sections[at]];
                a.len() == b.len() && set(a) == set(b)
            };
            parts.extend(
                sections
                    .into_iter()
                    .enumerate()
                    .map(|(at, part)| (part, same(at))),
            );
        }
        let different = parts.into_iter().filter(|(_, same)| !same);
        different.map(|(part, _)| part).collect()
    }
}
