//! What the kernel program logs, among what the server does.

use crate::stage::{Stage, launch};
use tests::client::query;
use tests::netns::{Veth, privileged};
use tests::record::rtype;
use tests::server::EXAMPLE;

#[test]
fn the_kernel_program_says_so_much_and_then_it_is_counted() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let arguments = ["--io", "xdp", "--xdp-debug", "--config", "r.toml"];
    let toml = "[log]\nfilter = \"info,xdp=debug\"\nburst = 5\n";
    let launch = launch(&veth.server, &arguments).file("r.toml", toml);
    let server = launch.zone("example", EXAMPLE).start();
    let stage = Stage { server, veth };
    let [address, _] = stage.addresses();
    for _ in 0..20 {
        stage.ask(address, &query("www.example", rtype::A));
    }
    stage
        .server
        .await_stats(|stats| stats.total("log.rate_limited") >= 10);
    let said = stage.server.stop();
    let client = stage.veth.client.ipv4;
    assert!(said.contains(&format!(" DEBUG xdp {client} ")), "{said}");
    let of_program: Vec<&str> = said.lines().filter(|l| l.contains(" DEBUG xdp ")).collect();
    let left_out = of_program.iter().filter_map(|line| {
        let (before, _) = line.split_once(" messages like those before left out (")?;
        before.rsplit(' ').next()?.parse::<usize>().ok()
    });
    let (told, left_out) = (left_out.clone().count(), left_out.sum::<usize>());
    assert!(told >= 1 && of_program.len() - told >= 5, "{said}");
    assert!(of_program.len() - told + left_out >= 20, "{said}");
    // A second window has a second burst.
    assert!(of_program.len() - told <= 5 * (told + 1), "{said}");
}
