//! `[access]` and `[rate_limit]`: who is answered, and how much.

use super::ConfigError;
use super::networks::networks;
use crate::geo::Network;
use serde::Deserialize;

/// Who is answered, and how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardOptions {
    /// Networks that are answered; none: all that are not denied.
    pub allow: Vec<Network>,
    /// Networks that are not.
    pub deny: Vec<Network>,
    /// Whether who is not answered gets nothing at all, instead of REFUSED.
    pub drop: bool,
    /// What a network gets by UDP; none: as much as it asks.
    pub rate: Option<RateOptions>,
}

/// How many replies a network gets by UDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateOptions {
    /// Replies a second.
    pub per_second: u32,
    /// Replies at once.
    pub burst: u32,
    /// Every so many beyond are truncated ones; 0: none.
    pub slip: u8,
    /// Bits that a network's addresses share: IPv4, IPv6.
    pub prefix_lens: [u8; 2],
    /// Networks without a limit.
    pub exempt: Vec<Network>,
}

/// `[access]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Access {
    allow: Vec<String>,
    deny: Vec<String>,
    drop: bool,
}

/// `[rate_limit]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimit {
    per_second: Option<usize>,
    burst: Option<usize>,
    slip: Option<usize>,
    ipv4_prefix_len: Option<usize>,
    ipv6_prefix_len: Option<usize>,
    exempt: Vec<String>,
}

/// Checks both sections.
pub(super) fn check(access: &Access, rate: &RateLimit) -> Result<GuardOptions, ConfigError> {
    let allow = distinct("access.allow", &access.allow)?;
    let deny = distinct("access.deny", &access.deny)?;
    if let Some(both) = allow.iter().find(|network| deny.contains(network)) {
        let problem = format!("{both} is in access.deny too");
        return Err(ConfigError::option("access.allow", problem));
    }
    Ok(GuardOptions {
        allow,
        deny,
        drop: access.drop,
        rate: rate_options(rate)?,
    })
}

fn rate_options(rate: &RateLimit) -> Result<Option<RateOptions>, ConfigError> {
    let number = |name: &str, value: Option<usize>, range, default| {
        let number = super::ranged(&format!("rate_limit.{name}"), value, range, default)?;
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    };
    let per_second = number("per_second", rate.per_second, 0..=10_000_000, 0)?;
    let least = per_second as usize;
    let burst = number("burst", rate.burst, least..=100_000_000, 2 * least)?;
    let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    let options = RateOptions {
        per_second,
        burst,
        slip: small(number("slip", rate.slip, 0..=10, 2)?),
        prefix_lens: [
            small(number("ipv4_prefix_len", rate.ipv4_prefix_len, 8..=32, 24)?),
            small(number(
                "ipv6_prefix_len",
                rate.ipv6_prefix_len,
                16..=64,
                56,
            )?),
        ],
        exempt: distinct("rate_limit.exempt", &rate.exempt)?,
    };
    Ok((per_second > 0).then_some(options))
}

/// Networks, each once.
fn distinct(option: &str, texts: &[String]) -> Result<Vec<Network>, ConfigError> {
    let networks = networks(option, texts)?;
    let mut places = networks.iter().enumerate();
    match places.find(|(at, network)| networks[..*at].contains(network)) {
        Some((_, network)) => {
            let problem = format!("{network} is given twice");
            Err(ConfigError::option(option, problem))
        }
        None => Ok(networks),
    }
}
