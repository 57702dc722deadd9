//! The differences that are known of signed zones.

use crate::compare::Case;
use crate::difference::{Canonical, Part, set};
use crate::known::{Known, has, stops_short};
use tests::peer::Peer;
use tests::record::rtype;

/// The first that holds is taken, before those of [`crate::known`].
pub(crate) const KNOWN_SIGNED: &[Known] = &[
    // RFC 4034 §2.5 lets an alias have signatures and a next name: then its own are meant.
    Known {
        what: "an alias is not followed for what DNSSEC has at the alias itself",
        who: &Peer::ALL,
        holds: |case| {
            let types = [rtype::RRSIG, rtype::NSEC, rtype::NSEC3];
            types.contains(&case.ask.qtype) && has(case.ours.answer(), rtype::CNAME)
        },
    },
    // RFC 8482 §4.1, for RRSIG: it is asked for by those who mean ANY.
    Known {
        what: "RRSIG is answered with some of the signatures",
        who: &[Peer::Knot],
        holds: |case| {
            let is_answer =
                case.parts.iter().eq([&Part::Answer]) && !case.theirs.answer().is_empty();
            case.ask.qtype == rtype::RRSIG && is_answer && stops_short(case)
        },
    },
    // RFC 4035 §3.1.4.1 has the parent answer for DS records, and says so of nothing else.
    Known {
        what: "the parent answers for the NSEC record of a cut",
        who: &[Peer::Bind],
        holds: |case| {
            let is_referral = !case.ours.aa && has(case.ours.authority(), rtype::NS);
            case.ask.qtype == rtype::NSEC && is_referral && has(case.theirs.answer(), rtype::NSEC)
        },
    },
    // RFC 4035 §3.1.3.4: that the wildcard is an empty non-terminal is proven by the record that
    // comes before it.
    Known {
        what: "an empty wildcard's lack of data is not proven",
        who: &[Peer::Knot, Peer::Bind],
        holds: |case| {
            let is_no_data = case.ours.rcode == 0 && has(case.ours.authority(), rtype::SOA);
            is_no_data && misses_nsec(case)
        },
    },
    // RFC 4035 §3.1.3.3 asks for proof of any expansion; RFC 4034 §3.1.3 tells them by the labels,
    // of which `*` in front of a name that was asked for is none.
    Known {
        what: "the expansion of a wildcard to a name that begins with * is not proven",
        who: &[Peer::Knot],
        holds: |case| {
            case.ask
                .name
                .labels()
                .first()
                .is_some_and(|label| label == b"*")
                && misses_nsec(case)
        },
    },
    // RFC 5155 §7.2.3: the record that matches the name is the proof, be the name a wildcard's own.
    Known {
        what: "what a wildcard itself lacks is proven as if it had been expanded",
        who: &[Peer::Nsd],
        holds: |case| {
            let [ours, theirs] = [case.ours, case.theirs].map(|reply| set(reply.authority()));
            case.ask
                .name
                .labels()
                .first()
                .is_some_and(|label| label == b"*")
                && case.parts.iter().eq([&Part::Authority])
                && ours.is_subset(&theirs)
                && theirs.difference(&ours).all(is_proof)
        },
    },
];

/// Whether a record proves that something is missing.
fn is_proof((_, record, ..): &Canonical) -> bool {
    [rtype::NSEC, rtype::NSEC3, rtype::RRSIG].contains(record)
}

/// Whether all that they lack is proofs in the authority section.
fn misses_nsec(case: &Case<'_>) -> bool {
    let [ours, theirs] = [case.ours, case.theirs].map(|reply| set(reply.authority()));
    let is_proof =
        |(_, record, ..): &Canonical| [rtype::NSEC, rtype::NSEC3, rtype::RRSIG].contains(record);
    case.parts.iter().eq([&Part::Authority])
        && theirs.is_subset(&ours)
        && ours.difference(&theirs).all(is_proof)
}
