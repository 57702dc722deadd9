//! The loopback takes replies from AF_XDP only where Linux was told to let them in.

use crate::config::Config;
use crate::sys::interface::Interface;
use anyhow::{Result, bail};
use std::fs;
use std::net::SocketAddr;

/// Settings without which an IPv4 packet is dropped as forged that has a local source address and
/// was not routed to the loopback, as AF_XDP's are not (net/ipv4/route.c, `ip_route_input_slow`;
/// net/ipv4/fib_frontend.c, `__fib_validate_source`).
const SETTINGS: [&str; 2] = ["accept_local", "route_localnet"];

/// An error where `interface` is a loopback whose clients would not get their replies.
pub(super) fn check(interface: &Interface, config: &Config) -> Result<()> {
    let name = &interface.name;
    let ipv4 = config.listen.iter().any(SocketAddr::is_ipv4);
    if !interface.loopback || !ipv4 || SETTINGS.iter().all(|setting| is_set(name, setting)) {
        return Ok(());
    }
    let words = SETTINGS.map(|setting| format!("net.ipv4.conf.{name}.{setting}=1"));
    bail!(
        "Linux drops AF_XDP's IPv4 replies on the loopback: `sysctl {}` lets them in, and kernel \
         sockets (--io socket) do without",
        words.join(" ")
    )
}

/// Whether a setting holds for the interface: by itself or for all.
fn is_set(interface: &str, setting: &str) -> bool {
    ["all", interface].iter().any(|scope| {
        let path = format!("/proc/sys/net/ipv4/conf/{scope}/{setting}");
        fs::read_to_string(path).is_ok_and(|value| value.trim() == "1")
    })
}
