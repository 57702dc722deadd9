//! How `ripples ctl` ends. Scripts rely on the numbers; they are in docs/control.md.

use std::process::ExitCode;

/// What the exit code says; 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The server does not do it, or did not manage to.
    Failed = 1,
    /// No server answers.
    NoServer = 3,
    /// Whoever asks may not.
    NotPermitted = 4,
    /// The server speaks another version.
    Version = 5,
}

/// Why `ripples ctl` has not done what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// What the exit code says.
    pub exit: Exit,
    /// What people are told.
    pub problem: String,
}

impl Failure {
    /// Ends like this, and says why.
    pub(super) fn new(exit: Exit, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self { exit, problem }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
