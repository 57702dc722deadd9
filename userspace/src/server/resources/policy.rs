//! The configuration → what workers are told of it.

use crate::config::{Answers, Config};
use crate::packet::cookie::Secret;
use crate::snapshot::Policy;

/// What is answered beside the zones' data; `random` is the secret of cookies where none is
/// configured: clients keep theirs for as long as the server runs.
pub(super) fn policy(config: &Config, random: Secret) -> Policy {
    let answers: &Answers = &config.answers;
    Policy {
        udp_size_max: config.udp_size_max,
        nsid: answers.nsid.clone().into(),
        client_subnet: answers.client_subnet,
        client_subnet_from: answers.client_subnet_from.clone(),
        weighted: answers.weighted,
        extended_errors: answers.extended_errors,
        cookies: answers.cookies(random),
        // RFC 7828 §3.1: units of 100 milliseconds.
        tcp_idle_100ms: u16::try_from(config.tcp.keepalive_ms / 100).unwrap_or(u16::MAX),
        chaos: answers.chaos.clone(),
    }
}
