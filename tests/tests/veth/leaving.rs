//! How a server leaves: told to, killed, or because the interface is gone.

use crate::stage::{INTERFACE, Stage, attached, ip};
use std::time::{Duration, Instant};
use tests::client::{self, query};
use tests::netns::{Veth, privileged};
use tests::record::rtype;
use tests::server::PATIENCE;

#[test]
fn a_stop_under_load_succeeds_and_detaches() {
    let Some(stage) = Stage::new(&[]) else { return };
    let (address, query) = (stage.addresses()[0], query("www.example", rtype::A));
    let Stage { server, veth } = stage;
    let answered = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let work = || client::load(address, &query, 20_000, Duration::from_secs(1));
            veth.client.namespace.run(work)
        });
        server.await_stats(|stats| stats.total("answers") > 1_000);
        let log = server.stop();
        assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
        load.join().unwrap()
    });
    assert!(!attached(&veth.server));
    assert!(answered.received > 1_000, "{}", answered.received);
    assert_eq!(answered.replies.len(), 1, "every answer is whole");
}

#[test]
fn nothing_stays_attached_after_a_kill_and_a_restart_works() {
    let Some(stage) = Stage::new(&[]) else { return };
    let query = query("www.example", rtype::A);
    stage.ask(stage.addresses()[0], &query);
    assert!(stage.attached());
    let veth = stage.kill();
    // The kernel frees what a process held in its own time.
    let deadline = Instant::now() + PATIENCE;
    while attached(&veth.server) {
        assert!(
            Instant::now() < deadline,
            "the program outlived its process"
        );
    }
    let stage = Stage::on(veth, &["--io", "xdp"]);
    stage.ask(stage.addresses()[0], &query);
    stage.await_answers(1, 0);
    stage.server.stop();
}

#[test]
fn an_interface_that_goes_away_is_noticed_costs_nothing_and_is_taken_again_when_it_is_back() {
    let Some(mut stage) = stage("auto") else {
        return;
    };
    let query = query("www.example", rtype::A);
    stage.ask(stage.addresses()[0], &query);
    let name = stage.veth.client.namespace.name().to_owned();
    let server = &stage.veth.server;
    ip(server, &format!("link set {INTERFACE} netns {name}"));
    stage.server.await_log("server0 is gone");
    let status = stage.server.ctl(&["status"]).stdout;
    assert!(status.contains("server0: gone"), "{status}");
    let used = stage.server.processor_time_of(Duration::from_secs(1));
    assert!(used < Duration::from_millis(250), "{used:?} of a second");
    stage.await_answers(1, 0);

    let (server, client) = (&stage.veth.server, &stage.veth.client);
    let back = format!("link set {INTERFACE} netns {}", server.namespace.name());
    ip(client, &back);
    server.bring_up(client);
    stage
        .server
        .await_log("server0 is back: server0: AF_XDP, native, copy mode, 2 queues");
    stage.ask(stage.addresses()[0], &query);
    // What was counted before is not forgotten.
    stage.await_answers(2, 0);
    let status = stage.server.ctl(&["status"]).stdout;
    assert!(status.contains("server0: AF_XDP, native"), "{status}");
    stage.server.stop();
}

#[test]
fn without_its_interface_a_server_that_is_to_have_af_xdp_ends_and_says_why() {
    let Some(stage) = stage("xdp") else { return };
    ip(&stage.veth.server, &format!("link delete {INTERFACE}"));
    let ended = stage.server.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("ripples: server0 is gone, and with it AF_XDP"),
        "{last}"
    );
}

/// A server that comes by its frames in this way.
fn stage(io: &str) -> Option<Stage> {
    privileged().then(|| Stage::on(Veth::new(2), &["--io", io]))
}
