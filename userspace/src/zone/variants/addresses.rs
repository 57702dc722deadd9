//! Which addresses and variants a zone has that can be up or down.

use super::Variants;
use crate::name;
use crate::zone::records::Owner;
use crate::zone::rtype;
use std::net::IpAddr;

impl Variants {
    /// The addresses of a name in lowered wire form, of everybody's records and of all variants,
    /// each once.
    pub fn addresses_of(&self, name: &[u8]) -> Vec<IpAddr> {
        let members = self.range_of(name);
        let addresses = members.flat_map(|index| addresses(self.member(index).1));
        let mut addresses: Vec<IpAddr> = addresses.collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// Whether a name has this address.
    pub fn has_address(&self, address: IpAddr) -> bool {
        let mut members = (0..self.blocks.members.len()).map(|index| self.member(index).1);
        members.any(|owner| addresses(owner).any(|own| own == address))
    }

    /// Whether a name in lowered wire form has a variant for a region; `*` is any.
    pub fn has_variant(&self, name: &[u8], region: &str) -> bool {
        let mut blocks = self.range_of(name).filter_map(|index| self.member(index).0);
        blocks.any(|block| block.region_text() == region)
    }

    /// The members of a name.
    fn range_of(&self, name: &[u8]) -> std::ops::Range<usize> {
        let labels = name::strip_ancestor(name, self.none.origin());
        labels.map_or(0..0, |labels| self.blocks.members.range_of(labels))
    }
}

/// The addresses of an owner.
fn addresses(owner: Owner<'_>) -> impl Iterator<Item = IpAddr> {
    let rrsets = owner.rrsets().filter(|rrset| rrset.covered().is_none());
    rrsets.flat_map(|rrset| {
        let rtype = rrset.rtype();
        rrset.records().filter_map(move |data| address(rtype, data))
    })
}

/// The address that a record is.
pub(super) fn address(rtype: u16, data: &[u8]) -> Option<IpAddr> {
    match rtype {
        rtype::A => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
        rtype::AAAA => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
        _ => None,
    }
}
