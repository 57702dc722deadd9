//! All that a worker reads: immutable, built beside the old one, switched by one pointer.

mod builder;
mod chaos;
mod guards;
mod labels;
mod mailbox;
#[cfg(test)]
mod mailbox_tests;
mod parts;
mod policy;
mod rate_limit;
mod sync;
mod variation;
mod weighted;

pub use builder::SnapshotError;
pub use chaos::{Chaos, TEXT_LEN_MAX};
pub use guards::{Access, GuardLists, Guards};
pub use labels::Labels;
pub use mailbox::{Inbox as InboxOf, Mailbox as MailboxOf, mailbox};
pub use parts::Part;
pub use policy::Policy;
pub use rate_limit::RateLimit;
pub use variation::{Choice, VariantSet, Variation};
pub use weighted::Weighted;

use crate::geo::Geo;
use crate::packet::{LabelStarts, NameKey, ShortName};
use crate::simd::{BLOCK_LEN, Portable, Simd};
use crate::zone::image::{Node, NodeFlags, ZoneImage};
use crate::zone::index::{NameIndex, NamePlace};
use crate::zone::variants::Variants;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

/// The resource thread's end of the way to one worker.
pub type Mailbox = mailbox::Mailbox<Snapshot>;
/// The worker's end.
pub type Inbox = mailbox::Inbox<Snapshot>;

/// One generation of all that answers are made from.
pub struct Snapshot {
    generation: u64,
    policy: Policy,
    key: NameKey,
    zones: Box<[ZoneImage]>,
    index: NameIndex,
    /// Label counts of the zones' apexes, the largest first, each once.
    apex_depths: Box<[u8]>,
    /// For a zone that lies in another one.
    parents: Arc<HashMap<u32, ParentPlace>>,
    /// The zones' variants, by number; empty if no zone has any.
    variants: Box<[Option<Arc<Variants>>]>,
    /// What is made of them.
    variations: Box<[Option<Variation>]>,
    geo: Arc<Geo>,
    /// Where each zone's queries are counted; empty where they are not.
    count_places: Box<[u32]>,
}

/// The nearest zone above one that is served too.
struct ParentPlace {
    zone: u32,
    /// What it has at the lower zone's apex, if anything.
    cut: Option<NamePlace>,
}

/// A name that was found.
#[derive(Clone, Copy)]
pub struct Found<'s> {
    /// Number of its zone.
    pub zone: u32,
    /// What it answers.
    pub node: Node<'s>,
}

impl Snapshot {
    /// Counts up with each snapshot built.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What is answered beside the zones' data.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The key under which names are hashed.
    pub fn key(&self) -> &NameKey {
        &self.key
    }

    /// The zones, by number.
    pub fn zones(&self) -> &[ZoneImage] {
        &self.zones
    }

    /// The place in [`ZoneCounts`](crate::telemetry::ZoneCounts) at which a zone's queries are
    /// counted: 0 where there is none of its own.
    #[inline(always)]
    pub fn count_place(&self, zone: u32) -> u32 {
        self.count_places.get(zone as usize).copied().unwrap_or(0)
    }

    /// The same with these places, a zone's by its number.
    pub fn with_count_places(self, count_places: Box<[u32]>) -> Self {
        Self {
            count_places,
            ..self
        }
    }

    /// Whether any answer depends on where the client is.
    #[inline(always)]
    pub fn has_variants(&self) -> bool {
        !self.variations.is_empty()
    }

    /// What the names of a zone that vary answer.
    pub fn variation(&self, zone: u32) -> Option<&Variation> {
        self.variations.get(zone as usize)?.as_ref()
    }

    /// The variants of the zones that have any.
    pub fn variants(&self) -> impl Iterator<Item = &Variants> {
        self.variants.iter().flatten().map(|variants| &**variants)
    }

    /// The variants of a zone, if it has any.
    pub fn variants_of(&self, zone: u32) -> Option<&Variants> {
        self.variants.get(zone as usize)?.as_deref()
    }

    /// The maps that variants speak of.
    pub fn geo(&self) -> &Geo {
        &self.geo
    }

    /// Fetches ahead what `candidate` reads.
    #[inline(always)]
    pub fn prefetch<S: Simd>(&self, simd: S, hash: u64) {
        self.index.prefetch(simd, hash);
    }

    /// The first name that may have this hash. Fetches ahead what comparing it reads.
    #[inline(always)]
    pub fn candidate<S: Simd>(&self, simd: S, hash: u64) -> Option<NamePlace> {
        let place = self.index.first(simd, hash)?;
        let image = self.zones[place.zone as usize].bytes();
        simd.prefetch_lines(image, place.node.byte(), 2);
        Some(place)
    }

    /// The name `name`, in wire form and whatever case, whose hash is `hash`.
    pub fn find(&self, hash: u64, name: &[u8]) -> Option<Found<'_>> {
        self.index
            .candidates(hash)
            .map(|place| self.at(place))
            .find(|found| found.node.is_named(name))
    }

    /// The name that the first `len` bytes are, whatever stands behind it.
    pub fn find_front(&self, front: &[u8], len: usize) -> Option<Found<'_>> {
        let Some(block) = front.first_chunk().filter(|_| len <= BLOCK_LEN) else {
            let name = &front[..len];
            return self.find(self.key.hash(name), name);
        };
        let lowered = Portable.lowered(block, len);
        let hash = self.key.hash_block(Portable, &lowered, len);
        let first = self.at(self.index.first(Portable, hash)?);
        if first.node.is_named_block(Portable, &lowered, len) {
            return Some(first);
        }
        self.find(hash, &front[..len])
    }

    /// As `find`, with the candidate that was looked up before.
    pub fn find_candidate(
        &self,
        candidate: Option<NamePlace>,
        hash: u64,
        name: &[u8],
    ) -> Option<Found<'_>> {
        let found = self.at(candidate?);
        if found.node.is_named(name) {
            Some(found)
        } else {
            self.find(hash, name)
        }
    }

    /// The name at a place that the index gave.
    #[inline(always)]
    pub fn at(&self, place: NamePlace) -> Found<'_> {
        let node = self.zones[place.zone as usize].node(place.node);
        Found {
            zone: place.zone,
            node,
        }
    }

    /// The apex of the zone that `labels` lies in: the deepest that is served.
    pub fn zone_of(&self, labels: &Labels<'_>) -> Option<Found<'_>> {
        let Ok(apex) = self.zone_by(labels.count(), |depth| self.find_suffix(labels, depth));
        apex
    }

    /// The deepest existing ancestor of a name that does not exist, in the zone of `apex`.
    pub fn closest_encloser<'s>(&'s self, apex: Found<'s>, labels: &Labels<'_>) -> Found<'s> {
        let find = |depth| self.find_suffix(labels, depth);
        let Ok(encloser) = self.encloser_by(apex, labels.count(), find);
        encloser
    }

    /// As `zone_of`. `None` also where it takes a second look. `near` is what the last call found:
    /// floods ask for names of one zone.
    #[inline(always)]
    pub fn zone_of_short<'s, S: Simd>(
        &'s self,
        simd: S,
        name: &ShortName,
        len: usize,
        labels: LabelStarts,
        near: &mut Option<Found<'s>>,
    ) -> Option<Found<'s>> {
        let count = labels.count();
        // The deepest that an apex can be at: nothing below it would be found instead.
        let mut depths = self.apex_depths.iter().map(|&depth| usize::from(depth));
        if let Some(near) = near
            && let Some(depth) = depths.find(|&depth| depth <= count)
            && let start = labels.of_depth(depth)
            && let Some(block) = name.suffix(start)
            && near.node.is_named_block(simd, block, len - start)
        {
            return Some(*near);
        }
        let find = |depth| self.find_short(simd, name, len, labels.of_depth(depth));
        *near = self.zone_by(count, find).ok().flatten();
        *near
    }

    /// As `closest_encloser`. `None` where it takes a second look.
    #[inline(always)]
    pub fn closest_encloser_short<'s, S: Simd>(
        &'s self,
        simd: S,
        apex: Found<'s>,
        name: &ShortName,
        len: usize,
        labels: LabelStarts,
    ) -> Option<Found<'s>> {
        let find = |depth| self.find_short(simd, name, len, labels.of_depth(depth));
        self.encloser_by(apex, labels.count(), find).ok()
    }

    /// The deepest apex among the ancestors of a name with `count` labels; `find` finds the one
    /// with so many.
    #[inline(always)]
    fn zone_by<'s, E>(
        &'s self,
        count: usize,
        find: impl Fn(usize) -> Result<Option<Found<'s>>, E>,
    ) -> Result<Option<Found<'s>>, E> {
        for &depth in &self.apex_depths {
            let depth = usize::from(depth);
            if depth <= count
                && let Some(found) = find(depth)?
                && found.node.flags().any(NodeFlags::APEX)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The deepest existing ancestor of a name with `count` labels.
    #[inline(always)]
    fn encloser_by<'s, E>(
        &'s self,
        apex: Found<'s>,
        count: usize,
        find: impl Fn(usize) -> Result<Option<Found<'s>>, E>,
    ) -> Result<Found<'s>, E> {
        let zone = &self.zones[apex.zone as usize];
        // With each name its ancestors exist: half of what is left falls out with each probe, at
        // most as deep as the zone is, however long the name.
        let mut deepest = zone.labels_max().min(count.saturating_sub(1));
        let (mut encloser, mut depth) = (apex, zone.apex_labels());
        while depth < deepest {
            let middle = (depth + deepest).div_ceil(2);
            match find(middle)? {
                Some(found) if found.zone == apex.zone => (encloser, depth) = (found, middle),
                _ => deepest = middle - 1,
            }
        }
        Ok(encloser)
    }

    /// The ancestor with `depth` labels.
    fn find_suffix(
        &self,
        labels: &Labels<'_>,
        depth: usize,
    ) -> Result<Option<Found<'_>>, Infallible> {
        let (front, len) = labels.suffix_front(depth);
        Ok(self.find_front(front, len))
    }

    /// The end of a short name, but at one candidate only.
    #[inline(always)]
    fn find_short<S: Simd>(
        &self,
        simd: S,
        name: &ShortName,
        len: usize,
        start: usize,
    ) -> Result<Option<Found<'_>>, SecondLook> {
        let Some(block) = name.suffix(start) else {
            return Ok(None);
        };
        let hash = self.key.hash_block(simd, block, len - start);
        let Some(place) = self.index.first(simd, hash) else {
            return Ok(None);
        };
        let found = self.at(place);
        match found.node.is_named_block(simd, block, len - start) {
            true => Ok(Some(found)),
            false => Err(SecondLook),
        }
    }

    /// The nearest zone above `zone` that is served as well.
    pub fn parent(&self, zone: u32) -> Option<Parent<'_>> {
        let parent = self.parents.get(&zone)?;
        Some(Parent {
            apex: Found {
                zone: parent.zone,
                node: self.zones[parent.zone as usize].apex(),
            },
            cut: parent.cut.map(|place| self.at(place)),
        })
    }
}

/// There may be such a name, but not at the first candidate.
struct SecondLook;

/// The nearest zone above another one: DS records of the lower one's apex are its own (RFC 4035
/// §3.1.4.1).
#[derive(Clone, Copy)]
pub struct Parent<'s> {
    /// Its apex.
    pub apex: Found<'s>,
    /// What it has at the lower zone's apex: a cut, if all is well.
    pub cut: Option<Found<'s>>,
}
