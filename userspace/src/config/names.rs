//! Lists of names.

use super::ConfigError;
use crate::name;

/// Names from text, in lowered wire form.
pub(super) fn names(option: &str, texts: &[String]) -> Result<Vec<Vec<u8>>, ConfigError> {
    let names = texts.iter().map(|text| {
        name::lowered_from_text(text)
            .map_err(|error| ConfigError::option(option, format!("{text:?} is no name: {error}")))
    });
    names.collect()
}
