//! The configuration → what workers are told of it.

use super::secrets::Secrets;
use crate::config::{Answers, Config, GuardOptions, RateOptions};
use crate::geo::TreeTooLarge;
use crate::packet::cookie::{Cookies, Secret};
use crate::snapshot::{GuardLists, Guards, Policy, RateLimit};
use std::sync::Arc;

/// What is answered beside the zones' data; `drawn` are the secrets of cookies where none is
/// configured: clients keep theirs for as long as the server runs.
pub(in crate::server) fn policy(config: &Config, drawn: &Secrets) -> Result<Policy, TreeTooLarge> {
    let answers: &Answers = &config.answers;
    Ok(Policy {
        udp_size_max: config.udp_size_max,
        nsid: answers.nsid.clone().into(),
        client_subnet: answers.client_subnet,
        client_subnet_from: answers.client_subnet_from.clone(),
        weighted: answers.weighted,
        extended_errors: answers.extended_errors,
        cookies: cookies(answers, drawn),
        // RFC 7828 §3.1: units of 100 milliseconds.
        tcp_idle_100ms: u16::try_from(config.tcp.keepalive_ms / 100).unwrap_or(u16::MAX),
        chaos: answers.chaos.clone(),
        guards: guards(&config.guards, drawn.first)?,
    })
}

fn cookies(answers: &Answers, drawn: &Secrets) -> Option<Cookies> {
    let mut cookies = answers.cookies(drawn.current)?;
    if answers.cookie_secrets.is_empty() {
        cookies.others.extend(drawn.previous);
    }
    Some(cookies)
}

/// `random` is what nobody else knows.
fn guards(options: &GuardOptions, random: Secret) -> Result<Option<Arc<Guards>>, TreeTooLarge> {
    let limit = |rate: &RateOptions| {
        let [ipv4_prefix_len, ipv6_prefix_len] = rate.prefix_lens;
        RateLimit {
            per_second: rate.per_second,
            burst: rate.burst,
            slip: rate.slip,
            ipv4_prefix_len,
            ipv6_prefix_len,
            key: bytemuck::pod_read_unaligned(&random.0),
        }
    };
    let lists = GuardLists {
        allow: options.allow.clone(),
        deny: options.deny.clone(),
        drop: options.drop,
        rate: options.rate.as_ref().map(limit),
        exempt: options
            .rate
            .as_ref()
            .map(|rate| rate.exempt.clone())
            .unwrap_or_default(),
    };
    Ok(Guards::new(lists)?.map(Arc::new))
}
