//! What a name answers: a query that goes the way of all others, and its reply for people.

use crate::packet::code;
use crate::snapshot::Snapshot;
use crate::tcp::framing::PREFIX_LEN;
use crate::tcp::{MESSAGE_LEN_MAX, Messages, Peer};
use crate::telemetry::Tally;
use crate::vectorloop::Turn;
use crate::zone::rtype;
use domain::base::iana::OptRcode;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::base::{Message, ParsedName, RecordSection, ToName};
use domain::rdata::AllRecordData;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};

/// Where the query comes from, and goes to.
const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 53);

/// What `name` answers for `rtype` in this snapshot.
pub(super) fn ask(
    snapshot: &Snapshot,
    name: &[u8],
    rtype: u16,
    dnssec: bool,
) -> Result<Value, String> {
    let mut messages = Messages::new(1);
    let peer = Peer {
        client: HERE,
        local: HERE,
    };
    messages.push(&peer, &query(name, rtype, dnssec));
    // Nothing in the query has to do with time.
    Turn::new(1).run(&mut messages, snapshot, 0, &mut Tally::default());
    let reply = messages.reply(0).ok_or("there is no answer")?;
    let told = read(&reply[PREFIX_LEN..]).map_err(|error| format!("the reply: {error}"));
    let mut told = told?;
    told["type"] = rtype::display(rtype).to_string().into();
    Ok(told)
}

/// A query as clients send it.
fn query(name: &[u8], rtype: u16, dnssec: bool) -> Vec<u8> {
    const HEADER: [u8; 12] = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    let question = [rtype, code::CLASS_IN].map(u16::to_be_bytes).concat();
    // RFC 6891 §6.1.2: the root's, type, the largest size, the DO bit, no options.
    let [high, low] = u16::try_from(MESSAGE_LEN_MAX)
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let flag = if dnssec { 0x80 } else { 0 };
    let opt = [0, 0, 41, high, low, 0, 0, flag, 0, 0, 0];
    [&HEADER[..], name, &question, &opt].concat()
}

/// A reply, section by section.
fn read(reply: &[u8]) -> Result<Value, domain::base::wire::ParseError> {
    let message =
        Message::from_octets(reply).map_err(|_| domain::base::wire::ParseError::ShortInput)?;
    let header = message.header();
    let rcode = OptRcode::from_rcode(header.rcode());
    Ok(json!({
        "rcode": rcode.to_string(),
        "aa": header.aa(),
        "answer": records(message.answer()?)?,
        "authority": records(message.authority()?)?,
        "additional": records(message.additional()?)?,
    }))
}

/// The records of a section, but OPT.
fn records(
    section: RecordSection<'_, &[u8]>,
) -> Result<Vec<Value>, domain::base::wire::ParseError> {
    let mut told = Vec::new();
    for record in section {
        let record = record?;
        let record = record.into_any_record::<AllRecordData<_, ParsedName<_>>>()?;
        if record.rtype() == domain::base::iana::Rtype::OPT {
            continue;
        }
        told.push(json!({
            "name": record.owner().fmt_with_dot().to_string(),
            "ttl": record.ttl().as_secs(),
            "class": record.class().to_string(),
            "type": record.rtype().to_string(),
            "data": record.data().display_zonefile(DisplayKind::Simple).to_string(),
        }));
    }
    Ok(told)
}
