//! NSD.

use super::{IDLE_S, Site, words};

pub(super) fn configure(site: &Site<'_>) -> Vec<String> {
    let (folder, address) = (site.folder.display(), site.address);
    let tcp = site.tcp(|connections| {
        format!("  tcp-count: {connections}\n  tcp-timeout: {IDLE_S}\n  tcp-query-count: 0\n")
    });
    let mut text = format!(
        r#"server:
  server-count: 1
  ip-address: {address}@53
  username: ""
  zonesdir: "{folder}"
  xfrdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  zonelistfile: "{folder}/zones"
  xfrdfile: "{folder}/xfrd.state"
  database: ""
  minimal-responses: yes
{tcp}remote-control:
  control-enable: no
"#
    );
    text += &site
        .each_zone(|origin, file| format!("zone:\n  name: \"{origin}\"\n  zonefile: \"{file}\"\n"));
    words(&["nsd", "-d", "-c", &site.write("nsd.conf", &text)])
}
