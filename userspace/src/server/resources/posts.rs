//! The ways to all workers: a new snapshot goes out, the old ones come back and are freed here.

use crate::server::workers::Bell;
use crate::snapshot::{Mailbox, Snapshot};
use std::sync::Arc;

/// The way to one worker.
pub(in crate::server) struct Post {
    name: String,
    mailbox: Mailbox,
    bell: Bell,
    /// The newest snapshot, while the worker has not taken those before it.
    pending: Option<Arc<Snapshot>>,
}

impl Post {
    /// The way to the worker of this name, which is woken by `bell`.
    pub(in crate::server) fn new(name: String, mailbox: Mailbox, bell: Bell) -> Self {
        Self {
            name,
            mailbox,
            bell,
            pending: None,
        }
    }

    /// Sends what is pending, if there is room for it.
    fn deliver(&mut self) {
        let Some(snapshot) = self.pending.take() else {
            return;
        };
        if let Err(refused) = self.mailbox.send(snapshot) {
            self.pending = Some(refused);
        }
        if let Err(error) = self.bell.wake() {
            tracing::warn!(worker = self.name, %error, "cannot be woken");
        }
    }
}

/// The ways to all workers.
pub(super) struct Posts(Vec<Post>);

impl Posts {
    /// These ways.
    pub(super) fn new(posts: Vec<Post>) -> Self {
        Self(posts)
    }

    /// Adds the ways to new workers, which may have a snapshot that is not the newest any more.
    pub(super) fn add(&mut self, posts: Vec<Post>, newest: &Arc<Snapshot>) {
        for mut post in posts {
            post.pending = Some(Arc::clone(newest));
            post.deliver();
            self.0.push(post);
        }
    }

    /// Sends a snapshot to every worker. Whoever has not taken the last ones gets it later: of
    /// several that wait, the newest.
    pub(super) fn send(&mut self, snapshot: &Arc<Snapshot>) {
        for post in &mut self.0 {
            post.pending = Some(Arc::clone(snapshot));
            post.deliver();
        }
    }

    /// Frees what came back, and sends what waits. Returns how many snapshots are still under way.
    pub(super) fn collect(&mut self) -> usize {
        // A worker that has ended takes nothing any more, and gives nothing back.
        self.0.retain(|post| !post.mailbox.is_abandoned());
        let outstanding = self.0.iter_mut().map(|post| {
            let outstanding = post.mailbox.collect();
            post.deliver();
            outstanding + usize::from(post.pending.is_some())
        });
        outstanding.sum()
    }
}
