//! The answering core without any port: zones from text, queries and replies as messages.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use ripples::packet::NameKey;
use ripples::packet::reply::Transport;
use ripples::snapshot::{Policy, Snapshot};
use ripples::telemetry::Tally;
use ripples::vectorloop::respond;
use ripples::zone::compile::compile;
use ripples::zone::records::ZoneRecords;
use std::str::FromStr;

/// Builds a snapshot of zones given as `(origin, master file)`.
pub fn snapshot(zones: &[(&str, &str)]) -> Snapshot {
    let images = zones.iter().map(|(origin, text)| {
        let origin = ripples::name::NameBuf::from_text(origin.as_bytes(), b"\0").expect("origin");
        let parsed = ZoneRecords::parse(text.as_bytes(), "test.zone", &origin);
        let (records, _) = parsed.unwrap_or_else(|errors| panic!("{errors:?}"));
        compile(&records).unwrap_or_else(|error| panic!("{error}"))
    });
    let key = NameKey::new([0x5eed, 0xfeed, 0xbeef]);
    Snapshot::new(1, images.collect(), Policy::default(), key).expect("snapshot")
}

/// A query as a client would send it; `edns`: the UDP payload size it announces.
pub fn query(name: &str, rtype: RecordType, edns: Option<u16>) -> Vec<u8> {
    let mut message = Message::new(0x1234, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_str(name).expect("name"), rtype));
    if let Some(size) = edns {
        let mut opt = Edns::new();
        opt.set_max_payload(size);
        message.set_edns(opt);
    }
    message.to_vec().expect("query")
}

/// The reply to `query`, as bytes; `None` when there is none.
pub fn reply(snapshot: &Snapshot, query: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let mut buffer = query.to_vec();
    buffer.resize(65_535, 0xaa);
    let len = respond(
        &mut buffer,
        query.len(),
        transport,
        snapshot,
        &mut Tally::default(),
    )
    .ok()?;
    buffer.truncate(len);
    Some(buffer)
}
