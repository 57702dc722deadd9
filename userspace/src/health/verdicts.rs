//! What is answered with and what is not, as it was decided at a time.

use crate::zone::variants::{AllDown, Block, Health};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

/// Marks and failed checks, ready to be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Addresses that are marked.
    pub(super) addresses: HashMap<IpAddr, bool>,
    /// Names whose variants are marked, by region.
    pub(super) variants: HashMap<Vec<u8>, HashMap<String, bool>>,
    /// Addresses that a check of the name has found down.
    pub(super) failed: HashMap<Vec<u8>, HashSet<IpAddr>>,
    pub(super) all_down: AllDown,
}

impl Verdicts {
    /// What takes things out of answers; none: nothing does.
    pub fn health(&self) -> Option<&dyn Health> {
        (self.down_count() > 0).then_some(self as &dyn Health)
    }

    /// How many addresses and variants are down.
    pub fn down_count(&self) -> usize {
        let marked = self.addresses.iter().filter(|(_, is_up)| !**is_up);
        let marked = marked.map(|(address, _)| address);
        let failed = self.failed.values().flatten();
        let failed = failed.filter(|address| !self.addresses.contains_key(*address));
        let addresses: BTreeSet<&IpAddr> = marked.chain(failed).collect();
        let variants = self.variants.values().flat_map(HashMap::values);
        addresses.len() + variants.filter(|is_up| !**is_up).count()
    }
}

impl Health for Verdicts {
    fn all_down(&self) -> AllDown {
        self.all_down
    }

    fn is_usable(&self, owner: &[u8], block: &Block) -> bool {
        let regions = self.variants.get(owner);
        let mark = regions.and_then(|regions| regions.get(block.region_text()));
        mark.copied().unwrap_or(true)
    }

    fn is_up(&self, owner: &[u8], address: IpAddr) -> bool {
        let mark = self.addresses.get(&address).copied();
        mark.unwrap_or_else(|| {
            let failed = self.failed.get(owner);
            failed.is_none_or(|failed| !failed.contains(&address))
        })
    }
}
