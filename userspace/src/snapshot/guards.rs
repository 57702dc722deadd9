//! Who is answered, and how much: what is held against every client's address.

use super::RateLimit;
use crate::geo::{Network, RegionTree, TreeTooLarge};
use std::net::IpAddr;

/// Networks that are answered or not, and how much each network gets.
#[derive(Clone, Debug)]
pub struct Guards {
    lists: GuardLists,
    access: Option<RegionTree>,
    /// None: nobody is, and there is no tree to be looked through.
    exempt: Option<RegionTree>,
}

/// What guards are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardLists {
    /// Networks that are answered; none: all that are not denied.
    pub allow: Vec<Network>,
    /// Networks that are not.
    pub deny: Vec<Network>,
    /// Whether who is not answered gets nothing at all, instead of REFUSED.
    pub drop: bool,
    /// How many replies a network gets by UDP; none: as many as it asks for.
    pub rate: Option<RateLimit>,
    /// Networks that get more.
    pub exempt: Vec<Network>,
}

/// What a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// An answer.
    Answer,
    /// REFUSED.
    Refuse,
    /// Nothing.
    Drop,
}

/// Regions of both trees.
const IS: u16 = 1;
const IS_NOT: u16 = 0;

impl Guards {
    /// Guards that do what the lists say; none where they say nothing.
    pub fn new(lists: GuardLists) -> Result<Option<Self>, TreeTooLarge> {
        let is_open = lists.allow.is_empty() && lists.deny.is_empty();
        if is_open && lists.rate.is_none() {
            return Ok(None);
        }
        let within = |networks: &[Network], region| -> Vec<(Network, u16)> {
            networks.iter().map(|&network| (network, region)).collect()
        };
        // The longest network around an address counts, whichever list it is in.
        let listed = [within(&lists.allow, IS), within(&lists.deny, IS_NOT)].concat();
        let default = if lists.allow.is_empty() { IS } else { IS_NOT };
        let access = match is_open {
            true => None,
            false => Some(RegionTree::of(default, listed)?),
        };
        let exempt = match lists.exempt.is_empty() {
            true => None,
            false => Some(RegionTree::of(IS_NOT, within(&lists.exempt, IS))?),
        };
        Ok(Some(Self {
            lists,
            access,
            exempt,
        }))
    }

    /// What they were made from.
    pub fn lists(&self) -> &GuardLists {
        &self.lists
    }

    /// What a client gets, however little it has had.
    pub fn access(&self, client: IpAddr) -> Access {
        match &self.access {
            Some(tree) if tree.find(client).region == IS_NOT => match self.lists.drop {
                true => Access::Drop,
                false => Access::Refuse,
            },
            _ => Access::Answer,
        }
    }

    /// The limit for a client's network.
    pub fn rate(&self, client: IpAddr) -> Option<&RateLimit> {
        let limit = self.lists.rate.as_ref()?;
        let exempt = self.exempt.as_ref();
        let is_exempt = exempt.is_some_and(|tree| tree.find(client).region == IS);
        (!is_exempt).then_some(limit)
    }
}

impl PartialEq for Guards {
    fn eq(&self, other: &Self) -> bool {
        self.lists == other.lists
    }
}

impl Eq for Guards {}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn access(allow: &[&str], deny: &[&str], clients: [&str; 3]) -> [Access; 3] {
        let lists = GuardLists {
            allow: networks(allow),
            deny: networks(deny),
            ..GuardLists::default()
        };
        let guards = Guards::new(lists).unwrap().unwrap();
        clients.map(|client| guards.access(client.parse().unwrap()))
    }

    #[test]
    fn the_longest_network_that_is_listed_decides() {
        use Access::{Answer, Refuse};
        let clients = ["192.0.2.1", "192.0.2.200", "2001:db8::1"];
        let (net, half) = ("192.0.2.0/24", "192.0.2.128/25");
        assert_eq!(access(&[], &[net], clients), [Refuse, Refuse, Answer]);
        assert_eq!(access(&[net], &[], clients), [Answer, Answer, Refuse]);
        assert_eq!(access(&[half], &[net], clients), [Refuse, Answer, Refuse]);
        assert_eq!(access(&[net], &[half], clients), [Answer, Refuse, Refuse]);
        assert_eq!(access(&["::/0"], &[], clients), [Refuse, Refuse, Answer]);
    }

    #[test]
    fn without_anything_to_guard_there_are_no_guards() {
        assert_eq!(Guards::new(GuardLists::default()), Ok(None));
    }

    #[test]
    fn who_is_exempt_has_no_limit() {
        let limit = RateLimit {
            per_second: 1,
            burst: 1,
            slip: 2,
            ipv4_prefix_len: 24,
            ipv6_prefix_len: 56,
            key: [1, 2],
        };
        let lists = GuardLists {
            rate: Some(limit),
            exempt: networks(&["192.0.2.0/24"]),
            ..GuardLists::default()
        };
        let guards = Guards::new(lists).unwrap().unwrap();
        assert_eq!(guards.rate("192.0.2.1".parse().unwrap()), None);
        assert_eq!(guards.rate("192.0.3.1".parse().unwrap()), Some(&limit));
        assert_eq!(guards.access("192.0.3.1".parse().unwrap()), Access::Answer);
    }
}
