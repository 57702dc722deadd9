//! What must hold for any input whatever. Each check says what is broken; tests and fuzz targets
//! decide what to do about it.

use crate::decoded::{Decoded, Rr};
use crate::exchange::{Datagram, Exchange};
use crate::record::{IN, rtype};
use hickory_proto::op::{Edns, Message};
use hickory_proto::rr::rdata::opt::EdnsCode;
use ripples::port::Census;
use ripples::snapshot::Snapshot;
use ripples::telemetry::Event;
use std::collections::BTreeSet;

/// Largest reply in a datagram, whatever the client allows.
const UDP_SIZE_MAX: usize = 1232;

/// Response codes that the server knows.
const RCODES: [u16; 10] = [0, 1, 2, 3, 4, 5, 6, 9, 16, 23];

/// Puts frames before a fresh worker, a turn for all, and checks what became of each.
pub fn check_turn(
    frames: &[&[u8]],
    exchange: &mut Exchange,
    snapshot: &Snapshot,
) -> Result<(), String> {
    let before = exchange.totals();
    let sent = exchange.frames(frames.iter().copied(), snapshot);
    let census = exchange.census();
    let empty = Census {
        free: census.total(),
        ..Census::default()
    };
    if census != empty {
        return Err(format!("a frame is not where it should be: {census:?}"));
    }
    let after = exchange.totals();
    let received = after.events(Event::Received) - before.events(Event::Received);
    let answered = after.answered() - before.answered();
    let discarded = after.discarded() - before.discarded();
    if received != frames.len() as u64 || answered + discarded != received {
        return Err(format!(
            "{received} received, {answered} answered, {discarded} discarded"
        ));
    }
    if answered != sent.len() as u64 {
        return Err(format!("{answered} answered, {} sent", sent.len()));
    }
    // Replies leave in the order of their queries: each is right for one behind the last one's.
    let mut queries = frames.iter();
    for reply in &sent {
        let reply = Datagram::read(reply)?;
        let mut wrong = "a reply that goes to nobody who asked".to_owned();
        let mut is_right = |frame: &[u8]| {
            let checked = query_of(frame, &reply).map(|query| check_reply(&query, &reply.payload));
            match checked {
                Some(Ok(())) => true,
                Some(Err(error)) => {
                    wrong = error;
                    false
                }
                None => false,
            }
        };
        if !queries.any(|frame| is_right(frame)) {
            return Err(wrong);
        }
    }
    Ok(())
}

/// The query in a frame that this datagram could be a reply to.
fn query_of(frame: &[u8], reply: &Datagram) -> Option<Vec<u8>> {
    let query = Datagram::lax(frame)?;
    let is_back = (query.source, query.destination) == (reply.destination, reply.source)
        && (query.source_mac, query.destination_mac) == (reply.destination_mac, reply.source_mac);
    // A response is no query, though it may have the same ID.
    let is_query = query.payload.len() >= 12 && query.payload[2] & 0x80 == 0;
    let is_id = query.payload.get(..2) == reply.payload.get(..2);
    (is_back && is_query && is_id).then_some(query.payload)
}

/// Checks a reply that travelled by UDP.
pub fn check_reply(query: &[u8], reply: &[u8]) -> Result<(), String> {
    let asked = Message::from_vec(query).ok();
    let limit = udp_limit(asked.as_ref());
    if reply.len() > limit {
        return Err(format!("{} bytes where {limit} are allowed", reply.len()));
    }
    let decoded = check_message(query, reply)?;
    let edns = asked.map(|message| message.edns.is_some());
    if edns.is_some_and(|edns| edns && decoded.edns.is_none()) && decoded.questions.len() == 1 {
        return Err("EDNS in the query, and none in the reply".into());
    }
    if decoded.edns.is_some() && edns == Some(false) {
        return Err("EDNS in the reply, and none in the query".into());
    }
    Ok(())
}

/// The largest reply that a query may get by UDP; the query is as hickory reads it.
fn udp_limit(query: Option<&Message>) -> usize {
    match query.map(|message| message.edns.as_ref()) {
        Some(Some(edns)) => usize::from(edns.max_payload()).clamp(512, UDP_SIZE_MAX),
        Some(None) => 512,
        // What hickory cannot read, may have an OPT record all the same.
        None => UDP_SIZE_MAX,
    }
}

/// Checks a reply, however it travelled: it is well-formed and repeats what it must.
pub fn check_message(query: &[u8], reply: &[u8]) -> Result<Decoded, String> {
    let decoded = Decoded::read(reply).map_err(|error| format!("not decodable: {error}"))?;
    let header: &[u8; 12] = query.first_chunk().ok_or("a reply to less than a header")?;
    if header[2] & 0x80 != 0 {
        return Err("a reply to a response".into());
    }
    if reply[..2] != query[..2] {
        return Err("another ID".into());
    }
    // QR is set; opcode and RD are repeated; AA and TC are the reply's own.
    if reply[2] & !0x06 != 0x80 | header[2] & 0x79 {
        return Err(format!("flags {:02x} for {:02x}", reply[2], header[2]));
    }
    // RA, Z, AD and CD are clear (RFC 4035 §3.1.6).
    if reply[3] & 0xf0 != 0 {
        return Err(format!("flags {:02x} for {:02x}", reply[3], header[3]));
    }
    if !RCODES.contains(&decoded.rcode) {
        return Err(format!("response code {}", decoded.rcode));
    }
    check_sections(&decoded)?;
    check_kind(&decoded)?;
    match &decoded.questions[..] {
        // RFC 7873 §5.4: without a question a cookie is asked for.
        [] if header[4..6] == [0, 0] && matches!(decoded.rcode, 0 | 23) => Ok(decoded),
        [] if !matches!(decoded.rcode, 1 | 4) => Err("the question is missing".into()),
        [] => Ok(decoded),
        [(name, ..)] => {
            let end = 12 + name.wire_len() + 4;
            // Byte by byte: the case of the name is the client's (0x20).
            match query.get(12..end) == reply.get(12..end) && header[4..6] == [0, 1] {
                true => Ok(decoded),
                false => Err("another question".into()),
            }
        }
        _ => Err("several questions".into()),
    }
}

/// Checks that each section is made of RRsets: no record comes twice, and those of one RRset are
/// together and have one TTL (RFC 2181 §5).
fn check_sections(reply: &Decoded) -> Result<(), String> {
    for section in &reply.sections {
        let records: BTreeSet<_> = section.iter().map(Rr::canonical).collect();
        if records.len() != section.len() {
            return Err(format!("a record comes twice in {section:?}"));
        }
        // Signatures of different types are different RRsets (RFC 4034 §3).
        let covered = |rr: &Rr| match rr.rtype {
            rtype::RRSIG => rr.rdata.get(..2).map(<[u8]>::to_vec),
            _ => None,
        };
        let key = |rr: &Rr| (rr.owner.lowered(), rr.rtype, covered(rr));
        let class = reply.questions.first().map_or(IN, |(.., class)| *class);
        let mut seen = BTreeSet::new();
        for rrset in section.chunk_by(|a, b| key(a) == key(b)) {
            if !seen.insert(key(&rrset[0])) {
                return Err(format!("an RRset in pieces: {section:?}"));
            }
            let same = |rr: &Rr| rr.ttl == rrset[0].ttl && rr.class == class;
            if !rrset.iter().all(same) {
                return Err(format!("TTL or class differs: {rrset:?}"));
            }
        }
    }
    Ok(())
}

/// Checks that a reply is one of those that there are: an answer, a referral, a negative answer, an
/// error, or a cut one.
fn check_kind(reply: &Decoded) -> Result<(), String> {
    let has = |at: usize, rtype| reply.sections[at].iter().any(|rr| rr.rtype == rtype);
    let is_empty = reply.sections.iter().all(Vec::is_empty);
    let is_internet = reply.questions.iter().all(|(.., class)| *class == IN);
    let is_right = match reply.rcode {
        _ if is_empty && reply.tc => true,
        // RFC 2308 §2.1; a chain of aliases may come before.
        3 => reply.aa && has(1, rtype::SOA),
        // RFC 6672 §2.2: what was found so far.
        6 => reply.aa && has(0, rtype::DNAME),
        0 if reply.answer().is_empty() => reply.aa == has(1, rtype::SOA),
        // RFC 4892 §2.2: the server's own words are no zone's.
        0 => reply.aa == is_internet,
        _ => is_empty && !reply.aa,
    };
    // A cut reply is empty, unless it is a referral that lacks glue (RFC 9471 §3.1).
    let is_cut_well = !reply.tc || is_empty || has(1, rtype::NS);
    match (is_right, is_cut_well) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("neither answer nor error: {reply:?}")),
        (_, false) => Err(format!("TC, and part of an answer: {reply:?}")),
    }
}

/// Whether a reply by UDP is that by TCP, but for truncation. Where hickory cannot read the query,
/// the limit is not known; and a question about TCP's idle timeout is answered by TCP only.
pub fn is_comparable(query: &[u8]) -> bool {
    let keepalive = |edns: &Edns| edns.option(EdnsCode::Keepalive).is_some();
    Message::from_vec(query).is_ok_and(|query| !query.edns.as_ref().is_some_and(keepalive))
}

/// Checks what truncation made of a reply: `whole` is the same one without a limit.
pub fn check_truncation(query: &[u8], whole: &[u8], cut: &[u8]) -> Result<(), String> {
    let limit = udp_limit(Message::from_vec(query).ok().as_ref());
    if whole.len() <= limit {
        return match whole == cut {
            true => Ok(()),
            false => Err("differs from the same reply by TCP, which fits".into()),
        };
    }
    let [whole, cut] = [Decoded::read(whole)?, Decoded::read(cut)?];
    let is_empty = cut.sections.iter().all(Vec::is_empty);
    if is_empty {
        // RFC 2181 §9: the client comes back by TCP.
        return if cut.tc {
            Ok(())
        } else {
            Err("cut, and nobody is told".into())
        };
    }
    if cut.answer() != whole.answer() || cut.authority() != whole.authority() {
        return Err("a part of the answer or authority section".into());
    }
    let count = cut.additional().len();
    let (kept, left) = whole
        .additional()
        .split_at_checked(count)
        .ok_or("more additional records than by TCP")?;
    let same = |a: &Rr, b: &Rr| (&a.owner, a.rtype) == (&b.owner, b.rtype);
    let is_torn = kept
        .last()
        .zip(left.first())
        .is_some_and(|(a, b)| same(a, b));
    if kept != cut.additional() || is_torn {
        return Err("a part of an RRset in the additional section".into());
    }
    // RFC 9471 §3: what is missing of a referral's glue must be come back for. AA says nothing of
    // one that an alias leads to.
    let is_referral = whole
        .authority()
        .iter()
        .any(|record| record.rtype == rtype::NS);
    match cut.tc == is_referral {
        true => Ok(()),
        false => Err(format!(
            "TC is {}, and this a referral: {is_referral}",
            cut.tc
        )),
    }
}
