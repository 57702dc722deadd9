//! What is most frequent: names, types, clients, response codes, countries.

use super::super::{Entry, json};
use super::Sketch;
use crate::geo::GeoMap;
use crate::name;
use crate::packet::{Ends, HEADER_LEN, NAME_LEN_MAX};
use crate::zone::rtype;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Counters of each list: so much of all may be missing from it, or be too much of a count.
const COUNTERS: usize = 1024;

/// What queries are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// QNAME, in lower case.
    Names,
    /// QTYPE.
    Types,
    /// The client's address.
    Clients,
    /// The response code.
    Rcodes,
    /// The country that the client's address is in.
    Countries,
}

/// What is counted, and how it is told.
#[derive(Clone, Debug)]
pub struct TopOptions {
    /// By what; each has a list.
    pub by: Vec<By>,
    /// The length of the lists.
    pub len: usize,
    /// How often they are told.
    pub every: Duration,
    /// Whether they go on from one time to the next; else each begins anew.
    pub total: bool,
    /// Where clients are: a region for each country.
    pub countries: Option<Arc<GeoMap>>,
}

impl By {
    /// All that can be counted by.
    pub const ALL: [Self; 5] = [
        Self::Names,
        Self::Types,
        Self::Clients,
        Self::Rcodes,
        Self::Countries,
    ];

    /// What it is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Types => "types",
            Self::Clients => "clients",
            Self::Rcodes => "rcodes",
            Self::Countries => "countries",
        }
    }

    /// What `key` stands for.
    fn shown(self, key: &[u8], countries: Option<&GeoMap>) -> String {
        let number = || {
            key.first_chunk()
                .map_or(0, |bytes| u16::from_be_bytes(*bytes))
        };
        match self {
            Self::Names => name::display(key).to_string(),
            Self::Types => rtype::display(number()).to_string(),
            Self::Clients => match (key.first_chunk::<4>(), key.first_chunk::<16>()) {
                (_, Some(octets)) => IpAddr::from(Ipv6Addr::from(*octets)).to_string(),
                (Some(octets), _) => IpAddr::from(Ipv4Addr::from(*octets)).to_string(),
                _ => String::new(),
            },
            Self::Rcodes => json::rcode(number()),
            Self::Countries => {
                let regions = countries.map(|map| &map.regions).into_iter().flatten();
                let region = regions.into_iter().nth(number().into());
                region.map_or_else(String::new, |region| region.name.to_string())
            }
        }
    }
}

/// The lists of one subscriber.
pub(super) struct Top {
    options: TopOptions,
    lists: Vec<(By, Sketch)>,
    queries: u64,
    /// When counting began.
    since: Instant,
    /// When it was told last.
    told: Instant,
}

impl Top {
    pub(super) fn new(options: TopOptions) -> Self {
        let lists = options.by.iter().map(|&by| (by, Sketch::new(COUNTERS)));
        Self {
            lists: lists.collect(),
            options,
            queries: 0,
            since: Instant::now(),
            told: Instant::now(),
        }
    }

    /// Counts an entry.
    pub(super) fn take(&mut self, entry: &Entry<'_>) {
        self.queries += 1;
        let reply = &entry.reply;
        let question = question(reply.reply);
        for (by, sketch) in &mut self.lists {
            match by {
                By::Names => {
                    if let Some((name, _)) = question {
                        let mut lowered = [0; NAME_LEN_MAX];
                        let lowered = &mut lowered[..name.len()];
                        lowered.copy_from_slice(name);
                        name::make_lowercase(lowered);
                        sketch.add(lowered);
                    }
                }
                By::Types => {
                    if let Some((_, qtype)) = question {
                        sketch.add(&qtype);
                    }
                }
                By::Clients => sketch.add(client(&reply.ends)),
                By::Rcodes => sketch.add(&reply.rcode.to_be_bytes()),
                By::Countries => {
                    if let Some(map) = &self.options.countries {
                        let region = map.find(reply.ends.client().ip()).region;
                        sketch.add(&region.to_be_bytes());
                    }
                }
            }
        }
    }

    /// Begins anew.
    pub(super) fn restart(&mut self) {
        self.queries = 0;
        self.since = Instant::now();
        self.told = self.since;
        self.lists.iter_mut().for_each(|(_, sketch)| sketch.clear());
    }

    /// The lists, as a JSON object, if it is time to tell them.
    pub(super) fn tell(&mut self, now: Instant) -> Option<String> {
        if now.saturating_duration_since(self.told) < self.options.every {
            return None;
        }
        let text = self.told(now).to_string();
        match self.options.total {
            true => self.told = now,
            false => self.restart(),
        }
        Some(text)
    }

    fn told(&self, now: Instant) -> Value {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        let mut told = json!({ "seconds": seconds, "queries": self.queries });
        let countries = self.options.countries.as_deref();
        for (by, sketch) in &self.lists {
            let rows = sketch.top(self.options.len).map(|one| {
                let key = by.shown(one.key, countries);
                json!({ "key": key, "count": one.count, "error": one.error })
            });
            told[by.label()] = rows.collect();
        }
        told
    }
}

/// The name and the type of a reply's question, where it has one.
fn question(reply: &[u8]) -> Option<(&[u8], [u8; 2])> {
    let count = reply.get(4..6)?;
    let behind = reply.get(HEADER_LEN..)?;
    let len = name::wire_len(behind).filter(|_| count != [0, 0])?;
    let (name, rest) = behind.split_at_checked(len)?;
    Some((name, *rest.first_chunk()?))
}

/// The octets of the client's address.
fn client(ends: &Ends) -> &[u8] {
    &ends.client[..ends.address_len()]
}
