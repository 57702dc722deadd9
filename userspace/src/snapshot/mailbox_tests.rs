//! Snapshots through real rings and between real threads.

use super::mailbox::{CAPACITY, mailbox};
use super::{Policy, Snapshot};
use crate::packet::NameKey;
use std::sync::Arc;

fn snapshot(generation: u64) -> Arc<Snapshot> {
    let key = NameKey::new([1, 2, 3]);
    Arc::new(Snapshot::new(generation, Vec::new(), Policy::default(), key).unwrap())
}

#[test]
fn a_worker_answers_from_the_newest_and_returns_the_others() {
    let (mut mailbox, mut inbox) = mailbox(snapshot(0));
    assert!(!inbox.take());
    let watched = snapshot(1);
    mailbox.send(Arc::clone(&watched)).ok().unwrap();
    mailbox.send(snapshot(2)).ok().unwrap();
    assert_eq!(mailbox.collect(), 2);
    assert!(inbox.take());
    assert_eq!(inbox.current().generation(), 2);
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
    let (mut mailbox, mut inbox) = mailbox(snapshot(0));
    let sent = (1..)
        .take_while(|&i| mailbox.send(snapshot(i)).is_ok())
        .count();
    assert_eq!(sent, CAPACITY);
    inbox.take();
    assert_eq!(inbox.current().generation(), CAPACITY as u64);
    assert!(mailbox.send(snapshot(99)).is_ok());
}

#[test]
fn snapshots_cross_threads_and_all_are_freed() {
    let (mut mailbox, mut inbox) = mailbox(snapshot(0));
    let last = 2000;
    let worker = std::thread::spawn(move || {
        let mut newest = 0;
        while newest < last {
            if inbox.take() {
                assert!(inbox.current().generation() > newest, "never goes back");
                newest = inbox.current().generation();
            }
        }
        inbox
    });
    for generation in 1..=last {
        let mut next = snapshot(generation);
        while let Err(refused) = mailbox.send(next) {
            next = refused;
            std::thread::yield_now();
        }
    }
    let inbox = worker.join().unwrap();
    assert_eq!(mailbox.collect(), 0);
    assert_eq!(inbox.current().generation(), last);
}
