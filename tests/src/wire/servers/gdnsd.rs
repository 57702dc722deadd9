//! gdnsd, which looks for its zones in a folder.

use super::{IDLE_S, Site, words};

pub(super) fn configure(site: &Site<'_>) -> Vec<String> {
    let (folder, address) = (site.folder.display(), site.address);
    let tcp = site.tcp(|connections| {
        format!("tcp_clients_per_thread => {connections}, tcp_timeout => {IDLE_S}, ")
    });
    let text = format!(
        "options => {{ listen => [ {address} ], udp_threads => 1, tcp_threads => 1, {tcp}\
         run_dir => {folder}/run, state_dir => {folder}/state }}\n"
    );
    site.write("config", &text);
    for name in ["run", "state"] {
        std::fs::create_dir(site.folder.join(name)).expect("a folder of one's own");
    }
    let zones = site.folder.join("zones");
    std::os::unix::fs::symlink(site.world.zones(), zones).expect("a folder of one's own");
    words(&["gdnsd", "-c", &folder.to_string(), "start"])
}
