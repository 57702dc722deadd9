//! A request of HTTP/1.1 (RFC 9112), and the status of its response.

use super::attempt::reason;
use crate::sys::connect::Wait;
use std::io::{self, Read, Write};
use std::net::IpAddr;

/// The longest status line that is read.
const LINE_MAX: usize = 4096;

/// What is said, and what was said to that.
pub(super) struct Exchange {
    request: Vec<u8>,
    sent: usize,
    /// The response up to the end of its first line.
    response: Vec<u8>,
    good: Vec<u16>,
}

impl Exchange {
    /// Asks for a page, of this host or else of the address.
    pub(super) fn new(
        (address, port): (IpAddr, u16),
        path: &str,
        host: Option<&str>,
        good: &[u16],
    ) -> Self {
        let address = match (address, port) {
            (IpAddr::V4(address), 80) => address.to_string(),
            (IpAddr::V6(address), 80) => format!("[{address}]"),
            (IpAddr::V4(address), port) => format!("{address}:{port}"),
            (IpAddr::V6(address), port) => format!("[{address}]:{port}"),
        };
        let host = host.unwrap_or(&address);
        let version = env!("CARGO_PKG_VERSION");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ripples/{version}\r\n\
             Accept: */*\r\nConnection: close\r\n\r\n"
        );
        Self {
            request: request.into_bytes(),
            sent: 0,
            response: Vec::new(),
            good: good.to_vec(),
        }
    }

    /// What is to happen before it goes on.
    pub(super) fn waits_for(&self) -> Wait {
        match self.sent < self.request.len() {
            true => Wait::Writable,
            false => Wait::Readable,
        }
    }

    /// Goes on as far as the stream lets it; the result, once there is one.
    pub(super) fn go_on(&mut self, stream: &mut (impl Read + Write)) -> Option<Result<(), String>> {
        match self.talk(stream) {
            Ok(result) => Some(result),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => Some(Err(reason(&error))),
        }
    }

    fn talk(&mut self, stream: &mut (impl Read + Write)) -> io::Result<Result<(), String>> {
        loop {
            let rest = &self.request[self.sent..];
            if !rest.is_empty() {
                match stream.write(rest) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    sent => self.sent += sent?,
                }
                continue;
            }
            let mut octets = [0; 512];
            let len = match stream.read(&mut octets) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            self.response.extend_from_slice(&octets[..len]);
            let end = self.response.iter().position(|&octet| octet == b'\n');
            if let Some(end) = end {
                return Ok(judge(&self.response[..end], &self.good));
            }
            if len == 0 {
                return Ok(Err("the connection ended without an answer".to_owned()));
            }
            if self.response.len() > LINE_MAX {
                return Ok(Err("the answer is not HTTP".to_owned()));
            }
        }
    }
}

/// Whether a status line has a good code (RFC 9112 §4).
fn judge(line: &[u8], good: &[u16]) -> Result<(), String> {
    let code = std::str::from_utf8(line).ok().and_then(|line| {
        let mut words = line.trim_end().splitn(3, ' ');
        let version = words
            .next()
            .filter(|version| version.starts_with("HTTP/1."));
        let code = words.next().filter(|code| code.len() == 3);
        code.filter(|_| version.is_some())?.parse::<u16>().ok()
    });
    match code {
        Some(code) if good.contains(&code) => Ok(()),
        Some(code) => Err(format!("status {code}")),
        None => Err("the answer is not HTTP".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that takes and gives a few octets at a time, and blocks in between.
    struct Slow {
        taken: Vec<u8>,
        gives: Vec<u8>,
        blocks: bool,
    }

    impl Slow {
        fn is_blocking(&mut self) -> io::Result<()> {
            self.blocks = !self.blocks;
            match self.blocks {
                true => Err(io::ErrorKind::WouldBlock.into()),
                false => Ok(()),
            }
        }
    }

    impl Read for Slow {
        fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
            self.is_blocking()?;
            let len = self.gives.len().min(5);
            octets[..len].copy_from_slice(&self.gives[..len]);
            self.gives.drain(..len);
            Ok(len)
        }
    }

    impl Write for Slow {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.is_blocking()?;
            let len = octets.len().min(7);
            self.taken.extend_from_slice(&octets[..len]);
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn answered(response: &[u8]) -> (String, Result<(), String>) {
        let mut stream = Slow {
            taken: Vec::new(),
            gives: response.to_vec(),
            blocks: false,
        };
        let place = ("2001:db8::1".parse().unwrap(), 8080);
        let mut exchange = Exchange::new(place, "/up", None, &[200, 204]);
        assert_eq!(exchange.waits_for(), Wait::Writable);
        for _ in 0..10_000 {
            if let Some(result) = exchange.go_on(&mut stream) {
                assert_eq!(exchange.waits_for(), Wait::Readable);
                return (String::from_utf8(stream.taken).unwrap(), result);
            }
        }
        panic!("no end");
    }

    #[test]
    fn a_page_is_asked_for_and_its_status_decides() {
        let (request, result) = answered(b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n");
        assert_eq!(result, Ok(()));
        let start = "GET /up HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n";
        assert!(request.starts_with(start), "{request}");
        assert!(request.ends_with("\r\n\r\n"), "{request}");
        for (response, problem) in [
            (&b"HTTP/1.0 503 Busy\r\n"[..], "status 503"),
            (b"SSH-2.0-OpenSSH_9\r\n", "the answer is not HTTP"),
            (b"HTTP/1.1 200", "the connection ended without an answer"),
            (&[b'x'; 2 * LINE_MAX], "the answer is not HTTP"),
        ] {
            assert_eq!(answered(response).1, Err(problem.to_owned()));
        }
    }
}
