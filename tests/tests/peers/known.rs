//! The differences that are known: who differs, when, and why.

use crate::compare::Case;
use crate::difference::{Canonical, Part, set};
use tests::decoded::{Decoded, Rr};
use tests::model::CHAIN_MAX;
use tests::name::Name;
use tests::peer::Peer;
use tests::record::rtype;

/// Response codes.
const NOERROR: u16 = 0;
const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;
const NOTIMP: u16 = 4;
const YXDOMAIN: u16 = 6;

/// An explanation.
pub(crate) struct Known {
    /// What it is called in the ledger.
    pub(crate) what: &'static str,
    /// Who differs.
    pub(crate) who: &'static [Peer],
    /// Whether it explains this difference, all parts of it.
    pub(crate) holds: fn(&Case<'_>) -> bool,
}

impl Known {
    /// Whether it explains a difference.
    pub(crate) fn explains(&self, case: &Case<'_>) -> bool {
        self.who.contains(&case.peer) && (self.holds)(case)
    }
}

/// What may speak for us where all others are of one mind.
///
/// - They point into the whole query's name, we into the part of it that is the zone's or the
///   cut's: RFC 1035 §4.1.4 leaves that to the sender, and at the edge some octets decide.
/// - They take addresses of hosts from wildcards: useful, but not asked for (RFC 1034 §4.3.2 step
///   6).
/// - They do not follow an alias for RRSIG: RFC 1034 §3.6.2 does for all types but CNAME.
/// - They give what a zone has where another one has authority, and all that they have: see there.
pub(crate) const ALONE: [&str; 5] = [
    "there is room for one, and not for the other",
    "a wildcard gives addresses of hosts too",
    "an alias is not followed for what DNSSEC has at the alias itself",
    "addresses come from where another zone has authority",
    "more than 16 KiB of addresses are added",
];

/// The first that holds is taken. Those of signed zones are in [`crate::known_signed`].
pub(crate) const KNOWN: &[Known] = &[
    // RFC 6895 §3.1 reserves type 0 and says nothing of queries: no such records, or NOTIMP.
    Known {
        what: "Knot does not implement type 0",
        who: &[Peer::Knot],
        holds: |case| case.ask.qtype == 0 && case.theirs.rcode == NOTIMP,
    },
    // RFC 1035 §4.1.4 leaves compression to the sender, so that some fit where others do not. What
    // is cut is compared over TCP.
    Known {
        what: "there is room for one, and not for the other",
        who: &Peer::ALL,
        holds: room,
    },
    // RFC 8482 §4.1 leaves the choice among the RRsets.
    Known {
        what: "ANY is answered with other RRsets",
        who: &Peer::ALL,
        holds: |case| {
            let is_answer =
                [case.ours, case.theirs].map(|reply| reply.rcode == NOERROR && reply.aa);
            case.ask.qtype == rtype::ANY && is_answer == [true; 2]
        },
    },
    // RFC 1034 §3.6.2: an alias answers ANY; so does one that a DNAME implies.
    Known {
        what: "ANY goes on at the target of a DNAME",
        who: &[Peer::Knot, Peer::Nsd],
        holds: |case| {
            case.ask.qtype == rtype::ANY && has(case.ours.answer(), rtype::DNAME) && goes_on(case)
        },
    },
    // RFC 6672 §3.2 ends with YXDOMAIN where a name grows too long.
    Known {
        what: "a name that grows too long goes unnoticed",
        who: &[Peer::Knot, Peer::Nsd],
        holds: |case| {
            let is_too_long = case.ours.rcode == YXDOMAIN && has(case.ours.answer(), rtype::DNAME);
            is_too_long && (stops_short(case) || goes_on(case))
        },
    },
    // RFC 1034 §4.3.2 step 3.a goes back to step 2, where the zone is chosen.
    Known {
        what: "an alias is followed within its zone only",
        who: &[Peer::Knot, Peer::Bind],
        holds: leaves_zone,
    },
    // RFC 1034 §5.2.2: how many aliases are followed is a server's choice.
    Known {
        what: "fewer aliases are followed",
        who: &Peer::ALL,
        holds: |case| has(case.ours.answer(), rtype::CNAME) && stops_short(case) && is_long(case),
    },
    Known {
        what: "more aliases are followed",
        who: &[Peer::Nsd],
        holds: |case| links(case.ours) == CHAIN_MAX && goes_on(case),
    },
    // RFC 1034 §4.3.2 does not ask for them; RFC 2181 §9 calls them extra information.
    Known {
        what: "the zone's servers stand beside an answer",
        who: &[Peer::Nsd],
        holds: servers_beside,
    },
    // RFC 4592 §2.2.2: a name exists if it is in the zone, and what is in other zones is not: they
    // neither make a name exist nor keep a wildcard from it. NSD has one tree for all zones.
    Known {
        what: "a name exists that is in another zone only",
        who: &[Peer::Nsd],
        holds: |case| {
            let zones = [&case.ask.name, &last_name(case)].map(|name| zone_of(name, case));
            let is_nested = |zone: &Name| {
                let mut others = case.origins.iter().filter(|other| !other.is(zone));
                others.any(|other| other.is_at_or_below(zone) || zone.is_at_or_below(other))
            };
            let [ours, theirs] = [case.ours, case.theirs].map(|reply| set(reply.answer()));
            let parts = [Part::Rcode, Part::Answer, Part::Authority];
            case.theirs.aa
                && theirs.is_subset(&ours)
                && case.parts.iter().all(|part| parts.contains(part))
                && zones.into_iter().flatten().any(is_nested)
        },
    },
    // RFC 1034 §4.3.2 step 6 adds what may be useful; RFC 9471 §3 asks for the glue of a cut.
    Known {
        what: "addresses that are no glue are not added",
        who: &[Peer::Bind],
        holds: |case| {
            let [ours, theirs] = [case.ours, case.theirs].map(|reply| set(reply.additional()));
            let cuts = case.ours.authority();
            let is_glue = |name: &Name| cuts.iter().any(|ns| name.is_at_or_below(&ns.owner));
            let mut missing = ours.difference(&theirs);
            case.parts.iter().eq([&Part::Additional])
                && theirs.is_subset(&ours)
                && (case.ours.aa || missing.all(|(name, ..)| !is_glue(name)))
        },
    },
    // RFC 4592 §3.3.1 has wildcards answer queries; step 6 of RFC 1034 §4.3.2 is not one.
    Known {
        what: "a wildcard gives addresses of hosts too",
        who: &Peer::ALL,
        holds: |case| adds_only(case, |rr| !case.owners.contains(&rr.owner.lowered())),
    },
    // RFC 2181 §6.1: the parent's data is not to be given where the child's zone has authority.
    Known {
        what: "addresses come from where another zone has authority",
        who: &Peer::ALL,
        holds: |case| {
            let zone = zone_of(&last_name(case), case);
            adds_only(case, |rr| zone_of(&rr.owner, case) != zone)
        },
    },
    // RFC 1034 §4.3.2 step 6 adds what may be useful: where it is much, we leave RRsets out.
    Known {
        what: "more than 16 KiB of addresses are added",
        who: &Peer::ALL,
        holds: |case| {
            let len = |rr: &Rr| rr.owner.wire_len() + 10 + rr.rdata.len();
            let records = case.theirs.sections.iter().flatten();
            records.map(len).sum::<usize>() > 16_000 && adds_only(case, |_| true)
        },
    },
    // RFC 2181 §5 has no duplicates.
    Known {
        what: "an alias of itself comes twice",
        who: &[Peer::Knot],
        holds: |case| {
            let [ours, theirs] = [case.ours, case.theirs].map(|reply| set(reply.answer()));
            case.parts.iter().eq([&Part::Answer]) && ours == theirs
        },
    },
];

pub(crate) fn has(section: &[Rr], rtype: u16) -> bool {
    section.iter().any(|rr| rr.rtype == rtype)
}

/// The longest reply that a datagram may be.
fn limit(case: &Case<'_>) -> usize {
    let edns = case.ask.edns.as_ref();
    usize::from(edns.map_or(512, |edns| edns.size.clamp(512, 1232)))
}

/// Whether one of them is longer than a datagram may be, and who says TC is right to.
fn room(case: &Case<'_>) -> bool {
    let Some(lens) = case.whole_len else {
        return false;
    };
    let limit = limit(case);
    let replies = [case.ours, case.theirs];
    let is_right = |at: usize| !replies[at].tc || lens[at] > limit;
    // RFC 9471 §3.1: glue is nothing to leave out in silence.
    let is_silent = !case.ours.aa && case.theirs.tc && !case.ours.tc && lens[0] > limit;
    let parts = [Part::Rcode, Part::Tc, Part::Additional];
    lens.iter().any(|&len| len > limit)
        && is_right(0)
        && is_right(1)
        && !is_silent
        && case.parts.iter().all(|part| parts.contains(part))
}

/// Whether they give what we do and more in the additional section: only such records.
fn adds_only(case: &Case<'_>, is_such: impl Fn(&Rr) -> bool) -> bool {
    let ours = set(case.ours.additional());
    let extra = |rr: &&Rr| !ours.contains(&rr.canonical());
    case.parts.iter().eq([&Part::Additional])
        && ours.is_subset(&set(case.theirs.additional()))
        && case.theirs.additional().iter().filter(extra).all(is_such)
}

/// Whether they give what we do and, in the answer section, more.
fn goes_on(case: &Case<'_>) -> bool {
    set(case.ours.answer()).is_subset(&set(case.theirs.answer()))
}

/// Whether they give a part of our answer section, and nothing else.
pub(crate) fn stops_short(case: &Case<'_>) -> bool {
    let [ours, theirs] = [case.ours, case.theirs].map(|reply| set(reply.answer()));
    theirs.is_subset(&ours) && matches!(case.theirs.rcode, NOERROR | NXDOMAIN | SERVFAIL | YXDOMAIN)
}

/// Whether a chain is as long as the peer follows.
fn is_long(case: &Case<'_>) -> bool {
    let links = links(case.theirs);
    match case.peer {
        Peer::Knot => links == 5,
        Peer::Nsd => links >= 1,
        // It calls a loop a failure.
        Peer::Bind => links >= 11 || case.theirs.rcode == SERVFAIL,
    }
}

/// How many aliases an answer follows.
fn links(reply: &Decoded) -> usize {
    let aliases = reply.answer().iter().filter(|rr| rr.rtype == rtype::CNAME);
    aliases.count()
}

/// Whether both agree up to an alias that leaves its zone.
fn leaves_zone(case: &Case<'_>) -> bool {
    let zone_of = |name: &Name| zone_of(name, case);
    let target = |alias: &Rr| Name::of_wire(&alias.rdata);
    let leaves = |rr: &Rr| rr.rtype == rtype::CNAME && zone_of(&rr.owner) != zone_of(&target(rr));
    let answer = case.ours.answer();
    let common = answer.iter().position(leaves).map(|last| &answer[..=last]);
    common.is_some_and(|common| set(common).is_subset(&set(case.theirs.answer())))
}

/// The origin of the zone that answers for a name; for DS records the one above, if there is one.
fn zone_of<'c>(name: &Name, case: &Case<'c>) -> Option<&'c Name> {
    let above = case
        .origins
        .iter()
        .filter(|origin| name.is_at_or_below(origin));
    above.max_by_key(|origin| {
        let is_below = case.ask.qtype != rtype::DS || !origin.is(name);
        (is_below, origin.labels().len())
    })
}

/// The name that an answer's chain ends at.
fn last_name(case: &Case<'_>) -> Name {
    let mut answer = case.ours.answer().iter();
    let last = answer.rfind(|rr| rr.rtype == rtype::CNAME);
    last.map_or(case.ask.name.clone(), |alias| Name::of_wire(&alias.rdata))
}

/// Whether they only add the NS records of a zone, addresses, and signatures of these.
fn servers_beside(case: &Case<'_>) -> bool {
    let sections = |reply: &Decoded| [reply.authority(), reply.additional()].map(set);
    let ([authority, additional], [their_authority, their_additional]) =
        (sections(case.ours), sections(case.theirs));
    let is_apex = |name: &Name| case.origins.iter().any(|origin| origin.is(name));
    let is_server = |(owner, record, ..): &Canonical| {
        [rtype::NS, rtype::RRSIG].contains(record) && is_apex(owner)
    };
    let is_address =
        |(_, record, ..): &Canonical| [rtype::A, rtype::AAAA, rtype::RRSIG].contains(record);
    // They take the room of other addresses.
    let has_no_room = case
        .whole_len
        .is_some_and(|[_, theirs]| theirs > limit(case));
    let parts = [Part::Authority, Part::Additional];
    case.parts.contains(&Part::Authority)
        && !case.ours.answer().is_empty()
        && !has(case.ours.authority(), rtype::NS)
        && authority.is_subset(&their_authority)
        && their_authority.difference(&authority).all(is_server)
        && (additional.is_subset(&their_additional) || has_no_room)
        && their_additional.iter().all(is_address)
        && case.parts.iter().all(|part| parts.contains(part))
}
