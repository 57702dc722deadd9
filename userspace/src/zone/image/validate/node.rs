//! One node: its extent, name, tables and links.

use super::super::body::WOVEN;
use super::super::node::{ENTRY_LEN, HASHED, Link, NODE_HEADER_LEN, NodeFlags};
use super::body::{Bodies, Kind};
use super::{Flaw, demand, name};
use crate::packet::code;
use crate::zone::rdata;

/// A node whose parts lie within it.
#[derive(Clone, Copy)]
pub(super) struct Parsed<'i> {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) name: &'i [u8],
    pub(super) flags: NodeFlags,
    pub(super) is_hashed: bool,
    entries: &'i [[u8; ENTRY_LEN]],
    /// The second table; without signatures the first.
    signed: &'i [[u8; ENTRY_LEN]],
    table_at: usize,
    pub(super) bodies_at: usize,
}

/// What the links of a node say that its neighbours must agree with.
#[derive(Clone, Copy, Default)]
pub(super) struct Links {
    pub(super) cut: Option<u32>,
    pub(super) wildcard: Option<u32>,
    pub(super) nsec3: Option<u32>,
    referral: bool,
    target: bool,
}

/// Which types with a meaning of their own a node has.
#[derive(Default)]
struct Types {
    alias: bool,
    redirect: bool,
    any: bool,
    /// Others than a zone cut has beside its referral.
    below: bool,
    /// Others than the owner of an NSEC3 record has.
    unhashed: bool,
}

/// An entry of a table.
#[derive(Clone, Copy)]
struct Entry {
    rtype: u16,
    len: u16,
    place: u32,
}

impl Entry {
    fn of(entry: &[u8; ENTRY_LEN]) -> Self {
        let [a, b, c, d, place @ ..] = *entry;
        Self {
            rtype: u16::from_le_bytes([a, b]),
            len: u16::from_le_bytes([c, d]),
            place: u32::from_le_bytes(place),
        }
    }
}

impl<'i> Parsed<'i> {
    /// Reads the node at `at`, which ends before `limit`.
    pub(super) fn read(file: &'i [u8], at: usize, limit: usize) -> Result<Self, Flaw> {
        let node = &file[at..limit];
        let Some(&[a, b, c, d, name_len, flags, low, high]) = node.first_chunk() else {
            return Err(Flaw::new(at, "the node runs over the image"));
        };
        let size = u32::from_le_bytes([a, b, c, d]);
        let is_hashed = size & HASHED != 0;
        let size = (size & !HASHED) as usize;
        let is_size = size.is_multiple_of(8) && size > NODE_HEADER_LEN && size <= node.len();
        demand(is_size, at, "the node runs over the others")?;
        let flags = NodeFlags(flags);
        let name_end = NODE_HEADER_LEN + usize::from(name_len);
        let table = name_end.next_multiple_of(4);
        let count = usize::from(u16::from_le_bytes([low, high]));
        let tables = match flags.any(NodeFlags::SIGNED) {
            true => 2 * count,
            false => count,
        };
        let bodies = table + tables * ENTRY_LEN;
        demand(bodies <= size, at + 6, "the tables run over the node")?;
        let entries = node[table..bodies].as_chunks().0;
        let name = &node[NODE_HEADER_LEN..name_end];
        name::lowered(name, at + NODE_HEADER_LEN)?;
        Ok(Self {
            at,
            end: at + size,
            name,
            flags,
            is_hashed,
            entries: &entries[..count],
            signed: &entries[tables - count..],
            table_at: at + table,
            bodies_at: at + bodies,
        })
    }

    /// Looks at the tables and all that they lead to.
    pub(super) fn check(&self, bodies: &mut Bodies<'i>) -> Result<Links, Flaw> {
        let (mut links, mut types) = (Links::default(), Types::default());
        let mut last = None;
        for (number, entry) in self.entries.iter().map(Entry::of).enumerate() {
            let at = self.table_at + number * ENTRY_LEN;
            let order = (entry.rtype, if entry.rtype == 0 { entry.len } else { 0 });
            demand(last < Some(order), at, "the types are not in order")?;
            last = Some(order);
            let twin = Entry::of(&self.signed[number]);
            let is_twin = twin.rtype == entry.rtype && (entry.rtype != 0 || twin.len == entry.len);
            demand(is_twin, at, "the table with signatures has other types")?;
            if entry.rtype == 0 {
                self.link(entry, twin, at, &mut links, bodies)?;
            } else {
                types.add(entry.rtype);
                self.answer(entry, twin, at, bodies)?;
            }
        }
        self.consistent(&links, &types)?;
        Ok(links)
    }

    fn is_signed(&self) -> bool {
        self.flags.any(NodeFlags::SIGNED)
    }

    /// What the node answers to a type.
    fn answer(
        &self,
        entry: Entry,
        twin: Entry,
        at: usize,
        bodies: &mut Bodies<'i>,
    ) -> Result<(), Flaw> {
        let is_woven = rdata::is_woven(entry.rtype);
        for place in [entry.place, twin.place] {
            let is_right = (place & WOVEN != 0) == is_woven;
            demand(is_right, at, "the type has bodies of another kind")?;
        }
        if !is_woven {
            let lens = [entry.len, twin.len].map(usize::from);
            let is_same = entry.place == twin.place && lens[0] <= lens[1];
            demand(is_same, at, "signatures stand behind the records")?;
            return bodies.plain(self, entry.place, lens, entry.rtype, at);
        }
        bodies.woven(self, entry.place, Kind::Answer, at)?;
        match self.is_signed() && twin.place != entry.place {
            true => bodies.woven(self, twin.place, Kind::Answer, at),
            false => Ok(()),
        }
    }

    fn link(
        &self,
        entry: Entry,
        twin: Entry,
        at: usize,
        links: &mut Links,
        bodies: &mut Bodies<'i>,
    ) -> Result<(), Flaw> {
        const CUT: u16 = Link::Cut as u16;
        const WILDCARD: u16 = Link::Wildcard as u16;
        const REFERRAL: u16 = Link::Referral as u16;
        const TARGET: u16 = Link::Target as u16;
        const NSEC3: u16 = Link::Nsec3 as u16;
        match entry.len {
            CUT => links.cut = Some(entry.place),
            WILDCARD => links.wildcard = Some(entry.place),
            NSEC3 => links.nsec3 = Some(entry.place),
            REFERRAL => {
                links.referral = true;
                for place in [entry.place, twin.place] {
                    demand(place & WOVEN != 0, at, "a referral is woven")?;
                    bodies.woven(self, place, Kind::Referral, at)?;
                }
            }
            TARGET => {
                links.target = true;
                bodies.target(self, entry.place, at)?;
            }
            _ => return Err(Flaw::new(at, "the link is of an unknown kind")),
        }
        Ok(())
    }

    /// Flags, links and types say the same.
    fn consistent(&self, links: &Links, types: &Types) -> Result<(), Flaw> {
        let (at, has) = (self.at + 5, |flag| self.flags.any(flag));
        let one = |what: &[bool]| what.iter().filter(|is| **is).count() <= 1;
        let places = [NodeFlags::APEX, NodeFlags::CUT, NodeFlags::OCCLUDED].map(has);
        let [apex, cut, occluded] = places;
        let is_one = one(&[apex, cut, occluded, self.is_hashed]);
        demand(is_one, at, "the flags contradict each other")?;
        let is_whole = !has(NodeFlags::VARIED);
        demand(is_whole, at, "the name has variants, which no file holds")?;
        demand(
            cut == links.referral,
            at,
            "a zone cut has a referral, and nothing else",
        )?;
        demand(
            occluded == links.cut.is_some(),
            at,
            "what is below a cut has a link to it",
        )?;
        let hidden = !occluded || !(types.any || links.wildcard.is_some());
        demand(hidden, at, "what is below a cut has no records")?;
        demand(
            !cut || !types.below,
            at,
            "a cut has the records of another zone",
        )?;
        let alias = has(NodeFlags::ALIAS) == types.alias;
        let redirect = has(NodeFlags::REDIRECT) == types.redirect;
        let target = links.target == (types.alias || types.redirect);
        demand(
            alias && redirect && target,
            at,
            "an alias has a record and a target",
        )?;
        let parent = has(NodeFlags::WILDCARD_PARENT);
        let wildcard = links.wildcard.is_some_and(|wildcard| wildcard != 0);
        demand(
            parent == wildcard,
            at,
            "the parent of a wildcard has a link to it",
        )?;
        let linked = links.wildcard.is_some() || links.nsec3.is_some() || links.target;
        let hashed = !self.is_hashed || !(types.unhashed || linked || !types.any);
        demand(hashed, at, "the owner of an NSEC3 record has nothing else")
    }
}

impl Types {
    fn add(&mut self, rtype: u16) {
        self.any = true;
        self.alias |= rtype == code::CNAME;
        self.redirect |= rtype == code::DNAME;
        self.below |= !matches!(rtype, code::DS | code::NSEC | code::RRSIG);
        self.unhashed |= !matches!(rtype, code::NSEC3 | code::RRSIG);
    }
}
