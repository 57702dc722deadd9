//! A query and its reply as a line of JSON.

use super::Entry;
use crate::packet::QueryFlags;
use crate::packet::reply::Transport;
use domain::base::iana::{Class, Opcode, OptRcode, Rtype};
use domain::base::name::ToName;
use domain::base::opt::{ClientSubnet, OptRecord};
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::base::{Message, ParsedName, Question};
use domain::rdata::AllRecordData;
use jiff::Timestamp;
use serde::Serialize;
use std::net::SocketAddr;

/// The records of an answer that are shown unless configured.
pub const ANSWERS: usize = 10;

/// What stands in a line.
#[derive(Serialize)]
struct Line<'e> {
    received: String,
    sent: String,
    worker: &'e str,
    transport: &'static str,
    client: End,
    local: End,
    id: u16,
    request: Request,
    response: Response,
}

#[derive(Serialize)]
struct End {
    address: String,
    port: u16,
}

#[derive(Serialize)]
struct Request {
    opcode: String,
    rd: bool,
    tc: bool,
    ad: bool,
    cd: bool,
    /// `None`: there was no OPT record.
    edns: Option<Edns>,
    /// `None`: there was no readable question.
    name: Option<String>,
    class: Option<String>,
    r#type: Option<String>,
}

#[derive(Serialize)]
struct Edns {
    size: u16,
    version: u8,
    r#do: bool,
    client_subnet: Option<String>,
}

#[derive(Serialize)]
struct Response {
    rcode: String,
    aa: bool,
    tc: bool,
    bytes: u16,
    answer_count: u16,
    authority_count: u16,
    additional_count: u16,
    answers: Vec<Answer>,
}

#[derive(Serialize)]
struct Answer {
    name: String,
    class: String,
    r#type: String,
    ttl: u32,
    data: String,
}

/// Appends a line; at most `answers` records of the answer are in it.
pub(super) fn write(entry: &Entry<'_>, answers: usize, text: &mut Vec<u8>) {
    let reply = &entry.reply;
    // Every reply has a header.
    let Ok(message) = Message::from_octets(reply.reply) else {
        return;
    };
    let line = Line {
        received: time(entry.received_ns),
        sent: time(entry.sent_ns),
        worker: entry.worker,
        transport: match reply.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        },
        client: end(reply.ends.client()),
        local: end(reply.ends.local()),
        id: message.header().id(),
        request: request(entry, &message),
        response: response(entry, &message, answers),
    };
    // Writing to memory does not fail, nor does a text.
    if serde_json::to_writer(&mut *text, &line).is_ok() {
        text.push(b'\n');
    }
}

/// RFC 3339, with nanoseconds.
pub(super) fn time(ns: u64) -> String {
    let time = Timestamp::from_nanosecond(ns.into()).unwrap_or_default();
    format!("{time:.9}")
}

fn end(address: SocketAddr) -> End {
    End {
        address: address.ip().to_string(),
        port: address.port(),
    }
}

/// The query, from its own message where that was kept, and else from what the reply repeats.
fn request(entry: &Entry<'_>, reply: &Message<&[u8]>) -> Request {
    let own = entry
        .query
        .and_then(|query| Message::from_octets(query).ok());
    let header = own.as_ref().unwrap_or(reply).header();
    let question = question(own.as_ref().unwrap_or(reply));
    Request {
        opcode: mnemonic(header.opcode()),
        rd: header.rd(),
        // RFC 1035 §4.1.1, RFC 6840 §5.7.
        tc: entry.reply.query_header[0] & 2 != 0,
        ad: entry.reply.query_header[1] & 0x20 != 0,
        cd: header.cd(),
        edns: edns(entry, own.as_ref()),
        name: question.as_ref().map(|question| dotted(question.qname())),
        class: question.as_ref().map(|question| class(question.qclass())),
        r#type: question.as_ref().map(|question| rtype(question.qtype())),
    }
}

/// The first question, where there is one and it can be read.
fn question<'m>(message: &'m Message<&[u8]>) -> Option<Question<ParsedName<&'m [u8]>>> {
    message.question().next()?.ok()
}

fn edns(entry: &Entry<'_>, own: Option<&Message<&[u8]>>) -> Option<Edns> {
    let opt: Option<OptRecord<_>> = own.and_then(|query| query.opt());
    let reply = &entry.reply;
    if opt.is_none() && !reply.flags.has(QueryFlags::EDNS) {
        return None;
    }
    Some(Edns {
        size: opt
            .as_ref()
            .map_or(reply.udp_size, OptRecord::udp_payload_size),
        version: opt.as_ref().map_or(0, OptRecord::version),
        r#do: opt
            .as_ref()
            .map_or(reply.flags.has(QueryFlags::DNSSEC_OK), OptRecord::dnssec_ok),
        client_subnet: opt.as_ref().and_then(client_subnet),
    })
}

fn client_subnet(opt: &OptRecord<&[u8]>) -> Option<String> {
    let subnet = opt.opt().iter::<ClientSubnet>().find_map(Result::ok)?;
    Some(format!("{}/{}", subnet.addr(), subnet.source_prefix_len()))
}

fn response(entry: &Entry<'_>, message: &Message<&[u8]>, answers: usize) -> Response {
    let (header, counts) = (message.header(), message.header_counts());
    Response {
        rcode: rcode(entry.reply.rcode),
        aa: header.aa(),
        tc: header.tc(),
        bytes: entry.reply.reply_len,
        answer_count: counts.ancount(),
        authority_count: counts.nscount(),
        additional_count: counts.arcount(),
        answers: records(message, answers).unwrap_or_default(),
    }
}

/// A response code by its mnemonic.
pub(super) fn rcode(code: u16) -> String {
    OptRcode::masked_from_int(code).to_string()
}

/// The first records of the answer section; what was not copied is not there.
fn records(message: &Message<&[u8]>, count: usize) -> Option<Vec<Answer>> {
    let records = message.answer().ok()?;
    let read = records.map_while(|record| {
        let record = record.ok()?;
        let record = record
            .into_any_record::<AllRecordData<_, ParsedName<_>>>()
            .ok()?;
        Some(Answer {
            name: dotted(record.owner()),
            class: class(record.class()),
            r#type: rtype(record.rtype()),
            ttl: record.ttl().as_secs(),
            data: record
                .data()
                .display_zonefile(DisplayKind::Simple)
                .to_string(),
        })
    });
    Some(read.take(count).collect())
}

/// A name with its last dot.
fn dotted(name: &impl ToName) -> String {
    name.fmt_with_dot().to_string()
}

fn mnemonic(opcode: Opcode) -> String {
    let known = opcode.to_mnemonic().map(String::from_utf8_lossy);
    known.map_or_else(|| format!("OPCODE{}", opcode.to_int()), Into::into)
}

fn class(class: Class) -> String {
    class.to_string()
}

fn rtype(rtype: Rtype) -> String {
    rtype.to_string()
}
