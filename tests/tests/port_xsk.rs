//! The AF_XDP port between two network namespaces, in copy mode. Needs root.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use common::FilterConfig;
use ripples::bpf::{AttachMode, Filter};
use ripples::packet::Envelope;
use ripples::port::xsk::{Cause, XskFrame};
use ripples::port::{BindMode, Census, Port, RingEvent, Vector, XskConfig, XskPort};
use ripples::sys::interface::Interface;
use ripples::sys::wait;
use ripples::telemetry::{Counters, Discard, Event};
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Stdio};
use std::time::Duration;
use tests::echo::Echo;
use tests::netns::{End, Veth, ip, privileged};
use tests::redirect::{Attach, Redirect};

/// Long enough for a packet over a veth pair, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ports on every queue of the server's end; the program that feeds them lives as long.
struct Server {
    ports: Vec<XskPort>,
    echo: Echo<XskPort>,
    _program: Box<dyn Send>,
}

#[test]
fn a_plain_socket_gets_its_messages_back_in_both_families_and_xdp_modes() {
    if !privileged() {
        return;
    }
    for mode in [Attach::Native, Attach::Generic] {
        let veth = Veth::new(1);
        let mut server = Server::start(&veth, mode, |_| {});
        for ip in [IpAddr::V4(veth.server.ipv4), IpAddr::V6(veth.server.ipv6)] {
            let client = client(&veth.client, ip);
            for len in [0, 1, 12, 512, 1400] {
                let message = vec![0x5a; len];
                client.send(&message).unwrap();
                server.serve(1, 9);
                let mut reply = [0; 2000];
                let reply_len = client.recv(&mut reply).unwrap();
                assert_eq!(reply_len, len + 9, "{mode:?} {ip}");
                assert_eq!(
                    (&reply[..len], &reply[len..reply_len]),
                    (&message[..], &[0xee; 9][..])
                );
            }
        }
    }
}

#[test]
fn frames_are_conserved_through_a_hundred_thousand_packets() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    // Rings so small that they wrap often, and fewer frames than are under way at once.
    let mut server = Server::start(&veth, Attach::Native, |config| {
        (config.frame_count, config.fill_size) = (512, 256);
        (config.rx_size, config.tx_size) = (256, 256);
    });
    let client = client(&veth.client, veth.server.ipv4.into());
    let mut reply = [0; 64];
    for round in 0..1000u32 {
        for index in 0..100u32 {
            client.send(&(round * 100 + index).to_be_bytes()).unwrap();
        }
        server.serve(100, 0);
        for index in 0..100u32 {
            assert_eq!(client.recv(&mut reply).unwrap(), 4);
            assert_eq!(reply[..4], (round * 100 + index).to_be_bytes());
        }
        assert_eq!(server.ports[0].census().total(), 512);
    }
    let census = server.settle();
    assert_eq!(
        census,
        Census {
            free: 256,
            fill: 256,
            ..Census::default()
        }
    );
    let counters = Counters::default();
    counters.publish(&mut server.echo.tally);
    let totals = counters.totals();
    assert!(totals.events(Event::Received) >= 100_000, "{totals:?}");
    assert_eq!(totals.events(Event::TransmitFailed), 0);
    assert_eq!(totals.events(Event::PortErrors), 0);
    let statistics = server.ports[0].statistics().unwrap();
    assert_eq!(
        [RingEvent::RxDropped, RingEvent::TxInvalidDescs].map(|event| statistics.count(event)),
        [0, 0],
        "{statistics:?}"
    );
}

#[test]
fn an_overload_is_dropped_and_counted_by_the_kernel_not_leaked() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let mut server = Server::start(&veth, Attach::Native, |config| {
        (config.frame_count, config.fill_size) = (64, 64);
        (config.rx_size, config.tx_size) = (32, 8);
    });
    let client = client(&veth.client, veth.server.ipv4.into());
    for round in 1..=20 {
        for _ in 0..200 {
            client.send(b"flood").unwrap();
        }
        // 32 wait in the RX ring; of one vector of replies, 8 fit the TX ring.
        while server.echo.turn(&mut server.ports[0], 0) > 0 {}
        let census = server.settle();
        assert_eq!(
            (census.held, census.tx, census.total()),
            (0, 0, 64),
            "round {round}"
        );
    }
    let counters = Counters::default();
    counters.publish(&mut server.echo.tally);
    let totals = counters.totals();
    let statistics = server.ports[0].statistics().unwrap();
    let gauge = server.ports[0].gauge().unwrap();
    assert_eq!(gauge.read().unwrap(), statistics);
    assert!(
        statistics.count(RingEvent::RxRingFull) > 0,
        "{statistics:?}"
    );
    assert!(totals.events(Event::TransmitFailed) > 0, "{totals:?}");
    // And it still works.
    client.send(b"hello").unwrap();
    server.serve(1, 0);
}

#[test]
fn every_queue_has_a_port_of_its_own() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let mut server = Server::start(&veth, Attach::Native, |_| {});
    assert_eq!(server.ports.len(), 2);
    let mut by_queue = [0, 0];
    // A client's socket sticks to a queue; of sixteen, some take each.
    for _ in 0..16 {
        let client = client(&veth.client, veth.server.ipv4.into());
        client.send(b"which queue?").unwrap();
        by_queue[server.serve(1, 0)] += 1;
        client.recv(&mut [0; 64]).unwrap();
    }
    assert!(by_queue.iter().all(|&count| count > 0), "{by_queue:?}");
}

#[test]
fn the_servers_own_program_feeds_the_ports_and_leaves_the_rest_to_the_kernel() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let (ipv4, ipv6) = (veth.server.ipv4.into(), veth.server.ipv6.into());
    let mut server = Server::start_filtered(&veth, &[(ipv4, 53).into(), (ipv6, 53).into()]);
    let kernel = veth
        .server
        .namespace
        .run(|| UdpSocket::bind((ipv4, 5353)).unwrap());
    kernel.set_read_timeout(Some(PATIENCE)).unwrap();
    for round in 0..50 {
        for ip in [ipv4, ipv6] {
            let client = client(&veth.client, ip);
            client.send(b"a DNS header").unwrap();
            server.serve(1, round);
            assert_eq!(client.recv(&mut [0; 99]).unwrap(), 12 + round);
        }
        let client = client(&veth.client, ipv4);
        client.send_to(b"no DNS at all", (ipv4, 5353)).unwrap();
        assert_eq!(kernel.recv(&mut [0; 99]).unwrap(), 13);
    }
    // Nothing but queries has come to the ports.
    assert_eq!(server.echo.answered, 100);
    let counters = Counters::default();
    counters.publish(&mut server.echo.tally);
    assert_eq!(counters.totals().events(Event::Received), 100);
}

#[test]
fn a_reply_fills_the_mtu_and_no_more() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let mut server = Server::start(&veth, Attach::Native, |_| {});
    for (ip, limit) in [
        (IpAddr::V4(veth.server.ipv4), 1500 - 20 - 8),
        (IpAddr::V6(veth.server.ipv6), 1500 - 40 - 8),
    ] {
        let client = client(&veth.client, ip);
        client.send(b"hello").unwrap();
        let (mut frame, envelope) = server.next_message();
        let port = &mut server.ports[0];
        assert_eq!(port.message_limit(&envelope), limit);
        assert_eq!(port.bytes(&frame)[envelope.message()], *b"hello");
        // The room reaches beyond what was received, and what was received is still told.
        let start = usize::from(envelope.message_start);
        port.room(&mut frame)[start..start + limit].fill(0x7e);
        assert_eq!(port.bytes(&frame).len(), start + 5);
        port.seal(&mut frame, &envelope, limit, None);
        assert_eq!(port.bytes(&frame).len(), start + limit);
        port.transmit(&mut Vector::from_iter([frame]));
        let mut reply = [0; 2000];
        assert_eq!(client.recv(&mut reply).unwrap(), limit);
        assert!(reply[..limit].iter().all(|&byte| byte == 0x7e));
    }
}

#[test]
fn what_is_not_udp_is_a_discard() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let mut server = Server::start(&veth, Attach::Native, |_| {});
    // The program redirects whatever comes, TCP too; nobody answers it.
    let address = SocketAddr::new(veth.server.ipv4.into(), 53);
    let refused = veth
        .client
        .namespace
        .run(|| TcpStream::connect_timeout(&address, Duration::from_millis(100)).unwrap_err());
    assert_eq!(refused.kind(), ErrorKind::TimedOut);
    while server.echo.turn(&mut server.ports[0], 0) > 0 {}
    let counters = Counters::default();
    counters.publish(&mut server.echo.tally);
    assert!(counters.totals().discards(Discard::NotUdp) > 0);
    assert_eq!(server.settle().held, 0);
}

#[test]
fn replies_that_the_link_did_not_take_leave_when_it_is_back() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let link = |state| {
        let (name, interface) = (veth.server.namespace.name(), veth.server.interface);
        ip(&format!("-n {name} link set {interface} {state}"));
    };
    // Nothing but the queries is to arrive: IPv6 speaks up whenever a link comes up.
    let quiet = format!("net.ipv6.conf.{}.disable_ipv6=1", veth.client.interface);
    let mut sysctl = veth.client.namespace.command("sysctl");
    assert!(sysctl.args(["-qw", &quiet]).status().unwrap().success());

    let mut server = Server::start(&veth, Attach::Native, |_| {});
    let client = client(&veth.client, veth.server.ipv4.into());
    let ask = |server: &mut Server| {
        let mut queries = Vector::new();
        for index in 0..50u8 {
            client.send(&[index]).unwrap();
            queries.push(server.next_message());
        }
        link("down");
        let mut replies = Vector::new();
        for (mut frame, envelope) in queries {
            server.ports[0].seal(&mut frame, &envelope, 1, None);
            replies.push(frame);
        }
        server.ports[0].transmit(&mut replies);
        assert!(server.ports[0].backlog());
        assert_eq!(server.ports[0].census().tx, 50);
    };
    let all_come = || {
        for index in 0..50u8 {
            let mut reply = [0; 9];
            assert_eq!((client.recv(&mut reply).unwrap(), reply[0]), (1, index));
        }
    };
    // A later turn drives them, though nothing new arrives.
    ask(&mut server);
    link("up");
    server.settle();
    assert!(!server.ports[0].backlog());
    all_come();
    // And so does the end: a port that is dropped waits for what it has promised.
    ask(&mut server);
    std::thread::scope(|scope| {
        scope.spawn(|| link("up"));
        drop(server);
    });
    all_come();
}

#[test]
fn a_frame_is_good_for_its_own_port_only() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let mut server = Server::start(&veth, Attach::Native, |_| {});
    let mut other = Server::start(&Veth::new(1), Attach::Native, |_| {});
    let client = client(&veth.client, veth.server.ipv4.into());
    client.send(b"hello").unwrap();
    let (frame, _) = server.next_message();
    let misuse = catch_unwind(AssertUnwindSafe(|| other.ports[0].recycle(frame)));
    let complaint = misuse.unwrap_err().downcast::<String>().unwrap();
    assert!(
        complaint.contains("another port than its own"),
        "{complaint}"
    );
}

#[test]
fn says_what_is_wrong_and_what_to_do() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let name = veth.server.interface;
    veth.server.namespace.run(|| {
        let open = |name: &str, queue, mode| XskPort::open(&XskConfig::new(name, queue, mode));
        let error = open("nosuch0", 0, BindMode::Copy).unwrap_err();
        assert!(matches!(error.cause, Cause::Interface(_)), "{error}");
        assert!(
            error.to_string().contains("there are: lo, server0"),
            "{error}"
        );

        let error = open(name, 1, BindMode::Copy).unwrap_err();
        assert!(
            matches!(error.cause, Cause::NoQueue { queues: 1 }),
            "{error}"
        );

        // veth's driver cannot do zero-copy: the caller goes on with copy mode.
        let error = open(name, 0, BindMode::ZeroCopy).unwrap_err();
        assert!(error.is_unsupported(), "{error}");
        let first = open(name, 0, BindMode::Copy).unwrap();

        let error = open(name, 0, BindMode::Copy).unwrap_err();
        assert!(matches!(error.cause, Cause::Busy), "{error}");
        assert_eq!(
            error.to_string(),
            "AF_XDP on server0, queue 0, copy mode: another AF_XDP socket has the queue: stop the \
             program that does, or use other queues"
        );
        drop(first);
        open(name, 0, BindMode::Copy).unwrap();
    });
}

#[test]
fn a_killed_process_leaves_nothing_behind() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let attached = || {
        let mut show = veth.server.namespace.command("ip");
        let output = show
            .args(["link", "show", veth.server.interface])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains("xdp")
    };
    for _ in 0..3 {
        let mut child = spawn_echo(&veth.server);
        assert!(attached());
        let client = client(&veth.client, veth.server.ipv4.into());
        for _ in 0..100 {
            client.send(b"hello").unwrap();
            client.recv(&mut [0; 64]).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!attached());
    }
    // The queues are free again.
    Server::start(&veth, Attach::Native, |_| {});
}

/// Starts `port_echo` on an end; returns when it is ready.
fn spawn_echo(end: &End) -> Child {
    let mut command = end.namespace.command(env!("CARGO_BIN_EXE_port_echo"));
    command
        .args([end.interface, "native", "poll"])
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "ready: 2 queues\n");
    child
}

/// Opens a port on each queue of an interface.
fn open_all(interface: &Interface, edit: impl Fn(&mut XskConfig)) -> Vec<XskPort> {
    let open = |queue| {
        let mut config = XskConfig::new(&interface.name, queue, BindMode::Copy);
        edit(&mut config);
        XskPort::open(&config).unwrap()
    };
    (0..interface.rx_queues).map(open).collect()
}

/// A client's socket inside its namespace, connected to the server.
fn client(end: &End, server: IpAddr) -> UdpSocket {
    end.namespace.run(|| {
        let any: IpAddr = if server.is_ipv4() {
            end.ipv4.into()
        } else {
            end.ipv6.into()
        };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0)).unwrap();
        socket.connect(SocketAddr::new(server, 53)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    })
}

impl Server {
    /// Opens a port on each queue and sends it whatever comes there.
    fn start(veth: &Veth, mode: Attach, edit: impl Fn(&mut XskConfig) + Send) -> Self {
        veth.server.namespace.run(|| {
            let interface = Interface::find(veth.server.interface).unwrap();
            let redirect = Redirect::attach(interface.index, mode).unwrap();
            let ports = open_all(&interface, edit);
            for (queue, port) in (0..).zip(&ports) {
                redirect.connect(queue, port.socket()).unwrap();
            }
            Self::new(ports, redirect)
        })
    }

    /// Opens a port on each queue and sends it what the server's own program takes for DNS.
    fn start_filtered(veth: &Veth, listen: &[SocketAddr]) -> Self {
        veth.server.namespace.run(|| {
            let interface = Interface::find(veth.server.interface).unwrap();
            let mut filter = Filter::load(&FilterConfig::new(listen).unwrap(), false).unwrap();
            filter.attach(&interface.name, AttachMode::Native).unwrap();
            let ports = open_all(&interface, |_| {});
            for (queue, port) in (0..).zip(&ports) {
                filter
                    .register_socket(queue, port.socket().as_raw_fd())
                    .unwrap();
            }
            Self::new(ports, filter)
        })
    }

    fn new(ports: Vec<XskPort>, program: impl Send + 'static) -> Self {
        Self {
            ports,
            echo: Echo::default(),
            _program: Box::new(program),
        }
    }

    /// Echoes until `count` more messages are answered; returns the queue of the last one. What
    /// else comes, the kernel's own multicast for example, does not count.
    fn serve(&mut self, count: usize, grow: usize) -> usize {
        let enough = self.echo.answered + count;
        loop {
            let queue = self.wait();
            self.echo.turn(&mut self.ports[queue], grow);
            if self.echo.answered >= enough {
                return queue;
            }
        }
    }

    /// Takes the next message from the first queue.
    fn next_message(&mut self) -> (XskFrame, Envelope) {
        loop {
            self.wait();
            let mut vector = Vector::new();
            self.ports[0].receive(&mut vector, 1);
            for frame in vector {
                match self.ports[0].open(&frame) {
                    Ok(envelope) => return (frame, envelope),
                    Err(_) => self.ports[0].recycle(frame),
                }
            }
        }
    }

    /// Waits for a packet; returns the queue it came to.
    fn wait(&self) -> usize {
        let fds = match &self.ports[..] {
            [one] => [one.socket(); 2],
            [one, two] => [one.socket(), two.socket()],
            _ => panic!("tests have one or two queues"),
        };
        let readable = wait::readable(fds, Some(PATIENCE)).unwrap();
        let queue = readable.iter().position(|&readable| readable);
        queue.unwrap_or_else(|| panic!("nothing came for {PATIENCE:?}"))
    }

    /// Turns until all that was sent is back in the port.
    fn settle(&mut self) -> Census {
        for _ in 0..1000 {
            self.echo.turn(&mut self.ports[0], 0);
            let census = self.ports[0].census();
            if census.tx == 0 && census.rx == 0 {
                break;
            }
            wait::pause(Duration::from_millis(1));
        }
        self.ports[0].census()
    }
}
