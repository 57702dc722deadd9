//! `ripples check`: everything that a start would read.

use super::sources;
use super::zones::{load_all, placed};
use crate::config::Config;
use crate::geo;

/// `ripples check`: loads zones and maps, and prints what is wrong with them. False when there
/// are errors.
pub(in crate::server) fn check(config: &Config, mut print: impl FnMut(&str)) -> bool {
    let geo = match geo::load(&config.geo) {
        Ok(loaded) => {
            loaded.warnings.iter().for_each(|warning| print(warning));
            Ok(loaded.geo)
        }
        Err(errors) => {
            errors.iter().for_each(|error| print(error));
            Err(())
        }
    };
    let (zones, complaints) = sources(config);
    complaints.iter().for_each(|line| print(line));
    let mut sound = complaints.is_empty() && geo.is_ok();
    for loaded in load_all(&zones.unwrap_or_default()) {
        loaded.warnings.iter().for_each(|warning| print(warning));
        // Without the maps nobody knows which regions there are.
        let placed = loaded.image.and_then(|zone| match &geo {
            Ok(geo) => placed(zone, geo),
            Err(()) => Ok(zone),
        });
        if let Err(errors) = placed {
            sound = false;
            errors.iter().for_each(|error| print(error));
        }
    }
    sound
}
