//! The mailbox on real rings and between real threads; Miri can run them:
//! `cargo +nightly miri test -p ripples --lib snapshot::mailbox_tests`.

use super::mailbox::{CAPACITY, mailbox};
use std::sync::Arc;

#[test]
fn a_worker_answers_from_the_newest_and_returns_the_others() {
    let (mut mailbox, mut inbox) = mailbox(Arc::new(0));
    assert!(!inbox.take());
    let watched = Arc::new(1);
    mailbox.send(Arc::clone(&watched)).unwrap();
    mailbox.send(Arc::new(2)).unwrap();
    assert_eq!(mailbox.collect(), 2);
    assert!(inbox.take());
    assert_eq!(*inbox.current(), 2);
    assert_eq!(
        Arc::strong_count(&watched),
        2,
        "given back, not dropped by the worker"
    );
    assert_eq!(mailbox.collect(), 0);
    assert_eq!(Arc::strong_count(&watched), 1);
    assert!(!inbox.take());
}

#[test]
fn a_full_mailbox_refuses_and_loses_nothing() {
    let (mut mailbox, mut inbox) = mailbox(Arc::new(0));
    let sent = (1..)
        .take_while(|&i| mailbox.send(Arc::new(i)).is_ok())
        .count();
    assert_eq!(sent, CAPACITY);
    inbox.take();
    assert_eq!(*inbox.current(), CAPACITY);
    assert!(mailbox.send(Arc::new(99)).is_ok());
}

#[test]
fn a_mailbox_knows_when_its_worker_is_gone_and_what_was_under_way_is_freed() {
    let (mut mailbox, inbox) = mailbox(Arc::new(0));
    let watched = Arc::new(1);
    mailbox.send(Arc::clone(&watched)).unwrap();
    assert!(!mailbox.is_abandoned());
    drop(inbox);
    assert!(mailbox.is_abandoned());
    drop(mailbox);
    assert_eq!(Arc::strong_count(&watched), 1);
}

#[test]
fn snapshots_cross_threads_and_all_are_freed() {
    let (mut mailbox, mut inbox) = mailbox(Arc::new(0));
    let last = if cfg!(miri) { 50 } else { 2000 };
    let worker = std::thread::spawn(move || {
        let mut newest = 0;
        while newest < last {
            if inbox.take() {
                assert!(*inbox.current() > newest, "never goes back");
                newest = *inbox.current();
            }
            std::hint::spin_loop();
        }
        inbox
    });
    for generation in 1..=last {
        let mut next = Arc::new(generation);
        while let Err(refused) = mailbox.send(next) {
            next = refused;
            std::thread::yield_now();
        }
    }
    let inbox = worker.join().unwrap();
    assert_eq!(mailbox.collect(), 0);
    assert_eq!(*inbox.current(), last);
}
