//! Which zones there are: those of the configuration, and those of the watched folder.

use super::folder;
use crate::config::{Config, ZoneSource};
use std::collections::HashSet;

/// The zones of the configuration and, behind them, those of its folder that it does not have
/// itself. With them comes what is wrong with the folder; when that cannot be read, only this.
pub(in crate::server) fn sources(config: &Config) -> (Option<Vec<ZoneSource>>, Vec<String>) {
    let mut zones = config.zones.clone();
    let Some(folder) = &config.zones_dir else {
        return (Some(zones), Vec::new());
    };
    match folder::list(folder) {
        Ok((found, complaints)) => {
            let known: HashSet<&[u8]> = zones.iter().map(|zone| &zone.origin[..]).collect();
            let is_new = |zone: &ZoneSource| !known.contains(&zone.origin[..]);
            let new: Vec<ZoneSource> = found.into_iter().filter(is_new).collect();
            zones.extend(new);
            (Some(zones), complaints)
        }
        Err(error) => {
            let line = format!("zones_dir: {}: {error}", folder.display());
            (None, vec![line])
        }
    }
}
