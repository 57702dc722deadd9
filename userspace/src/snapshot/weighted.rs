//! How one of several variants for a region is chosen.

use serde::Deserialize;

/// How one of several variants for a region is chosen, each as often as its weight says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighted {
    /// Always the same for a client, on every server.
    #[default]
    Client,
    /// Any, with each query.
    Random,
}
