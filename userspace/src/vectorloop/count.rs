//! What a turn counts of its replies.

use super::decision::Decision;
use super::{Row, Turn};
use crate::answer::Answer;
use crate::packet::cookie::CookieState;
use crate::packet::reply::{Reply, Transport};
use crate::packet::{Query, QueryFlags, code};
use crate::port::VECTOR_CAPACITY;
use crate::snapshot::Snapshot;
use crate::telemetry::{Event, QueryType, Rcode, Tally, ZoneCount, ZoneCounts};
use std::sync::Arc;

/// Sums over a vector: four of 16 bits in one word, which no vector overflows, and one of its own.
/// Counters in memory would be added to one after the other.
#[derive(Default)]
pub(super) struct Counts {
    packed: u64,
    hits: u64,
    absences: u64,
    cookie_none: u64,
    /// By query type: a power of two, so that no index is out of it.
    types: [u16; TYPES],
}

/// Places for query types.
const TYPES: usize = QueryType::COUNT.next_power_of_two();

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
        self.add_type(query);
    }

    #[inline(always)]
    fn add_type(&mut self, query: &Query) {
        self.types[QueryType::of(query.qtype).index() % TYPES] += 1;
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
        self.add_type(query);
        self.packed += packed(query)
            | u64::from(reply.truncated) << 32
            | u64::from(answer.is_referral()) << 48;
        self.cookie_none += u64::from(query.cookie == CookieState::Absent);
        let is_refused = query.refusal.is_some();
        if query.flags.any(QueryFlags::OPTIONS) || query.qclass != code::CLASS_IN || is_refused {
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
        for (&kind, &count) in QueryType::ALL.iter().zip(&self.types) {
            tally.types(kind, count.into());
        }
    }
}

impl<F> Turn<F> {
    /// Counts by zone as well, from now on.
    pub fn set_zone_counts(&mut self, counts: Option<Arc<ZoneCounts>>) {
        self.zone_counts = counts;
    }
}

/// Counts a vector of so many frames.
#[inline(always)]
pub(super) fn count_frames(count: u64, transport: Transport, tally: &mut Tally) {
    tally.add(Event::Turns, 1);
    tally.add(Event::Received, count);
    if transport == Transport::Udp {
        tally.add(Event::Udp, count);
    }
}

/// Counts the replies of a vector by the zones that they begin in, and as these answer: an alias is
/// an answer, wherever it leads. What no zone answers is not counted.
#[inline(never)]
pub(super) fn count_zones(
    counts: &ZoneCounts,
    rows: &[Row],
    decisions: &[Decision<'_>],
    snapshot: &Snapshot,
) {
    for (row, decision) in rows.iter().zip(decisions) {
        let (zone, count) = match decision {
            _ if row.is_discarded => continue,
            Decision::Open => continue,
            Decision::Hit(zone, _) => (*zone, ZoneCount::NoError),
            Decision::Absence(absence) => (absence.zone, ZoneCount::NxDomain),
            Decision::Other(answer) if answer.body.is_none() => continue,
            Decision::Other(answer) => match answer.rcode {
                Rcode::NxDomain => (answer.zone, ZoneCount::NxDomain),
                _ => (answer.zone, ZoneCount::NoError),
            },
        };
        counts.count(snapshot.count_place(zone), count);
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
        (Event::EdnsBad, has(QueryFlags::EDNS) && is_malformed(query)),
    ] {
        tally.add(event, u64::from(is_so));
    }
}

/// Whether what is behind the question cannot be read. Without a question that is not looked at.
fn is_malformed(query: &Query) -> bool {
    let is_so = matches!(query.refusal, Some(Rcode::BadVers | Rcode::FormErr));
    is_so && query.name_len != 0
}
