//! Counts of what passed, failed and was skipped, and how cargo's test runner says them.

use std::fmt;
use std::ops::AddAssign;
use std::process::ExitCode;

/// What a run of tests or checks came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that did not run although they were asked for.
    pub(crate) skipped: u64,
}

impl Tally {
    /// One check that passed or failed as a whole.
    pub(crate) fn of_one(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
            skipped: 0,
        }
    }

    /// Success only if nothing failed. The closing line has said it: no message is owed.
    pub(crate) fn exit_code(self) -> ExitCode {
        if self.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Reads the closing line of one test binary:
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn from_result_line(line: &str) -> Option<Self> {
        let (_, counts) = line
            .trim()
            .strip_prefix("test result: ")?
            .split_once(". ")?;
        let count = |word: &str| {
            counts
                .split(';')
                .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
        };
        Some(Self {
            passed: count("passed")?,
            failed: count("failed")?,
            skipped: count("ignored")?,
        })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    /// The plain closing line that machines read: `N passed, N failed`, and `, N skipped` if any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_a_test_binary_is_read() {
        let line = "test result: FAILED. 41 passed; 2 failed; 1 ignored; 0 measured; \
                    7 filtered out; finished in 0.03s";
        let tally = Tally {
            passed: 41,
            failed: 2,
            skipped: 1,
        };
        assert_eq!(Tally::from_result_line(line), Some(tally));
        assert_eq!(tally.to_string(), "41 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn other_lines_are_no_results() {
        for line in [
            "",
            "test result of yesterday",
            "test tests::a_result ... ok",
            "test result: ok. many passed; 0 failed; 0 ignored",
        ] {
            assert_eq!(Tally::from_result_line(line), None, "{line}");
        }
    }

    #[test]
    fn sums_leave_out_what_was_not_skipped() {
        let mut sum = Tally::of_one(true);
        sum += Tally::of_one(false);
        sum += Tally::of_one(true);
        assert_eq!(sum.to_string(), "2 passed, 1 failed");
    }
}
