//! Writes an answer behind the question, over the query.

mod body;
mod chain;
mod header;
mod opt;
mod owner;
mod proof;
mod usual;

pub use opt::NSID_LEN_MAX;

use super::checksum::Sum;
use super::{Arrival, Query, QueryFlags};
use crate::answer::{Absence, Answer, Claim, Client, Follow};
use crate::simd::Simd;
use crate::snapshot::Snapshot;
use crate::telemetry::{Discard, Rcode};
use crate::zone::image::{Body, BodyRef};
use body::Written;
use header::Header;
use opt::{Opt, Options};
use owner::OwnerPlace;
use proof::Proofs;

/// What every client takes.
const UDP_SIZE_MIN: u16 = 512;

/// How a message travels: decides how long a reply may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In one datagram.
    Udp,
    /// Behind a length, in a stream.
    Tcp,
}

/// A reply that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its length in bytes, from the message's first.
    pub len: usize,
    /// Its response code.
    pub rcode: Rcode,
    /// Whether it had to leave out what the client needs (TC).
    pub truncated: bool,
    /// Its part of the UDP checksum, where it is known.
    pub sum: Option<Sum>,
}

/// A usual reply that was written: nothing is left out, and its sum is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief {
    /// Its length in bytes, from the message's first.
    pub len: usize,
    /// Its part of the UDP checksum.
    pub sum: Sum,
}

/// What stands behind the question.
#[derive(Clone, Copy)]
struct Sections {
    end: usize,
    counts: [u16; 3],
    rcode: Rcode,
    truncated: bool,
    /// Bits of the client's subnet that they are valid for.
    scope: u8,
}

/// Largest reply that the client, the policy and the port's `room` allow.
pub fn limit(query: &Query, transport: Transport, snapshot: &Snapshot, room: usize) -> usize {
    let allowed = match transport {
        Transport::Udp => query.udp_size.min(snapshot.policy().udp_size_max),
        Transport::Tcp => u16::MAX,
    };
    room.min(usize::from(allowed))
}

/// Writes the reply to `query` over it: as `write_any`, but a usual one in a usual way.
#[inline(always)]
pub fn write<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    answer: &Answer<'_>,
    snapshot: &Snapshot,
    arrival: Option<Arrival>,
    limit: usize,
) -> Result<Reply, Discard> {
    let size = snapshot.policy().udp_size_max;
    let room = message.get_mut(..limit);
    match room.and_then(|room| usual::write(simd, room, query, answer, size)) {
        Some(reply) => Ok(reply),
        None => write_any(message, query, answer, snapshot, arrival, limit),
    }
}

/// Writes the reply to a query without options that `body` answers with authority, as `write` does.
/// `None` where `message`, of a length that every client takes, has no room for it.
#[inline(always)]
pub fn write_hit<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    body: &BodyRef<'_>,
    snapshot: &Snapshot,
) -> Option<Brief> {
    let size = snapshot.policy().udp_size_max;
    usual::write_body(simd, message, query, body, Rcode::NoError, 0, size)
}

/// The same to a query without options and DO for a name that does not exist.
#[inline(always)]
pub fn write_absence<S: Simd>(
    simd: S,
    message: &mut [u8],
    query: &Query,
    absence: &Absence<'_>,
    snapshot: &Snapshot,
) -> Option<Brief> {
    let size = snapshot.policy().udp_size_max;
    let (body, skip) = (&absence.body, absence.owner_skip);
    usual::write_body(simd, message, query, body, Rcode::NxDomain, skip, size)
}

/// How long a reply may be whatever the query: every client takes that much (RFC 1035 §4.2.1), and
/// `room` is what the port has.
pub fn brief_len(snapshot: &Snapshot, room: usize) -> usize {
    room.min(usize::from(
        snapshot.policy().udp_size_max.min(UDP_SIZE_MIN),
    ))
}

/// Writes the reply to `query` over it. `message` begins with the query and ends with its room, of
/// which the reply takes at most `limit` bytes. `arrival` is wanted of a query with options, and of
/// a chain of names of which some vary.
#[inline(never)]
pub fn write_any(
    message: &mut [u8],
    query: &Query,
    answer: &Answer<'_>,
    snapshot: &Snapshot,
    arrival: Option<Arrival>,
    limit: usize,
) -> Result<Reply, Discard> {
    let mut options = Options::new();
    let mut opt = Opt::prepare(query, message, arrival, snapshot.policy(), &mut options);
    let start = query.question_end();
    let limit = limit.min(message.len());
    let body_limit = limit.saturating_sub(opt.len());
    if start > body_limit {
        return Err(Discard::NoRoom);
    }
    let sections = match (answer.body, answer.follow) {
        (None, Follow::Own(record)) => own(&mut message[..body_limit], start, record),
        (None, _) => Sections::none(start, answer.rcode),
        (Some(_), Follow::Nothing) => {
            single(&mut message[..body_limit], start, query, answer, snapshot)
        }
        _ => {
            let arrival = arrival.filter(|_| snapshot.has_variants());
            // Nothing is written yet.
            let client = arrival.map(|arrival| Client::of(query, message, arrival.client));
            let room = &mut message[..body_limit];
            chain::write(room, query, answer, client.as_ref(), snapshot)
        }
    };
    if sections.scope != 0 {
        opt.set_scope(sections.scope);
    }
    let sections = Sections {
        truncated: sections.truncated || query.flags.has(QueryFlags::SLIPPED),
        ..sections
    };
    let (rcode, policy) = (sections.rcode, snapshot.policy());
    let end = match opt.len() {
        0 => sections.end,
        _ => opt.write(message, sections.end, limit, query, rcode, policy),
    };
    finish(message, query, answer, sections, end)
}

/// The header before the sections and what OPT record ends the message.
fn finish(
    message: &mut [u8],
    query: &Query,
    answer: &Answer<'_>,
    sections: Sections,
    end: usize,
) -> Result<Reply, Discard> {
    let mut counts = sections.counts;
    counts[2] += u16::from(end != sections.end);
    let header = Header {
        authoritative: answer.authoritative,
        truncated: sections.truncated,
        rcode: sections.rcode,
        has_question: query.name_len != 0,
        counts,
    };
    header.write(message.first_chunk_mut().ok_or(Discard::ShortMessage)?);
    Ok(Reply {
        len: end,
        rcode: sections.rcode,
        truncated: sections.truncated,
        sum: None,
    })
}

impl Sections {
    /// Nothing behind the question.
    fn none(start: usize, rcode: Rcode) -> Self {
        Self {
            end: start,
            counts: [0; 3],
            rcode,
            truncated: false,
            scope: 0,
        }
    }
}

/// Writes a record of the server's own.
fn own(message: &mut [u8], start: usize, record: &[u8]) -> Sections {
    let mut sections = Sections::none(start, Rcode::NoError);
    match message.get_mut(start..start + record.len()) {
        Some(room) => {
            room.copy_from_slice(record);
            sections.end += record.len();
            sections.counts = [1, 0, 0];
        }
        None => sections.truncated = true,
    }
    sections
}

/// Writes a body that is the whole answer.
fn single(
    message: &mut [u8],
    start: usize,
    query: &Query,
    answer: &Answer<'_>,
    snapshot: &Snapshot,
) -> Sections {
    let Some(body) = answer.body else {
        return Sections::none(start, answer.rcode);
    };
    let written = if query.flags.has(QueryFlags::DNSSEC_OK) && answer.claim != Claim::Nothing {
        proven(message, start, query, answer, &body.read(), snapshot)
    } else {
        let owner = OwnerPlace::in_question(query);
        let owner_len = owner.name_len() - usize::from(answer.owner_skip);
        body::write(message, start, &body.read(), &owner, owner_len, None)
    };
    Sections {
        end: written.end,
        counts: written.counts,
        rcode: answer.rcode,
        truncated: written.truncated,
        scope: answer.scope,
    }
}

/// Writes a body with what proves the answer's claim. Apart, because the proofs' place on the stack
/// is large.
#[inline(never)]
fn proven(
    message: &mut [u8],
    start: usize,
    query: &Query,
    answer: &Answer<'_>,
    body: &Body<'_>,
    snapshot: &Snapshot,
) -> Written {
    let owner = OwnerPlace::in_question(query);
    let owner_len = owner.name_len() - usize::from(answer.owner_skip);
    let mut proofs = Proofs::default();
    let zone = &snapshot.zones()[answer.zone as usize];
    proofs.add(answer.claim, zone, &message[query.name()], &owner);
    body::write(message, start, body, &owner, owner_len, Some(&proofs))
}

/// Writes a compression pointer (RFC 1035 §4.1.4).
fn put_pointer(message: &mut [u8], at: usize, target: usize) {
    let target = u16::try_from(target & 0x3fff).unwrap_or(0);
    message[at..at + 2].copy_from_slice(&(0xc000 | target).to_be_bytes());
}
