//! The query log: what was asked and answered, copied on the way, read elsewhere.
//!
//! A worker writes short records into a buffer of its own; the log's thread gives it another one
//! and reads what it has written. Nothing on a worker's side waits, allocates or looks at a file.

mod buffer;
mod counts;
mod entry;
mod filter;
mod json;
mod live;
mod output;
mod packet_record;
mod recorder;
mod source;
mod tap;
mod thread;

pub use buffer::{BUFFER_LEN_MIN, Buffer, Record, Records, ReplyRecord};
pub use counts::{QueryLogCounts, QueryLogEvent};
pub use entry::{Entry, entries};
pub use filter::Filter;
pub use json::ANSWERS;
pub use live::{
    By, Counted, Hub, LiveCounts, LiveEvent, Message, SUBSCRIBERS_MAX, Sketch, Subscription,
    TopOptions, Unavailable, View, Wanted,
};
pub use output::{FileOptions, Format, Output, Place, SocketAddress};
pub use packet_record::UsualPackets;
pub(crate) use recorder::is_unusual;
pub use recorder::{Reader, Recorder, recorder};
pub use source::Source;
pub use tap::{TAPS_MAX, Tap, Taps};
pub use thread::QueryLog;
