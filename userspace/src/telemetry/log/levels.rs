//! Levels that change while the server runs.

/// From silence to all there is.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A filter with some levels changed.
pub(super) fn adjusted(filter: &str, levels: &str) -> Result<String, String> {
    let mut directives: Vec<&str> = filter.split(',').filter(|text| !text.is_empty()).collect();
    for given in levels.split(',').map(str::trim) {
        let (target, level) = match given.rsplit_once('=') {
            Some((target, level)) => (Some(target), level),
            None => (None, given),
        };
        // A word alone would be taken for a target, at its most talkative.
        if target == Some("") || !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            let levels = LEVELS.join(", ");
            return Err(format!(
                "{given:?} is neither LEVEL nor TARGET=LEVEL; levels: {levels}"
            ));
        }
        directives.retain(|own| own.rsplit_once('=').map(|(own, _)| own) != target);
        directives.push(given);
    }
    let filter = directives.join(",");
    super::check(&filter).map(|()| filter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::parse;

    #[test]
    fn one_level_changes_and_the_others_stay() {
        let changed = |levels| adjusted("ripples::health=debug,info", levels).unwrap();
        assert_eq!(changed("warn"), "ripples::health=debug,warn");
        assert_eq!(changed("ripples::health=off"), "info,ripples::health=off");
        let both = changed("ripples::tcp=trace, error");
        assert_eq!(both, "ripples::health=debug,ripples::tcp=trace,error");
        // The filter itself takes the last of two.
        let filter = parse(&both).unwrap().to_string();
        assert_eq!(filter.matches("trace").count(), 1);
    }

    #[test]
    fn what_is_no_level_changes_nothing() {
        for bad in ["", "inof", "=debug", "ripples=", "ripples=loud", "debug,x"] {
            let error = adjusted("info", bad).unwrap_err();
            assert!(
                error.contains("is neither LEVEL nor TARGET=LEVEL"),
                "{error}"
            );
        }
    }
}
