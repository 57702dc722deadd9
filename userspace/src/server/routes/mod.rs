//! The thread that follows the kernel's routing, for ports whose replies go by it.

mod known;

use super::attach::Queues;
use crate::config::{Config, Io, NextHopBy};
use crate::sys::netlink::{List, Listener};
use crate::sys::wait;
use crate::sys::waker::Waker;
use crate::telemetry::log;
use anyhow::{Context, Result};
use known::Routes;
use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the thread looks at what nobody tells it: who is asked for.
const LOOK: Duration = Duration::from_millis(500);
/// Changes come in crowds: those of so long are followed together.
const CROWD: Duration = Duration::from_millis(20);
/// Where following takes long, the thread rests for so many times as long.
const REST: u32 = 4;

/// The way to the thread. Dropped: it ends.
pub(super) struct RouteThread {
    routes: Arc<Mutex<Routes>>,
    stop: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl RouteThread {
    /// Starts it where replies may go by the kernel's routes.
    pub(super) fn start_for(config: &Config) -> Result<Option<Self>> {
        let is_wanted = config.next_hop == NextHopBy::Route
            && config.io != Io::Socket
            && !config.interfaces.is_empty();
        let thread = is_wanted.then(Self::start).transpose();
        thread.context("udp.next_hop = \"route\"")
    }

    /// Reads what the kernel knows, and starts to follow it.
    fn start() -> Result<Self> {
        // First of all: what changes from now on is told.
        let listener = Listener::new().context("netlink")?;
        let routes = Arc::new(Mutex::new(Routes::read().context("netlink")?));
        let (stop, waker) = (Arc::new(AtomicBool::new(false)), Waker::new()?);
        let follower = Follower {
            listener,
            routes: Arc::clone(&routes),
            stop: Arc::clone(&stop),
            waker: waker.clone(),
        };
        let thread = thread::Builder::new()
            .name("routes".to_owned())
            .spawn(move || {
                log::limit_this_thread();
                follower.run();
            })?;
        Ok(Self {
            routes,
            stop,
            waker,
            thread: Some(thread),
        })
    }

    /// Has the replies of these ports go by the kernel's routes.
    pub(super) fn serve(&self, queues: &mut Queues) -> Result<()> {
        let mut routes = lock(&self.routes);
        queues
            .iter_mut()
            .try_for_each(|(_, port)| routes.serve(port))
    }
}

impl Drop for RouteThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // One that cannot be woken looks by itself soon.
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the routes' thread has panicked");
        }
    }
}

/// What the thread owns.
struct Follower {
    listener: Listener,
    routes: Arc<Mutex<Routes>>,
    stop: Arc<AtomicBool>,
    waker: Waker,
}

impl Follower {
    fn run(mut self) {
        let mut left = BTreeSet::new();
        while !self.stop.load(Ordering::Relaxed) {
            let fds = [self.listener.as_fd(), self.waker.as_fd()];
            if let Err(error) = wait::readable(fds, Some(LOOK)) {
                tracing::error!(%error, "the routes' thread cannot wait");
                wait::pause(LOOK);
            }
            let began = Instant::now();
            let lists = std::mem::take(&mut left);
            left = match self.changes(lists) {
                Ok(lists) if lists.is_empty() => lists,
                Ok(lists) => self.follow(lists, began),
                Err(error) => {
                    tracing::error!(%error, "netlink: changes of the routing, read again soon");
                    wait::pause(LOOK);
                    List::ALL.into()
                }
            };
            lock(&self.routes).look();
        }
    }

    /// What is to be read again, with what was told since the last time.
    fn changes(&mut self, mut lists: BTreeSet<List>) -> io::Result<BTreeSet<List>> {
        let mut hear = |lists: &mut BTreeSet<List>| -> io::Result<()> {
            match self.listener.told()? {
                Some(told) => lists.extend(told.iter().flat_map(List::changed_by)),
                None => lists.extend(List::ALL),
            }
            Ok(())
        };
        hear(&mut lists)?;
        if !lists.is_empty() {
            wait::pause(CROWD);
            hear(&mut lists)?;
        }
        Ok(lists)
    }

    fn follow(&self, lists: BTreeSet<List>, began: Instant) -> BTreeSet<List> {
        let followed = lock(&self.routes).follow(lists);
        let left = followed.unwrap_or_else(|error| {
            tracing::error!("the routing is as it was, read again soon: {error:#}");
            wait::pause(LOOK);
            List::ALL.into()
        });
        let took = began.elapsed().saturating_sub(CROWD);
        let fds = [self.waker.as_fd()];
        // Replies go as before meanwhile, and the server may still be told to end.
        if took > CROWD && !self.stop.load(Ordering::Relaxed) {
            let _ = wait::readable(fds, Some(took * REST));
        }
        left
    }
}

fn lock(routes: &Mutex<Routes>) -> MutexGuard<'_, Routes> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}
