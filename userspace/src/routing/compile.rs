//! From what the kernel knows to the next hops of one interface.

use super::LinkIndex;
use super::facts::Facts;
use super::neighbour::Neighbour;
use super::next_hops::{NO_ROUTE, NextHop, NextHops, Policy};
use super::route::{Hop, Route, Way};
use super::rule::{Action, Rule};
use crate::geo::{Network, RegionTree, TreeTooLarge};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

/// What came of it.
#[derive(Debug)]
pub struct Compiled {
    /// Made for lookups.
    pub next_hops: NextHops,
    /// The routers among the next hops, each with its link: whoever forwards to them has to keep
    /// their Ethernet addresses known.
    pub routers: BTreeSet<(LinkIndex, IpAddr)>,
}

/// The next hops of what leaves by interface `index`.
pub fn compile(facts: &Facts, index: LinkIndex) -> Result<Compiled, TreeTooLarge> {
    let mut compiler = Compiler {
        facts,
        links: links(facts, index),
        tables: HashMap::new(),
        hops: Vec::new(),
        places: HashMap::new(),
        routers: BTreeSet::new(),
    };
    let policies = facts.rules.iter().map(|rule| compiler.policy(rule));
    let policies = policies.collect::<Result<Vec<_>, _>>()?;
    Ok(Compiled {
        next_hops: NextHops::new(policies.into_iter().flatten().collect(), compiler.hops),
        routers: compiler.routers,
    })
}

/// The interfaces by which routes leave through interface `index`, each with its VLAN: itself, the
/// bond that it is a member of, and VLANs on either.
fn links(facts: &Facts, index: LinkIndex) -> BTreeMap<LinkIndex, Option<u16>> {
    let link = |index| facts.links.iter().find(move |link| link.index == index);
    let bond = link(index).and_then(|own| link(own.master?));
    let bond = bond.filter(|bond| bond.is_bond).map(|bond| bond.index);
    let mut links = BTreeMap::from([(index, None)]);
    links.extend(bond.map(|bond| (bond, None)));
    for link in &facts.links {
        if let Some((parent, id)) = link.vlan
            && (parent == index || Some(parent) == bond)
        {
            links.insert(link.index, Some(id));
        }
    }
    links
}

/// A table as rules ask for it: of which family, its number, and which routes are left out.
type Asked = (bool, u32, Option<u32>);

struct Compiler<'f> {
    facts: &'f Facts,
    links: BTreeMap<LinkIndex, Option<u16>>,
    /// None: it has no route.
    tables: HashMap<Asked, Option<RegionTree>>,
    hops: Vec<NextHop>,
    /// Each one's region.
    places: HashMap<NextHop, u16>,
    routers: BTreeSet<(LinkIndex, IpAddr)>,
}

impl Compiler<'_> {
    /// None: it leads to nothing.
    fn policy(&mut self, rule: &Rule) -> Result<Option<Policy>, TreeTooLarge> {
        let table = match rule.action {
            Action::Nowhere => None,
            Action::Table { id, suppressed } => {
                match self.table((rule.is_ipv6, id, suppressed))? {
                    Some(table) => Some(table),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(Policy {
            is_ipv6: rule.is_ipv6,
            from: rule.from,
            to: rule.to,
            table,
        }))
    }

    fn table(&mut self, asked: Asked) -> Result<Option<RegionTree>, TreeTooLarge> {
        if let Some(table) = self.tables.get(&asked) {
            return Ok(table.clone());
        }
        let mut networks = self.networks(asked)?;
        let table = match networks.is_empty() {
            true => None,
            false => {
                let routes = RegionTree::of(NO_ROUTE, networks.iter().copied())?;
                networks.extend(self.neighbours(&routes));
                Some(RegionTree::of(NO_ROUTE, networks)?)
            }
        };
        self.tables.insert(asked, table.clone());
        Ok(table)
    }

    /// Each network of a table with the region of its best route.
    fn networks(
        &mut self,
        (is_ipv6, id, suppressed): Asked,
    ) -> Result<Vec<(Network, u16)>, TreeTooLarge> {
        let facts = self.facts;
        let mut best: BTreeMap<Network, &Route> = BTreeMap::new();
        for route in &facts.routes {
            let network = route.network;
            let is_left_out = suppressed.is_some_and(|len| u32::from(network.prefix_len()) <= len);
            let is_of_table = route.table == id && network.address().is_ipv6() == is_ipv6;
            if !is_of_table || is_left_out || self.is_of_another_link(route) {
                continue;
            }
            let known = best.entry(network).or_insert(route);
            // The kernel lists them in the order in which it prefers them.
            if route.metric < known.metric {
                *known = route;
            }
        }
        best.into_iter()
            .map(|(network, route)| Ok((network, self.region(&route.way)?)))
            .collect()
    }

    /// Every link has the same network of link-local addresses.
    fn is_of_another_link(&self, route: &Route) -> bool {
        let is_link_local = match route.network.address() {
            IpAddr::V6(address) => address.is_unicast_link_local(),
            IpAddr::V4(_) => false,
        };
        let Way::Hops(hops) = &route.way else {
            return false;
        };
        is_link_local && !hops.iter().any(|hop| self.links.contains_key(&hop.link))
    }

    fn region(&mut self, way: &Way) -> Result<u16, TreeTooLarge> {
        let next_hop = match way {
            Way::Throw => return Ok(NO_ROUTE),
            Way::Nowhere => NextHop::Nowhere,
            Way::Local => NextHop::Elsewhere,
            Way::Hops(hops) => self.choose(hops),
        };
        self.place(next_hop).ok_or(TreeTooLarge)
    }

    /// Of several next hops the first on the interface that can be reached.
    fn choose(&mut self, hops: &[Hop]) -> NextHop {
        let mut chosen = NextHop::Elsewhere;
        for hop in hops {
            let Some(&vlan) = self.links.get(&hop.link) else {
                continue;
            };
            let next_hop = match hop.gateway {
                None => NextHop::OnLink(hop.link),
                Some(gateway) => {
                    self.routers.insert((hop.link, gateway));
                    match self.facts.neighbour(hop.link, gateway) {
                        Some(Neighbour { mac, .. }) => NextHop::Neighbour { mac, vlan },
                        None => NextHop::Unresolved,
                    }
                }
            };
            let is_better = chosen == NextHop::Elsewhere || chosen == NextHop::Unresolved;
            if is_better {
                chosen = next_hop;
            }
        }
        chosen
    }

    /// The clients that `routes` find on a link and that are known there.
    fn neighbours(&mut self, routes: &RegionTree) -> Vec<(Network, u16)> {
        let facts = self.facts;
        let mut found = Vec::new();
        for neighbour in &facts.neighbours {
            let region = routes.find(neighbour.address).region;
            let hop = self.hops.get(usize::from(region).wrapping_sub(1));
            if hop == Some(&NextHop::OnLink(neighbour.link)) {
                let vlan = self.links.get(&neighbour.link).copied().flatten();
                let mac = neighbour.mac;
                // One more than there is room for is a client that nobody knows.
                if let Some(region) = self.place(NextHop::Neighbour { mac, vlan }) {
                    found.push((Network::single(neighbour.address), region));
                }
            }
        }
        found
    }

    /// The region that stands for a next hop; none: all are given away.
    fn place(&mut self, next_hop: NextHop) -> Option<u16> {
        if let Some(&place) = self.places.get(&next_hop) {
            return Some(place);
        }
        let place = u16::try_from(self.hops.len() + 1).ok()?;
        self.hops.push(next_hop);
        self.places.insert(next_hop, place);
        Some(place)
    }
}
