//! Queries and replies as dnstap messages.
//!
//! <https://dnstap.info/>, <https://github.com/dnstap/dnstap.pb>

use super::super::Entry;
use crate::packet::Ends;
use crate::packet::reply::Transport;
use prost::Message as _;

/// What Frame Streams of them are called.
pub(super) const CONTENT_TYPE: &str = "protobuf:dnstap.Dnstap";

/// `Dnstap.Type.MESSAGE`.
const MESSAGE: i32 = 1;
/// `Message.Type`.
const AUTH_QUERY: i32 = 1;
const AUTH_RESPONSE: i32 = 2;
/// `SocketFamily`.
const INET: i32 = 1;
const INET6: i32 = 2;
/// `SocketProtocol`.
const UDP: i32 = 1;
const TCP: i32 = 2;

const NS_PER_S: u64 = 1_000_000_000;

/// `dnstap.Dnstap`.
#[derive(Clone, PartialEq, prost::Message)]
struct Dnstap {
    #[prost(bytes, optional, tag = "1")]
    identity: Option<Vec<u8>>,
    #[prost(bytes, optional, tag = "2")]
    version: Option<Vec<u8>>,
    #[prost(message, optional, tag = "14")]
    message: Option<Message>,
    #[prost(int32, required, tag = "15")]
    kind: i32,
}

/// `dnstap.Message`.
#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(int32, required, tag = "1")]
    kind: i32,
    #[prost(int32, optional, tag = "2")]
    socket_family: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    socket_protocol: Option<i32>,
    #[prost(bytes, optional, tag = "4")]
    query_address: Option<Vec<u8>>,
    #[prost(bytes, optional, tag = "5")]
    response_address: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "6")]
    query_port: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    response_port: Option<u32>,
    #[prost(uint64, optional, tag = "8")]
    query_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "9")]
    query_time_nsec: Option<u32>,
    #[prost(bytes, optional, tag = "10")]
    query_message: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "12")]
    response_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "13")]
    response_time_nsec: Option<u32>,
    #[prost(bytes, optional, tag = "14")]
    response_message: Option<Vec<u8>>,
}

/// Appends a frame for the query, and one for the reply.
pub(super) fn write(entry: &Entry<'_>, bytes: &mut Vec<u8>) {
    let message = message(entry);
    if let Some(query) = entry.query {
        let query = Message {
            kind: AUTH_QUERY,
            query_message: Some(query.to_vec()),
            ..message.clone()
        };
        frame(query, bytes);
    }
    let (seconds, ns) = split(entry.sent_ns);
    let reply = Message {
        kind: AUTH_RESPONSE,
        response_time_sec: Some(seconds),
        response_time_nsec: Some(ns),
        response_message: Some(entry.reply.reply.to_vec()),
        ..message
    };
    frame(reply, bytes);
}

/// What both have in common.
fn message(entry: &Entry<'_>) -> Message {
    let ends = &entry.reply.ends;
    let address = |octets: &[u8; 16]| Some(octets[..ends.address_len()].to_vec());
    let Ends {
        is_ipv6,
        client,
        local,
        client_port,
        local_port,
    } = ends;
    let (seconds, ns) = split(entry.received_ns);
    Message {
        kind: AUTH_QUERY,
        socket_family: Some(if *is_ipv6 { INET6 } else { INET }),
        socket_protocol: Some(match entry.reply.transport {
            Transport::Udp => UDP,
            Transport::Tcp => TCP,
        }),
        query_address: address(client),
        response_address: address(local),
        query_port: Some((*client_port).into()),
        response_port: Some((*local_port).into()),
        query_time_sec: Some(seconds),
        query_time_nsec: Some(ns),
        ..Message::default()
    }
}

/// Seconds since 1970 and the nanoseconds behind them.
fn split(ns: u64) -> (u64, u32) {
    let rest = u32::try_from(ns % NS_PER_S).unwrap_or_default();
    (ns / NS_PER_S, rest)
}

/// Appends a data frame: its length and the message.
fn frame(message: Message, bytes: &mut Vec<u8>) {
    let dnstap = Dnstap {
        identity: None,
        version: Some(concat!("ripples ", env!("CARGO_PKG_VERSION")).into()),
        message: Some(message),
        kind: MESSAGE,
    };
    let len = u32::try_from(dnstap.encoded_len()).unwrap_or(u32::MAX);
    bytes.extend(len.to_be_bytes());
    bytes.extend(dnstap.encode_to_vec());
}
