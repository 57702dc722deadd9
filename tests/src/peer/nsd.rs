//! NSD.

use super::Program;
use std::net::SocketAddr;

pub(super) const PROGRAM: Program = Program {
    command: &["nsd", "-d", "-c"],
    started: "nsd started",
    refused: "error:",
    configure,
};

fn configure(folder: &str, address: SocketAddr, origins: &[&str]) -> String {
    let (ip, port) = (address.ip(), address.port());
    let mut text = format!(
        r#"server:
  ip-address: {ip}@{port}
  username: ""
  zonesdir: "{folder}"
  xfrdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  zonelistfile: "{folder}/zones"
  xfrdfile: ""
  database: ""
  server-count: 1
  ipv4-edns-size: 1232
  minimal-responses: no
  refuse-any: no
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"#
    );
    for (number, origin) in origins.iter().enumerate() {
        text += &format!("zone:\n  name: \"{origin}\"\n  zonefile: {number}.zone\n");
    }
    text
}
