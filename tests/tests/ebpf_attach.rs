//! The kernel program on an interface: who may attach, what stays, what real frames meet [root].

use common::{FilterConfig, Verdict};
use ripples::bpf::{AttachMode, BpfError, Filter};
use ripples::sys::interface::Interface;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Duration;
use tests::netns::{End, Veth, ip, privileged};
use tests::redirect::{Attach, Redirect};

#[test]
fn a_second_program_does_not_displace_the_first() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let interface = veth.server.interface;
    veth.server.namespace.run(|| {
        let mut first = load();
        first.attach(interface, AttachMode::Native).unwrap();
        for mode in [AttachMode::Native, AttachMode::Generic] {
            let error = load().attach(interface, mode).unwrap_err();
            assert!(
                matches!(error, BpfError::Occupied { .. }),
                "{mode}: {error}"
            );
            assert!(error.to_string().contains(interface), "{error}");
            assert!(!error.suggests_generic());
        }
        assert!(has_program(&veth.server));
        first.detach();
        assert!(!has_program(&veth.server));
        load().attach(interface, AttachMode::Generic).unwrap();
    });
}

#[test]
fn somebody_elses_program_is_not_displaced_either() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let interface = veth.server.interface;
    veth.server.namespace.run(|| {
        let index = Interface::find(interface).unwrap().index;
        let _other = Redirect::attach(index, Attach::Generic).unwrap();
        for mode in [AttachMode::Native, AttachMode::Generic] {
            let error = load().attach(interface, mode).unwrap_err();
            assert!(
                matches!(error, BpfError::Occupied { .. }),
                "{mode}: {error}"
            );
        }
    });
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    if !privileged() {
        return;
    }
    let error = load()
        .attach("ripples-none", AttachMode::Native)
        .unwrap_err();
    assert!(matches!(error, BpfError::NoInterface { .. }), "{error}");
    assert!(error.to_string().contains("ripples-none"), "{error}");
}

#[test]
fn a_driver_without_native_mode_suggests_generic_mode_which_works() {
    if !privileged() {
        return;
    }
    // The loopback of a namespace of our own.
    Veth::new(1).server.namespace.run(|| {
        let mut filter = load();
        let error = filter.attach("lo", AttachMode::Native).unwrap_err();
        assert!(error.suggests_generic(), "{error}");
        assert!(
            error
                .to_string()
                .contains("lo does not run the XDP program"),
            "{error}"
        );
        filter.attach("lo", AttachMode::Generic).unwrap();
    });
}

#[test]
fn an_mtu_beyond_native_mode_suggests_generic_mode() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    veth.server.namespace.run(|| {
        let interface = veth.server.interface;
        for end in [&veth.server, &veth.client] {
            ip(&format!(
                "-n {} link set {} mtu 9000",
                end.namespace.name(),
                end.interface
            ));
        }
        let error = load().attach(interface, AttachMode::Native).unwrap_err();
        assert!(error.suggests_generic(), "{error}");
        load().attach(interface, AttachMode::Generic).unwrap();
    });
}

#[test]
fn the_program_is_gone_when_its_process_is_killed() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let mut holder = veth
        .server
        .namespace
        .command(env!("CARGO_BIN_EXE_attach_filter"))
        .arg(veth.server.interface)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "attached\n");
    assert!(has_program(&veth.server));
    // SIGKILL; `wait` returns when the kernel has closed everything.
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(!has_program(&veth.server));
}

#[test]
fn linux_gets_what_has_no_socket_and_what_is_not_ours() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let ours = (veth.server.ipv4, 53);
    let other = (veth.server.ipv4, 54);
    veth.server.namespace.run(|| {
        let mut filter = Filter::load(&FilterConfig::new(&[ours.into()]).unwrap(), false).unwrap();
        filter
            .attach(veth.server.interface, AttachMode::Native)
            .unwrap();
        for (endpoint, verdict) in [(ours, Verdict::NoSocket), (other, Verdict::OtherPort)] {
            let receiver = UdpSocket::bind(endpoint).unwrap();
            receiver
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            veth.client.namespace.run(|| {
                let sender = UdpSocket::bind((veth.client.ipv4, 0)).unwrap();
                sender.send_to(b"query", endpoint).unwrap();
            });
            let mut message = [0; 16];
            assert_eq!(receiver.recv(&mut message).unwrap(), 5);
            let counts = filter.verdict_counts().unwrap();
            assert_eq!(counts[verdict.index() as usize], 1, "{}", verdict.name());
            assert_eq!(counts[Verdict::Redirect.index() as usize], 0);
        }
    });
}

fn load() -> Filter {
    Filter::load(&FilterConfig::EMPTY, false).expect("the program loads")
}

/// Whether any XDP program is attached, as `ip` sees it.
fn has_program(end: &End) -> bool {
    let name = end.namespace.name();
    let show = ["-n", name, "link", "show", "dev", end.interface];
    let shown = Command::new("ip").args(show).output().expect("ip runs");
    assert!(shown.status.success());
    String::from_utf8_lossy(&shown.stdout).contains("prog/xdp")
}
