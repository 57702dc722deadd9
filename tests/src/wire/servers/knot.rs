//! Knot DNS.

use super::{IDLE_S, Site, words};

pub(super) fn udp(site: &Site<'_>) -> Vec<String> {
    start(site, "")
}

pub(super) fn xdp(site: &Site<'_>) -> Vec<String> {
    start(site, &format!("xdp:\n    listen: {}\n", site.interface))
}

fn start(site: &Site<'_>, xdp: &str) -> Vec<String> {
    let (folder, address) = (site.folder.display(), site.address);
    let tcp = site.tcp(|connections| {
        format!("    tcp-max-clients: {connections}\n    tcp-idle-timeout: {IDLE_S}\n")
    });
    let mut text = format!(
        r#"server:
    rundir: "{folder}"
    listen: {address}@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
{tcp}{xdp}log:
  - target: stderr
    any: warning
database:
    storage: "{folder}"
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
"#
    );
    text +=
        &site.each_zone(|origin, file| format!("  - domain: \"{origin}\"\n    file: \"{file}\"\n"));
    words(&["knotd", "-c", &site.write("knot.conf", &text)])
}
