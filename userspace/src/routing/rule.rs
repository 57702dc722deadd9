//! A routing rule, as far as replies need it.

use crate::geo::Network;
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage};
use netlink_packet_route::{AddressFamily, IpProtocol};
use std::net::IpAddr;

/// A rule that may apply to replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Whether it is for IPv6.
    pub(super) is_ipv6: bool,
    /// Where packets must come from; none: from anywhere.
    pub(super) from: Option<Network>,
    /// Where they must go.
    pub(super) to: Option<Network>,
    /// What becomes of them.
    pub(super) action: Action,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Looks into a table.
    Table {
        /// Its number.
        id: u32,
        /// Not at its routes to networks of so many bits or less.
        suppressed: Option<u32>,
    },
    /// Drops.
    Nowhere,
}

/// What becomes of a rule here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// It is followed.
    Rule(Rule),
    /// It never applies to replies.
    Other,
    /// It might apply, and is not understood: why.
    Unknown(String),
}

/// Reads one. Replies are what this host sends by UDP, without a mark.
pub(super) fn read(message: &RuleMessage) -> Read {
    let header = &message.header;
    let is_ipv6 = match header.family {
        AddressFamily::Inet => false,
        AddressFamily::Inet6 => true,
        _ => return Read::Other,
    };
    let (mut from, mut to) = (None, None);
    let mut suppressed = None;
    let (mut mark, mut mask) = (0, u32::MAX);
    let mut table = u32::from(header.table);
    let mut unknown = None;
    let priority = priority(message);
    if header.flags.contains(RuleFlags::Invert) {
        return name(is_ipv6, priority, "not");
    }
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Source(address) => from = network(*address, header.src_len),
            RuleAttribute::Destination(address) => to = network(*address, header.dst_len),
            RuleAttribute::Table(number) => table = *number,
            // The kernel's word for none.
            RuleAttribute::SuppressPrefixLen(u32::MAX)
            | RuleAttribute::SuppressIfGroup(u32::MAX) => {}
            RuleAttribute::SuppressPrefixLen(len) => suppressed = Some(*len),
            RuleAttribute::FwMark(number) => mark = *number,
            RuleAttribute::FwMask(number) => mask = *number,
            // What this host sends, comes from its loopback.
            RuleAttribute::Iifname(name) if name == "lo" => {}
            // And goes wherever the routes say, not where a socket is bound to.
            RuleAttribute::Iifname(_) | RuleAttribute::Oifname(_) => return Read::Other,
            RuleAttribute::IpProtocol(IpProtocol::Udp) => {}
            RuleAttribute::IpProtocol(_) => return Read::Other,
            RuleAttribute::UidRange(_) => unknown = unknown.or(Some("uidrange")),
            RuleAttribute::SourcePortRange(_) => unknown = unknown.or(Some("sport")),
            RuleAttribute::DestinationPortRange(_) => unknown = unknown.or(Some("dport")),
            RuleAttribute::SuppressIfGroup(_) => unknown = unknown.or(Some("suppress_ifgroup")),
            // Packets of an interface in a VRF.
            RuleAttribute::L3MDev(true) => unknown = unknown.or(Some("l3mdev")),
            _ => {}
        }
    }
    // As the kernel's `fib_rule_match` has it; replies have no mark and no type of service.
    if mark & mask != 0 || header.tos != 0 {
        return Read::Other;
    }
    let action = match header.action {
        RuleAction::ToTable => Action::Table {
            id: table,
            suppressed,
        },
        RuleAction::Blackhole | RuleAction::Unreachable | RuleAction::Prohibit => Action::Nowhere,
        RuleAction::Goto => {
            unknown = Some("goto");
            Action::Nowhere
        }
        _ => return Read::Other,
    };
    if let Some(word) = unknown {
        return name(is_ipv6, priority, word);
    }
    Read::Rule(Rule {
        is_ipv6,
        from,
        to,
        action,
    })
}

/// A rule that has `word`, which is not understood.
fn name(is_ipv6: bool, priority: u32, word: &str) -> Read {
    let family = if is_ipv6 { "IPv6" } else { "IPv4" };
    Read::Unknown(format!("{family} rule {priority}: {word}"))
}

fn priority(message: &RuleMessage) -> u32 {
    let priority = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RuleAttribute::Priority(number) => Some(*number),
            _ => None,
        });
    priority.unwrap_or_default()
}

/// None: any address.
fn network(address: IpAddr, len: u8) -> Option<Network> {
    Network::of(address, len).filter(|network| network.prefix_len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attributes: Vec<RuleAttribute>) -> RuleMessage {
        let mut message = RuleMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.action = RuleAction::ToTable;
        message.header.table = 254;
        message.attributes = attributes;
        message
    }

    fn table(id: u32, suppressed: Option<u32>) -> Read {
        Read::Rule(Rule {
            is_ipv6: false,
            from: None,
            to: None,
            action: Action::Table { id, suppressed },
        })
    }

    #[test]
    fn rules_that_match_replies_are_followed() {
        let none = u32::MAX;
        for (attributes, expected) in [
            (vec![], table(254, None)),
            (vec![RuleAttribute::Table(1000)], table(1000, None)),
            (
                vec![RuleAttribute::SuppressPrefixLen(none)],
                table(254, None),
            ),
            (
                vec![RuleAttribute::SuppressPrefixLen(0)],
                table(254, Some(0)),
            ),
            (
                vec![RuleAttribute::Iifname("lo".to_owned())],
                table(254, None),
            ),
            (
                vec![RuleAttribute::IpProtocol(IpProtocol::Udp)],
                table(254, None),
            ),
            (vec![RuleAttribute::FwMark(0)], table(254, None)),
        ] {
            assert_eq!(
                read(&message(attributes.clone())),
                expected,
                "{attributes:?}"
            );
        }
        let mut rule = message(vec![RuleAttribute::Source([192, 0, 2, 0].into())]);
        rule.header.src_len = 24;
        let Read::Rule(rule) = read(&rule) else {
            panic!("not followed");
        };
        assert_eq!(rule.from, "192.0.2.0/24".parse().ok());
    }

    #[test]
    fn rules_that_match_no_reply_are_passed_over() {
        for attributes in [
            vec![RuleAttribute::Iifname("eth0".to_owned())],
            vec![RuleAttribute::Oifname("eth0".to_owned())],
            vec![RuleAttribute::IpProtocol(IpProtocol::Tcp)],
            vec![RuleAttribute::FwMark(1)],
            vec![RuleAttribute::FwMark(3), RuleAttribute::FwMask(2)],
        ] {
            assert_eq!(
                read(&message(attributes.clone())),
                Read::Other,
                "{attributes:?}"
            );
        }
        let mut rule = message(Vec::new());
        rule.header.tos = 8;
        assert_eq!(read(&rule), Read::Other);
        let mut rule = message(Vec::new());
        rule.header.action = RuleAction::Nop;
        assert_eq!(read(&rule), Read::Other);
        // A mark that the mask leaves nothing of, every packet has.
        let masked = vec![RuleAttribute::FwMark(1), RuleAttribute::FwMask(2)];
        assert_eq!(read(&message(masked)), table(254, None));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let priority = RuleAttribute::Priority(77);
        for (attribute, word) in [
            (RuleAttribute::SuppressIfGroup(3), "suppress_ifgroup"),
            (RuleAttribute::L3MDev(true), "l3mdev"),
        ] {
            let expected = Read::Unknown(format!("IPv4 rule 77: {word}"));
            assert_eq!(read(&message(vec![priority.clone(), attribute])), expected);
        }
        let mut rule = message(vec![priority.clone(), RuleAttribute::FwMark(1)]);
        rule.header.flags = RuleFlags::Invert;
        assert_eq!(read(&rule), Read::Unknown("IPv4 rule 77: not".to_owned()));
        let mut rule = message(vec![priority, RuleAttribute::Goto(100)]);
        rule.header.action = RuleAction::Goto;
        assert_eq!(read(&rule), Read::Unknown("IPv4 rule 77: goto".to_owned()));
    }
}
