//! Queries per second over TCP on loopback, beside a plain echo server in the same run.
//!
//! `cargo bench -p tests --bench tcp`. Each row is one server thread here and one load process
//! of its own. `CPU` is what the server's thread used per query, which other load on the machine
//! disturbs less than the rate.
#![expect(clippy::print_stdout, reason = "the table is what it is run for")]

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::socket::Backlog;
use ripples::tcp::{Sibling, TcpConfig, TcpCounters};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::tcp::{Echo, framed, query};

/// Bytes of a query with its length field: about what a resolver sends.
const FRAMED_LEN: usize = 2 + 42;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some("load") = arguments.get(1).map(String::as_str) {
        return load(&arguments[2..]);
    }
    // Cargo passes `--bench`; without it this is only to be seen to work.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let run = if measured {
        Duration::from_secs(3)
    } else {
        Duration::from_millis(50)
    };
    println!(
        "{:>11} {:>9}  {:<22} {:>10} {:>9}",
        "connections", "pipelined", "server", "query/s", "CPU"
    );
    let shapes: &[(usize, usize)] = if measured {
        &[
            (1, 1),
            (1, 1000),
            (100, 1),
            (100, 50),
            (10_000, 1),
            (10_000, 10),
        ]
    } else {
        &[(1, 10), (10, 2)]
    };
    for &(connections, pipelined) in shapes {
        let shape = Shape {
            connections,
            pipelined,
            run,
        };
        shape.report("plain echo", serve_plainly);
        let defaults = TcpConfig {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            connections_per_network_max: 100_000,
            // All load comes from one network, and on a busy machine it takes its time to connect.
            receive_timeout_ms: 60_000,
            keepalive_ms: 60_000,
            ..TcpConfig::default()
        };
        let large_buffers = TcpConfig {
            receive_buffer_size: 16_384,
            send_buffer_size: 65_535,
            ..defaults.clone()
        };
        let small_share = TcpConfig {
            queries_per_read: 3,
            ..defaults.clone()
        };
        for (name, config) in [
            ("ripples, defaults", defaults),
            ("ripples, large buffers", large_buffers),
            ("ripples, 3 per read", small_share),
        ] {
            shape.report(name, |ready, stop| serve(config.clone(), ready, stop));
        }
    }
}

struct Shape {
    connections: usize,
    pipelined: usize,
    run: Duration,
}

impl Shape {
    /// Runs a server on a thread against a load process, and prints a row.
    fn report(&self, name: &str, serve: impl Fn(&dyn Fn(SocketAddr), &AtomicBool) + Sync) {
        let stop = AtomicBool::new(false);
        let (sender, receiver) = std::sync::mpsc::channel();
        let (answered, seconds, cpu) = std::thread::scope(|scope| {
            let server = scope.spawn(|| {
                let before = thread_cpu();
                serve(
                    &|address| sender.send(address).expect("the main thread waits"),
                    &stop,
                );
                thread_cpu() - before
            });
            let address: SocketAddr = receiver.recv().expect("the server listens");
            let output = Command::new(std::env::current_exe().expect("this program"))
                .arg("load")
                .args([address.to_string(), self.connections.to_string()])
                .args([self.pipelined.to_string(), self.run.as_millis().to_string()])
                .output()
                .expect("the load process runs");
            stop.store(true, Ordering::Release);
            // A last connection wakes a server that looks at the flag between two waits.
            drop(TcpStream::connect(address));
            let text = String::from_utf8_lossy(&output.stdout);
            let (answered, seconds) = text.trim().split_once(' ').unwrap_or_else(|| {
                panic!("load: {}", String::from_utf8_lossy(&output.stderr));
            });
            let answered: f64 = answered.parse().expect("a count");
            let seconds: f64 = seconds.parse().expect("seconds");
            (
                answered,
                seconds,
                server.join().expect("the server did not panic"),
            )
        });
        println!(
            "{:>11} {:>9}  {name:<22} {:>10.0} {:>6.0} ns",
            self.connections,
            self.pipelined,
            answered / seconds,
            cpu.as_secs_f64() * 1e9 / answered,
        );
    }
}

fn serve(config: TcpConfig, ready: &dyn Fn(SocketAddr), stop: &AtomicBool) {
    let counters = Arc::new(TcpCounters::default());
    let mut sibling = Sibling::new(config, counters).expect("a loopback port");
    ready(sibling.addresses()[0]);
    let mut echo = Echo::default();
    while !stop.load(Ordering::Acquire) {
        sibling.turn(1000, &mut echo).expect("an epoll set");
    }
}

/// The least a server can do: what it receives, it sends back.
fn serve_plainly(ready: &dyn Fn(SocketAddr), stop: &AtomicBool) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    // As many may wait as with the other servers: std asks for 128.
    nix::sys::socket::listen(&listener, Backlog::MAXALLOWABLE).expect("a bound socket");
    let epoll = Epoll::new(EpollCreateFlags::empty()).expect("an epoll set");
    let interest = |token| EpollEvent::new(EpollFlags::EPOLLIN, token);
    epoll
        .add(&listener, interest(u64::MAX))
        .expect("an open listener");
    ready(listener.local_addr().expect("a bound listener"));
    let mut streams: Vec<Option<TcpStream>> = Vec::new();
    let mut events = [EpollEvent::empty(); 64];
    let mut buffer = vec![0; 65_536];
    while !stop.load(Ordering::Acquire) {
        let count = epoll.wait(&mut events, 1000u16).expect("an epoll set");
        for event in &events[..count] {
            if event.data() == u64::MAX {
                let (stream, _) = listener.accept().expect("a connection");
                stream.set_nodelay(true).expect("a TCP socket");
                epoll
                    .add(&stream, interest(streams.len() as u64))
                    .expect("an open socket");
                streams.push(Some(stream));
                continue;
            }
            let place = usize::try_from(event.data()).expect("a place in the list");
            let Some(stream) = &mut streams[place] else {
                continue;
            };
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => stream.write_all(&buffer[..count]).expect("a reader"),
                _ => streams[place] = None,
            }
        }
    }
}

/// Keeps `pipelined` queries under way on each of `connections`, and counts the answers.
fn load(arguments: &[String]) {
    let address: SocketAddr = arguments[0].parse().expect("an address");
    let [connections, pipelined, run_ms] =
        [1, 2, 3].map(|at| arguments[at].parse::<usize>().expect("a number"));
    let burst = framed(&query(1, FRAMED_LEN - 2)).repeat(pipelined);
    let epoll = Epoll::new(EpollCreateFlags::empty()).expect("an epoll set");
    let mut lines: Vec<(TcpStream, usize)> = (0..connections)
        .map(|_| (TcpStream::connect(address).expect("a connection"), 0))
        .collect();
    for (place, (stream, _)) in lines.iter().enumerate() {
        stream.set_nodelay(true).expect("a TCP socket");
        let event = EpollEvent::new(EpollFlags::EPOLLIN, place as u64);
        epoll.add(stream, event).expect("an open socket");
    }
    for (stream, received) in &mut lines {
        stream.write_all(&burst).expect("a server that reads");
        stream.set_nonblocking(true).expect("a TCP socket");
        *received = 0;
    }
    let mut events = [EpollEvent::empty(); 256];
    let mut buffer = vec![0; 65_536];
    let mut answered = 0;
    let started = Instant::now();
    let run = Duration::from_millis(run_ms as u64);
    while started.elapsed() < run {
        let count = epoll.wait(&mut events, 1000u16).expect("an epoll set");
        for event in &events[..count] {
            let place = usize::try_from(event.data()).expect("a place in the list");
            let (stream, received) = &mut lines[place];
            match stream.read(&mut buffer) {
                Ok(0) => panic!("the server closed a connection"),
                Ok(count) => *received += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => panic!("{error}"),
            }
            if *received == burst.len() {
                *received = 0;
                answered += pipelined;
                stream.write_all(&burst).expect("room for a burst");
            }
        }
    }
    println!("{answered} {}", started.elapsed().as_secs_f64());
}

/// CPU time of the calling thread.
fn thread_cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("Linux");
    [usage.user_time(), usage.system_time()]
        .map(|time| {
            let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
            Duration::from_micros(u64::try_from(micros).expect("time runs forwards"))
        })
        .iter()
        .sum()
}
