//! What a turn counts of its replies.

use crate::answer::Answer;
use crate::packet::cookie::CookieState;
use crate::packet::reply::Reply;
use crate::packet::{Query, QueryFlags, code};
use crate::port::VECTOR_CAPACITY;
use crate::telemetry::{Event, Rcode, Tally};

/// Sums over a vector: four of 16 bits in one word, which no vector overflows, and one of its own.
/// Counters in memory would be added to one after the other.
#[derive(Default)]
pub(super) struct Counts {
    packed: u64,
    hits: u64,
    absences: u64,
    cookie_none: u64,
}

/// What the four sums count.
const PACKED: [Event; 4] = [
    Event::Edns,
    Event::DnssecOk,
    Event::Truncated,
    Event::Referrals,
];

const _: () = assert!(VECTOR_CAPACITY <= u16::MAX as usize);

impl Counts {
    /// Counts a reply of a usual kind to a query without options.
    #[inline(always)]
    pub(super) fn add_usual(&mut self, query: &Query, is_absence: bool) {
        self.hits += u64::from(!is_absence);
        self.absences += u64::from(is_absence);
        self.packed += packed(query);
    }

    /// Counts a reply.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        query: &Query,
        answer: &Answer<'_>,
        reply: &Reply,
        tally: &mut Tally,
    ) {
        tally.reply(reply.rcode);
        self.packed += packed(query)
            | u64::from(reply.truncated) << 32
            | u64::from(answer.is_referral()) << 48;
        self.cookie_none += u64::from(query.cookie == CookieState::Absent);
        if query.flags.any(QueryFlags::OPTIONS) || query.qclass != code::CLASS_IN {
            count_rare(query, tally);
        }
    }

    /// Adds the sums to the tally.
    pub(super) fn report(&self, tally: &mut Tally) {
        for (place, event) in PACKED.into_iter().enumerate() {
            tally.add(event, self.packed >> (16 * place) & 0xffff);
        }
        tally.add(
            Event::CookieNone,
            self.cookie_none + self.hits + self.absences,
        );
        tally.replies(Rcode::NoError, self.hits);
        tally.replies(Rcode::NxDomain, self.absences);
    }
}

/// What a query adds to the four.
#[inline(always)]
fn packed(query: &Query) -> u64 {
    u64::from(query.flags.has(QueryFlags::EDNS))
        | u64::from(query.flags.has(QueryFlags::DNSSEC_OK)) << 16
}

/// Counts what plain queries do not have.
#[inline(never)]
fn count_rare(query: &Query, tally: &mut Tally) {
    let has = |option| query.flags.has(option);
    for (event, is_so) in [
        (
            Event::CookieClientOnly,
            query.cookie == CookieState::ClientOnly,
        ),
        (Event::CookieBad, query.cookie == CookieState::Invalid),
        (Event::CookieValid, query.cookie.is_valid()),
        (Event::Nsid, has(QueryFlags::NSID)),
        (Event::ClientSubnet, has(QueryFlags::SUBNET)),
        (Event::Keepalive, has(QueryFlags::KEEPALIVE)),
        (Event::Chaos, query.qclass == code::CLASS_CH),
    ] {
        tally.add(event, u64::from(is_so));
    }
}
