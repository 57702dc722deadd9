//! PowerDNS with its BIND backend: zones in master files.

use super::{IDLE_S, Site, words};

pub(super) fn configure(site: &Site<'_>) -> Vec<String> {
    let zones = site.each_zone(|origin, file| {
        format!("zone \"{origin}\" {{ type master; file \"{file}\"; }};\n")
    });
    let (folder, address) = (site.folder.display(), site.address);
    let zones = site.write("zones.conf", &zones);
    let tcp = site.tcp(|connections| {
        format!(
            "max-tcp-connections={connections}\ntcp-idle-timeout={IDLE_S}\n\
             max-tcp-transactions-per-conn=0\nmax-tcp-connection-duration=0\n"
        )
    });
    let text = format!(
        r#"launch=bind
bind-config={zones}
local-address={address}
receiver-threads=1
distributor-threads=1
socket-dir={folder}
daemon=no
guardian=no
loglevel=3
security-poll-suffix=
{tcp}"#
    );
    site.write("pdns.conf", &text);
    words(&["pdns_server", &format!("--config-dir={folder}")])
}
