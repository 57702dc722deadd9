//! The EDNS options of a query (RFC 6891 §6.1.2): which there are, what they say, and what policy
//! makes of them.

use super::cookie::CookieState;
use super::reply::Transport;
use super::{Arrival, Query, QueryFlags, code};
use crate::snapshot::Policy;
use crate::telemetry::Rcode;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which options of `data` the server knows; `None` when it ends within one. Unknown ones are
/// ignored (RFC 6891 §6.1.2).
pub(super) fn known(data: &[u8]) -> Option<QueryFlags> {
    let mut flags = QueryFlags::default();
    for option in Walk(data) {
        flags = flags.with(match option?.0 {
            code::OPTION_NSID => QueryFlags::NSID,
            code::OPTION_COOKIE => QueryFlags::COOKIE,
            code::OPTION_SUBNET => QueryFlags::SUBNET,
            code::OPTION_KEEPALIVE => QueryFlags::KEEPALIVE,
            _ => QueryFlags::default(),
        });
    }
    Some(flags)
}

/// The data of the first option with this code, in options that `known` has walked.
pub(super) fn find(data: &[u8], code: u16) -> Option<&[u8]> {
    let mut options = Walk(data).flatten();
    options
        .find(|option| option.0 == code)
        .map(|option| option.1)
}

/// Codes and data of options; ends with `None` where the last one is torn.
struct Walk<'m>(&'m [u8]);

impl<'m> Iterator for Walk<'m> {
    type Item = Option<(u16, &'m [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let data = std::mem::take(&mut self.0);
        Some((|| {
            let fixed: &[u8; 4] = data.first_chunk()?;
            let end = 4 + usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
            let value = data.get(4..end)?;
            self.0 = &data[end..];
            Some((u16::from_be_bytes([fixed[0], fixed[1]]), value))
        })())
    }
}

/// Holds the options of `query` against the policy: afterwards its flags are the options that the
/// reply answers, and `refusal` says whether the query is refused for one of them.
#[inline(never)]
pub fn admit(query: &mut Query, message: &[u8], arrival: &Arrival, policy: &Policy) {
    let data = &message[query.options()];
    let mut is_malformed = false;
    let mut drop = QueryFlags::default();
    if query.flags.has(QueryFlags::SUBNET) {
        let is_trusted = policy.trusts_subnet_of(arrival.client);
        let option = find(data, code::OPTION_SUBNET);
        is_malformed = is_trusted && option.and_then(Subnet::read).is_none();
        if !is_trusted || is_malformed {
            drop = drop.with(QueryFlags::SUBNET);
        }
    }
    if policy.nsid.is_empty() {
        drop = drop.with(QueryFlags::NSID);
    }
    match (find(data, code::OPTION_KEEPALIVE), arrival.transport) {
        // RFC 7828 §3.2.2: ignored over UDP.
        (None, _) | (_, Transport::Udp) => drop = drop.with(QueryFlags::KEEPALIVE),
        (Some([]), Transport::Tcp) => {}
        // RFC 7828 §3.2.1: a client has nothing to say with it.
        (Some(_), Transport::Tcp) => {
            is_malformed = true;
            drop = drop.with(QueryFlags::KEEPALIVE);
        }
    }
    if let (Some(cookies), Some(option)) = (&policy.cookies, find(data, code::OPTION_COOKIE)) {
        match cookies.check(option, arrival.client, arrival.time_s) {
            Some(state) => query.cookie = state,
            None => is_malformed = true,
        }
    }
    if query.cookie == CookieState::Absent {
        drop = drop.with(QueryFlags::COOKIE);
    }
    query.flags = query.flags.without(drop);
    query.refusal = match query.refusal {
        None if is_malformed => Some(Rcode::FormErr),
        None => bad_cookie(query, arrival, policy),
        Some(Rcode::FormErr) if !is_malformed && asks_for_cookie(query, message) => {
            Some(if query.cookie == CookieState::Invalid {
                Rcode::BadCookie
            } else {
                Rcode::NoError
            })
        }
        refusal => refusal,
    };
}

/// RFC 7873 §5.2.3, §5.2.4: where cookies are required, a client that knows them gets its answer
/// only with a right one. A stream has shown already who it is with.
fn bad_cookie(query: &Query, arrival: &Arrival, policy: &Policy) -> Option<Rcode> {
    let is_required = policy
        .cookies
        .as_ref()
        .is_some_and(|cookies| cookies.require);
    let is_wrong = query.flags.has(QueryFlags::COOKIE) && !query.cookie.is_valid();
    let refused = is_required && is_wrong && arrival.transport == Transport::Udp;
    refused.then_some(Rcode::BadCookie)
}

/// RFC 7873 §5.4: a query without a question asks for a server cookie.
fn asks_for_cookie(query: &Query, message: &[u8]) -> bool {
    let is_query = message[2] & 0x78 == 0;
    query.flags.has(QueryFlags::COOKIE) && is_query && message[4..6] == [0, 0]
}

/// The network that a client is in, as a resolver says (RFC 7871 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Its first address.
    pub address: IpAddr,
    /// SOURCE PREFIX-LENGTH: bits of the address that are known.
    pub prefix_len: u8,
}

impl Subnet {
    /// The subnet that a query speaks of, while its message is as it came.
    pub fn of(query: &Query, message: &[u8]) -> Option<Self> {
        if !query.flags.has(QueryFlags::SUBNET) {
            return None;
        }
        Self::read(find(&message[query.options()], code::OPTION_SUBNET)?)
    }

    /// Reads the option; `None` when it is not as RFC 7871 §6 wants it in a query: a known family,
    /// scope 0, and exactly the address bytes of the prefix, with zeroes behind its last bit.
    fn read(option: &[u8]) -> Option<Self> {
        let (&[0, family, prefix_len, 0], bytes) = option.split_first_chunk()? else {
            return None;
        };
        let bits = match family {
            1 => 32,
            2 => 128,
            _ => return None,
        };
        let used = usize::from(prefix_len % 8);
        let has_rest = used != 0 && bytes.last().is_some_and(|last| last << used != 0);
        if prefix_len > bits || bytes.len() != usize::from(prefix_len.div_ceil(8)) || has_rest {
            return None;
        }
        let mut octets = [0; 16];
        octets[..bytes.len()].copy_from_slice(bytes);
        let [a, b, c, d, ..] = octets;
        let address = match family {
            1 => Ipv4Addr::from([a, b, c, d]).into(),
            _ => Ipv6Addr::from(octets).into(),
        };
        Some(Self {
            address,
            prefix_len,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_options_are_found_among_others() {
        let data = b"\0\x64\0\x01x\0\x03\0\0\0\x0a\0\x02ab\0\x0a\0\x01c";
        let flags = known(data).unwrap();
        assert_eq!(flags, QueryFlags::NSID.with(QueryFlags::COOKIE));
        assert_eq!(find(data, code::OPTION_NSID), Some(&b""[..]));
        assert_eq!(find(data, code::OPTION_COOKIE), Some(&b"ab"[..]));
        assert_eq!(find(data, code::OPTION_SUBNET), None);
    }

    #[test]
    fn torn_options_are_seen() {
        let data = b"\0\x03\0\x02ab\0\x0a\0\x02ab";
        for len in 1..data.len() {
            let is_whole = len == 6;
            assert_eq!(known(&data[..len]).is_some(), is_whole, "{len} bytes");
        }
    }

    #[test]
    fn subnets_are_exactly_as_long_as_their_prefix_says() {
        let v4 = |prefix_len, bytes: &[u8]| read(1, prefix_len, bytes);
        assert_eq!(v4(24, &[192, 0, 2]), subnet("192.0.2.0", 24));
        assert_eq!(v4(23, &[192, 0, 2]), subnet("192.0.2.0", 23));
        assert_eq!(v4(0, &[]), subnet("0.0.0.0", 0));
        assert_eq!(v4(32, &[192, 0, 2, 1]), subnet("192.0.2.1", 32));
        let v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0xfe];
        assert_eq!(read(2, 56, &v6), subnet("2001:db8:0:fe00::", 56));
        assert_eq!(read(2, 55, &v6), subnet("2001:db8:0:fe00::", 55));
        assert_eq!(
            read(2, 128, &[1; 16]),
            subnet("101:101:101:101:101:101:101:101", 128)
        );
        for (prefix_len, bytes) in [
            (24, &[192, 0][..]),
            (24, &[192, 0, 2, 0]),
            (23, &[192, 0, 3]),
            (1, &[0x40]),
            (33, &[192, 0, 2, 1, 0]),
            (0, &[0]),
            (255, &[1; 32]),
        ] {
            assert_eq!(v4(prefix_len, bytes), None, "{prefix_len} {bytes:?}");
        }
        assert_eq!(read(2, 129, &[0; 17]), None);
        assert_eq!(read(2, 54, &v6), None);
    }

    #[test]
    fn other_families_a_scope_and_torn_subnets_are_none() {
        for family in [0, 3, 255] {
            assert_eq!(read(family, 0, &[]), None);
        }
        assert_eq!(Subnet::read(&[1, 1, 0, 0]), None, "a family of 16 bits");
        assert_eq!(Subnet::read(&[0, 1, 24, 24, 192, 0, 2]), None);
        for len in 0..7 {
            assert_eq!(Subnet::read(&[0, 1, 24, 0, 192, 0, 2][..len]), None);
        }
    }

    fn read(family: u8, prefix_len: u8, bytes: &[u8]) -> Option<Subnet> {
        Subnet::read(&[&[0, family, prefix_len, 0], bytes].concat())
    }

    fn subnet(address: &str, prefix_len: u8) -> Option<Subnet> {
        let address = address.parse().unwrap();
        Some(Subnet {
            address,
            prefix_len,
        })
    }
}
