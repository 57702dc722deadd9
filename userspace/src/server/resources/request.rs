//! What the resource thread is asked.

use super::MarkChange;
use super::posts::Post;
use super::report::Question;
use crate::control::{Code, Refusal};
use crate::server::lookup::Asked;

/// What the thread is asked.
pub(in crate::server) enum Request {
    /// Read again what has changed, or this zone; who asked is told when it is done.
    Reload(Option<Vec<u8>>),
    /// Tell of something.
    Tell(Question),
    /// Explain where an address is.
    Locate(Asked),
    /// Make cookies from another secret.
    RotateCookies,
    /// Something is up or down because the operator says so.
    Mark(MarkChange),
}

/// Requests that may wait; who asks for one more is told that it is too much.
pub(super) const REQUESTS_MAX: usize = 64;

/// What the server itself wants of the thread, however much others ask.
#[derive(Default)]
pub(super) struct Orders {
    /// Read again what has changed: once, however often it was said.
    pub(super) reload: bool,
    /// There are more workers.
    pub(super) posts: Vec<Post>,
}

/// What is told to whom is one too many.
pub(super) fn busy() -> Refusal {
    let reason = format!("{REQUESTS_MAX} requests wait already, try again later");
    Refusal::new(Code::Busy, reason)
}
