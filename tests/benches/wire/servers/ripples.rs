//! Ripples, and its reflector.

use super::{Site, words};
use crate::worlds::Size;
use tests::binary::binary;

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
    match site.world.size {
        Size::Many => {
            let text = site.each_zone(|origin, file| {
                format!("[[zone]]\norigin = \"{origin}\"\nfile = \"{file}\"\n")
            });
            line.extend(words(&["--config", &site.write("ripples.toml", &text)]));
        }
        _ => line.extend(words(&[
            "--zone",
            &site.each_zone(|o, f| format!("{o}={f}")),
        ])),
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
