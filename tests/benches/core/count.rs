//! Instructions per packet, counted by callgrind: the same in every run, however busy the machine.

use super::cases::{CASES, Case, World};
use super::{FRAMES, VECTOR};
use ripples::port::MemPort;
use ripples::telemetry::Tally;
use ripples::vectorloop::Turn;
use std::process::Command;

/// The word by which the benchmark calls itself under valgrind.
pub(crate) const COMMAND: &str = "count";
/// Turns of the two runs: what both do beside turns falls out of their difference.
const TURNS: [u64; 2] = [100, 1100];
/// Worlds with more names take too long to build under valgrind.
const NAMES_MAX: u64 = 100_000;

/// Takes so many turns of a case.
pub(crate) fn run(name: &str, turns: u64) {
    let case = CASES.iter().find(|case| case.name == name).expect("a case");
    let snapshot = case.world.snapshot();
    let frames = case.frames();
    let mut port = MemPort::ethernet(FRAMES, 2048).replaying(frames.iter().map(Vec::as_slice));
    let mut turn = Turn::new(VECTOR);
    let mut tally = Tally::default();
    for _ in 0..turns {
        turn.run(&mut port, &snapshot, 0, &mut tally);
    }
}

/// Instructions per packet; none without valgrind, or where counting would take long.
pub(crate) fn per_packet(case: &Case) -> Option<u64> {
    if matches!(case.world, World::Hosts(names) if names > NAMES_MAX) {
        return None;
    }
    let [few, many] = TURNS.map(|turns| instructions(case, turns));
    Some((many? - few?) / ((TURNS[1] - TURNS[0]) * VECTOR as u64))
}

/// All instructions of a run with so many turns.
fn instructions(case: &Case, turns: u64) -> Option<u64> {
    let program = std::env::current_exe().ok()?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind
        .arg(program)
        .args([COMMAND, case.name, &turns.to_string()]);
    let output = valgrind.output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    // "==7== Collected : 1234567"
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "))?;
    collected.1.trim().parse().ok()
}
