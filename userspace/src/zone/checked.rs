//! Names whose addresses may be left out while they are down, by the zones that they belong to.

use crate::config::ZoneSource;
use crate::name;
use std::collections::{HashMap, HashSet};

/// Names in lowered wire form by the apex of the nearest zone above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedNames(HashMap<Vec<u8>, Vec<Vec<u8>>>);

impl CheckedNames {
    /// Of `names`, which zone of `sources` each belongs to.
    pub fn of(sources: &[ZoneSource], names: &[Vec<u8>]) -> Self {
        let mut by_apex: HashMap<Vec<u8>, Vec<Vec<u8>>> = HashMap::new();
        if names.is_empty() {
            return Self(by_apex);
        }
        let apexes: HashSet<&[u8]> = sources.iter().map(|source| &source.origin[..]).collect();
        for name in names {
            let mut above = std::iter::successors(Some(&name[..]), |name| name::parent(name));
            if let Some(apex) = above.find(|above| apexes.contains(above)) {
                by_apex.entry(apex.to_vec()).or_default().push(name.clone());
            }
        }
        Self(by_apex)
    }

    /// Those of the zone at `apex`.
    pub fn within(&self, apex: &[u8]) -> &[Vec<u8>] {
        self.0.get(apex).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_the_nearest_zone_above_it() {
        let source = |origin: &[u8]| ZoneSource {
            origin: origin.to_vec(),
            file: "z".into(),
        };
        let sources = [source(b"\x01a\0"), source(b"\x01b\x01a\0")];
        let names = [
            &b"\x01w\x01a\0"[..],
            b"\x01w\x01b\x01a\0",
            b"\x01b\x01a\0",
            b"\x01w\0",
        ];
        let names = names.map(<[u8]>::to_vec);
        let checked = CheckedNames::of(&sources, &names);
        assert_eq!(checked.within(b"\x01a\0"), &names[..1]);
        assert_eq!(checked.within(b"\x01b\x01a\0"), &names[1..3]);
        assert_eq!(checked.within(b"\0"), &[] as &[Vec<u8>]);
    }
}
