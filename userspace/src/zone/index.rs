//! The name index of a snapshot: keyed hash → zone and node, over all zones.

use super::image::NodeRef;
use crate::simd::{Portable, Simd, TAG_MASK};
use crate::sys::pages::{Pages, SharedPages};
use bytemuck::{Pod, Zeroable};
use std::collections::VecDeque;
use std::ops::Deref;

/// Entries of a bucket: one cache line.
const BUCKET_ENTRIES: usize = 8;
/// Mean entries of a bucket: at five, one bucket in fifteen overflows.
const BUCKET_LOAD: usize = 5;

/// So many names wait for their buckets while the index is filled.
const NAMES_AHEAD: usize = 16;

/// Most zones that the index can tell apart.
pub const ZONES_MAX: usize = 1 << ZONE_BITS;

const ZONE_BITS: u32 = 20;
const TAG_SHIFT: u32 = 32 + ZONE_BITS;
/// The highest bit of a bucket's last entry.
const CONTINUES: u64 = 1 << 63;

/// A name's place: which zone, which node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamePlace {
    /// Number of the zone in its snapshot.
    pub zone: u32,
    /// The node in the zone's image.
    pub node: NodeRef,
}

/// A cache line of entries: `continues:1 tag:11 zone:20 node:32` each, 0 when empty. The last one
/// says whether names of this bucket lie in the next.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Bucket([u64; BUCKET_ENTRIES]);

/// Buckets of eight; a full one continues in the next. Once it is filled, clones share it.
#[derive(Clone)]
pub struct NameIndex<B = SharedPages<Bucket>> {
    buckets: B,
}

impl NameIndex<Pages<Bucket>> {
    /// An empty index with room for `names`.
    pub fn with_capacity(names: usize) -> Self {
        let count = names.div_ceil(BUCKET_LOAD).max(1) + 1;
        Self {
            buckets: Pages::zeroed(count),
        }
    }

    /// Adds names, with their hashes. The bucket of each is asked for before it is needed. False,
    /// and not all are there, if one would lie more than `reach` buckets behind its own.
    pub fn extend(&mut self, names: impl Iterator<Item = (u64, NamePlace)>, reach: usize) -> bool {
        let mut waiting = VecDeque::with_capacity(NAMES_AHEAD + 1);
        for (hash, place) in names {
            self.prefetch(Portable, hash);
            waiting.push_back((hash, place));
            if waiting.len() > NAMES_AHEAD
                && let Some((hash, place)) = waiting.pop_front()
                && !self.insert_near(hash, place, reach)
            {
                return false;
            }
        }
        let mut waiting = waiting.into_iter();
        waiting.all(|(hash, place)| self.insert_near(hash, place, reach))
    }

    /// The same for names that come in the order of their hashes, and so of their buckets.
    pub fn pour(
        &mut self,
        mut names: impl Iterator<Item = (u64, NamePlace)>,
        reach: usize,
    ) -> bool {
        names.all(|(hash, place)| self.insert_near(hash, place, reach))
    }

    /// Adds a name. There must be room for it: as many names as `with_capacity` was told of.
    pub fn insert(&mut self, hash: u64, place: NamePlace) {
        self.insert_near(hash, place, usize::MAX);
    }

    /// Adds a name unless it would lie more than `reach` buckets behind its own.
    #[inline(always)]
    fn insert_near(&mut self, hash: u64, place: NamePlace, reach: usize) -> bool {
        let entry = tag(hash) | u64::from(place.zone) << 32 | u64::from(place.node.0);
        let mut at = self.bucket(hash);
        let mut distance = 0;
        loop {
            if let Some(slot) = self.buckets[at].0.iter_mut().find(|slot| **slot == 0) {
                *slot = entry;
                return true;
            }
            if distance == reach {
                return false;
            }
            distance += 1;
            self.buckets[at].0[BUCKET_ENTRIES - 1] |= CONTINUES;
            at = self.next(at);
        }
    }

    /// All names are there.
    pub fn filled(self) -> NameIndex {
        NameIndex {
            buckets: self.buckets.into(),
        }
    }
}

impl<B: Deref<Target = [Bucket]>> NameIndex<B> {
    /// The first name whose hash may be `hash`.
    #[inline(always)]
    pub fn first<S: Simd>(&self, simd: S, hash: u64) -> Option<NamePlace> {
        let bucket = &self.buckets[self.bucket(hash)].0;
        let matches = simd.tags(bucket, tag(hash));
        if matches != 0 {
            return Some(place(
                bucket[matches.trailing_zeros() as usize % BUCKET_ENTRIES],
            ));
        }
        match bucket[BUCKET_ENTRIES - 1] & CONTINUES {
            0 => None,
            _ => self.candidates(hash).next(),
        }
    }

    /// The names whose hash may be `hash`, in order of insertion.
    pub fn candidates(&self, hash: u64) -> impl Iterator<Item = NamePlace> {
        let tag = tag(hash);
        let first = self.bucket(hash);
        let mut at = first;
        let mut slot = 0;
        std::iter::from_fn(move || {
            loop {
                if slot == BUCKET_ENTRIES {
                    if self.buckets[at].0[slot - 1] & CONTINUES == 0 {
                        return None;
                    }
                    at = self.next(at);
                    slot = 0;
                    if at == first {
                        return None;
                    }
                }
                let entry = self.buckets[at].0[slot];
                slot += 1;
                if entry == 0 {
                    return None;
                }
                if (entry ^ tag) & TAG_MASK == 0 {
                    return Some(place(entry));
                }
            }
        })
    }

    /// Fetches the memory that `candidates` reads first.
    #[inline(always)]
    pub fn prefetch<S: Simd>(&self, simd: S, hash: u64) {
        simd.prefetch(&self.buckets[self.bucket(hash)].0);
    }

    /// Bytes of memory.
    pub fn size_bytes(&self) -> usize {
        size_of_val(&self.buckets[..])
    }

    #[inline(always)]
    fn bucket(&self, hash: u64) -> usize {
        let product = u128::from(hash) * self.buckets.len() as u128;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "less than the number of buckets"
        )]
        let bucket = (product >> 64) as usize;
        bucket
    }

    fn next(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() {
            0
        } else {
            at + 1
        }
    }
}

/// The low bits of the hash choose the tag, the high bits the bucket. No tag is 0: that of an empty
/// entry.
fn tag(hash: u64) -> u64 {
    (hash << TAG_SHIFT & TAG_MASK).max(1 << TAG_SHIFT)
}

fn place(entry: u64) -> NamePlace {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is the node")]
    let node = NodeRef(entry as u32);
    let zone = u32::try_from(entry >> 32 & (ZONES_MAX as u64 - 1)).unwrap_or(u32::MAX);
    NamePlace { zone, node }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash with all bits stirred (splitmix64).
    fn hash(i: u64) -> u64 {
        let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn place(i: u32) -> NamePlace {
        NamePlace {
            zone: i % 1000,
            node: NodeRef(i + 1),
        }
    }

    #[test]
    fn finds_every_name_that_was_inserted_and_rarely_another() {
        let count = 10_000;
        let mut index = NameIndex::with_capacity(count as usize);
        for i in 0..count {
            index.insert(hash(u64::from(i)), place(i));
        }
        let mut others = 0;
        for i in 0..count {
            let found: Vec<_> = index.candidates(hash(u64::from(i))).collect();
            assert!(found.contains(&place(i)));
            others += found.len() - 1;
        }
        let missing = (count..2 * count)
            .flat_map(|i| index.candidates(hash(u64::from(i))))
            .count();
        assert!(
            others < 50 && missing < 50,
            "{others} and {missing} false candidates"
        );
    }

    #[test]
    fn names_that_collide_wholly_are_all_found_in_order() {
        let mut index = NameIndex::with_capacity(40);
        for i in 0..40 {
            index.insert(42, place(i));
        }
        let found: Vec<_> = index.candidates(42).collect();
        assert_eq!(found, (0..40).map(place).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_last_bucket_continues_in_the_first() {
        let mut index = NameIndex::with_capacity(9);
        for i in 0..9 {
            index.insert(u64::MAX, place(i));
        }
        assert_eq!(index.candidates(u64::MAX).count(), 9);
        assert_eq!(index.candidates(0).count(), 0);
    }

    #[test]
    fn names_that_lie_far_from_their_buckets_end_the_filling() {
        let names = || (0..100).map(|i| (42, place(i)));
        for reach in [12, 11] {
            let mut index = NameIndex::with_capacity(100);
            assert_eq!(index.pour(names(), reach), reach == 12);
            let mut index = NameIndex::with_capacity(100);
            assert_eq!(index.extend(names(), reach), reach == 12);
        }
    }
}
