//! The server against Knot DNS, NSD and BIND with the same zones and the same queries: replies
//! agree, but for the differences that [`known`] explains.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod compare;
mod difference;
mod known;
mod known_signed;
mod random;
mod root;
mod signed;
