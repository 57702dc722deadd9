//! Somebody who takes Frame Streams by a socket.

use super::super::counts::{QueryLogCounts, QueryLogEvent};
use super::{dnstap, frame_streams};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long a reader may take for what it is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a reader listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketAddress {
    /// On a unix socket.
    Unix(PathBuf),
    /// On TCP.
    Tcp(SocketAddr),
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// The connection to a reader.
pub(super) struct Socket {
    address: SocketAddress,
    open: Option<Box<dyn Stream>>,
}

trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

impl Socket {
    /// Not connected yet.
    pub(super) fn new(address: SocketAddress) -> Self {
        Self {
            address,
            open: None,
        }
    }

    /// Sends whole frames. After an error the reader gets what comes by another connection.
    pub(super) fn write(&mut self, bytes: &[u8], counts: &QueryLogCounts) -> io::Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                let opened = connect(&self.address).inspect_err(|_| {
                    counts.add(QueryLogEvent::OpenErrors, 1);
                })?;
                counts.add(QueryLogEvent::Opened, 1);
                none.insert(opened)
            }
        };
        let written = open.write_all(bytes);
        if written.is_err() {
            counts.add(QueryLogEvent::WriteErrors, 1);
            self.open = None;
        }
        written
    }

    /// Tells the reader that this is all.
    pub(super) fn close(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some(mut open) => frame_streams::close(&mut open),
            None => Ok(()),
        }
    }

    /// Where it goes.
    pub(super) fn address(&self) -> &SocketAddress {
        &self.address
    }
}

fn connect(address: &SocketAddress) -> io::Result<Box<dyn Stream>> {
    let mut stream: Box<dyn Stream> = match address {
        SocketAddress::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Box::new(stream)
        }
        SocketAddress::Tcp(address) => {
            let stream = TcpStream::connect_timeout(address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    };
    frame_streams::open(&mut stream, dnstap::CONTENT_TYPE)?;
    Ok(stream)
}
