//! What a `$VARIANT` line says of the records behind it.

use crate::zone::error::Place;
use crate::zone::records::{EVERYBODY, Lines, Members};

/// The largest weight of a variant.
pub const WEIGHT_MAX: u32 = 1000;

/// A `$VARIANT` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Whose records follow: a region's name, or `None` for whoever has nothing better.
    pub region: Option<Box<str>>,
    /// The map that the region is in; `None`: the first one that is configured.
    pub map: Option<Box<str>>,
    /// How often it is chosen among others of its region.
    pub weight: u32,
    /// The regions whose variants stand in for those of this one, the best first; without any the
    /// map says.
    pub fallbacks: Box<[Box<str>]>,
    /// Where it stands.
    pub place: Place,
}

impl Block {
    /// The region as it is written: `*` is any.
    pub fn region_text(&self) -> &str {
        self.region.as_deref().unwrap_or("*")
    }
}

/// All blocks of a zone, and what is in them.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    list: Vec<Block>,
    /// In canonical order once they are complete.
    pub(super) members: Members,
    lines: Lines,
}

impl Blocks {
    /// None yet, of the zone at `origin`.
    pub(crate) fn new(origin: &[u8]) -> Self {
        Self {
            list: Vec::new(),
            members: Members::new(origin),
            lines: Lines::new(""),
        }
    }

    /// Adds a block and gives its number.
    pub(crate) fn add(&mut self, block: Block) -> u32 {
        self.list.push(block);
        // A line each: fewer than 32 bits count.
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    /// What stands in the blocks.
    pub(crate) fn members_mut(&mut self) -> &mut Members {
        &mut self.members
    }

    /// Ends reading; `lines` are those of the zone's files.
    pub(crate) fn complete(mut self, lines: Lines) -> Self {
        self.members.sort();
        self.lines = lines;
        self
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The block with this number; that of everybody is none.
    pub(super) fn get(&self, number: u32) -> Option<&Block> {
        let index = number.checked_sub(EVERYBODY + 1)?;
        self.list.get(usize::try_from(index).ok()?)
    }

    /// All of them, in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Block> {
        self.list.iter()
    }

    /// Where a line is that `Members::lines` gave.
    pub(super) fn place(&self, line: Option<&u32>) -> Place {
        match line {
            Some(line) => self.lines.place(*line, 1),
            None => self.lines.whole(),
        }
    }

    /// The lines of records are for problems, and served zones have none.
    pub(crate) fn forget_lines(&mut self) {
        self.members.forget_lines();
    }
}
