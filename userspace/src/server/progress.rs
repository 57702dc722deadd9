//! While zones are loaded: one line on the terminal that says how far it is.

use crate::zone::progress::{Progress, Reached};
use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Who is done sooner needs no line.
const SHOWN_AFTER: Duration = Duration::from_millis(500);
/// How often it is written anew.
const SHOWN_EVERY: Duration = Duration::from_millis(250);
/// Back to the beginning of the line, and away with what stands there.
const CLEAR: &str = "\r\x1b[K";

/// Does some work, and shows how far it is if somebody is looking: on a terminal, and nowhere else.
pub(super) fn shown<T>(progress: &Progress, work: impl FnOnce() -> T) -> T {
    if !stderr().is_terminal() {
        return work();
    }
    thread::scope(|scope| {
        let (working, ended) = channel();
        scope.spawn(move || show(progress, &ended));
        let done = work();
        // The other end notices.
        drop(working);
        done
    })
}

/// Writes the line until the work has ended.
fn show(progress: &Progress, ended: &Receiver<()>) {
    let started = Instant::now();
    let mut wait = SHOWN_AFTER;
    while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let line = line(&progress.reached(), started.elapsed());
        eprint!("{CLEAR}{line}");
        wait = SHOWN_EVERY;
    }
    if wait == SHOWN_EVERY {
        eprint!("{CLEAR}");
    }
}

/// `loading zones: 1234567 records, 2345678 per second, 47 %, 3 s left`
fn line(reached: &Reached, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let rate = reached.records as f64 / seconds;
    let mut line = format!(
        "loading zones: {} records, {rate:.0} per second",
        reached.records
    );
    // What files include was not counted before.
    let part = reached.octets as f64 / reached.octets_total.max(1) as f64;
    if part >= 1.0 {
        line.push_str(", all read");
    } else {
        line.push_str(&format!(", {:.0} %", (part * 100.0).floor()));
        if part > 0.0 {
            let left = (seconds / part - seconds).ceil();
            line.push_str(&format!(", {left:.0} s left"));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(octets: u64, records: u64) -> Reached {
        Reached {
            octets_total: 1000,
            octets,
            records,
        }
    }

    #[test]
    fn the_line_says_how_many_how_fast_and_how_long_still() {
        let second = Duration::from_secs(1);
        assert_eq!(
            line(&at(250, 4000), 2 * second),
            "loading zones: 4000 records, 2000 per second, 25 %, 6 s left"
        );
        assert_eq!(
            line(&at(999, 7), second),
            "loading zones: 7 records, 7 per second, 99 %, 1 s left"
        );
    }

    #[test]
    fn what_is_not_known_yet_is_not_said() {
        let start = line(&at(0, 0), Duration::ZERO);
        assert_eq!(start, "loading zones: 0 records, 0 per second, 0 %");
        let end = line(&at(1200, 9), Duration::from_secs(3));
        assert_eq!(end, "loading zones: 9 records, 3 per second, all read");
        assert!(!line(&Reached::default(), Duration::ZERO).contains("NaN"));
    }
}
