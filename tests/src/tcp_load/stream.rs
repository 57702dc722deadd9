//! A connection for edge-triggered events: what has come is read to its end, and what the kernel
//! does not take at once is sent later.

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// Room for what is read at a time: far more than comes at a time.
pub const BUFFER_LEN: usize = 1 << 18;

/// The other end has gone, in whatever way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// An open connection that never blocks.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    /// The beginning of a message.
    rest: Vec<u8>,
    unsent: Vec<u8>,
}

impl Stream {
    /// Takes over an open connection, and has `epoll` name it by `token`.
    pub fn new(socket: TcpStream, epoll: &Epoll, token: u64) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
        epoll.add(&socket, EpollEvent::new(flags, token))?;
        Ok(Self {
            socket,
            rest: Vec::new(),
            unsent: Vec::new(),
        })
    }

    /// The connection itself.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Reads all there is. `take` says how many bytes it has used; it gets the others again.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(&[u8]) -> usize,
    ) -> Result<(), Gone> {
        loop {
            let kept = self.rest.len();
            buffer[..kept].copy_from_slice(&self.rest);
            let end = match (&self.socket).read(&mut buffer[kept..]) {
                Ok(0) => return Err(Gone),
                Ok(count) => kept + count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(Gone),
            };
            let taken = take(&buffer[..end]);
            self.rest.clear();
            self.rest.extend_from_slice(&buffer[taken..end]);
            // Less than there was room for is all there was (epoll(7)).
            if end < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Sends as much as the kernel takes, and keeps the rest.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return self.resume().map(|_| ());
        }
        let sent = self.write(bytes)?;
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends what was left; whether nothing is left now.
    pub fn resume(&mut self) -> Result<bool, Gone> {
        if self.unsent.is_empty() {
            return Ok(true);
        }
        let unsent = std::mem::take(&mut self.unsent);
        let sent = self.write(&unsent)?;
        self.unsent = unsent;
        self.unsent.drain(..sent);
        Ok(self.unsent.is_empty())
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, Gone> {
        let mut sent = 0;
        while sent < bytes.len() {
            match (&self.socket).write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Gone),
            }
        }
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::epoll::EpollCreateFlags;
    use std::net::TcpListener;

    #[test]
    fn what_the_kernel_does_not_take_is_sent_later_and_nothing_is_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (other, _) = listener.accept().unwrap();
        let epoll = Epoll::new(EpollCreateFlags::empty()).unwrap();
        let mut one = Stream::new(one, &epoll, 1).unwrap();
        let mut other = Stream::new(other, &epoll, 2).unwrap();
        let bytes: Vec<u8> = (0..20_000_000u32).map(|at| at.to_le_bytes()[0]).collect();
        one.send(&bytes).unwrap();
        assert!(!one.resume().unwrap(), "more than buffers hold");
        let (mut came, mut buffer) = (Vec::new(), vec![0; 1000]);
        while came.len() < bytes.len() {
            let take = |bytes: &[u8]| {
                // All but one byte, as if it were the beginning of a message.
                let count = (bytes.len() - 1).max(1);
                came.extend_from_slice(&bytes[..count]);
                count
            };
            other.receive(&mut buffer, take).unwrap();
            one.resume().unwrap();
            if came.len() + 1 == bytes.len() {
                came.extend(&other.rest);
            }
        }
        assert_eq!(came, bytes);
        drop(one);
        assert_eq!(other.receive(&mut buffer, <[u8]>::len), Err(Gone));
    }
}
