//! `ripples check`: everything that a start would read.

use super::health::read_marks;
use super::sources;
use super::zone::placed;
use super::zones::load_all;
use crate::config::Config;
use crate::geo;

/// `ripples check`: loads zones, maps and marks, and prints what is wrong with them. False when
/// there are errors.
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
    let marks = config.health.marks.as_deref();
    let marks = marks.map_or(Vec::new(), |path| {
        read_marks(path).err().unwrap_or_default()
    });
    marks.iter().for_each(|line| print(line));
    let (zones, complaints) = sources(config);
    complaints.iter().for_each(|line| print(line));
    let mut sound = complaints.is_empty() && geo.is_ok() && marks.is_empty();
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
