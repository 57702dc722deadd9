//! Where connections come from: the listening sockets, and when to leave them alone.

use super::Peer;
use super::kernel::{self, Poller, Source, would_block};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

/// How long accepting rests after it failed, in milliseconds: what failed needs time to mend, and
/// the connections that wait are in nobody's way.
const PAUSE_MS: u64 = 100;

/// The listening sockets of one thread.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    listeners: Vec<Listener>,
    /// The listener that is asked first, so that a busy one does not starve the others.
    turn: usize,
    paused_until_ms: u64,
}

#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    local: SocketAddr,
    /// Connections may wait: there was an event, and accept has not run dry since.
    ready: bool,
}

impl Listeners {
    /// Adds a listening socket to the set.
    pub(super) fn add(&mut self, socket: OwnedFd, poller: &Poller) -> io::Result<()> {
        let socket = TcpListener::from(socket);
        let local = socket.local_addr()?;
        let index = u32::try_from(self.listeners.len()).map_err(io::Error::other)?;
        poller.add(&socket, Source::Listener(index))?;
        self.listeners.push(Listener {
            socket,
            local,
            ready: false,
        });
        Ok(())
    }

    /// Takes note of an event on the listener at `index`.
    pub(super) fn wake(&mut self, index: u32) {
        if let Some(listener) = self.listeners.get_mut(index as usize) {
            listener.ready = true;
        }
    }

    /// Takes a connection that waits, if there is one.
    pub(super) fn accept(&mut self) -> io::Result<Option<(TcpStream, Peer)>> {
        let count = self.listeners.len();
        for _ in 0..count {
            self.turn = (self.turn + 1) % count;
            let listener = &mut self.listeners[self.turn];
            if !listener.ready {
                continue;
            }
            match listener.socket.accept() {
                Ok((stream, client)) => {
                    let local = listener.local_of(&stream);
                    return Ok(Some((stream, Peer { client, local })));
                }
                // Without a free descriptor accept fails before it looks whether anyone waits.
                Err(error) if would_block(&error) || !kernel::is_readable(&listener.socket) => {
                    listener.ready = false;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Lets accepting rest for a while.
    pub(super) fn pause(&mut self, now_ms: u64) {
        self.paused_until_ms = now_ms + PAUSE_MS;
    }

    /// When there is next something to accept, as far as is known.
    pub(super) fn due_ms(&self) -> Option<u64> {
        let ready = self.listeners.iter().any(|listener| listener.ready);
        ready.then_some(self.paused_until_ms)
    }

    /// Makes sure that what waits now is accepted, whether or not its event has come.
    pub(super) fn wake_all(&mut self) {
        self.listeners
            .iter_mut()
            .for_each(|listener| listener.ready = true);
    }

    /// Leaves all sockets to the other process that has them: whoever waits, waits for it.
    pub(super) fn leave(&mut self, poller: &Poller) {
        for listener in self.listeners.drain(..) {
            // The set would go on to tell of it as long as anyone has it open (epoll(7)). Not to be
            // in the set any more is no failure.
            let _ = poller.remove(&listener.socket);
        }
    }

    /// Closes all sockets; the kernel resets connections that still wait.
    pub(super) fn close(&mut self) {
        self.listeners.clear();
    }

    /// Whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    /// The addresses that are listened on, with the ports that the kernel chose.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.listeners.iter().map(|listener| listener.local)
    }
}

impl Listener {
    /// The address that a client connected to; asked of the kernel only where it can differ.
    fn local_of(&self, stream: &TcpStream) -> SocketAddr {
        if self.local.ip().is_unspecified() {
            stream.local_addr().unwrap_or(self.local)
        } else {
            self.local
        }
    }
}
