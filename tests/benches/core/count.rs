//! Instructions per packet, counted by callgrind on the portable path: the same in every run,
//! however busy the machine.

use super::cases::{CASES, Case};
use super::measure::{Answering, Extra, FRAMES, Setting, USUAL_VECTOR, port};
use ripples::port::MemPort;
use ripples::simd::{Level, Portable};
use ripples::snapshot::Snapshot;
use std::process::Command;

/// The words by which the benchmark calls itself under valgrind, without a query log and with one.
pub(crate) const COMMANDS: [&str; 2] = ["count", "count-with-query-log"];
/// What is counted: this function and all that it calls. Its name survives every optimisation.
const COUNTED: &str = "*ripples_counted_turns*";
/// How often the port's frames are answered, the first time to warm up.
const ROUNDS: usize = 3;

/// Takes the turns of a case, if that is what the words say; false: they say something else.
pub(crate) fn run(words: &[&str]) -> bool {
    let [command, name] = *words else {
        return false;
    };
    let Some(query_log) = COMMANDS.iter().position(|word| *word == command) else {
        return false;
    };
    take_turns(name, query_log == 1);
    true
}

fn take_turns(name: &str, query_log: bool) {
    let case = CASES.iter().find(|case| case.name == name).expect("a case");
    let snapshot = case.world.snapshot();
    let frames = case.first_frames(ROUNDS * FRAMES);
    case.check(&frames, &snapshot);
    let work = || {
        let level = Level::Portable(Portable);
        let setting = Setting {
            level,
            vector: USUAL_VECTOR,
            prefetch: true,
            extra: query_log.then_some(Extra::QueryLog),
        };
        let (mut port, mut answering) = (port(&frames, setting.extra), Answering::new(setting));
        port.deliver();
        turns(&mut answering, &mut port, &snapshot);
        for _ in 1..ROUNDS {
            port.deliver();
            ripples_counted_turns(&mut answering, &mut port, &snapshot);
        }
    };
    // On a stack that does not begin behind the environment: how bytes are copied depends on where
    // they lie.
    std::thread::scope(|scope| scope.spawn(work).join().expect("turns do not panic"));
}

/// The turns that are counted.
#[inline(never)]
fn ripples_counted_turns(answering: &mut Answering, port: &mut MemPort, snapshot: &Snapshot) {
    turns(answering, port, snapshot);
}

/// Answers all frames that wait.
#[inline(always)]
fn turns(answering: &mut Answering, port: &mut MemPort, snapshot: &Snapshot) {
    for _ in 0..FRAMES / USUAL_VECTOR {
        answering.run(port, snapshot);
    }
}

/// Instructions per packet.
///
/// # Panics
/// Without valgrind.
pub(crate) fn per_packet(case: &Case, query_log: bool) -> f64 {
    let program = std::env::current_exe().expect("this program has a path");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(format!("--toggle-collect={COUNTED}"));
    valgrind
        .arg(program)
        .args([COMMANDS[usize::from(query_log)], case.name]);
    let output = valgrind.output().expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // "==7== Collected : 1234567"
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let count = collected.and_then(|(_, count)| count.trim().parse::<f64>().ok());
    let each = count.unwrap_or_else(|| panic!("{said}")) / ((ROUNDS - 1) * FRAMES) as f64;
    (each * 10.0).round() / 10.0
}
