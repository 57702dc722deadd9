//! How a server leaves: told to, killed, or because the interface is gone.

use crate::stage::{INTERFACE, Stage, attached, ip};
use std::time::{Duration, Instant};
use tests::client::{self, query};
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
fn an_interface_that_goes_away_is_noticed_and_costs_nothing() {
    let Some(mut stage) = Stage::new(&[]) else {
        return;
    };
    stage.ask(stage.addresses()[0], &query("www.example", rtype::A));
    ip(&stage.veth.server, &format!("link delete {INTERFACE}"));
    stage.server.await_log("server0 is gone");
    let status = stage.server.ctl(&["status"]).stdout;
    assert!(status.contains("server0: gone"), "{status}");
    let used = stage.server.processor_time_of(Duration::from_secs(1));
    assert!(used < Duration::from_millis(250), "{used:?} of a second");
    stage.await_answers(1, 0);
    stage.server.stop();
}
