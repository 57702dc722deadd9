//! The OPT record of a reply: what RFC 6891 asks for, and the options that the query wanted.

use crate::packet::cookie::{COOKIE_LEN, CookieState};
use crate::packet::edns::{Subnet, find};
use crate::packet::{Arrival, Query, QueryFlags, code};
use crate::snapshot::Policy;
use crate::telemetry::Rcode;
use arrayvec::ArrayVec;
use std::net::IpAddr;

/// Bytes of an OPT record without options (RFC 6891 §6.1.2).
pub(super) const OPT_LEN: usize = 11;
/// Bytes of an option's code and length.
const OPTION_HEADER_LEN: usize = 4;
/// Longest identifier of a server, so that every option fits into the smallest reply.
pub const NSID_LEN_MAX: usize = 128;
/// Bytes of all options together: identifier, subnet, cookie, timeout.
const OPTIONS_LEN_MAX: usize =
    4 * OPTION_HEADER_LEN + NSID_LEN_MAX + SUBNET_LEN_MAX + COOKIE_LEN + 2;
/// Bytes of the longest subnet (RFC 7871 §6).
const SUBNET_LEN_MAX: usize = 20;
/// Where in it SCOPE PREFIX-LENGTH stands.
const SCOPE_AT: usize = 3;
/// Bytes of an extended error without text (RFC 8914 §2).
const EXTENDED_ERROR_LEN: usize = 2;

/// Options in wire form.
pub(super) type Options = ArrayVec<u8, OPTIONS_LEN_MAX>;

/// The OPT record in the making: prepared while the query still stands in the message.
pub(super) struct Opt<'o> {
    len: usize,
    options: &'o mut [u8],
    /// Where among the options the subnet's scope stands; 0: there is none.
    scope_at: usize,
}

impl<'o> Opt<'o> {
    /// What the reply to `query` needs. Without options in the query this is a length, no more, and
    /// `options`, which is too large to be moved, is left alone.
    pub(super) fn prepare(
        query: &Query,
        message: &[u8],
        arrival: Option<Arrival>,
        policy: &Policy,
        options: &'o mut Options,
    ) -> Self {
        if let Some(arrival) = arrival.filter(|_| query.flags.any(QueryFlags::OPTIONS)) {
            let scope_at = write_options(options, query, message, &arrival, policy);
            return Self {
                len: OPT_LEN + options.len(),
                options,
                scope_at,
            };
        }
        let has_opt = query.flags.has(QueryFlags::EDNS);
        Self {
            len: if has_opt { OPT_LEN } else { 0 },
            options: &mut [],
            scope_at: 0,
        }
    }

    /// Says how many bits of the query's subnet the answer depends on (RFC 7871 §7.2.1).
    pub(super) fn set_scope(&mut self, scope: u8) {
        if let (1.., Some(place)) = (self.scope_at, self.options.get_mut(self.scope_at)) {
            *place = scope;
        }
    }

    /// Bytes that it takes at least.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Writes it at `start`, and returns its end. An extended error comes with it where there is
    /// room up to `limit`.
    pub(super) fn write(
        &self,
        message: &mut [u8],
        start: usize,
        limit: usize,
        query: &Query,
        rcode: Rcode,
        policy: &Policy,
    ) -> usize {
        let mut end = start + OPT_LEN;
        message[end..end + self.options.len()].copy_from_slice(self.options);
        end += self.options.len();
        if policy.extended_errors
            && let Some(code) = extended_error(query, rcode)
            && end + OPTION_HEADER_LEN + EXTENDED_ERROR_LEN <= limit
        {
            let [high, low] = code.to_be_bytes();
            message[end..end + 6].copy_from_slice(&[0, 15, 0, 2, high, low]);
            end += 6;
        }
        let extended = (rcode.code() >> 4).to_be_bytes()[1];
        let dnssec_ok = query.flags.has(QueryFlags::DNSSEC_OK);
        let front = front(policy.udp_size_max, extended, dnssec_ok);
        let rdata_len = u16::try_from(end - start - OPT_LEN).unwrap_or(0);
        message[start..start + 8].copy_from_slice(&front.to_le_bytes());
        message[start + 8] = 0;
        message[start + 9..start + OPT_LEN].copy_from_slice(&rdata_len.to_be_bytes());
        end
    }
}

/// The first eight bytes of an OPT record, as a little-endian word; the other flags, which are
/// clear, and the length of the options follow (RFC 6891 §6.1.2).
pub(super) fn front(udp_size_max: u16, extended: u8, dnssec_ok: bool) -> u64 {
    u64::from(code::OPT.to_be()) << 8
        | u64::from(udp_size_max.to_be()) << 24
        | u64::from(extended) << 40
        | u64::from(dnssec_ok) << 63
}

/// Writes the options that answer those of the query. Returns where the subnet's scope stands, or
/// 0.
#[inline(never)]
fn write_options(
    options: &mut Options,
    query: &Query,
    message: &[u8],
    arrival: &Arrival,
    policy: &Policy,
) -> usize {
    let mut scope_at = 0;
    if query.flags.has(QueryFlags::NSID) {
        push(options, code::OPTION_NSID, &[&policy.nsid]);
    }
    if let Some(subnet) = Subnet::of(query, message) {
        scope_at = options.len() + OPTION_HEADER_LEN + SCOPE_AT;
        push_subnet(options, &subnet);
    }
    if query.flags.has(QueryFlags::COOKIE) {
        push_cookie(options, query, message, arrival, policy);
    }
    if query.flags.has(QueryFlags::KEEPALIVE) {
        let timeout = policy.tcp_idle_100ms.to_be_bytes();
        push(options, code::OPTION_KEEPALIVE, &[&timeout]);
    }
    scope_at
}

/// RFC 7871 §7.2.1: the query's subnet, and how much of it the answer depends on: nothing, as far
/// as is known yet.
fn push_subnet(options: &mut Options, subnet: &Subnet) {
    let len = usize::from(subnet.prefix_len.div_ceil(8));
    let head = |family| [0, family, subnet.prefix_len, 0];
    match subnet.address {
        IpAddr::V4(address) => {
            let parts = [&head(1)[..], &address.octets()[..len]];
            push(options, code::OPTION_SUBNET, &parts);
        }
        IpAddr::V6(address) => {
            let parts = [&head(2)[..], &address.octets()[..len]];
            push(options, code::OPTION_SUBNET, &parts);
        }
    }
}

/// The client's cookie with a server cookie: its own when that is right, else a fresh one.
fn push_cookie(
    options: &mut Options,
    query: &Query,
    message: &[u8],
    arrival: &Arrival,
    policy: &Policy,
) {
    let option = find(&message[query.options()], code::OPTION_COOKIE).unwrap_or_default();
    if query.cookie == CookieState::Valid {
        push(options, code::OPTION_COOKIE, &[option]);
    } else if let (Some(cookies), Some(own)) = (&policy.cookies, option.first_chunk()) {
        let fresh = cookies.make(own, arrival.client, arrival.time_s);
        push(options, code::OPTION_COOKIE, &[&fresh]);
    }
}

/// Adds an option; there is room for one of each kind.
fn push(options: &mut Options, code: u16, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    if options.remaining_capacity() < OPTION_HEADER_LEN + len {
        return;
    }
    options.extend(code.to_be_bytes());
    options.extend(u16::try_from(len).unwrap_or(0).to_be_bytes());
    for part in parts {
        options.extend(part.iter().copied());
    }
}

/// What an error is about (RFC 8914 §4), where the response code leaves it open.
fn extended_error(query: &Query, rcode: Rcode) -> Option<u16> {
    /// Not Authoritative, Prohibited, Not Supported.
    const NOT_AUTHORITATIVE: u16 = 20;
    const PROHIBITED: u16 = 18;
    const NOT_SUPPORTED: u16 = 21;
    match rcode {
        Rcode::NotImp => Some(NOT_SUPPORTED),
        // What is refused before anything is looked up, is so for who asks.
        Rcode::Refused if query.refusal.is_some() => Some(PROHIBITED),
        Rcode::Refused => Some(match (query.qclass, query.qtype) {
            (code::CLASS_IN, code::AXFR | code::IXFR) => PROHIBITED,
            (code::CLASS_IN | code::CLASS_CH, _) => NOT_AUTHORITATIVE,
            _ => NOT_SUPPORTED,
        }),
        _ => None,
    }
}
