//! Lists of networks.

use super::ConfigError;
use crate::geo::Network;

/// Networks as in `192.0.2.0/24`.
pub(super) fn networks(option: &str, texts: &[String]) -> Result<Vec<Network>, ConfigError> {
    texts.iter().map(|text| network(option, text)).collect()
}

/// One of them.
pub(super) fn network(option: &str, text: &str) -> Result<Network, ConfigError> {
    text.parse()
        .map_err(|problem| ConfigError::option(option, format!("{text:?} {problem}")))
}
