//! A map's rules: what databases say → a region.

use super::place::{Field, Place};
use crate::config::MapOptions;
use crate::geo::Coordinates;

/// What a database's word on one field comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Said {
    /// It does not know.
    #[default]
    Nothing,
    /// It knows, and there is no rule about that.
    Other,
    /// There is a rule, and this is its region.
    Region(u16),
}

/// What a database's record comes to, by field.
pub(super) type Verdict = [Said; Field::ALL.len()];

/// A map's rules.
pub(super) struct Rules<'o> {
    pub(super) map: &'o MapOptions,
}

impl<'o> Rules<'o> {
    pub(super) fn new(map: &'o MapOptions) -> Self {
        Self { map }
    }

    /// Whether there is a rule about this.
    pub(super) fn asks_for(&self, field: Field) -> bool {
        match field {
            Field::Asn => !self.map.asns.is_empty(),
            Field::Subdivision => !self.map.subdivisions.is_empty(),
            Field::Country => !self.map.countries.is_empty(),
            Field::Continent => !self.map.continents.is_empty(),
            Field::Coordinates => !self.map.nearest.is_empty(),
        }
    }

    /// What the rules say to a place, field by field.
    pub(super) fn verdict(&self, place: &Place) -> Verdict {
        Field::ALL.map(
            |field| match (place.knows(field), self.region(field, place)) {
                (_, Some(region)) => Said::Region(region),
                (true, None) => Said::Other,
                (false, None) => Said::Nothing,
            },
        )
    }

    /// The region, and which field of which database decided; none: it is the default. Of two
    /// databases that know a field, only the first is heard.
    pub(super) fn decide(&self, verdicts: &[Verdict]) -> (u16, Option<(Field, usize)>) {
        for (at, field) in Field::ALL.into_iter().enumerate() {
            let known =
                |verdict: &Verdict| verdict.get(at).is_some_and(|said| *said != Said::Nothing);
            if let Some(database) = verdicts.iter().position(known)
                && let Some(Said::Region(region)) = verdicts[database].get(at)
            {
                return (*region, Some((field, database)));
            }
        }
        (0, None)
    }

    /// The region that is nearest to a place; of several the one whose name comes first.
    pub(super) fn nearest(&self, from: Coordinates) -> Option<(u16, f64)> {
        let distances = self
            .map
            .nearest
            .iter()
            .map(|(region, to)| (*region, from.distance_km(to)));
        distances.min_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// The region of the rule about a field of a place.
    fn region(&self, field: Field, place: &Place) -> Option<u16> {
        let map = self.map;
        let code = |code: &Option<String>| code.clone();
        let found = match field {
            Field::Asn => map.asns.get(&place.asn?),
            // The smallest part knows best.
            Field::Subdivision => {
                let codes = place.subdivisions.iter().rev();
                codes.filter_map(|code| map.subdivisions.get(code)).next()
            }
            Field::Country => map.countries.get(&code(&place.country)?),
            Field::Continent => map.continents.get(&code(&place.continent)?),
            Field::Coordinates => return Some(self.nearest(place.coordinates?)?.0),
        };
        found.copied()
    }
}
