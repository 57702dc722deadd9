//! The nodes in their order: what each says of its ancestors, children and place in the chain.

use super::super::denial::{DenialChain, DenialKind};
use super::super::node::NodeFlags;
use super::body::{Bodies, Kind};
use super::node::{Links, Parsed};
use super::{Flaw, Task, demand, place};
use crate::name;
use crate::zone::nsec3::{HASH_LABEL_LEN, Nsec3Hash};

/// Which nodes one walk looks at.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The first link of the chain that is among them, and the first that is not.
    pub(super) chain: usize,
    pub(super) chain_end: usize,
}

/// What came of a walk.
pub(super) struct Walked<'i> {
    pub(super) start: usize,
    /// The first and last labels below the apex; empty: there are none.
    pub(super) first_child: &'i [u8],
    pub(super) last_child: &'i [u8],
    /// The apex's wildcard, and whether this walk came past it.
    pub(super) apex_wildcard: u32,
    pub(super) has_apex_wildcard: bool,
    pub(super) node_count: usize,
    pub(super) labels_max: usize,
    pub(super) sum: u64,
}

/// A node on the way from the apex to the current one.
struct Level<'i> {
    name: &'i [u8],
    at: usize,
    labels: usize,
    /// The zone cut at or above it.
    cut: Option<usize>,
    wildcard: usize,
    has_wildcard: bool,
    last_child: &'i [u8],
}

/// A walk over some nodes.
pub(super) struct Walk<'t, 'i> {
    task: &'t Task<'i>,
    range: Range,
    levels: Vec<Level<'i>>,
    bodies: Bodies<'i>,
    walked: Walked<'i>,
}

impl<'t, 'i> Walk<'t, 'i> {
    /// A walk that begins with the apex, or with a child of it.
    pub(super) fn new(task: &'t Task<'i>, range: Range) -> Result<Self, Flaw> {
        let end = super::header::nodes_end(task.header);
        let apex = Parsed::read(task.file, super::IMAGE_HEADER_LEN, end)?;
        let mut bodies = Bodies::new(task.file);
        let links = apex.check(&mut bodies)?;
        let mut walk = Self {
            task,
            range,
            levels: Vec::new(),
            bodies,
            walked: Walked {
                start: range.start,
                first_child: &[],
                last_child: &[],
                apex_wildcard: links.wildcard.unwrap_or(0),
                has_apex_wildcard: false,
                node_count: 0,
                labels_max: 0,
                sum: 0,
            },
        };
        if range.start != apex.at {
            walk.enter(&apex, &links, None);
        }
        Ok(walk)
    }

    /// Looks at all nodes.
    pub(super) fn run(mut self) -> Result<Walked<'i>, Flaw> {
        let mut at = self.range.start;
        while at < self.range.end {
            let node = Parsed::read(self.task.file, at, self.range.end)?;
            let links = node.check(&mut self.bodies)?;
            self.node(&node, &links)?;
            at = node.end;
        }
        while self.levels.len() > 1 {
            self.leave()?;
        }
        let chain = self.range.chain == self.range.chain_end;
        demand(chain, self.range.start, "the denial chain leads to no node")?;
        if let Some(apex) = self.levels.pop() {
            self.walked.has_apex_wildcard = apex.has_wildcard;
            self.walked.last_child = apex.last_child;
        }
        Ok(self.walked)
    }

    /// A node among the others.
    fn node(&mut self, node: &Parsed<'i>, links: &Links) -> Result<(), Flaw> {
        let is_hashed = node.is_hashed;
        let is_apex = node.at == super::IMAGE_HEADER_LEN;
        let is_flag = node.flags.any(NodeFlags::APEX) == is_apex;
        demand(
            is_flag,
            node.at + 5,
            "the first node is the apex, and no other",
        )?;
        match is_apex {
            true => self.apex(node)?,
            false => self.descend(node)?,
        }
        self.chain(node)?;
        let cut = self.levels.last().and_then(|parent| parent.cut);
        if is_hashed {
            return Ok(());
        }
        let occluded = node.flags.any(NodeFlags::OCCLUDED);
        let link = links.cut.map(|cut| cut as usize * 8);
        demand(
            cut.is_some() == occluded && link == cut,
            node.at + 5,
            "the zone cut is another",
        )?;
        if let Some(parent) = self.levels.last_mut()
            && cut.is_none()
            && node.name.starts_with(b"\x01*")
        {
            let is_linked = parent.wildcard == node.at;
            demand(is_linked, parent.at, "the wildcard's link leads elsewhere")?;
            parent.has_wildcard = true;
        }
        let is_denied = self.task.header.denial == DenialKind::Nsec3 as u8;
        let is_place = |place| is_denied && place < self.task.header.chain_len;
        let in_chain = links.nsec3.is_none_or(is_place);
        demand(in_chain, node.at, "the NSEC3 record is not in the chain")?;
        self.enter(node, links, cut);
        self.count(node)
    }

    /// Adds what is summed up over all names.
    fn count(&mut self, node: &Parsed<'i>) -> Result<(), Flaw> {
        let at = u32::try_from(node.at / 8);
        let at = at.map_err(|_| Flaw::new(node.at, "no reference reaches the node"))?;
        let labels = self.levels.last().map_or(0, |level| level.labels);
        let hash = self
            .task
            .key
            .hash_front(&self.task.file[node.at + 8..], node.name.len());
        self.walked.node_count += 1;
        self.walked.labels_max = self.walked.labels_max.max(labels);
        self.walked.sum = self.walked.sum.wrapping_add(self.task.mixed(hash, at));
        Ok(())
    }

    /// The apex agrees with the header.
    fn apex(&mut self, node: &Parsed<'i>) -> Result<(), Flaw> {
        let header = self.task.header;
        let is_len = node.name.len() == usize::from(header.apex_len);
        let labels = name::label_count(node.name);
        let is_apex = is_len && labels == usize::from(header.apex_labels);
        demand(is_apex, 49, "the apex has another name")?;
        for (body, at) in [(header.negative, 20), (header.negative_signed, 52)] {
            self.bodies.woven(node, body, Kind::Negative, at)?;
        }
        Ok(())
    }

    /// Finds the parent, which must be there, and is left by all names before.
    fn descend(&mut self, node: &Parsed<'i>) -> Result<(), Flaw> {
        let at = node.at + 8;
        let label_end = 1 + usize::from(node.name[0]);
        let Some(parent) = node.name.get(label_end..) else {
            return Err(Flaw::new(at, "the root is no name below another"));
        };
        while let Some(level) = self.levels.last()
            && level.name != parent
        {
            demand(
                self.levels.len() > 1,
                at,
                "the name above is missing, or not before",
            )?;
            self.leave()?;
        }
        let is_below_apex = self.levels.len() == 1;
        let Some(level) = self.levels.last_mut() else {
            return Err(Flaw::new(at, "the name above is missing"));
        };
        let label = &node.name[1..label_end];
        let is_behind = level.last_child.is_empty() || level.last_child < label;
        demand(is_behind, at, "the name is not behind the one before")?;
        level.last_child = label;
        if is_below_apex && self.walked.first_child.is_empty() {
            self.walked.first_child = label;
        }
        Ok(())
    }

    /// A node of the chain is the next of it, under the right key.
    fn chain(&mut self, node: &Parsed<'i>) -> Result<(), Flaw> {
        let links = self.task.chain();
        let link = self.range.chain;
        if link == self.range.chain_end || place(&links[link]) != node.at {
            return Ok(());
        }
        let key_at = self.task.chain_key_at(link);
        let apex_len = usize::from(self.task.header.apex_len);
        let relative = &node.name[..node.name.len() - apex_len];
        let key = match self.task.header.denial {
            1 => Some(DenialChain::nsec_key(relative)),
            _ => Nsec3Hash::of_owner(node.name)
                .filter(|_| relative.len() == 1 + HASH_LABEL_LEN)
                .map(|hash| DenialChain::nsec3_key(&hash)),
        };
        let stored = self.task.file[key_at..].first_chunk();
        let is_key = stored.map(|key| u64::from_le_bytes(*key)) == key;
        demand(is_key, key_at, "the chain has another key")?;
        self.range.chain += 1;
        Ok(())
    }

    fn enter(&mut self, node: &Parsed<'i>, links: &Links, cut: Option<usize>) {
        let is_cut = node.flags.any(NodeFlags::CUT);
        let labels = match self.levels.last() {
            Some(parent) => parent.labels + 1,
            None => name::label_count(node.name),
        };
        self.levels.push(Level {
            name: node.name,
            at: node.at,
            labels,
            cut: cut.or(is_cut.then_some(node.at)),
            wildcard: links.wildcard.map_or(0, |wildcard| wildcard as usize * 8),
            has_wildcard: false,
            last_child: &[],
        });
    }

    /// All that is below a node has been seen.
    fn leave(&mut self) -> Result<(), Flaw> {
        let Some(level) = self.levels.pop() else {
            return Ok(());
        };
        let is_linked = level.wildcard == 0 || level.has_wildcard;
        demand(is_linked, level.at, "the wildcard's link leads elsewhere")
    }
}
