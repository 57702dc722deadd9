//! Which variant a client gets: a zone's variants under the maps and the health of a generation.
//!
//! ```text
//! name ─► its sets, one per type ─► region of the set's map ─► choice ─► picks by weight ─► node
//! ```
//! Each step is an offset into a flat array. What stands in where a region has nothing, was decided
//! when they were built.

mod build;

use crate::zone::image::{Node, NodeRef, ZoneImage};
use std::ops::Range;

/// What the names of a zone that vary answer.
pub struct Variation {
    /// A node for each member.
    image: ZoneImage,
    /// Where each name's sets begin, and where the last one's end.
    names: Box<[u32]>,
    sets: Box<[VariantSet]>,
    /// A choice for each region of each set's map.
    regions: Box<[u32]>,
    /// Where each choice's picks begin, and where the last one's end.
    choices: Box<[u32]>,
    picks: Box<[Pick]>,
}

/// The variants of a name and type.
#[derive(Clone, Copy, Debug)]
pub struct VariantSet {
    rtype: u16,
    /// Number of the map that says which region a client is in; without one all are in one.
    pub map: Option<u16>,
    /// Where its choices for the regions begin.
    regions_at: u32,
    /// How many regions there are.
    region_count: u16,
    /// The same on every server, and another for each name and type.
    pub salt: u64,
}

/// One of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pick {
    /// Its weight and those of all before it.
    weight_end: u32,
    /// The member's node; none: what the zone itself has.
    node: Option<NodeRef>,
}

/// The variants of one region, each with a weight.
#[derive(Clone, Copy)]
pub struct Choice<'v> {
    image: &'v ZoneImage,
    picks: &'v [Pick],
}

impl Variation {
    /// The variants of a type at the name with this number.
    pub fn find(&self, name: u32, rtype: u16) -> Option<&VariantSet> {
        let sets = range(&self.names, name as usize)?;
        let mut sets = self.sets.get(sets)?.iter();
        sets.find(|set| set.rtype == rtype)
    }

    /// What clients of a region choose from.
    pub fn choice(&self, set: &VariantSet, region: u16) -> Option<Choice<'_>> {
        if region >= set.region_count {
            return None;
        }
        let at = set.regions_at as usize + usize::from(region);
        let picks = range(&self.choices, *self.regions.get(at)? as usize)?;
        Some(Choice {
            image: &self.image,
            picks: self.picks.get(picks)?,
        })
    }

    /// Bytes of memory.
    pub fn size_bytes(&self) -> usize {
        self.image.bytes().len()
            + size_of_val(&*self.names)
            + size_of_val(&*self.sets)
            + size_of_val(&*self.regions)
            + size_of_val(&*self.choices)
            + size_of_val(&*self.picks)
    }
}

impl<'v> Choice<'v> {
    /// Whether there is more than one.
    pub fn is_open(&self) -> bool {
        self.picks.len() > 1
    }

    /// The node that `number`, any of 64 bits, chooses; `None`: what the zone itself has.
    pub fn pick(&self, number: u64) -> Option<Node<'v>> {
        let total = self.picks.last()?.weight_end;
        let scaled = (u128::from(number) * u128::from(total)) >> 64;
        let behind = |pick: &Pick| u128::from(pick.weight_end) <= scaled;
        let pick = self.picks.get(self.picks.partition_point(behind))?;
        pick.node.map(|node| self.image.node(node))
    }
}

/// The range that begins at an entry of `starts` and ends at the next.
fn range(starts: &[u32], index: usize) -> Option<Range<usize>> {
    let &[start, end] = starts.get(index..index + 2)?.first_chunk()?;
    Some(start as usize..end as usize)
}
