//! The resource thread: builds snapshots beside the one that is served, hands them out, and frees
//! those that come back.

use super::posts::{Post, Posts};
use super::published::Published;
use super::reading::Scope;
use super::report::{Question, unknown};
use super::request::{Orders, REQUESTS_MAX, Request, busy};
use super::watch::Watch;
use super::{Outcome, Resources};
use crate::control::{Refusal, Reply};
use crate::health::{Checker, SharedBoard};
use crate::server::lookup::locate;
use crate::server::notify;
use crate::snapshot::Snapshot;
use crate::sys::waker::Waker;
use crate::sys::{heap, wait};
use serde_json::Value;
use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The way to the thread.
pub(in crate::server) struct ResourceThread {
    requests: SyncSender<(Request, Reply)>,
    orders: Arc<Mutex<Orders>>,
    waker: Waker,
    published: Arc<Mutex<Published>>,
    board: SharedBoard,
    thread: JoinHandle<()>,
}

impl ResourceThread {
    /// Starts the thread, with the ways to all workers, which have `snapshot` in their hands.
    pub(in crate::server) fn start(
        resources: Resources,
        snapshot: Arc<Snapshot>,
        posts: Vec<Post>,
    ) -> io::Result<Self> {
        let (requests, asked) = sync_channel(REQUESTS_MAX);
        let orders = Arc::<Mutex<Orders>>::default();
        let waker = Waker::new()?;
        let published = Arc::new(Mutex::new(Published {
            snapshot,
            databases: resources.databases(),
            since: Instant::now(),
            reloads: 0,
            reload_errors: 0,
            zones_failed: 0,
            snapshots_outstanding: 0,
            cookie_secret: resources.secrets.current,
        }));
        let board = resources.health.board.clone();
        let work = Work {
            watch: resources.config.watch.then(Watch::new),
            resources,
            posts: Posts::new(posts),
            asked,
            orders: Arc::clone(&orders),
            waker: waker.clone(),
            published: Arc::clone(&published),
            outstanding: 0,
            last_look: Instant::now(),
        };
        let thread = Builder::new()
            .name("resources".to_owned())
            .spawn(|| work.run())?;
        Ok(Self {
            requests,
            orders,
            waker,
            published,
            board,
            thread,
        })
    }

    /// Begins to check what is to be checked.
    pub(in crate::server) fn start_checks(&self) -> io::Result<Checker> {
        let waker = self.waker.clone();
        Checker::start(self.board.clone(), move || {
            if let Err(error) = waker.wake() {
                tracing::error!(%error, "health: what is down cannot be told");
            }
        })
    }

    /// What is known to be up or down.
    pub(in crate::server) fn board(&self) -> &SharedBoard {
        &self.board
    }

    /// Asks the thread, if not too many requests wait already. One that cannot be taken because
    /// the thread is gone is answered by its reply's end.
    pub(in crate::server) fn ask(&self, request: Request, reply: Reply) {
        match self.requests.try_send((request, reply)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => self.wake(),
            Err(TrySendError::Full((_, reply))) => reply.send(Err::<Value, _>(busy())),
        }
    }

    /// Has everything read again that has changed.
    pub(in crate::server) fn reload(&self) {
        lock(&self.orders).reload = true;
        self.wake();
    }

    /// Snapshots go to these workers as well, from now on.
    pub(in crate::server) fn add(&self, posts: Vec<Post>) {
        lock(&self.orders).posts.extend(posts);
        self.wake();
    }

    fn wake(&self) {
        if self.has_ended() || self.waker.wake().is_err() {
            tracing::error!("the resource thread has ended: nothing is reloaded any more");
        }
    }

    /// What it has done so far.
    pub(in crate::server) fn published(&self) -> Published {
        lock(&self.published).clone()
    }

    /// Whether it has ended, which it never should.
    pub(in crate::server) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

/// How long the thread sleeps while workers have old snapshots in their hands.
const COLLECT_TICK: Duration = Duration::from_millis(10);
/// How long it sleeps at most.
const TICK: Duration = Duration::from_secs(60);

/// What the thread owns.
struct Work {
    resources: Resources,
    posts: Posts,
    watch: Option<Watch>,
    asked: Receiver<(Request, Reply)>,
    orders: Arc<Mutex<Orders>>,
    waker: Waker,
    published: Arc<Mutex<Published>>,
    /// Snapshots that have not come back yet.
    outstanding: usize,
    last_look: Instant,
}

impl Work {
    /// Works for as long as the server runs.
    fn run(mut self) {
        self.resources.pace.step_back();
        self.follow();
        loop {
            if let Err(error) = self.turn() {
                tracing::error!(%error, "the resource thread cannot wait");
                wait::pause(TICK);
            }
        }
    }

    /// Sleeps until there is something to do, and does it.
    fn turn(&mut self) -> io::Result<()> {
        let collect = (self.outstanding > 0).then_some(COLLECT_TICK);
        let rest = self
            .watch
            .as_ref()
            .and_then(|watch| watch.rest(Instant::now()));
        let mark_ends = self.resources.mark_ends_in(Instant::now());
        let waits = [collect, rest, mark_ends, Some(TICK)];
        let timeout = waits.into_iter().flatten().min().unwrap_or(TICK);
        let watched = self.watch.as_ref().and_then(Watch::fd);
        wait::any_readable([self.waker.as_fd()].into_iter().chain(watched), timeout)?;
        self.waker.clear()?;
        self.collect();
        self.follow_orders();
        // However fast they come, what changes by itself has its turn.
        for (request, reply) in self.asked.try_iter().take(REQUESTS_MAX).collect::<Vec<_>>() {
            self.answer(request, reply);
            self.follow_orders();
        }
        self.follow_health();
        if let Some(watch) = &mut self.watch {
            watch.look(Instant::now())?;
            if watch.is_due(Instant::now(), self.last_look) {
                self.reload(&Scope::Changed, None);
            }
        }
        Ok(())
    }

    /// Does what the server itself wants.
    fn follow_orders(&mut self) {
        let Orders { reload, posts } = std::mem::take(&mut *lock(&self.orders));
        if !posts.is_empty() {
            self.posts.add(posts, &self.published().snapshot);
            self.outstanding = self.posts.collect();
        }
        if reload {
            self.reload(&Scope::All, None);
        }
    }

    fn answer(&mut self, request: Request, reply: Reply) {
        match request {
            Request::Reload(None) => self.reload(&Scope::All, Some(reply)),
            Request::Reload(Some(origin)) => {
                let mut zones = self.resources.table.zones().iter();
                if zones.any(|zone| zone.source.origin == origin) {
                    self.reload(&Scope::Zone(origin), Some(reply));
                } else {
                    reply.send(Err::<Value, _>(unknown(&origin)));
                }
            }
            Request::Tell(question) => {
                reply.send(self.resources.tell(&question));
                heap::release();
            }
            Request::Locate(asked) => {
                let config = self.resources.config.clone();
                locate(config, self.published().snapshot, asked, reply);
            }
            Request::RotateCookies => reply.send(self.rotate_cookies()),
            Request::Mark(change) => {
                let mut told = self.resources.mark(change, Instant::now());
                self.follow_health();
                told["generation"] = self.resources.generation.into();
                reply.send(Ok::<_, Refusal>(told));
            }
        }
    }

    /// Hands out a snapshot without what is down, if that is something else than before.
    fn follow_health(&mut self) {
        let built = self.resources.build_if_health_changed(Instant::now());
        if let Some(snapshot) = built {
            self.hand_out(snapshot);
        }
    }

    fn hand_out(&mut self, snapshot: Arc<Snapshot>) {
        self.posts.send(&snapshot);
        let mut published = self.published_mut();
        published.snapshot = snapshot;
        published.since = Instant::now();
        published.cookie_secret = self.resources.secrets.current;
        drop(published);
        self.outstanding = self.posts.collect();
    }

    fn rotate_cookies(&mut self) -> Result<Value, Refusal> {
        let rotated = self.resources.rotate_cookies();
        let snapshot = rotated.map_err(|error| Refusal::from(format!("{error:#}")))?;
        self.hand_out(snapshot);
        tracing::info!("cookies are made from another secret from now on");
        self.resources.tell(&Question::Cookies)
    }

    /// Reads again what `scope` says, and hands the outcome out.
    fn reload(&mut self, scope: &Scope, reply: Option<Reply>) {
        notify::reloading();
        let outcome = self.resources.reload(scope);
        self.last_look = Instant::now();
        if let Some(snapshot) = &outcome.snapshot {
            self.posts.send(snapshot);
        }
        self.publish(&outcome);
        notify::ready();
        let is_news = outcome.snapshot.is_some() || !outcome.update.problems.is_empty();
        // A file that changed without changing anything is no news, unless somebody asked.
        if is_news || *scope != Scope::Changed {
            self.log(&outcome);
        }
        if let Some(reply) = reply {
            let published = self.published();
            let zones = published.snapshot.zones().len();
            reply.send(outcome.json(published.snapshot.generation(), zones));
        }
        if outcome.update.is_moving
            && let Some(watch) = &mut self.watch
        {
            watch.again(Instant::now());
        }
        self.follow();
        self.outstanding = self.posts.collect();
        heap::release();
    }

    fn publish(&self, outcome: &Outcome) {
        let mut published = self.published_mut();
        if let Some(snapshot) = &outcome.snapshot {
            published.snapshot = Arc::clone(snapshot);
            published.databases = self.resources.databases();
            published.since = Instant::now();
        }
        published.reloads += 1;
        published.reload_errors += u64::from(!outcome.update.problems.is_empty());
        published.zones_failed = self.resources.failed_zones();
    }

    fn log(&self, outcome: &Outcome) {
        let update = &outcome.update;
        let generation = self.resources.generation;
        let zones = self.resources.table.zones().len();
        let (loaded, failed, removed) = (update.loaded, update.failed, update.removed);
        let seconds = outcome.duration.as_secs_f64();
        if failed > 0 {
            tracing::warn!(
                failed,
                "zones that cannot be loaded are served as they were"
            );
        }
        tracing::info!(
            generation, zones, loaded, failed, removed, seconds, "reloaded"
        );
    }

    /// Frees what came back.
    fn collect(&mut self) {
        if self.outstanding == 0 {
            return;
        }
        self.outstanding = self.posts.collect();
        self.published_mut().snapshots_outstanding = self.outstanding;
        if self.outstanding == 0 {
            heap::release();
        }
    }

    /// Watches the files that everything is made of now.
    fn follow(&mut self) {
        if let Some(watch) = &mut self.watch {
            let folder = self.resources.config.zones_dir.as_deref();
            watch.follow(self.resources.files(), folder);
        }
    }

    fn published(&self) -> Published {
        self.published_mut().clone()
    }

    fn published_mut(&self) -> MutexGuard<'_, Published> {
        lock(&self.published)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
