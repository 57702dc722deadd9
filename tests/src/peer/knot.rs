//! Knot DNS.

use super::Program;
use std::net::SocketAddr;

pub(super) const PROGRAM: Program = Program {
    command: &["knotd", "-c"],
    started: "server started",
    refused: "error:",
    configure,
};

fn configure(folder: &str, address: SocketAddr, origins: &[&str]) -> String {
    let (ip, port) = (address.ip(), address.port());
    let mut text = format!(
        r#"server:
    rundir: "{folder}"
    listen: {ip}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: 1232
log:
  - target: stderr
    any: info
database:
    storage: "{folder}"
template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    journal-content: none
zone:
"#
    );
    for (number, origin) in origins.iter().enumerate() {
        text += &format!("  - domain: \"{origin}\"\n    file: {number}.zone\n");
    }
    text
}
