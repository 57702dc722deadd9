//! The differences that are known of signed zones.

use crate::difference::Part;
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
];
