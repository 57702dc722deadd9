//! Live streams: what is asked and answered, as it happens.
//!
//! ```text
//! subscribe ─► Hub ─► query log thread: an Onlooker, with a tap in every worker
//!                         │ entries that its tap has let through
//!                         ▼
//!              a line each (tail), or counted and told now and then (top)
//!                         │ a bounded channel; what finds no room is lost, and counted
//!                         ▼
//!              Subscription ─► whoever asked: control socket, and whatever may come beside it
//! ```
//!
//! Nothing here knows what a subscriber is connected by.

mod counts;
mod hub;
mod onlooker;
mod onlookers;
mod sketch;
mod top;

pub use counts::{LiveCounts, LiveEvent};
pub use hub::{Hub, Message, SUBSCRIBERS_MAX, Subscription, Unavailable, View, Wanted};
pub(super) use onlooker::Onlooker;
pub(super) use onlookers::Onlookers;
pub use sketch::{Counted, Sketch};
pub use top::{By, TopOptions};
