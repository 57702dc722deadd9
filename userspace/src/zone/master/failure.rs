//! Why an entry of a master file could not be read.

use std::borrow::Cow;
use std::fmt;

use domain::base::scan::ScannerError;

use crate::name::NameError;

/// Why an entry could not be read.
#[derive(Debug)]
pub(super) enum Failure {
    /// The entry goes on behind the window: read more and begin the entry anew.
    Incomplete,
    /// The entry is bad.
    Bad(Box<Complaint>),
    /// Reading ends here: the problem was noted already.
    Stop,
}

/// What is bad about an entry, and where.
#[derive(Debug)]
pub(super) struct Complaint {
    /// The offset in the window's text; `None` means the token that was taken last.
    pub(super) at: Option<usize>,
    pub(super) message: Cow<'static, str>,
}

impl Failure {
    /// A complaint about the token that was taken last.
    #[cold]
    pub(super) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Bad(Box::new(Complaint {
            at: None,
            message: message.into(),
        }))
    }

    /// A complaint about the text at an offset.
    #[cold]
    pub(super) fn at(at: usize, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Bad(Box::new(Complaint {
            at: Some(at),
            message: message.into(),
        }))
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::new(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete => f.write_str("the text ends within the entry"),
            Self::Bad(complaint) => f.write_str(&complaint.message),
            Self::Stop => f.write_str("reading was stopped"),
        }
    }
}

impl std::error::Error for Failure {}

impl ScannerError for Failure {
    fn custom(message: &'static str) -> Self {
        Self::new(message)
    }

    fn end_of_entry() -> Self {
        Self::new("the entry ends too early: something is missing here")
    }

    fn short_buf() -> Self {
        Self::new("the record data is longer than 65535 octets")
    }

    fn trailing_tokens() -> Self {
        Self::new("there is one token too many")
    }
}
