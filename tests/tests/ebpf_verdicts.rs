//! The kernel program as the kernel runs it: each frame's action and counter [root].
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use common::{Action, FilterConfig, Verdict, classify};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use ripples::bpf::{BpfError, Filter};
use ripples::port::{BindMode, XskConfig, XskPort};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};
use tests::netns::{Veth, privileged};
use tests::strategies;
use tests::verdict_cases::{Case, cases, endpoints};

#[test]
fn every_case_of_the_table_gets_its_action_and_its_counter() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    veth.server.namespace.run(|| {
        let port = open_port(veth.server.interface);
        let mut filter = load(false);
        filter
            .register_socket(0, port.socket().as_raw_fd())
            .unwrap();
        for Case {
            name,
            frame,
            verdict,
        } in kernel_cases()
        {
            assert_eq!(
                judge(&filter, &frame),
                (verdict.action(), verdict),
                "{name}"
            );
        }
    });
}

#[test]
fn what_is_ours_passes_on_a_queue_without_a_socket() {
    if !privileged() {
        return;
    }
    let filter = load(false);
    for Case {
        name,
        frame,
        verdict,
    } in kernel_cases()
    {
        let expected = if verdict == Verdict::Redirect {
            Verdict::NoSocket
        } else {
            verdict
        };
        assert_eq!(judge(&filter, &frame), (Action::Pass, expected), "{name}");
    }
}

#[test]
fn a_socket_can_be_taken_from_its_queue() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    veth.server.namespace.run(|| {
        let port = open_port(veth.server.interface);
        let frame = ours();
        let mut filter = load(false);
        filter
            .register_socket(0, port.socket().as_raw_fd())
            .unwrap();
        assert_eq!(filter.try_frame(&frame).unwrap(), Action::Redirect);
        filter.unregister_socket(0).unwrap();
        assert_eq!(filter.try_frame(&frame).unwrap(), Action::Pass);
    });
}

#[test]
fn a_queue_beyond_the_map_is_an_error_that_names_it() {
    if !privileged() {
        return;
    }
    let mut filter = load(false);
    let error = filter
        .register_socket(common::QUEUES_MAX, 0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("queue 1024"), "{error}");
}

#[test]
fn kernel_and_host_agree_on_random_frames() {
    if !privileged() {
        return;
    }
    let strategy = (strategies::frames(), strategies::endpoints());
    let filter = Mutex::new(load(false));
    TestRunner::new(tests::cases(10_000))
        .run(&strategy, |(frame, endpoints)| {
            // BPF_PROG_TEST_RUN wants an Ethernet header at least.
            prop_assume!(frame.len() >= 14);
            let config = FilterConfig::new(&endpoints).unwrap();
            let mut filter = filter.lock().unwrap();
            filter.update_config(&config).unwrap();
            let expected = match classify(&frame[..], &config) {
                Verdict::Redirect => Verdict::NoSocket,
                verdict => verdict,
            };
            prop_assert_eq!(judge(&filter, &frame), (Action::Pass, expected));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_new_configuration_counts_from_the_next_frame_on() {
    if !privileged() {
        return;
    }
    let mut filter = load(false);
    let frame = ours();
    assert_eq!(judge(&filter, &frame).1, Verdict::NoSocket);
    filter.update_config(&FilterConfig::EMPTY).unwrap();
    assert_eq!(judge(&filter, &frame).1, Verdict::OtherAddress);
}

#[test]
fn debug_logging_tells_source_and_verdict_of_each_frame() {
    if !privileged() {
        return;
    }
    let mut filter = load(true);
    let events = events_of(|| {
        for name in ["an IPv4 query", "TCP over IPv6", "a broadcast ARP request"] {
            filter.try_frame(&named(name)).unwrap();
        }
        filter.drain_log();
    });
    let expected = [
        "DEBUG xdp: 198.51.100.7 no_socket",
        "DEBUG xdp: 2001:db8::7 not_udp",
        "DEBUG xdp: :: group_frame",
    ];
    assert_eq!(events, expected);
}

#[test]
fn without_debug_there_is_no_log() {
    if !privileged() {
        return;
    }
    let mut filter = load(false);
    assert!(filter.log_fd().is_none());
    let events = events_of(|| {
        filter.try_frame(&ours()).unwrap();
        filter.drain_log();
    });
    assert!(events.is_empty(), "{events:?}");
}

#[test]
fn a_frame_that_the_kernel_does_not_take_is_an_error() {
    if !privileged() {
        return;
    }
    let error = load(false).try_frame(&[0; 13]).unwrap_err();
    assert!(matches!(error, BpfError::Failed { .. }), "{error}");
}

/// Runs one frame; tells the action, and the one verdict whose counter rose.
fn judge(filter: &Filter, frame: &[u8]) -> (Action, Verdict) {
    let before = filter.verdict_counts().unwrap();
    let action = filter.try_frame(frame).unwrap();
    let after = filter.verdict_counts().unwrap();
    let rose = |verdict: &Verdict| {
        let index = verdict.index() as usize;
        usize::try_from(after[index] - before[index]).unwrap()
    };
    let risen: Vec<_> = Verdict::ALL
        .into_iter()
        .flat_map(|verdict| std::iter::repeat_n(verdict, rose(&verdict)))
        .collect();
    assert_eq!(risen.len(), 1, "{risen:?}");
    (action, risen[0])
}

/// The filter of the table.
fn load(debug: bool) -> Filter {
    let config = FilterConfig::new(&endpoints()).unwrap();
    Filter::load(&config, debug).unwrap_or_else(|error| panic!("{error}"))
}

/// A socket with an RX ring.
fn open_port(interface: &str) -> XskPort {
    XskPort::open(&XskConfig::new(interface, 0, BindMode::Copy)).unwrap()
}

/// The cases whose frames BPF_PROG_TEST_RUN takes.
fn kernel_cases() -> impl Iterator<Item = Case> {
    cases().into_iter().filter(|case| case.frame.len() >= 14)
}

fn ours() -> Vec<u8> {
    named("an IPv4 query")
}

fn named(name: &str) -> Vec<u8> {
    cases()
        .into_iter()
        .find(|case| case.name == name)
        .unwrap()
        .frame
}

/// The events that `work` leads to, one line each.
fn events_of(work: impl FnOnce()) -> Vec<String> {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// What the subscriber has written, shared with it.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
