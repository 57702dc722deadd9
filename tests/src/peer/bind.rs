//! BIND.

use super::Program;
use std::net::SocketAddr;

pub(super) const PROGRAM: Program = Program {
    command: &["named", "-g", "-n", "1", "-c"],
    started: " running\n",
    refused: "not loaded due to errors",
    configure,
};

fn configure(folder: &str, address: SocketAddr, origins: &[&str]) -> String {
    let (ip, port) = (address.ip(), address.port());
    // Checks are off: what a zone may be is tested elsewhere.
    let mut text = format!(
        r#"options {{
    directory "{folder}";
    pid-file none;
    session-keyfile none;
    listen-on port {port} {{ {ip}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    dnssec-validation no;
    empty-zones-enable no;
    minimal-responses no-auth;
    minimal-any no;
    zero-no-soa-ttl no;
    answer-cookie no;
    edns-udp-size 1232;
    max-udp-size 1232;
    nocookie-udp-size 1232;
    max-records-per-type 0;
    max-types-per-name 0;
    check-names primary ignore;
    check-dup-records ignore;
    check-mx ignore;
    check-mx-cname ignore;
    check-srv-cname ignore;
    check-integrity no;
    check-sibling no;
    check-wildcard no;
}};
controls {{ }};
"#
    );
    for (number, origin) in origins.iter().enumerate() {
        text += &format!("zone \"{origin}\" {{ type primary; file \"{number}.zone\"; }};\n");
    }
    text
}
