//! BIND.

use super::{IDLE_S, Site, words};

pub(super) fn configure(site: &Site<'_>) -> Vec<String> {
    let (folder, address) = (site.folder.display(), site.address);
    let tcp = site.tcp(|connections| {
        // In tenths of a second.
        let idle = IDLE_S * 10;
        format!(
            "    tcp-clients {connections};\n    tcp-listen-queue 4096;\n    \
             tcp-initial-timeout {idle};\n    tcp-idle-timeout {idle};\n"
        )
    });
    let mut text = format!(
        r#"options {{
    directory "{folder}";
    managed-keys-directory "{folder}";
    pid-file none;
    session-keyfile none;
    listen-on {{ {address}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    dnssec-validation no;
    empty-zones-enable no;
    minimal-responses yes;
{tcp}}};
controls {{ }};
logging {{ category default {{ null; }}; }};
"#
    );
    text += &site.each_zone(|origin, file| {
        format!("zone \"{origin}\" {{ type primary; file \"{file}\"; }};\n")
    });
    words(&[
        "named",
        "-f",
        "-n",
        "1",
        "-c",
        &site.write("named.conf", &text),
    ])
}
