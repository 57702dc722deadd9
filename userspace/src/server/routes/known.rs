//! What is known of the kernel's routing, and which ports are to know it.

use crate::port::XskPort;
use crate::routing::{Compiled, Facts, LinkIndex, NextHops, Publisher, compile, subscribe};
use crate::sys::netlink::{Asker, List};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the kernel is to make sure of a router's Ethernet address. It does so for who sends
/// by itself, and not for AF_XDP.
const REFRESH: Duration = Duration::from_secs(10);
/// Lists that change while they are read are read so often at a time.
const TRIES: usize = 3;

/// A port that is told.
struct Served {
    index: LinkIndex,
    publisher: Publisher,
    /// Whether it has not got the newest yet.
    is_behind: bool,
}

/// What ports are told of an interface.
struct View {
    next_hops: Arc<NextHops>,
    routers: BTreeSet<(LinkIndex, IpAddr)>,
}

/// What is known, and who is to know it.
pub(super) struct Routes {
    asker: Asker,
    facts: Facts,
    /// Of each interface that a port is on.
    views: BTreeMap<LinkIndex, View>,
    ports: Vec<Served>,
    refreshed: Option<Instant>,
}

impl Routes {
    pub(super) fn read() -> io::Result<Self> {
        let mut routes = Self {
            asker: Asker::new()?,
            facts: Facts::default(),
            views: BTreeMap::new(),
            ports: Vec::new(),
            refreshed: None,
        };
        let lists = routes.update(List::ALL.into())?;
        if !lists.is_empty() {
            return Err(io::Error::other(
                "the routes change faster than they can be read",
            ));
        }
        let [rules, count, neighbours] = routes.facts.counts();
        tracing::info!(
            rules,
            routes = count,
            neighbours,
            "replies go by the routing table"
        );
        routes.complain(&[]);
        Ok(routes)
    }

    /// Reads these anew; what could not be read whole is returned.
    fn update(&mut self, lists: BTreeSet<List>) -> io::Result<BTreeSet<List>> {
        let mut left = BTreeSet::new();
        for list in lists {
            let mut answer = None;
            for _ in 0..TRIES {
                answer = self.asker.list(list)?;
                if answer.is_some() {
                    break;
                }
            }
            match answer {
                Some(answer) => self.facts.set(list, &answer),
                None => {
                    left.insert(list);
                }
            }
        }
        Ok(left)
    }

    /// Says which rules are not followed that were not among `before`.
    fn complain(&self, before: &[String]) {
        for rule in self.facts.unknown() {
            if !before.contains(rule) {
                tracing::warn!(
                    "{rule}: not understood, so next hops are chosen as if the rule were not there"
                );
            }
        }
    }

    /// Has the replies of this port go by the kernel's routes.
    pub(super) fn serve(&mut self, port: &mut XskPort) -> Result<()> {
        let index = port.interface_index();
        let (publisher, subscription) = subscribe(self.view(index)?);
        self.ports.push(Served {
            index,
            publisher,
            is_behind: false,
        });
        port.route(subscription);
        Ok(())
    }

    /// What ports on interface `index` are told.
    fn view(&mut self, index: LinkIndex) -> Result<Arc<NextHops>> {
        if let Some(view) = self.views.get(&index) {
            return Ok(Arc::clone(&view.next_hops));
        }
        let view = View::of(&self.facts, index)?;
        let next_hops = Arc::clone(&view.next_hops);
        self.views.insert(index, view);
        self.refreshed = None;
        self.refresh();
        Ok(next_hops)
    }

    /// Follows what has changed; what could not be read is returned.
    pub(super) fn follow(&mut self, lists: BTreeSet<List>) -> Result<BTreeSet<List>> {
        let before = self.facts.clone();
        let left = self.update(lists)?;
        if self.facts == before {
            return Ok(left);
        }
        self.complain(before.unknown());
        for (index, view) in &mut self.views {
            *view = View::of(&self.facts, *index)?;
        }
        for port in &mut self.ports {
            port.is_behind = true;
        }
        let [rules, routes, neighbours] = self.facts.counts();
        tracing::debug!(rules, routes, neighbours, "the routing has changed");
        Ok(left)
    }

    /// Tells the ports, looks for whom they ask, and keeps routers known.
    pub(super) fn look(&mut self) {
        self.ports.retain(|port| !port.publisher.is_abandoned());
        let (ports, views) = (&mut self.ports, &mut self.views);
        views.retain(|index, _| ports.iter().any(|port| port.index == *index));
        let mut strangers = BTreeSet::new();
        for port in ports {
            port.publisher.collect();
            strangers.extend(port.publisher.strangers());
            if port.is_behind
                && let Some(view) = views.get(&port.index)
            {
                port.is_behind = !port.publisher.send(&view.next_hops);
            }
        }
        for (link, address) in strangers {
            self.resolve(link, address);
        }
        self.refresh();
    }

    /// Has the kernel make sure of all routers from time to time, and look for those that it does
    /// not know.
    fn refresh(&mut self) {
        let is_due = self.refreshed.is_none_or(|last| last.elapsed() >= REFRESH);
        if is_due {
            self.refreshed = Some(Instant::now());
        }
        let routers = self.views.values().flat_map(|view| &view.routers);
        let routers: BTreeSet<_> = routers.copied().collect();
        for (link, router) in routers {
            if is_due || !self.facts.knows(link, router) {
                self.resolve(link, router);
            }
        }
    }

    fn resolve(&mut self, link: LinkIndex, address: IpAddr) {
        if let Err(error) = self.asker.resolve(link, address) {
            tracing::debug!(link, %address, %error, "a neighbour that is not looked for");
        }
    }
}

impl View {
    fn of(facts: &Facts, index: LinkIndex) -> Result<Self> {
        let Compiled { next_hops, routers } = compile(facts, index).context("the routing table")?;
        Ok(Self {
            next_hops: Arc::new(next_hops),
            routers,
        })
    }
}
