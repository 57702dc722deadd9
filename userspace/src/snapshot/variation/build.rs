//! Members, maps and health → flat arrays.

use super::{Pick, VariantSet, Variation};
use crate::geo::{Geo, GeoMap};
use crate::zone::compile::CompileError;
use crate::zone::image::NodeRef;
use crate::zone::rtype;
use crate::zone::variants::{Block, Health, Hidden, Variants};
use std::ops::Range;

impl Variation {
    /// Decides what each region gets; without `health` all members can be answered with. A block of
    /// a region that no map has is nobody's.
    pub fn new(
        variants: &Variants,
        geo: &Geo,
        health: Option<&dyn Health>,
    ) -> Result<Self, CompileError> {
        let hidden = variants.hidden(health)?;
        let mut builder = Builder {
            variants,
            geo,
            hidden: &hidden,
            names: Vec::new(),
            sets: Vec::new(),
            regions: Vec::new(),
            choices: Vec::new(),
            picks: Vec::new(),
        };
        for name in 0..variants.name_count() {
            builder.name(variants.members_of(name))?;
        }
        builder.names.push(narrow(builder.sets.len())?);
        builder.choices.push(narrow(builder.picks.len())?);
        Ok(Self {
            names: builder.names.into(),
            sets: builder.sets.into(),
            regions: builder.regions.into(),
            choices: builder.choices.into(),
            picks: builder.picks.into(),
            image: hidden.image().clone(),
        })
    }
}

/// The arrays as far as they are filled.
struct Builder<'v> {
    variants: &'v Variants,
    geo: &'v Geo,
    hidden: &'v Hidden,
    names: Vec<u32>,
    sets: Vec<VariantSet>,
    regions: Vec<u32>,
    choices: Vec<u32>,
    picks: Vec<Pick>,
}

/// A member with records of a type.
struct Candidate<'v> {
    block: &'v Block,
    /// Number of its region; none: any.
    region: Option<u16>,
    /// None: it is down.
    node: Option<NodeRef>,
    /// The same where what is down may be answered with.
    spare: Option<NodeRef>,
}

impl<'v> Builder<'v> {
    /// Adds the sets of a name with these members, that of everybody first.
    fn name(&mut self, members: Range<usize>) -> Result<(), CompileError> {
        self.names.push(narrow(self.sets.len())?);
        let (_, everybody) = self.variants.member(members.start);
        let mut last = rtype::RRSIG;
        for rrset in everybody.rrsets() {
            let rtype = rrset.rtype();
            if rtype != rtype::RRSIG && rtype != last {
                self.set(rtype, everybody.name().as_ref(), members.clone())?;
            }
            last = rtype;
        }
        Ok(())
    }

    /// Adds the variants of a type.
    fn set(&mut self, rtype: u16, name: &[u8], members: Range<usize>) -> Result<(), CompileError> {
        let map = members.clone().find_map(|at| {
            let (block, owner) = self.variants.member(at);
            let block = block.filter(|_| owner.rrset(rtype).is_some());
            block?.map_in(self.geo)
        });
        let candidates = self.candidates(rtype, members.clone(), map);
        let everybody = Pick {
            weight_end: 1,
            node: self.hidden.find(members.start, rtype),
        };
        let map_of = map.map(|map| &self.geo.maps[map]);
        let region_count = map_of.map_or(1, |map| map.regions.len());
        let (regions_at, first_choice) = (narrow(self.regions.len())?, self.choices.len());
        for region in 0..region_count {
            let region = u16::try_from(region).unwrap_or(u16::MAX);
            let picks = picks(&candidates, region, map_of, everybody);
            let choice = self.choice(first_choice, &picks)?;
            self.regions.push(choice);
        }
        self.sets.push(VariantSet {
            rtype,
            map: map.and_then(|map| u16::try_from(map).ok()),
            regions_at,
            region_count: u16::try_from(region_count).unwrap_or(u16::MAX),
            salt: salt(name, rtype),
        });
        Ok(())
    }

    /// The members with records of a type.
    fn candidates(
        &self,
        rtype: u16,
        members: Range<usize>,
        map: Option<usize>,
    ) -> Vec<Candidate<'v>> {
        let map = map.map(|map| &self.geo.maps[map]);
        let candidate = |at: usize| {
            let (block, owner) = self.variants.member(at);
            let block = block.filter(|_| owner.rrset(rtype).is_some())?;
            let region = match &block.region {
                Some(name) => Some(map?.region(name)?),
                None => None,
            };
            Some(Candidate {
                block,
                region,
                node: self.hidden.find(at, rtype),
                spare: self.hidden.find_spare(at, rtype),
            })
        };
        members.filter_map(candidate).collect()
    }

    /// The number of a choice, of which regions of a set that have the same share one.
    fn choice(&mut self, first: usize, picks: &[Pick]) -> Result<u32, CompileError> {
        let ends = self.choices[first..].iter().skip(1);
        let ends = ends.map(|end| *end as usize).chain([self.picks.len()]);
        let mut known = self.choices[first..].iter().zip(ends);
        let known = known.position(|(&start, end)| self.picks[start as usize..end] == *picks);
        if let Some(known) = known {
            return narrow(first + known);
        }
        self.choices.push(narrow(self.picks.len())?);
        self.picks.extend_from_slice(picks);
        narrow(self.choices.len() - 1)
    }
}

/// What clients of a region choose from: its own members, else those of the regions that stand in
/// for it, else those of any region; if all are down, the same with those that may be answered with
/// nevertheless, else what everybody gets.
fn picks(
    candidates: &[Candidate<'_>],
    region: u16,
    map: Option<&GeoMap>,
    everybody: Pick,
) -> Vec<Pick> {
    let stand_ins = fallbacks(candidates, region, map);
    let stand_ins = stand_ins.into_iter().map(Some);
    let order: Vec<Option<u16>> = [Some(region)].into_iter().chain(stand_ins).collect();
    let first = |node: fn(&Candidate<'_>) -> Option<NodeRef>| {
        let regions = order.iter().copied().chain([None]);
        let mut picks = regions.map(|region| of_region(candidates, region, node));
        picks.find(|picks| !picks.is_empty())
    };
    first(|candidate| candidate.node)
        .or_else(|| first(|candidate| candidate.spare))
        .unwrap_or_else(|| vec![everybody])
}

/// The regions that stand in for one: those that its own members name, else those that the map
/// does.
fn fallbacks(candidates: &[Candidate<'_>], region: u16, map: Option<&GeoMap>) -> Vec<u16> {
    let Some(map) = map else {
        return Vec::new();
    };
    let own = candidates
        .iter()
        .filter(|candidate| candidate.region == Some(region));
    let named = own.flat_map(|candidate| &candidate.block.fallbacks);
    let named: Vec<u16> = named.filter_map(|name| map.region(name)).collect();
    match named.is_empty() {
        true => map.regions[usize::from(region)].fallbacks.to_vec(),
        false => named,
    }
}

/// The members of a region that have a node, their weights added up.
fn of_region(
    candidates: &[Candidate<'_>],
    region: Option<u16>,
    node: fn(&Candidate<'_>) -> Option<NodeRef>,
) -> Vec<Pick> {
    let mut weight_end = 0;
    let own = candidates
        .iter()
        .filter(|candidate| candidate.region == region);
    let picks = own.filter_map(|candidate| {
        let node = Some(node(candidate)?);
        weight_end += candidate.block.weight;
        Some(Pick { weight_end, node })
    });
    picks.collect()
}

/// A number for a name and type that is the same on every server (FNV-1a).
fn salt(name: &[u8], rtype: u16) -> u64 {
    let octets = name.iter().copied().chain(rtype.to_be_bytes());
    octets.fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn narrow(count: usize) -> Result<u32, CompileError> {
    u32::try_from(count).map_err(|_| CompileError::zone("the zone has too many variants"))
}
