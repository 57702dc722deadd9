//! Ripples, and its reflector.

use super::{IDLE_S, Site, words};
use crate::binary::binary;
use crate::wire::worlds::Size;

pub(super) fn xdp(site: &Site<'_>) -> Vec<String> {
    run(site, &["--io", "xdp", "--interface", site.interface])
}

pub(super) fn socket(site: &Site<'_>) -> Vec<String> {
    run(site, &["--io", "socket", "--workers", "1"])
}

pub(super) fn reflector(site: &Site<'_>) -> Vec<String> {
    let mut line = start(site);
    line.extend(words(&[
        "--reflect",
        "--io",
        "xdp",
        "--interface",
        site.interface,
    ]));
    line
}

fn run(site: &Site<'_>, how: &[&str]) -> Vec<String> {
    let mut line = start(site);
    line.extend(words(how));
    let mut text = site.tcp(|connections| {
        let idle_ms = IDLE_S * 1000;
        format!(
            "[tcp]\nconnections_per_network_max = {connections}\n\
             receive_timeout_ms = {idle_ms}\nkeepalive_ms = {idle_ms}\n"
        )
    });
    match site.world.size {
        Size::Many => {
            text += &site.each_zone(|origin, file| {
                format!("[[zone]]\norigin = \"{origin}\"\nfile = \"{file}\"\n")
            });
        }
        _ => line.extend(words(&[
            "--zone",
            &site.each_zone(|o, f| format!("{o}={f}")),
        ])),
    }
    if !text.is_empty() {
        line.extend(words(&["--config", &site.write("ripples.toml", &text)]));
    }
    line.extend(site.ripples.iter().cloned());
    line
}

/// What all have in common.
fn start(site: &Site<'_>) -> Vec<String> {
    let (program, cpu) = (binary().display().to_string(), site.cpu.to_string());
    let (address, control) = (format!("{}:53", site.address), site.path("control.sock"));
    let mut line = words(&[&program, "run", "--listen", &address, "--cpus", &cpu]);
    line.extend(words(&["--control", &control]));
    line
}
