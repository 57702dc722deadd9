//! The zones that are served: where each comes from, and what came of reading it.

use super::progress;
use super::reading::{CALM, Scope};
use super::stamp::Stamps;
use super::zone::{Zone, problems};
use crate::config::ZoneSource;
use crate::geo::Geo;
use crate::name;
use crate::sys::cpu;
use crate::zone::checked::CheckedNames;
use crate::zone::load::{Apexes, Loaded, load_some};
use crate::zone::progress::{Effort, Progress};
use crate::zone::served::ServedZone;
use std::collections::HashMap;
use std::time::SystemTime;

/// The maps that variants may speak of.
#[derive(Clone, Copy)]
pub(super) struct Maps<'g> {
    /// Those in force.
    pub(super) geo: &'g Geo,
    /// Those that wait until all zones can do with them.
    pub(super) next: Option<&'g Geo>,
}

/// What came of looking at the zones.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
    /// Zones that are served anew.
    pub(super) loaded: usize,
    /// Zones that could not be read.
    pub(super) failed: usize,
    /// Zones that are served no more.
    pub(super) removed: usize,
    /// Whether the order of the zones is another one, or there are others.
    pub(super) rearranged: bool,
    /// Whether they are served by the maps that waited.
    pub(super) takes_next: bool,
    /// Whether somebody seems to be writing a file still.
    pub(super) is_moving: bool,
    /// The first lines of what is wrong.
    pub(super) problems: Vec<String>,
}

/// So many zones are named in the log, beyond that only counted.
pub(super) const ZONES_LOGGED: usize = 100;

/// All zones, in the order of the configuration.
#[derive(Default)]
pub(super) struct ZoneTable {
    zones: Vec<Zone>,
}

impl ZoneTable {
    /// The zones.
    pub(super) fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The zones that are served.
    pub(super) fn served(&self) -> impl Iterator<Item = &ServedZone> {
        self.zones.iter().filter_map(|zone| zone.zone.as_ref())
    }

    /// Where variants of zones that are served do not fit these maps.
    pub(super) fn problems_with(&self, geo: &Geo) -> Vec<String> {
        self.served().flat_map(|zone| problems(zone, geo)).collect()
    }

    /// The files that the zones are read from.
    pub(super) fn files(&self) -> impl Iterator<Item = &std::path::Path> {
        let own = self.zones.iter().map(|zone| zone.source.file.as_path());
        let read = self.zones.iter().flat_map(|zone| zone.stamps.paths());
        own.chain(read)
    }

    /// Makes the table one of `sources`, and reads what `scope` says; with other maps than before,
    /// zones that failed too. Maps that wait are taken if all zones can do with them. A zone that
    /// fails, or speaks of what the maps do not have, keeps what it had.
    /// The addresses of `names` may be left out while they are down.
    pub(super) fn update(
        &mut self,
        sources: Vec<ZoneSource>,
        scope: &Scope,
        maps: Maps<'_>,
        are_maps_new: bool,
        names: &[Vec<u8>],
    ) -> Update {
        let mut update = self.rearrange(sources);
        let sources: Vec<ZoneSource> = self.zones.iter().map(|zone| zone.source.clone()).collect();
        let apexes = Apexes::of(&sources);
        let checked = CheckedNames::of(&sources, names);
        let mut wanted = Vec::new();
        for (place, zone) in self.zones.iter().enumerate() {
            let is_retried = are_maps_new && !zone.problems.is_empty();
            let origin = &zone.source.origin;
            let (below, within) = (apexes.below(origin), checked.within(origin));
            if !is_retried && !zone.is_wanted(scope, below, within) {
                continue;
            }
            if *scope == Scope::Changed && zone.stamps.are_moving(CALM) {
                update.is_moving = true;
                continue;
            }
            wanted.push(place);
        }
        let started = SystemTime::now();
        let stamps: Vec<Stamps> = wanted
            .iter()
            .map(|&place| Stamps::before(&sources[place].file))
            .collect();
        let all = load(&sources, &wanted, &checked);
        let next = maps.next.filter(|next| self.all_fit(next, &wanted, &all));
        update.takes_next = next.is_some();
        let geo = next.unwrap_or(maps.geo);
        for ((place, mut stamps), loaded) in wanted.into_iter().zip(stamps).zip(all) {
            let zone = &mut self.zones[place];
            stamps.add_read(&loaded.files, started);
            let origin = &sources[place].origin;
            zone.note_read(stamps, apexes.below(origin), checked.within(origin));
            zone.take(loaded, geo, &mut update);
        }
        update
    }

    /// Whether these maps have all that zones speak of, once those at `places` are as `loaded`.
    fn all_fit(&self, geo: &Geo, places: &[usize], loaded: &[Loaded]) -> bool {
        let loaded = places.iter().zip(loaded);
        let sound =
            loaded.filter_map(|(place, loaded)| Some((*place, loaded.image.as_ref().ok()?)));
        let new: HashMap<usize, &ServedZone> = sound.collect();
        let zones = self.zones.iter().enumerate();
        let mut zones = zones.filter_map(|(place, zone)| match new.get(&place) {
            Some(new) => Some(*new),
            None => zone.zone.as_ref(),
        });
        zones.all(|zone| problems(zone, geo).is_empty())
    }

    /// Keeps what the zones of `sources` have, and drops the others.
    fn rearrange(&mut self, sources: Vec<ZoneSource>) -> Update {
        let is_same = self.zones.len() == sources.len()
            && self.zones.iter().map(|zone| &zone.source).eq(&sources);
        if is_same {
            return Update::default();
        }
        let old = std::mem::take(&mut self.zones).into_iter();
        let mut old: HashMap<Vec<u8>, Zone> =
            old.map(|zone| (zone.source.origin.clone(), zone)).collect();
        let had_zones = !old.is_empty();
        for source in sources {
            let mut zone = old
                .remove(&source.origin)
                .unwrap_or_else(|| Zone::new(source.clone()));
            if zone.source.file != source.file {
                zone.stamps = Stamps::default();
                zone.source = source;
            }
            self.zones.push(zone);
        }
        for zone in old.values().take(ZONES_LOGGED) {
            let origin = name::display(&zone.source.origin);
            tracing::info!(zone = %origin, "zone removed");
        }
        Update {
            removed: old.len(),
            rearranged: had_zones,
            ..Update::default()
        }
    }
}

/// Loads the zones at `places` on all CPUs.
pub(in crate::server) fn load(
    sources: &[ZoneSource],
    places: &[usize],
    checked: &CheckedNames,
) -> Vec<Loaded> {
    if places.is_empty() {
        return Vec::new();
    }
    let threads = cpu::allowed().map_or(1, |cpus| cpus.len());
    let progress = &Progress::none();
    let effort = Effort { threads, progress };
    progress::shown(progress, || load_some(sources, places, checked, effort))
}

/// Loads all zones on all CPUs.
pub(in crate::server) fn load_all(sources: &[ZoneSource]) -> Vec<Loaded> {
    let places: Vec<usize> = (0..sources.len()).collect();
    load(sources, &places, &CheckedNames::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::wait;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    fn text(serial: u32, rest: &str) -> String {
        format!("$TTL 60\n@ SOA ns. hm. {serial} 1 1 1 1\n@ NS ns.\n{rest}")
    }

    /// A folder with zones in it, and the table of them.
    struct Place {
        folder: PathBuf,
        table: ZoneTable,
        names: Vec<&'static str>,
    }

    impl Place {
        fn new(test: &str, names: &[&'static str]) -> Self {
            let id = std::process::id();
            let folder = std::env::temp_dir().join(format!("ripples-zones-{test}-{id}"));
            fs::create_dir_all(&folder).unwrap();
            let place = Self {
                folder,
                table: ZoneTable::default(),
                names: names.to_vec(),
            };
            names
                .iter()
                .for_each(|name| place.write(name, &text(1, "")));
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            Path::new(&self.folder).join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let draft = self.path("draft");
            fs::write(&draft, text).unwrap();
            fs::rename(draft, self.path(name)).unwrap();
        }

        fn update(&mut self, scope: &Scope) -> (usize, usize, usize) {
            let source = |name: &&str| ZoneSource {
                origin: crate::name::NameBuf::from_text(name.as_bytes(), b"\0")
                    .unwrap()
                    .to_vec(),
                file: self.path(name),
            };
            let sources = self.names.iter().map(source).collect();
            let update = {
                let maps = Maps {
                    geo: &Geo::default(),
                    next: None,
                };
                self.table.update(sources, scope, maps, false, &[])
            };
            (update.loaded, update.failed, update.removed)
        }

        fn serials(&self) -> Vec<u32> {
            self.table.served().map(|zone| zone.serial()).collect()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn only_what_changed_is_read_again_and_the_rest_is_shared() {
        let mut place = Place::new("changed", &["a", "b", "c"]);
        assert_eq!(place.update(&Scope::All), (3, 0, 0));
        assert_eq!(place.update(&Scope::All), (0, 0, 0));
        let bytes = |place: &Place| -> Vec<*const u8> {
            place
                .table
                .served()
                .map(|image| image.bytes().as_ptr())
                .collect()
        };
        let before = bytes(&place);
        place.write("b", &text(2, ""));
        assert_eq!(place.update(&Scope::All), (1, 0, 0));
        let after = bytes(&place);
        assert_eq!((before[0], before[2]), (after[0], after[2]));
        assert_ne!(before[1], after[1]);
        assert_eq!(place.serials(), [1, 2, 1]);
        assert_eq!(place.update(&Scope::Zone(b"\x01a\0".to_vec())), (1, 0, 0));
    }

    #[test]
    fn a_file_that_fails_keeps_the_old_zone_and_is_tried_again_when_somebody_asks() {
        let mut place = Place::new("fails", &["a", "b"]);
        place.update(&Scope::All);
        place.write("a", "nonsense");
        assert_eq!(place.update(&Scope::All), (0, 1, 0));
        assert_eq!(place.serials(), [1, 1]);
        let problems = &place.table.zones()[0].problems;
        assert!(problems[0].contains("a:1:"), "{problems:?}");
        assert_eq!(place.update(&Scope::Changed), (0, 0, 0));
        assert_eq!(place.update(&Scope::All), (0, 1, 0));
        place.write("a", &text(3, ""));
        wait::pause(CALM);
        assert_eq!(place.update(&Scope::Changed), (1, 0, 0));
        assert_eq!(place.serials(), [3, 1]);
        assert!(place.table.zones()[0].problems.is_empty());
    }

    #[test]
    fn a_file_that_somebody_writes_is_left_alone_until_it_is_still() {
        let mut place = Place::new("moving", &["a"]);
        place.update(&Scope::All);
        place.write("a", &text(2, ""));
        assert_eq!(place.update(&Scope::Changed), (0, 0, 0));
        wait::pause(CALM);
        assert_eq!(place.update(&Scope::Changed), (1, 0, 0));
    }

    #[test]
    fn zones_come_and_go_and_whoever_is_above_them_is_compiled_anew() {
        let mut place = Place::new("nested", &["org", "a.org", "b"]);
        place.names = vec!["org", "b"];
        assert_eq!(place.update(&Scope::All), (2, 0, 0));
        place.names = vec!["org", "a.org", "b"];
        assert_eq!(place.update(&Scope::All), (2, 0, 0), "org and a.org");
        place.names = vec!["a.org", "b"];
        assert_eq!(place.update(&Scope::All), (0, 0, 1));
        assert_eq!(place.serials(), [1, 1]);
    }

    #[test]
    fn a_change_in_an_included_file_is_a_change() {
        let mut place = Place::new("include", &["a"]);
        let part = place.path("part");
        fs::write(&part, "www A 192.0.2.1\n").unwrap();
        place.write("a", &text(1, "$INCLUDE part\n"));
        wait::pause(Duration::from_millis(50));
        assert_eq!(place.update(&Scope::All), (1, 0, 0));
        assert_eq!(place.update(&Scope::All), (0, 0, 0));
        fs::write(&part, "www A 192.0.2.2\n").unwrap();
        assert_eq!(place.update(&Scope::All), (1, 0, 0));
        fs::write(&part, "www A 192.0.2.256\n").unwrap();
        assert_eq!(place.update(&Scope::All), (0, 1, 0));
        fs::write(&part, "www A 192.0.2.3\n").unwrap();
        wait::pause(CALM);
        assert_eq!(place.update(&Scope::Changed), (1, 0, 0));
    }
}
