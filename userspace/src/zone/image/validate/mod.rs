//! A saved image is not believed: all that lookups and replies rely on is looked at before.
//!
//! Afterwards no query makes them panic, loop or read elsewhere. What the records say is the
//! author's matter, here as in a master file.

mod body;
mod header;
mod name;
mod node;
mod walk;

use super::file::{Saved, checksum};
use super::{IMAGE_HEADER_LEN, ImageHeader};
use crate::packet::NameKey;
use crate::zone::threads::share;
use header::Parts;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::thread;
use walk::{Range, Walk, Walked};

/// What is wrong with a saved image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Offset in the file.
    pub at: usize,
    /// What it is.
    pub what: String,
}

impl Flaw {
    fn new(at: usize, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { at, what }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.at, self.what)
    }
}

impl std::error::Error for Flaw {}

/// Fails with a flaw unless something holds.
fn demand(holds: bool, at: usize, what: &str) -> Result<(), Flaw> {
    match holds {
        true => Ok(()),
        false => Err(Flaw::new(at, what)),
    }
}

/// Says whether a file begins as images do. No master file does: there is a control character.
pub(in crate::zone) fn is_image(start: &[u8; 8]) -> bool {
    start.starts_with(b"ripples") && start[7] < b'\t'
}

/// Validates a file, on as many threads.
pub(in crate::zone) fn validate(file: &[u8], threads: usize) -> Result<(), Flaw> {
    let parts = header::check(file)?;
    let random = RandomState::new();
    let task = Task {
        file,
        header: parts.header,
        saved: parts.saved,
        key: NameKey::new(parts.saved.key()),
        mix: [random.hash_one(1), random.hash_one(2)],
    };
    let sum = || {
        let stored = parts.saved.trailer.checksum;
        let is_right = checksum(file) == stored;
        demand(
            is_right,
            file.len() - 8,
            "the checksum is wrong: the file is damaged",
        )
    };
    if threads < 2 {
        return sum().and_then(|()| task.nodes(&parts, 1));
    }
    thread::scope(|scope| {
        let nodes = scope.spawn(|| task.nodes(&parts, threads));
        let sum = sum();
        let nodes = nodes.join();
        sum?;
        nodes.unwrap_or_else(|_| Err(Flaw::new(0, "the validation panicked")))
    })
}

/// What all that look at nodes know.
struct Task<'i> {
    file: &'i [u8],
    header: &'i ImageHeader,
    saved: Saved<'i>,
    key: NameKey,
    /// Random: nobody can make other names with the same sum.
    mix: [u64; 2],
}

impl<'i> Task<'i> {
    /// Validates the nodes, the denial chain and the names' hashes.
    fn nodes(&self, parts: &Parts<'i>, threads: usize) -> Result<(), Flaw> {
        self.chain_in_order()?;
        let ranges = self.ranges(parts);
        let done = share(ranges.len(), threads, |number| {
            Walk::new(self, ranges[number]).and_then(Walk::run)
        });
        demand(done.len() == ranges.len(), 0, "the validation panicked")?;
        let walked: Result<Vec<_>, _> = done.into_iter().map(|(_, walked)| walked).collect();
        self.together(&walked?)
    }

    /// Where walks begin and end.
    fn ranges(&self, parts: &Parts<'i>) -> Vec<Range> {
        let bounds = parts.bounds.windows(2);
        let chain = |node: usize| self.chain().partition_point(|link| place(link) < node);
        bounds
            .map(|pair| Range {
                start: pair[0],
                end: pair[1],
                chain: chain(pair[0]),
                chain_end: chain(pair[1]),
            })
            .collect()
    }

    /// The chain's nodes are in their order, and all of them before the nodes' end.
    fn chain_in_order(&self) -> Result<(), Flaw> {
        let end = header::nodes_end(self.header);
        let places = || self.chain().iter().map(place);
        let is_sorted = places().is_sorted_by(|one, next| one < next);
        let is_inside = places().next_back().is_none_or(|last| last < end)
            && places()
                .next()
                .is_none_or(|first| first >= IMAGE_HEADER_LEN);
        demand(
            is_sorted && is_inside,
            end,
            "the denial chain is not in order",
        )
    }

    /// The nodes of the denial chain.
    fn chain(&self) -> &'i [[u8; 4]] {
        let len = self.header.chain_len as usize;
        let start = header::nodes_end(self.header) + len * 8;
        self.file[start..start + len * 4].as_chunks().0
    }

    /// Offset of the key of a link of the chain.
    fn chain_key_at(&self, link: usize) -> usize {
        header::nodes_end(self.header) + link * 8
    }

    /// What can be said only of all walks together.
    fn together(&self, walked: &[Walked<'i>]) -> Result<(), Flaw> {
        let mut last: &[u8] = &[];
        for part in walked {
            let in_order = part.first_child.is_empty() || part.first_child > last;
            demand(
                in_order,
                part.start,
                "the name is not behind the one before",
            )?;
            if !part.last_child.is_empty() {
                last = part.last_child;
            }
        }
        let wildcard = walked.first().map_or(0, |part| part.apex_wildcard);
        let seen = walked.iter().any(|part| part.has_apex_wildcard);
        demand(
            wildcard == 0 || seen,
            IMAGE_HEADER_LEN,
            "the wildcard's link leads elsewhere",
        )?;
        let count: usize = walked.iter().map(|part| part.node_count).sum();
        let labels = walked.iter().map(|part| part.labels_max).max();
        let header = self.header;
        let node_count = header.node_count as usize;
        demand(count == node_count, 24, "the number of names is wrong")?;
        let labels_max = usize::from(header.labels_max);
        demand(
            labels == Some(labels_max),
            48,
            "the deepest name has other labels",
        )?;
        self.hashes(
            walked
                .iter()
                .fold(0, |sum, part| sum.wrapping_add(part.sum)),
        )
    }

    /// The saved names are those of the nodes, with their hashes, in the order of these.
    fn hashes(&self, expected: u64) -> Result<(), Flaw> {
        let at = usize::try_from(self.header.len).unwrap_or(0);
        let (mut sum, mut last) = (0u64, 0);
        for (hash, node) in self.saved.names() {
            demand(hash >= last, at, "the hashes are not sorted")?;
            last = hash;
            sum = sum.wrapping_add(self.mixed(hash, node.0));
        }
        demand(sum == expected, at, "the hashes are not those of the names")
    }

    /// What a name adds to the sum.
    fn mixed(&self, hash: u64, node: u32) -> u64 {
        let [first, second] = self.mix;
        let product = u128::from(hash ^ first) * u128::from(u64::from(node) ^ second);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are wanted")]
        let mixed = product as u64 ^ (product >> 64) as u64;
        mixed
    }
}

/// Offset of the node that a reference names.
fn place(node: &[u8; 4]) -> usize {
    u32::from_le_bytes(*node) as usize * 8
}
