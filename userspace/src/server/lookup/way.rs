//! The names that an answer goes by, and what the server chooses at each.

use super::client::Asker;
use crate::answer::{Chosen, Client, Follow, Wanted, decisive, lookup};
use crate::name::NameBuf;
use crate::packet::code;
use crate::snapshot::{Found, Snapshot, Weighted};
use crate::telemetry::Rcode;
use crate::zone::variants::{Block, Variants};
use crate::zone::{rdata, rtype};
use anyhow::Result;

/// A chain of aliases has no more links, as in replies.
const LINKS_MAX: usize = 16;

/// The names that an answer goes by.
pub(super) struct Way {
    /// The one that was asked for.
    pub(super) name: NameBuf,
    /// The one that it ends at.
    pub(super) last: NameBuf,
    /// What varies at them, in their order.
    pub(super) choices: Vec<Varied>,
    /// What is at its end.
    pub(super) end: End,
}

/// What is at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Records, or none of the types that may be asked for.
    Name,
    /// There is no such name.
    NoName,
    /// The name is in no zone.
    NoZone,
    /// Other servers know more.
    Delegation,
    /// The way comes back to a name, or never ends.
    Loop,
    /// A DNAME record makes the name too long.
    TooLong,
}

/// A name and type that varies.
pub(super) struct Varied {
    pub(super) name: NameBuf,
    pub(super) rtype: u16,
    /// The map and the client's region; none: it is for any region.
    pub(super) region: Option<(String, String)>,
    /// Whose variants these are.
    pub(super) whose: Whose,
    /// What there is to choose from.
    pub(super) members: Vec<Member>,
    /// The place of what the client gets; none: it is drawn.
    pub(super) chosen: Option<usize>,
    /// Bits of the client's network that this is valid for.
    pub(super) scope: u8,
    /// Whether it is chosen by the client's address.
    pub(super) is_by_client: bool,
}

/// Whose variants a region gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Its own.
    Own,
    /// Another one's, which stands in.
    Fallback(String),
    /// Those that are for any region.
    Any,
    /// None: what everybody gets.
    Everybody,
}

/// One of several variants.
pub(super) struct Member {
    pub(super) weight: u32,
    /// The `$VARIANT` line; none: it is what everybody gets.
    pub(super) line: Option<String>,
    /// TTL and data of its records.
    pub(super) records: Vec<(u32, String)>,
}

impl Way {
    /// Follows the answer for `name`.
    pub(super) fn of(snapshot: &Snapshot, name: &NameBuf, asker: &Asker) -> Result<Self> {
        let client = asker.client(name, snapshot)?;
        let mut names = vec![*name];
        let mut choices = Vec::new();
        let end = loop {
            let last = &names[names.len() - 1];
            choices.extend(varied(snapshot, last, &client));
            match step(snapshot, last, &client) {
                Err(end) => break end,
                Ok(next) if names.contains(&next) || names.len() > LINKS_MAX => break End::Loop,
                Ok(next) => names.push(next),
            }
        };
        let last = names.pop().unwrap_or_default();
        Ok(Self {
            name: *name,
            last,
            choices,
            end,
        })
    }
}

/// The name that the answer goes on at, or what it ends with.
fn step(snapshot: &Snapshot, name: &NameBuf, client: &Client) -> Result<NameBuf, End> {
    // An alias is followed for whatever type it has not itself.
    let wanted = Wanted {
        qtype: code::A,
        dnssec: false,
    };
    let answer = lookup(wanted, name, Some(client), snapshot);
    let mut next = NameBuf::new();
    let pushed = match answer.follow {
        Follow::Alias(target) => next.push_wire(target.name),
        Follow::Redirect(target) => {
            let own = &name[..usize::from(answer.owner_skip)];
            next.push_wire(own)
                .and_then(|()| next.push_wire(target.name))
        }
        Follow::Nothing | Follow::Own(_) => {
            return Err(match answer.rcode {
                Rcode::NxDomain => End::NoName,
                Rcode::Refused => End::NoZone,
                _ if answer.is_referral() => End::Delegation,
                _ => End::Name,
            });
        }
    };
    next.make_lowercase();
    pushed.map(|()| next).map_err(|_| End::TooLong)
}

/// What varies at a name, by type.
fn varied(snapshot: &Snapshot, name: &NameBuf, client: &Client) -> Vec<Varied> {
    let all = || {
        let found = decisive(name, snapshot)?;
        let number = found.node.variants()?;
        let sets = snapshot.variation(found.zone)?.sets(number).iter();
        let varied = |rtype| varied_type(snapshot, found, name, rtype, client);
        Some(sets.filter_map(|set| varied(set.rtype)).collect())
    };
    all().unwrap_or_default()
}

/// What the server chooses for a type. None where nothing but health could change it.
fn varied_type(
    snapshot: &Snapshot,
    found: Found<'_>,
    name: &NameBuf,
    rtype: u16,
    client: &Client,
) -> Option<Varied> {
    let chosen = client.choose(snapshot, found, rtype)?;
    let variants = snapshot.variants_of(found.zone)?;
    let number = found.node.variants()?;
    let source = |node| variants.source(number, node);
    let blocks = chosen.choice.members();
    let block = blocks.last().and_then(|(_, node)| source(node)?.0);
    if chosen.set.map.is_none() && block.is_none() {
        return None;
    }
    let region = region(snapshot, &chosen);
    let weighted = snapshot.policy().weighted;
    let is_open = chosen.choice.is_open();
    let is_drawn = is_open && weighted == Weighted::Random;
    Some(Varied {
        name: *name,
        rtype,
        whose: whose(block, region.as_ref()),
        region,
        members: members(variants, number, &chosen),
        chosen: (!is_drawn).then_some(chosen.place),
        scope: chosen.scope,
        is_by_client: is_open && weighted == Weighted::Client,
    })
}

/// The names of the map and of the client's region in it.
fn region(snapshot: &Snapshot, chosen: &Chosen<'_>) -> Option<(String, String)> {
    let map = snapshot.geo().maps.get(usize::from(chosen.set.map?))?;
    let region = map.regions.get(usize::from(chosen.region))?;
    Some((map.name.to_string(), region.name.to_string()))
}

/// Whose a block is, seen from a region.
fn whose(block: Option<&Block>, region: Option<&(String, String)>) -> Whose {
    match block.map(|block| block.region.as_deref()) {
        None => Whose::Everybody,
        Some(None) => Whose::Any,
        Some(Some(own)) if region.is_some_and(|(_, region)| region == own) => Whose::Own,
        Some(Some(other)) => Whose::Fallback(other.to_owned()),
    }
}

fn members(variants: &Variants, name: u32, chosen: &Chosen<'_>) -> Vec<Member> {
    let rtype = chosen.set.rtype;
    let member = |(weight, node)| {
        let (block, owner) = variants.source(name, node)?;
        let rrset = owner.rrset(rtype)?;
        let records = rrset.records();
        let records = records.map(|data| (rrset.ttl(), rdata::shown(rtype, data)));
        Some(Member {
            weight,
            line: block.map(line),
            records: records.collect(),
        })
    };
    chosen.choice.members().filter_map(member).collect()
}

/// Where a block begins.
fn line(block: &Block) -> String {
    let file = &block.place.file;
    match block.place.position {
        Some((line, _)) => format!("{file}:{line}"),
        None => file.to_string(),
    }
}

impl Varied {
    /// The type's mnemonic.
    pub(super) fn type_text(&self) -> String {
        rtype::display(self.rtype).to_string()
    }
}
