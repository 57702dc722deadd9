//! Which queries somebody wants to see.

use crate::geo::Network;
use crate::packet::{NAME_LEN_MAX, Query};
use std::net::IpAddr;

/// What a query and its reply must be like. Of each list one item must fit; an empty list is no
/// condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// QNAME is one of these, or below it; in lowered wire form.
    pub names: Vec<Vec<u8>>,
    /// Or it is one of these.
    pub exact_names: Vec<Vec<u8>>,
    /// QTYPE.
    pub types: Vec<u16>,
    /// The response code, with the upper bits from the OPT record.
    pub rcodes: Vec<u16>,
    /// The client's address.
    pub networks: Vec<Network>,
}

impl Filter {
    /// Whether any query is wanted, whatever its reply.
    pub fn takes_any_query(&self) -> bool {
        let names = self.names.is_empty() && self.exact_names.is_empty();
        names && self.types.is_empty() && self.networks.is_empty()
    }

    /// Whether a query is wanted, as long as its reply is not known.
    pub fn takes_query(
        &self,
        query: &Query,
        message: &[u8],
        client: impl FnOnce() -> IpAddr,
    ) -> bool {
        let is_of = |qtype: &u16| *qtype == query.qtype && query.name_len != 0;
        let (names, exact) = (&self.names, &self.exact_names);
        let below = |name: &Vec<u8>| is_at_or_below(&message[query.name()], name);
        let equal = |name: &Vec<u8>| message[query.name()].eq_ignore_ascii_case(name);
        (self.types.is_empty() || self.types.iter().any(is_of))
            && (names.is_empty() && exact.is_empty()
                || names.iter().any(below)
                || exact.iter().any(equal))
            && (self.networks.is_empty() || {
                let client = client().to_canonical();
                self.networks.iter().any(|network| network.contains(client))
            })
    }

    /// Whether a query is wanted that was answered with this code.
    pub fn takes_rcode(&self, rcode: u16) -> bool {
        self.rcodes.is_empty() || self.rcodes.contains(&rcode)
    }
}

/// Whether a name, in wire form and any case, is `top` or below it. A name has 127 labels at most.
fn is_at_or_below(name: &[u8], top: &[u8]) -> bool {
    debug_assert!(name.len() <= NAME_LEN_MAX);
    let Some(start) = name.len().checked_sub(top.len()) else {
        return false;
    };
    let mut at = 0;
    while at < start {
        at += 1 + usize::from(name[at]);
    }
    at == start && name[start..].eq_ignore_ascii_case(top)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{NameKey, query};

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    /// Whether a query for `wWw.example A` is wanted.
    fn takes(filter: &Filter) -> bool {
        let mut message = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(b"\x03wWw\x07example\0\0\x01\0\x01");
        let query = query::parse(&message, &NameKey::new([1, 2, 3])).unwrap();
        filter.takes_query(&query, &message, || CLIENT)
    }

    #[test]
    fn each_condition_is_one_of_several_and_all_must_hold() {
        let name = |text| crate::name::lowered_from_text(text).unwrap();
        let mut filter = Filter::default();
        assert!(filter.takes_any_query() && takes(&filter));
        for (names, wanted) in [
            (vec!["example"], true),
            (vec!["www.example"], true),
            (vec!["."], true),
            (vec!["org", "WWW.example"], true),
            (vec!["ww.example"], false),
            (vec!["w.example"], false),
            (vec!["a.www.example"], false),
            (vec!["xample"], false),
        ] {
            filter.names = names.iter().map(|text| name(text)).collect();
            assert_eq!(takes(&filter), wanted, "{names:?}");
        }
        filter.names.clear();
        for (exact, wanted) in [("WWW.example", true), ("example", false)] {
            filter.exact_names = vec![name(exact)];
            assert!(!filter.takes_any_query());
            assert_eq!(takes(&filter), wanted, "{exact}");
        }
        filter.names = vec![name("example")];
        filter.types = vec![28, 1];
        assert!(takes(&filter) && !filter.takes_any_query());
        filter.networks = vec!["2001:db8::/32".parse().unwrap()];
        assert!(!takes(&filter));
        filter.networks.push("192.0.2.0/24".parse().unwrap());
        assert!(takes(&filter));
        filter.types = vec![28];
        assert!(!takes(&filter));
        filter.rcodes = vec![3];
        assert!(filter.takes_rcode(3) && !filter.takes_rcode(0));
    }

    #[test]
    fn labels_that_only_end_alike_are_others() {
        // One label that holds the bytes of two.
        assert!(!is_at_or_below(b"\x06x\x03com\x00\0", b"\x03com\0"));
        assert!(is_at_or_below(b"\x01x\x03com\0", b"\x03com\0"));
    }
}
