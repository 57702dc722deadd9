//! Where the query log goes, and in which form.

mod dnstap;
mod file;
mod format;
mod frame_streams;
mod outlet;
mod pcap;
mod sink;
mod socket;

pub use file::FileOptions;
pub use format::Format;
pub(super) use outlet::Outlet;
pub use socket::SocketAddress;

use super::Filter;

/// A query log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How queries are written.
    pub format: Format,
    /// Where they are written to.
    pub place: Place,
    /// Which are.
    pub filter: Filter,
    /// One of so many of those.
    pub sample: u32,
}

/// Where a query log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Files.
    Files(FileOptions),
    /// A socket, by which somebody takes Frame Streams.
    Socket(SocketAddress),
}
