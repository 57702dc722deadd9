//! Calls that fail for want of the kernel's memory, and sockets that take next to nothing.
//!
//! `net.ipv4.tcp_mem` is the whole machine's, so the errors come from strace, which puts them in
//! the place of the kernel's; `net.ipv4.tcp_wmem` and `tcp_rmem` are the namespace's.

use crate::others::Over;
use crate::stage::{HUGE_COUNT, Path, Stage, ask, huge, small};
use std::process::Command;
use tests::tcp::{Client, framed};

#[test]
fn accepting_pauses_when_the_kernel_has_no_memory_and_goes_on_later() {
    for error in ["ENOBUFS", "ENOMEM", "ENFILE"] {
        let faults = format!("inject=accept4:error={error}:when=5+7");
        let Some(stage) = traced("accept4", &faults) else {
            return;
        };
        // Idle connections make room: nobody's may stay.
        stage.while_others_ask(Over::Datagrams, || {
            (0..100).for_each(|network| ask(&mut stage.connect(network, 1), 1));
        });
        let stats = stage.await_open(0);
        assert!(
            stats.tcp("events.accept_exhausted") >= 10,
            "{error}: {stats}"
        );
        assert_eq!(stats.tcp("events.accept_errors"), 0, "{error}: {stats}");
        stage.server.stop();
    }
}

#[test]
fn a_connection_whose_call_fails_is_closed_and_counted_and_others_go_on() {
    for (calls, errors, counter) in [
        (
            "sendto,sendmsg,writev",
            ["ENOBUFS", "ENOMEM"],
            "closed.write_error",
        ),
        (
            "recvfrom,recvmsg,readv",
            ["ENOBUFS", "ENOMEM"],
            "closed.read_error",
        ),
        ("epoll_ctl", ["ENOSPC", "ENOMEM"], "closed.poll_error"),
    ] {
        for error in errors {
            let faults = format!("inject={calls}:error={error}:when=40+9");
            let Some(stage) = traced(calls, &faults) else {
                return;
            };
            let failed = stage.while_others_ask(Over::Datagrams, || {
                (0..200)
                    .filter(|&network| !is_answered(&stage, network))
                    .count()
            });
            let stats = stage.await_open(0);
            assert!(
                (5..100).contains(&failed),
                "{calls} {error}: {failed}: {stats}"
            );
            // Some fail behind their reply.
            let counted = stats.tcp(counter);
            assert!(counted >= failed as u64, "{calls} {error}: {stats}");
            stage.server.stop();
        }
    }
}

#[test]
fn sockets_with_tiny_buffers_carry_the_largest_replies() {
    let tiny = "echo 4096 4096 4096 > /proc/sys/net/ipv4/tcp_wmem && \
                echo 4096 4096 4096 > /proc/sys/net/ipv4/tcp_rmem && exec \"$@\"";
    let by = ["sh", "-c", tiny, "sh"];
    let Some(stage) = Stage::on(Path::Sockets, "", |launch| launch.by(&by)) else {
        return;
    };
    stage.while_others_ask(Over::All, || {
        let open = |network| {
            let mut client = stage.connect(network, 1);
            for id in 0..3 {
                client.send(&framed(&huge(id)));
            }
            client
        };
        let mut clients: Vec<Client> = (0..10).map(open).collect();
        for client in &mut clients {
            for _ in 0..3 {
                let reply = client.receive().expect("a reply");
                assert_eq!(reply[6..8], HUGE_COUNT.to_be_bytes());
            }
        }
    });
    let stats = stage.await_open(0);
    assert!(stats.tcp("events.blocked_sends") >= 30, "{stats}");
    stage.server.stop();
}

/// A server some of whose calls fail; none where the test may not, or cannot.
fn traced(calls: &str, faults: &str) -> Option<Stage> {
    let installed = Command::new("strace").arg("-V").output().is_ok();
    let promised = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(installed || !promised, "CI=true promises strace");
    if !installed {
        eprintln!("not run: there is no strace (the package of that name has it)");
        return None;
    }
    let trace = format!("trace={calls}");
    // The tracer steps aside (-D): the process is the server's own.
    let words = [
        "strace",
        "-D",
        "-f",
        "-qq",
        "-o",
        "strace.log",
        "-e",
        &trace,
        "-e",
        faults,
    ];
    Stage::on(Path::Sockets, "", |launch| launch.by(&words))
}

/// Whether a query on a connection of its own gets a reply, and not the connection's end.
fn is_answered(stage: &Stage, network: usize) -> bool {
    let mut client = stage.connect(network, 1);
    client.send(&framed(&small(1)));
    client.receive().is_ok()
}
