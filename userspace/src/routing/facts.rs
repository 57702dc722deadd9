//! What the kernel knows of routing.

use super::LinkIndex;
use super::link::Link;
use super::neighbour::Neighbour;
use super::route::Route;
use super::rule::{self, Read, Rule};
use crate::sys::netlink::List;
use netlink_packet_route::RouteNetlinkMessage;
use std::net::IpAddr;

/// What is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub(super) links: Vec<Link>,
    pub(super) neighbours: Vec<Neighbour>,
    pub(super) routes: Vec<Route>,
    /// In the order in which they are asked.
    pub(super) rules: Vec<Rule>,
    pub(super) unknown: Vec<String>,
}

impl Facts {
    /// Puts what the kernel has answered to a question in the place of what was known.
    pub fn set(&mut self, list: List, answer: &[RouteNetlinkMessage]) {
        use RouteNetlinkMessage as Message;
        match list {
            List::Links => {
                let links = answer.iter().filter_map(|message| match message {
                    Message::NewLink(link) => Some(Link::read(link)),
                    _ => None,
                });
                self.links = links.collect();
            }
            List::Neighbours => {
                let neighbours = answer.iter().filter_map(|message| match message {
                    Message::NewNeighbour(neighbour) => Neighbour::read(neighbour),
                    _ => None,
                });
                self.neighbours = neighbours.collect();
                // The kernel lists them as its hash has them.
                self.neighbours.sort_by_key(|one| (one.link, one.address));
            }
            List::Routes => {
                let routes = answer.iter().filter_map(|message| match message {
                    Message::NewRoute(route) => Route::read(route),
                    _ => None,
                });
                self.routes = routes.collect();
            }
            List::Rules => {
                (self.rules, self.unknown) = (Vec::new(), Vec::new());
                for message in answer {
                    if let Message::NewRule(message) = message {
                        self.add_rule(rule::read(message));
                    }
                }
            }
        }
    }

    fn add_rule(&mut self, read: Read) {
        match read {
            Read::Rule(rule) => self.rules.push(rule),
            Read::Unknown(why) => self.unknown.push(why),
            Read::Other => {}
        }
    }

    /// Whether a neighbour's Ethernet address is known.
    pub fn knows(&self, link: LinkIndex, address: IpAddr) -> bool {
        self.neighbour(link, address).is_some()
    }

    pub(super) fn neighbour(&self, link: LinkIndex, address: IpAddr) -> Option<Neighbour> {
        let place = |one: &Neighbour| (one.link, one.address);
        let found = self
            .neighbours
            .binary_search_by_key(&(link, address), place);
        found.ok().map(|at| self.neighbours[at])
    }

    /// Rules that may apply to replies and are not followed.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// How many rules, routes and neighbours are known.
    pub fn counts(&self) -> [usize; 3] {
        [self.rules.len(), self.routes.len(), self.neighbours.len()]
    }
}
