//! A server that replaces another one on kernel sockets.

use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::client::{ask, ask_tcp, query};
use tests::folder::Folder;
use tests::loopback;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, Orphan, PATIENCE, Server};
use tests::steady::{Stop, steady};
use tests::tcp::{Client, framed};

/// Queries a second while servers replace each other.
const RATE: u32 = 5_000;

/// One address and one control socket, which one server after the other has.
struct Place {
    folder: Folder,
    address: SocketAddr,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: Folder::new(),
            address: loopback::address(),
        }
    }

    /// A server here that is not to share the address with anyone.
    fn launch(&self, arguments: &[&str]) -> Launch {
        let listen = self.address.to_string();
        let control = self.folder.path().join("control.sock");
        Launch::run_at(&control, &["--io", "socket", "--listen", &listen])
            .with(arguments)
            .zone("example", EXAMPLE)
    }

    /// The next server.
    fn replace(&self, workers: &str) -> Server {
        self.launch(&["--replace", "--workers", workers]).start()
    }
}

#[test]
fn servers_replace_each_other_under_load_and_lose_no_datagram() {
    let place = Place::new();
    let stop = AtomicBool::new(false);
    let mut server = place.launch(&["--workers", "2"]).start();
    let query = query("www.example", rtype::A);
    let result = std::thread::scope(|scope| {
        let load = scope.spawn(|| steady(place.address, &query, RATE, &stop));
        let stop = Stop(&stop);
        // More workers, fewer, as many: no socket of an address is ever closed.
        for workers in ["3", "1", "2", "2", "4"] {
            server.await_stats(|stats| stats.total("answers") > 500);
            let next = place.replace(workers);
            let ended = server.wait();
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            // How many descriptors there may be is this machine's.
            let warns = |line: &str| line.contains("WARN") && !line.contains("file descriptors");
            assert!(!ended.stderr.lines().any(warns), "{}", ended.stderr);
            server = next;
        }
        drop(stop);
        let result = load.join().unwrap();
        server.stop();
        result
    });
    println!("five replacements at {RATE} queries/s: {result}");
    assert_eq!(result.lost, [], "{result}");
}

#[test]
fn connections_get_their_answers_and_none_is_refused() {
    let place = Place::new();
    let server = place.launch(&[]).start();
    let message = framed(&query("www.example", rtype::A));
    let mut silent = Client::connect(place.address);
    let mut torn = Client::connect(place.address);
    torn.send(&message[..5]);
    server.await_stats(|stats| stats.tcp("events.accepted") == 2);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut asked = 0;
            while !stop.load(Ordering::Relaxed) {
                ask_tcp(place.address, &message[2..]);
                asked += 1;
            }
            asked
        });
        let stop = Stop(&stop);
        let next = place.replace("3");
        // Both are the old server's.
        torn.send(&message[5..]);
        silent.send(&message);
        for client in [&mut torn, &mut silent] {
            assert_eq!(
                client.receive().unwrap(),
                ask_tcp(place.address, &message[2..])
            );
            assert!(client.is_closed());
        }
        assert_eq!(server.wait().code, Some(0));
        let last = place.replace("2");
        assert_eq!(next.wait().code, Some(0));
        last.await_stats(|stats| stats.tcp("events.answers") > 10);
        drop(stop);
        assert!(asking.join().unwrap() > 20);
        last.stop();
    });
}

#[test]
fn status_tells_who_was_replaced_and_the_control_socket_is_the_new_ones() {
    let place = Place::new();
    let old = place.launch(&[]).start();
    let first = old.id();
    let new = place.replace("1");
    assert!(old.wait().stderr.contains("replaced pid="));
    let status: serde_json::Value =
        serde_json::from_str(&new.ctl(&["status", "--json"]).stdout).unwrap();
    assert_eq!(status["pid"], new.id());
    assert_eq!(status["replaced"]["pid"], first);
    new.stop();
    assert!(!place.folder.path().join("control.sock").exists());
}

#[test]
fn without_a_server_it_just_starts() {
    let place = Place::new();
    let server = place.replace("1");
    let log = server.log();
    assert!(log.contains("nothing is to be replaced"), "{log}");
    ask(place.address, &query("www.example", rtype::A));
    server.stop();
}

#[test]
fn without_the_option_an_address_is_not_shared() {
    let place = Place::new();
    let server = place.launch(&[]).start();
    let listen = place.address.to_string();
    let second = Launch::run(&["--io", "socket", "--listen", &listen]).finish();
    assert_eq!(second.code, Some(1));
    let complaint = "another program listens there";
    assert!(second.stderr.contains(complaint), "{}", second.stderr);
    let again = place.launch(&[]).finish();
    let complaint = "another server is running";
    assert!(again.stderr.contains(complaint), "{}", again.stderr);
    server.stop();
}

#[test]
fn one_that_fails_leaves_the_old_one_as_it_was() {
    let place = Place::new();
    let mut server = place.launch(&["--workers", "2"]).start();
    let taken = loopback::address();
    let other = Launch::run(&["--io", "socket", "--listen", &taken.to_string()]).start();
    let broken = place
        .launch(&["--replace"])
        .zone("broken", "@ SOA nonsense\n");
    let busy = place.launch(&["--replace", "--listen", &taken.to_string()]);
    let lonely = place.launch(&["--replace", "--cpus", "8000"]);
    for (launch, complaint) in [
        (broken, "broken.zone:1:"),
        (busy, "another program listens there"),
        (lonely, "CPU 8000 is not available"),
    ] {
        let failed = launch.finish();
        assert_eq!(failed.code, Some(1));
        assert!(failed.stderr.contains(complaint), "{}", failed.stderr);
        server.await_log("does not replace this server, which goes on");
        ask(place.address, &query("www.example", rtype::A));
        ask_tcp(place.address, &query("www.example", rtype::A));
    }
    assert_eq!(server.ctl(&["status"]).code, Some(0));
    other.stop();
    server.stop();
}

#[test]
fn of_two_only_the_first_replaces_the_server_and_a_kill_ends_its_claim() {
    let place = Place::new();
    let mut old = place.launch(&[]).start();
    // It waits for its zone for as long as nobody writes to the pipe.
    let pipe = place.folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let slow = ["--replace", "--zone", &format!("slow={}", pipe.display())];
    let first = place.launch(&slow).begin();
    old.await_log("a server prepares to replace this one");
    let second = place.launch(&["--replace"]).finish();
    let complaint = format!("process {} is replacing it already", first.id());
    assert!(second.stderr.contains(&complaint), "{}", second.stderr);
    first.kill();
    old.await_log("does not replace this server, which goes on: it has ended");
    let third = place.replace("1");
    assert_eq!(old.wait().code, Some(0));
    third.stop();
}

#[test]
fn a_server_that_is_killed_while_it_is_replaced_is_not_needed() {
    let place = Place::new();
    let mut old = place.launch(&["--workers", "2"]).start();
    let pipe = place.folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let slow = ["--replace", "--zone", &format!("slow={}", pipe.display())];
    let mut new = place.launch(&slow).begin();
    old.await_log("a server prepares to replace this one");
    new.await_log("replaces a server");
    old.kill();
    std::fs::write(&pipe, EXAMPLE).unwrap();
    new.await_log("ready\n");
    assert!(new.log().contains("has ended by itself"), "{}", new.log());
    ask(place.address, &query("www.example", rtype::A));
    ask_tcp(place.address, &query("www.example", rtype::A));
    assert_eq!(new.ctl(&["status"]).code, Some(0));
    new.stop();
}

#[test]
fn clients_keep_their_cookies() {
    let place = Place::new();
    let old = place.launch(&[]).start();
    let cookie = |sent: &[u8]| {
        let mut query = query("www.example", rtype::A);
        query[11] = 1;
        query.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0]);
        let len = u8::try_from(sent.len()).unwrap();
        query.extend([len + 4, 0, 10, 0, len]);
        query.extend(sent);
        let (reply, _) = ask(place.address, &query);
        reply[reply.len() - 24..].to_vec()
    };
    let first = cookie(b"client00");
    let new = place.replace("1");
    assert_eq!(old.wait().code, Some(0));
    cookie(&first);
    new.await_stats(|stats| stats.total("events.cookie_valid") == 1);
    new.stop();
}

#[test]
fn a_server_that_does_not_know_how_is_not_replaced() {
    use std::io::{BufRead, BufReader, Write};
    for (said, complaint) in [
        (
            r#"{"ok":false,"error":"not a request: unknown variant `replace`"}"#,
            "cannot be replaced, and goes on: not a request: unknown variant",
        ),
        (
            r#"{"ok":true,"result":{"handover":99}}"#,
            "is replaced in version 99 of the way to do so, this release in 1",
        ),
    ] {
        let place = Place::new();
        let path = place.folder.path().join("control.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            assert_eq!(line, "{\"version\":1,\"command\":\"replace\"}\n");
            writeln!(stream, "{said}").unwrap();
        });
        let failed = place.launch(&["--replace"]).finish();
        server.join().unwrap();
        assert_eq!(failed.code, Some(1));
        assert!(failed.stderr.contains(complaint), "{}", failed.stderr);
    }
}

#[test]
fn without_a_control_socket_there_is_nobody_to_ask() {
    let place = Place::new();
    let failed = Launch::new(&["run", "--io", "socket", "--control", "none", "--replace"])
        .with(&["--listen", &place.address.to_string()])
        .finish();
    let complaint = "--replace: give the control socket of the server";
    assert!(failed.stderr.contains(complaint), "{}", failed.stderr);
}

#[test]
fn an_upgrade_starts_the_successor_and_the_service_manager_is_told() {
    let place = Place::new();
    let socket = place.folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = || {
        let mut said = [0; 1024];
        let len = manager.recv(&mut said).unwrap();
        String::from_utf8(said[..len].to_vec()).unwrap()
    };
    let server = place
        .launch(&[])
        .variable("NOTIFY_SOCKET", &socket.to_string_lossy())
        .start();
    let first = format!(
        "MAINPID={}\nREADY=1\nSTATUS=serving 1 zones on 1",
        server.id()
    );
    let said = hear();
    assert!(said.starts_with(&first), "{said}");
    server.reload();
    let said = hear();
    let time = said.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
    assert!(
        time.is_some_and(|time| time.parse::<u64>().is_ok()),
        "{said}"
    );
    assert_eq!(hear(), "READY=1");

    let old = server.id().to_string();
    let answer = server.ctl(&["upgrade"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let successor = Orphan(server.control());
    let said = hear();
    let main = said.lines().next().unwrap();
    let new = main.strip_prefix("MAINPID=").unwrap().to_owned();
    assert_ne!(new, old);
    assert!(said.contains("\nREADY=1\n"), "{said}");
    ask(place.address, &query("www.example", rtype::A));
    // The old one says nothing of its end: the service goes on.
    let status = successor.ctl(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["pid"].to_string(), new);
    assert_eq!(status["replaced"]["pid"].to_string(), old);
    drop(successor);
    assert_eq!(hear(), "STOPPING=1\nSTATUS=draining");
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_watchdog_is_fed() {
    let place = Place::new();
    let socket = place.folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let server = place
        .launch(&[])
        .variable("NOTIFY_SOCKET", &socket.to_string_lossy())
        .variable("WATCHDOG_USEC", "100000")
        .start();
    let mut said = [0; 1024];
    assert!(manager.recv(&mut said).unwrap() > 0);
    for _ in 0..3 {
        let len = manager.recv(&mut said).unwrap();
        assert_eq!(&said[..len], b"WATCHDOG=1");
    }
    server.stop();
}
