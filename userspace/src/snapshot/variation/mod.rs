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
    /// The type.
    pub rtype: u16,
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
        self.sets(name).iter().find(|set| set.rtype == rtype)
    }

    /// All variants of the name with this number, by type.
    pub fn sets(&self, name: u32) -> &[VariantSet] {
        let sets = range(&self.names, name as usize);
        sets.and_then(|sets| self.sets.get(sets))
            .unwrap_or_default()
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

    /// The place of what `number`, any of 64 bits, chooses.
    pub fn place(&self, number: u64) -> usize {
        let total = self.picks.last().map_or(0, |pick| pick.weight_end);
        let scaled = (u128::from(number) * u128::from(total)) >> 64;
        let behind = |pick: &Pick| u128::from(pick.weight_end) <= scaled;
        self.picks.partition_point(behind)
    }

    /// What is at a place; `None`: what the zone itself has.
    pub fn node(&self, place: usize) -> Option<Node<'v>> {
        let node = self.picks.get(place)?.node?;
        Some(self.image.node(node))
    }

    /// What there is to choose from: weights, and nodes where it is not what the zone itself has.
    pub fn members(&self) -> impl Iterator<Item = (u32, Option<NodeRef>)> {
        let ends = self.picks.iter().map(|pick| pick.weight_end);
        let starts = [0].into_iter().chain(ends);
        let members = self.picks.iter().zip(starts);
        members.map(|(pick, start)| (pick.weight_end - start, pick.node))
    }
}

/// The range that begins at an entry of `starts` and ends at the next.
fn range(starts: &[u32], index: usize) -> Option<Range<usize>> {
    let &[start, end] = starts.get(index..index + 2)?.first_chunk()?;
    Some(start as usize..end as usize)
}
