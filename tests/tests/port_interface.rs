//! What is known of an interface in another network namespace than the mounted sysfs shows [root].

use ripples::sys::interface::Interface;
use tests::netns::{Veth, ip, privileged};

#[test]
fn an_interface_is_known_by_the_threads_own_namespace() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(3);
    let (name, interface) = (veth.server.namespace.name(), veth.server.interface);
    assert!(Interface::find(interface).is_err());
    ip(&format!("-n {name} link set {interface} mtu 3000"));
    let find = || {
        veth.server
            .namespace
            .run(|| Interface::find(interface).unwrap())
    };
    let found = find();
    assert_eq!(found.mac, [0x02, 0x53, 0, 0, 0, 1]);
    assert_eq!(
        (found.mtu, found.driver.as_str(), found.up),
        (3000, "veth", true)
    );
    assert_eq!((found.rx_queues, found.tx_queues), (3, 3));
    ip(&format!("-n {name} link set {interface} down"));
    assert!(!find().up);
}
