//! The regions of a map, and their fallbacks.

use super::map::{Map, option_of};
use super::{ConfigError, RegionOptions};
use std::collections::BTreeSet;

/// The regions of a map while it is checked: the default, then the others by their names.
pub(super) struct Regions(Vec<RegionOptions>);

impl Regions {
    /// Every region that a rule leads to.
    pub(super) fn of(name: &str, map: &Map) -> Result<Self, ConfigError> {
        let tables = [
            ("network", &map.network),
            ("asn", &map.asn),
            ("subdivision", &map.subdivision),
            ("country", &map.country),
            ("continent", &map.continent),
        ];
        let by_rule = tables
            .iter()
            .flat_map(|(key, table)| table.values().map(move |region| (*key, region)));
        let by_place = map.nearest.keys().map(|region| ("nearest", region));
        let mut names = BTreeSet::new();
        check_word(&option_of(name, "default"), &map.default)?;
        for (key, region) in by_rule.chain(by_place) {
            check_word(&option_of(name, key), region)?;
            names.insert(region);
        }
        names.remove(&map.default);
        // With the default, numbers of 16 bits.
        if names.len() > usize::from(u16::MAX) {
            let problem = format!("{} regions are more than 65536", names.len() + 1);
            return Err(ConfigError::option(option_of(name, ""), problem));
        }
        let regions = std::iter::once(&map.default).chain(names);
        let regions = regions.map(|region| RegionOptions {
            name: region.clone(),
            fallbacks: Vec::new(),
        });
        Ok(Self(regions.collect()))
    }

    /// All of them, by number.
    pub(super) fn all(self) -> Vec<RegionOptions> {
        self.0
    }

    fn find(&self, name: &str) -> Option<u16> {
        let (default, others) = self.0.split_first()?;
        if default.name == name {
            return Some(0);
        }
        let at = others.binary_search_by(|region| (*region.name).cmp(name));
        u16::try_from(at.ok()? + 1).ok()
    }

    /// The number of a region that a rule leads to.
    pub(super) fn number(&self, name: &str) -> u16 {
        self.find(name).unwrap_or(0)
    }

    /// Reads which regions stand in for which.
    pub(super) fn add_fallbacks(&mut self, name: &str, map: &Map) -> Result<(), ConfigError> {
        let refuse = |problem| ConfigError::option(option_of(name, "fallback"), problem);
        let known = |region: &String| {
            self.find(region)
                .ok_or_else(|| refuse(format!("no rule and no default leads to {region:?}")))
        };
        let mut checked = Vec::new();
        for (region, texts) in &map.fallback {
            let at = known(region)?;
            let mut fallbacks = Vec::new();
            for text in texts {
                let fallback = known(text)?;
                if fallback == at || fallbacks.contains(&fallback) {
                    let problem = match fallback == at {
                        true => format!("{region} is its own"),
                        false => format!("{region} has {text} twice"),
                    };
                    return Err(refuse(problem));
                }
                fallbacks.push(fallback);
            }
            checked.push((at, fallbacks));
        }
        for (at, fallbacks) in checked {
            if let Some(region) = self.0.get_mut(usize::from(at)) {
                region.fallbacks = fallbacks;
            }
        }
        Ok(())
    }
}

/// Names of maps and regions stand in zone files, between other words.
pub(super) fn check_word(option: &str, word: &str) -> Result<(), ConfigError> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=63).contains(&word.len()) && word.bytes().all(is_part) {
        return Ok(());
    }
    let problem = format!("{word:?} is no name of 1–63 letters, digits, '-', '_' and '.'");
    Err(ConfigError::option(option, problem))
}
