//! What is answered beside the zones' data, to whom, and how much of it: as it is in force now.

use super::geo::weighted;
use crate::geo::Network;
use crate::server::resources::Resources;
use crate::snapshot::{Chaos, GuardLists};
use serde_json::{Value, json};

/// The names of class CH, in wire form.
const VERSION: &[u8] = b"\x07version\x04bind\0";
const HOSTNAME: &[u8] = b"\x08hostname\x04bind\0";
const ID: &[u8] = b"\x02id\x06server\0";

impl Resources {
    /// The policy in force.
    pub(super) fn policy_json(&self) -> Value {
        let policy = &self.policy;
        let lists = policy.guards.as_ref().map(|guards| guards.lists());
        let from = policy.client_subnet_from.as_deref();
        let tcp = &self.config.tcp;
        json!({
            "generation": self.generation,
            "udp_size_max": policy.udp_size_max,
            "nsid": text(&policy.nsid),
            "client_subnet": policy.client_subnet,
            "client_subnet_from": from.map(networks),
            "extended_errors": policy.extended_errors,
            "cookies": self.cookie_policy(),
            "weighted": weighted(policy.weighted),
            "chaos": chaos(&policy.chaos),
            "access": access(lists),
            "rate_limit": lists.and_then(rate_limit),
            "udp": self.config.udp,
            "tcp": tcp.enable,
            "tcp_connections_max": tcp.connections_max,
            "tcp_connections_per_network_max": tcp.connections_per_network_max,
            "tcp_query_size_max": tcp.query_size_max,
            "tcp_receive_timeout_ms": tcp.receive_timeout_ms,
            "tcp_keepalive_ms": tcp.keepalive_ms,
            "tcp_send_timeout_ms": tcp.send_timeout_ms,
        })
    }
}

fn networks(networks: &[Network]) -> Vec<String> {
    networks.iter().map(ToString::to_string).collect()
}

/// Text as it is, other bytes in hexadecimal digits behind `0x`, as the option takes them.
fn text(bytes: &[u8]) -> String {
    let is_printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    match std::str::from_utf8(bytes) {
        Ok(text) if is_printable && !text.starts_with("0x") => text.to_owned(),
        _ => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            format!("0x{}", digits.collect::<String>())
        }
    }
}

/// The texts that are told; null: REFUSED.
fn chaos(chaos: &Chaos) -> Value {
    let told = |name| {
        let text = chaos.text(name)?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    json!({ "version": told(VERSION), "hostname": told(HOSTNAME), "id": told(ID) })
}

fn access(lists: Option<&GuardLists>) -> Value {
    let lists = lists.cloned().unwrap_or_default();
    json!({
        "allow": networks(&lists.allow),
        "deny": networks(&lists.deny),
        "others_get": if lists.drop { "nothing" } else { "REFUSED" },
    })
}

fn rate_limit(lists: &GuardLists) -> Option<Value> {
    let limit = lists.rate.as_ref()?;
    Some(json!({
        "per_second": limit.per_second,
        "burst": limit.burst,
        "slip": limit.slip,
        "ipv4_prefix_len": limit.ipv4_prefix_len,
        "ipv6_prefix_len": limit.ipv6_prefix_len,
        "exempt": networks(&lists.exempt),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_told_as_the_option_would_take_it() {
        assert_eq!(text(b"fra1"), "fra1");
        assert_eq!(text(b""), "");
        assert_eq!(text(&[0, 255]), "0x00ff");
        assert_eq!(text(b"0x"), "0x3078");
    }

    #[test]
    fn what_is_not_configured_in_class_ch_is_null() {
        let told = chaos(&Chaos::new("", "ns1", ""));
        assert_eq!(told["hostname"], "ns1");
        assert!(told["version"].is_null() && told["id"].is_null());
    }
}
