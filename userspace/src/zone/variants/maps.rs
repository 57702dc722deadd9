//! Blocks and the maps that they speak of, which the zone does not know.

use super::{Block, Variants};
use crate::geo::{Geo, GeoMap};
use crate::zone::error::Problems;
use crate::zone::rtype;

impl Variants {
    /// What is wrong with the variants under these maps: a line each, with its place.
    pub fn problems(&self, geo: &Geo) -> Vec<String> {
        let mut problems = Problems::default();
        for block in self.blocks.iter() {
            for problem in block.problems(geo) {
                problems.error(block.place.clone(), problem);
            }
        }
        for name in 0..self.name_count() {
            self.mixed(name, geo, &mut problems);
        }
        let Some(first) = self.blocks.iter().next() else {
            return Vec::new();
        };
        let list = problems.into_list(&first.place.file);
        list.iter().map(ToString::to_string).collect()
    }

    /// The numbers of the maps that the variants speak of, each as often as they do.
    pub fn maps_in(&self, geo: &Geo) -> impl Iterator<Item = usize> {
        self.blocks.iter().filter_map(|block| block.map_in(geo))
    }

    /// Complains of a type of a name that varies by two maps.
    fn mixed(&self, name: usize, geo: &Geo, problems: &mut Problems) {
        let mut seen: Vec<(u16, usize)> = Vec::new();
        for index in self.members_of(name) {
            let (Some(block), owner) = self.member(index) else {
                continue;
            };
            let Some(map) = block.map_in(geo) else {
                continue;
            };
            for rrset in owner.rrsets() {
                let rtype = rrset.rtype();
                if seen
                    .iter()
                    .any(|&(own, other)| own == rtype && other != map)
                {
                    let owner = crate::name::display(&owner.name()).to_string();
                    let what = rtype::display(rtype);
                    let message = format!("{owner} {what} varies by two maps");
                    problems.error(block.place.clone(), message);
                    return;
                }
                seen.push((rtype, map));
            }
        }
    }
}

impl Block {
    /// The number of its region's map: the first one unless it is named. `None`: there is no such
    /// map, or it is for any region.
    pub(crate) fn map_in(&self, geo: &Geo) -> Option<usize> {
        self.region.as_ref()?;
        match &self.map {
            Some(name) => geo.maps.iter().position(|map| map.name == *name),
            None => (!geo.maps.is_empty()).then_some(0),
        }
    }

    /// What is wrong with it under these maps.
    fn problems(&self, geo: &Geo) -> Vec<String> {
        if let Some(name) = &self.map
            && geo.map(name).is_none()
        {
            return vec![format!("there is no map `{name}`")];
        }
        let map = match (&self.region, self.map_in(geo)) {
            (None, _) => return Vec::new(),
            (Some(_), Some(map)) => &geo.maps[map],
            (Some(_), None) => {
                return vec!["there is no map: the configuration has no [geo.map.…]".into()];
            }
        };
        let named = self.region.iter().chain(&self.fallbacks);
        let unknown = named.filter(|region| map.region(region).is_none());
        unknown.map(|region| no_region(map, region)).collect()
    }
}

fn no_region(map: &GeoMap, region: &str) -> String {
    let regions: Vec<&str> = map.regions.iter().map(|region| &*region.name).collect();
    let (name, regions) = (&map.name, regions.join(", "));
    format!("the map `{name}` has no region `{region}`; it has {regions}")
}
