//! What the guest says: its verdicts on one serial line, the kernel's console on the other.

/// How a scenario went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The scenario.
    pub(super) name: String,
    /// Whether all was as it should be.
    pub(super) passed: bool,
    /// Its figures, or what is wrong.
    pub(super) figures: String,
}

/// A line of the guest's program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The guest is up, after so many seconds.
    Booted,
    /// A scenario has ended.
    Verdict(Verdict),
    /// All have.
    Done,
}

/// Reads a line; none where it is something else.
pub(super) fn line(text: &str) -> Option<Line> {
    let text = text.trim();
    match text {
        "BOOTED" => return Some(Line::Booted),
        "DONE" => return Some(Line::Done),
        _ => {}
    }
    let mut words = text.strip_prefix("SCENARIO ")?.splitn(3, ' ');
    let (name, verdict) = (words.next()?, words.next()?);
    Some(Line::Verdict(Verdict {
        name: name.to_owned(),
        passed: match verdict {
            "PASS" => true,
            "FAIL" => false,
            _ => return None,
        },
        figures: words.next().unwrap_or_default().to_owned(),
    }))
}

/// What a kernel says when something is wrong with it.
const COMPLAINTS: &[&str] = &[
    "BUG:",
    "WARNING: ",
    "Oops",
    "Kernel panic",
    "general protection fault",
    "UBSAN:",
    "KASAN:",
    "NETDEV WATCHDOG",
    "Tx Unit Hang",
    "blocked for more than",
    "self-detected stall",
    "detected stalls on CPUs",
    "soft lockup",
    "page allocation failure",
    "Out of memory",
    "invoked oom-killer",
];

/// The first line of a kernel's console that says that something is wrong with the kernel.
pub(super) fn complaint(console: &str) -> Option<&str> {
    let mut lines = console.lines();
    lines.find(|line| COMPLAINTS.iter().any(|complaint| line.contains(complaint)))
}

/// The last lines of a console.
pub(super) fn tail(console: &str, count: usize) -> Vec<&str> {
    let lines: Vec<_> = console.lines().collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_with_their_figures() {
        let read = |text| match line(text) {
            Some(Line::Verdict(verdict)) => verdict,
            other => panic!("{other:?}"),
        };
        let passed = read("SCENARIO igb-zero-copy PASS answered=2000/2000 queues=1003,997\r\n");
        assert!(passed.passed);
        assert_eq!(passed.name, "igb-zero-copy");
        assert_eq!(passed.figures, "answered=2000/2000 queues=1003,997");
        assert!(!read("SCENARIO virtio FAIL").passed);
        assert_eq!(line("BOOTED\r\n"), Some(Line::Booted));
        assert_eq!(line("DONE"), Some(Line::Done));
        for other in [
            "",
            "SCENARIO virtio",
            "SCENARIO virtio MAYBE",
            "[ 1.0] SCENARIO a PASS",
        ] {
            assert_eq!(line(other), None, "{other}");
        }
    }

    #[test]
    fn a_kernel_that_is_not_well_is_noticed() {
        let console = "[    0.1] Linux\n[    2.0] igb 0000:01:00.0: Link is up\n";
        assert_eq!(complaint(console), None);
        let oops = format!("{console}[    3.0] BUG: kernel NULL pointer dereference\n[ 3.0] CPU\n");
        let said = complaint(&oops);
        assert_eq!(said, Some("[    3.0] BUG: kernel NULL pointer dereference"));
        assert_eq!(tail(&oops, 1), ["[ 3.0] CPU"]);
        assert_eq!(tail("one", 5), ["one"]);
    }
}
