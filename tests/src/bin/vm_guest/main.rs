//! Runs in the virtual machine of `cargo xtask vm`: tries the server on its interfaces, and says
//! how each scenario went, a line each on standard output.

mod bond;
mod cable;
mod check;
mod events;
mod generator;
mod load;
mod modes;
mod next_hop;
mod queues;
mod virtio;

use cable::Cable;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::any::Any;
use std::fs;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

/// A scenario: its figures, and a panic where something is wrong.
type Scenario = fn(&Cable) -> String;

/// What is tried, by name. Which machine each needs is said in `xtask/src/vm/scenario.rs`.
const SCENARIOS: &[(&str, Scenario)] = &[
    ("igb-zero-copy-2", modes::zero_copy_2),
    ("igb-zero-copy-8", modes::zero_copy_8),
    ("igb-copy-2", modes::copy_2),
    ("igb-copy-8", modes::copy_8),
    ("igb-generic-2", modes::generic_2),
    ("igb-generic-8", modes::generic_8),
    ("igb-pktgen-drop", generator::dropped),
    ("igb-pktgen-reflect", generator::reflected),
    ("igb-link", events::link),
    ("igb-rings", events::rings),
    ("igb-negotiation", events::negotiation),
    ("igb-mtu", events::mtu),
    ("igb-channels", events::channels),
    ("igb-kill", events::kill),
    ("igb-unbind", events::unbind),
    ("igb-unbind-forced", events::unbind_forced),
    ("igb-check", check::advice),
    ("igb-bond", bond::members),
    ("igb-next-hop", next_hop::followed),
    ("igb-old-refused", modes::zero_copy_refused),
    ("igb-old-fallback", modes::zero_copy_fallback),
    ("igb-old-check", check::old),
    ("virtio-added", virtio::added),
    ("virtio-advice", virtio::advice),
    ("virtio-generic", virtio::generic),
];

/// How the kernel's command line names what is wanted.
const WANTED: &str = "ripples.scenarios=";

fn main() -> io::Result<()> {
    let mut output = io::stdout();
    let options = fs::read_to_string("/proc/cmdline")?;
    let wanted = options
        .split_whitespace()
        .find_map(|word| word.strip_prefix(WANTED));
    await_timers()?;
    let cable = Cable::new();
    // Whoever boots the machine gives up one that does not come so far.
    writeln!(output, "BOOTED")?;
    for name in wanted.unwrap_or_default().split(',') {
        eprintln!("--- {name}");
        let (word, figures) = match attempt(name, &cable) {
            Ok(figures) => ("PASS", figures),
            Err(problem) => ("FAIL", problem),
        };
        let figures = figures.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(output, "SCENARIO {name} {word} {figures}")?;
        eprintln!("--- {name} {word} {figures}");
    }
    writeln!(output, "DONE")?;
    output.flush()
}

/// Sleeps on each CPU: an emulated one may have come up without its timer, and whatever waits there
/// would wait for ever.
fn await_timers() -> io::Result<()> {
    let this = Pid::from_raw(0);
    let all = sched_getaffinity(this)?;
    for cpu in (0..CpuSet::count()).filter(|&cpu| all.is_set(cpu).unwrap_or(false)) {
        let mut one = CpuSet::new();
        one.set(cpu)?;
        sched_setaffinity(this, &one)?;
        std::thread::park_timeout(Duration::from_millis(20));
    }
    sched_setaffinity(this, &all)?;
    Ok(())
}

/// Runs a scenario; an error says what is wrong.
fn attempt(name: &str, cable: &Cable) -> Result<String, String> {
    let (_, scenario) = SCENARIOS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| "the guest does not know it".to_owned())?;
    panic::catch_unwind(AssertUnwindSafe(|| scenario(cable))).map_err(message)
}

/// What a panic said.
fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    // The server's whole log may be part of it; the console has that.
    let text = text.unwrap_or_else(|| "it panicked".to_owned());
    text.chars().take(400).collect()
}
