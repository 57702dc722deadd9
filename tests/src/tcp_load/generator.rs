//! Keeps queries under way on connections, and counts the replies.

use super::Shape;
use super::line::{Answered, Line};
use super::questions::{Expects, PREFIX_LEN, Questions};
use super::said::Said;
use super::stream::{BUFFER_LEN, Gone, Stream};
use crate::wire::usage::Used;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::getpid;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Events of one wait.
const EVENTS: usize = 256;
/// Longest wait: there may be nothing to wait for any more.
const WAIT_MS: u8 = 100;
/// Connections that are made before the first of them is used: no more than may wait for that.
const TOGETHER: usize = 100;
/// Longer than a connection or its first reply takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A load, not on yet.
#[derive(Clone, Debug)]
pub struct Load {
    /// Who is asked.
    pub server: SocketAddr,
    /// Connections, and what is under way on each.
    pub shape: Shape,
    /// Who replies.
    pub expects: Expects,
    /// How long it runs before it is measured.
    pub warm_up: Duration,
    /// How long it is measured.
    pub window: Duration,
    /// The server's processes, whose CPU time is measured.
    pub watch: Vec<i32>,
}

/// A load that is on.
struct Running {
    epoll: Epoll,
    questions: Questions,
    /// None: the server has closed it.
    streams: Vec<Option<(Stream, Line)>>,
    buffer: Vec<u8>,
    out: Vec<u8>,
    answered: Answered,
    closed: u64,
}

/// What was counted up to a moment.
struct Counts {
    at: Instant,
    answered: u64,
    server: Used,
    load: Used,
}

impl Load {
    /// Connects, sees that each connection answers, runs; calls `begun` when the window begins.
    pub fn run(&self, begun: impl FnOnce()) -> io::Result<Said> {
        let mut running = Running {
            epoll: Epoll::new(EpollCreateFlags::empty())?,
            questions: Questions::new(self.expects),
            streams: Vec::new(),
            buffer: vec![0; BUFFER_LEN],
            out: Vec::new(),
            answered: Answered::default(),
            closed: 0,
        };
        running.connect(self)?;
        running.start();
        running.run_for(self.warm_up)?;
        let before = self.counts(&running);
        begun();
        running.run_for(self.window)?;
        let after = self.counts(&running);
        let count = after.answered - before.answered;
        Ok(Said {
            seconds: (after.at - before.at).as_secs_f64(),
            answered: Answered {
                count,
                ..running.answered
            },
            sent: 0,
            closed: running.closed,
            server: after.server.since(before.server),
            load_ns: after.load.since(before.load).ran_ns,
        })
    }

    fn counts(&self, running: &Running) -> Counts {
        Counts {
            server: Used::of(&self.watch),
            load: Used::of(&[getpid().as_raw()]),
            answered: running.answered.count,
            at: Instant::now(),
        }
    }
}

impl Running {
    /// Makes all connections, and has each answer once.
    fn connect(&mut self, load: &Load) -> io::Result<()> {
        let mut left = load.shape.connections as usize;
        while left > 0 {
            let count = left.min(TOGETHER);
            let sockets = (0..count).map(|_| connection(load.server));
            let sockets = sockets.collect::<io::Result<Vec<_>>>()?;
            let number = self.questions.choose();
            let mut query = Vec::new();
            self.questions.write(number, 0, &mut query);
            for mut socket in &sockets {
                socket.write_all(&query)?;
            }
            for socket in sockets {
                let reply = first_reply(&socket)?;
                self.questions
                    .judge(number, &reply)
                    .map_err(io::Error::other)?;
                let token = self.streams.len() as u64;
                let stream = Stream::new(socket, &self.epoll, token)?;
                let line = Line::new(load.shape.pipelined);
                self.streams.push(Some((stream, line)));
            }
            left -= count;
        }
        Ok(())
    }

    /// Asks on all connections.
    fn start(&mut self) {
        for place in 0..self.streams.len() {
            if self.ask(place).is_err() {
                self.close(place);
            }
        }
    }

    fn run_for(&mut self, duration: Duration) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); EVENTS];
        let start = Instant::now();
        while start.elapsed() < duration {
            let count = self.epoll.wait(&mut events, WAIT_MS)?;
            for event in &events[..count] {
                let place = usize::try_from(event.data()).expect("a place in the list");
                if self.visit(place).is_err() {
                    self.close(place);
                }
            }
        }
        Ok(())
    }

    /// Takes what has come, and asks again.
    fn visit(&mut self, place: usize) -> Result<(), Gone> {
        let Some((stream, line)) = &mut self.streams[place] else {
            return Ok(());
        };
        let (questions, answered) = (&self.questions, &mut self.answered);
        stream.receive(&mut self.buffer, |bytes| {
            line.take(bytes, questions, answered)
        })?;
        self.ask(place)
    }

    fn ask(&mut self, place: usize) -> Result<(), Gone> {
        let Some((stream, line)) = &mut self.streams[place] else {
            return Ok(());
        };
        // Nothing more is asked while the server does not take what was.
        if !stream.resume()? {
            return Ok(());
        }
        self.out.clear();
        line.ask(&mut self.questions, &mut self.out);
        match self.out.is_empty() {
            true => Ok(()),
            false => stream.send(&self.out),
        }
    }

    fn close(&mut self, place: usize) {
        self.streams[place] = None;
        self.closed += 1;
    }
}

/// A connection that leaves nothing behind: ports are needed again in the next round.
fn connection(server: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&server, PATIENCE)?;
    let linger = nix::libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(&socket, sockopt::Linger, &linger)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// The one message that is to come.
fn first_reply(mut socket: &TcpStream) -> io::Result<Vec<u8>> {
    let mut prefix = [0; PREFIX_LEN];
    socket.read_exact(&mut prefix)?;
    let mut reply = vec![0; u16::from_be_bytes(prefix).into()];
    socket.read_exact(&mut reply)?;
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::super::echo::Echo;
    use super::*;
    use crate::loopback;
    use std::net::TcpListener;
    use std::sync::mpsc;

    fn load(server: SocketAddr, shape: &str) -> Load {
        Load {
            server,
            shape: Shape::named(shape),
            expects: Expects::Echo,
            warm_up: Duration::from_millis(10),
            window: Duration::from_millis(50),
            watch: vec![getpid().as_raw()],
        }
    }

    #[test]
    fn all_that_is_asked_of_an_echo_comes_back() {
        let echo = Echo {
            listen: loopback::address(),
            query_len: Questions::new(Expects::Echo).query_len(),
            reply_len: 60,
        };
        let (ready, is_ready) = mpsc::channel();
        // It serves until the process ends.
        std::thread::spawn(move || echo.serve(|| ready.send(()).unwrap()));
        is_ready.recv().unwrap();
        for shape in ["1x1", "3x7", "200x2", "1x5000"] {
            let mut begun = false;
            let said = load(echo.listen, shape).run(|| begun = true).unwrap();
            assert!(begun && said.answered.count > 0, "{shape}: {said:?}");
            assert_eq!(
                (said.answered.wrong, said.closed),
                (0, 0),
                "{shape}: {said:?}"
            );
            assert!(
                said.load_ns > 0 && said.server.ran_ns > 0,
                "{shape}: {said:?}"
            );
        }
    }

    #[test]
    fn a_server_that_closes_and_one_that_answers_wrongly_are_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let first_only = move || {
            for socket in listener.incoming().take(4) {
                let mut socket = socket.unwrap();
                let reply = first_reply(&socket).unwrap();
                socket.write_all(&crate::tcp::framed(&reply)).unwrap();
            }
            let (mut socket, _) = listener.accept().unwrap();
            first_reply(&socket).unwrap();
            socket.write_all(&[0, 2, 0, 0]).unwrap();
        };
        let thread = std::thread::spawn(first_only);
        for _ in 0..4 {
            let said = load(server, "1x1").run(|| {}).unwrap();
            assert_eq!((said.closed, said.answered.count), (1, 0), "{said:?}");
        }
        let error = load(server, "1x1").run(|| {}).unwrap_err().to_string();
        assert_eq!(error, "not the query itself");
        thread.join().unwrap();
        assert!(load(server, "1x1").run(|| {}).is_err(), "nobody listens");
    }
}
