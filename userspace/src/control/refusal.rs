//! Why a request is not granted.

/// What kind of refusal it is, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The line is no request: no JSON, no such command, wrong arguments, too long, not whole.
    BadRequest,
    /// The request is of a version that is not spoken here.
    Version,
    /// Whoever asks may not.
    NotPermitted,
    /// There is no such zone, name or target.
    NotFound,
    /// It was tried, and failed; or cannot be done as things are.
    Failed,
    /// Too much is asked already.
    Busy,
    /// The server ends.
    Stopping,
}

impl Code {
    /// What it is called in a reply.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Version => "version",
            Self::NotPermitted => "not-permitted",
            Self::NotFound => "not-found",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
        }
    }
}

/// Why a request is not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people.
    pub reason: String,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { code, reason }
    }

    /// It is no request.
    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, reason)
    }

    /// There is no such thing.
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self::new(Code::NotFound, reason)
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::new(Code::Failed, reason)
    }
}
