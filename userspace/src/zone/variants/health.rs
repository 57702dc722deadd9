//! Which members and addresses are answered with while others are down.

use super::addresses::address;
use super::{Block, Variants};
use crate::name::NameBuf;
use crate::zone::compile::{CompileError, compile_hidden};
use crate::zone::image::{NodeRef, ZoneImage};
use crate::zone::records::{Kept, Owner, ZoneRecords};
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;

/// What clients get where all variants are down that they could get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllDown {
    /// What everybody gets.
    #[default]
    Fallback,
    /// The variants, as if all were up.
    AnswerAll,
}

/// What is known of the servers behind a zone's addresses.
pub trait Health {
    /// What is answered with where nothing is left.
    fn all_down(&self) -> AllDown {
        AllDown::default()
    }

    /// Whether the records of `owner`, a name in lowered wire form, within a block are answered
    /// with.
    fn is_usable(&self, owner: &[u8], block: &Block) -> bool;

    /// Whether an address of `owner` is answered with.
    fn is_up(&self, owner: &[u8], address: IpAddr) -> bool;
}

/// The members' nodes.
#[derive(Clone)]
pub(crate) struct Hidden {
    image: ZoneImage,
    /// Of each member: none where all is down, or where everybody gets what the zone has.
    places: Arc<[Option<NodeRef>]>,
    /// Of each member that has lost something, all of it, where that is answered with when nothing
    /// else is left.
    spares: Arc<[Option<NodeRef>]>,
}

impl Hidden {
    /// No members, of the zone at `origin`.
    pub(super) fn none(origin: &[u8]) -> Result<Self, CompileError> {
        let (image, _) = compile_hidden(&ZoneRecords::none(origin), [].into_iter())?;
        Ok(Self {
            image,
            places: Arc::new([]),
            spares: Arc::new([]),
        })
    }

    /// All nodes.
    pub(crate) fn image(&self) -> &ZoneImage {
        &self.image
    }

    /// The node of a member.
    pub(super) fn place(&self, member: usize) -> Option<NodeRef> {
        *self.places.get(member)?
    }

    /// The node of a member, if it has records of a type that may be answered with.
    pub(crate) fn find(&self, member: usize, rtype: u16) -> Option<NodeRef> {
        self.with_type(self.place(member)?, rtype)
    }

    /// The node of a member with records of a type, up or down, if that may be answered with.
    pub(crate) fn find_spare(&self, member: usize, rtype: u16) -> Option<NodeRef> {
        match self.spares.get(member).copied().flatten() {
            Some(spare) => self.with_type(spare, rtype),
            None => self.find(member, rtype),
        }
    }

    fn with_type(&self, place: NodeRef, rtype: u16) -> Option<NodeRef> {
        let node = self.image.node(place);
        let mut types = node.types();
        types.any(|own| own == rtype).then_some(place)
    }
}

/// What is left of a member.
enum Left<'v> {
    Nothing,
    All(Owner<'v>),
    Some(Kept),
}

impl Variants {
    /// Compiles what can be answered with; without `health` everything can.
    pub(crate) fn hidden(&self, health: Option<&dyn Health>) -> Result<Hidden, CompileError> {
        if health.is_none() && self.whole.places.len() == self.blocks.members.len() {
            return Ok(self.whole.clone());
        }
        let left: Vec<Left<'_>> = (0..self.blocks.members.len())
            .map(|index| self.left(index, health))
            .collect();
        let is_whole = left.iter().enumerate().all(|(index, left)| match left {
            Left::All(_) => true,
            Left::Nothing => self.member(index).0.is_none(),
            Left::Some(_) => false,
        });
        if is_whole && self.whole.places.len() == left.len() {
            return Ok(self.whole.clone());
        }
        let has_spares = health.is_some_and(|health| health.all_down() == AllDown::AnswerAll);
        let spare = |(index, left): (usize, &Left<'_>)| match (self.member(index), left) {
            ((Some(_), owner), Left::Nothing | Left::Some(_)) if has_spares => Some(owner),
            _ => None,
        };
        let spares: Vec<Option<Owner<'_>>> = left.iter().enumerate().map(spare).collect();
        let owners = left.iter().filter_map(Left::owner);
        let owners = owners.chain(spares.iter().flatten().copied());
        let (image, compiled) = compile_hidden(&self.none, owners)?;
        let mut compiled = compiled.into_iter();
        let places = left
            .iter()
            .map(|left| left.owner().and_then(|_| compiled.next()));
        let places = places.collect();
        let spares = spares
            .iter()
            .map(|spare| spare.and_then(|_| compiled.next()));
        Ok(Hidden {
            places,
            spares: spares.collect(),
            image,
        })
    }

    /// What of a member can be answered with.
    fn left(&self, index: usize, health: Option<&dyn Health>) -> Left<'_> {
        let (block, owner) = self.member(index);
        let Some(health) = health else {
            return match block {
                Some(_) => Left::All(owner),
                None => Left::Nothing,
            };
        };
        let name = owner.name();
        match block {
            Some(block) if !health.is_usable(&name, block) => Left::Nothing,
            Some(_) => Left::filtered(owner, &name, health),
            None => Left::everybody(owner, &name, health),
        }
    }
}

impl<'v> Left<'v> {
    fn owner(&self) -> Option<Owner<'_>> {
        match self {
            Self::Nothing => None,
            Self::All(owner) => Some(*owner),
            Self::Some(kept) => Some(kept.owner()),
        }
    }

    /// A member without the addresses that are down.
    fn filtered(owner: Owner<'v>, name: &NameBuf, health: &dyn Health) -> Self {
        let is_up = |rtype, data: &[u8]| is_up(name, health, rtype, data);
        if records(&owner).all(|(rtype, data)| is_up(rtype, data)) {
            return Self::All(owner);
        }
        let kept = Kept::of(&owner, |rtype, data| {
            let of_type = || records(&owner).filter(|(own, _)| *own == rtype);
            let is_left = of_type().any(|(rtype, data)| is_up(rtype, data));
            // Signatures are those of the whole RRset.
            is_left && (is_signed(&owner, rtype) || is_up(rtype, data))
        });
        match kept.owner().rrsets().len() {
            0 => Self::Nothing,
            _ => Self::Some(kept),
        }
    }

    /// What everybody gets, where it is not what the zone has: if all is down, all is as good as
    /// any.
    fn everybody(owner: Owner<'v>, name: &NameBuf, health: &dyn Health) -> Self {
        match Self::filtered(owner, name, health) {
            Self::Some(kept) => Self::Some(kept),
            Self::Nothing | Self::All(_) => Self::Nothing,
        }
    }
}

/// An owner's records with their types; signatures are none of them.
fn records<'o>(owner: &Owner<'o>) -> impl Iterator<Item = (u16, &'o [u8])> + use<'o> {
    let rrsets = owner.rrsets().filter(|rrset| rrset.covered().is_none());
    rrsets.flat_map(|rrset| rrset.records().map(move |data| (rrset.rtype(), data)))
}

fn is_signed(owner: &Owner<'_>, rtype: u16) -> bool {
    owner.rrsets().any(|rrset| rrset.covered() == Some(rtype))
}

/// Whether a record is no address that is down. Of a signature, the type that it covers is told.
fn is_up(name: &NameBuf, health: &dyn Health, rtype: u16, data: &[u8]) -> bool {
    address(rtype, data).is_none_or(|address| health.is_up(name, address))
}
