//! BIND.

use super::{Site, words};

pub(super) fn configure(site: &Site<'_>) -> Vec<String> {
    let (folder, address) = (site.folder.display(), site.address);
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
}};
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
