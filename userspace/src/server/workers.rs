//! The worker threads: spawned, sent to, stopped.

use super::resources::Post;
use super::sibling::SiblingThread;
use crate::idle::Idle;
use crate::port::{Port, SocketPort};
use crate::querylog::{Reader, Source, recorder};
use crate::snapshot::{Snapshot, mailbox};
use crate::sys::cpu;
use crate::tcp::{self, Sibling, TcpCounters, TcpTotals};
use crate::telemetry::{Counters, ZoneCount, log};
use crate::worker::{Work, Worker, WorkerHandle};
use crate::zone::image::ZoneImage;
use anyhow::{Context, Result, anyhow};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// A running thread and the way to it.
struct Member {
    name: String,
    counters: Arc<Counters>,
    cpu: Option<usize>,
    bell: Bell,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// What is kept of a worker that is gone.
struct Retired {
    name: String,
    counters: Arc<Counters>,
    cpu: Option<usize>,
}

/// How a thread is woken and stopped.
#[derive(Clone)]
pub(super) enum Bell {
    Worker(WorkerHandle),
    Sibling(tcp::Waker),
}

impl Bell {
    pub(super) fn wake(&self) -> io::Result<()> {
        match self {
            Self::Worker(handle) => handle.wake(),
            Self::Sibling(waker) => {
                waker.wake();
                Ok(())
            }
        }
    }

    fn stop(&self, replaced: bool) -> io::Result<()> {
        match self {
            Self::Worker(handle) => return handle.stop(),
            Self::Sibling(waker) if replaced => waker.leave(),
            Self::Sibling(waker) => waker.stop(),
        }
        Ok(())
    }
}

/// A zone's counts, in the order of [`ZoneCount::ALL`].
pub(super) type ZoneTotals = [u64; ZoneCount::COUNT];

/// All threads that answer.
#[derive(Default)]
pub(super) struct Workers {
    members: Vec<Member>,
    /// Those that are gone: nothing that was counted is forgotten, and their successors get their
    /// CPUs.
    retired: Vec<Retired>,
    /// The CPUs that workers are pinned to.
    cpus: Vec<usize>,
    /// How snapshots reach them, until the resource thread takes it over.
    posts: Vec<Post>,
    /// What they record of queries, until the query log takes it over.
    sources: Vec<Source>,
    /// What the TCP side of each sibling counts.
    tcp: Vec<Arc<TcpCounters>>,
    /// The most zones that each counts one by one.
    zone_metrics: usize,
}

impl Workers {
    /// None yet; each will count the queries of at most `zone_metrics` zones one by one.
    pub(super) fn new(zone_metrics: usize) -> Self {
        Self {
            zone_metrics,
            ..Self::default()
        }
    }

    /// Queries that all workers counted for each zone of `snapshot`, and for those that have no
    /// place of their own: `None`. Empty where nothing is counted by zone.
    pub(super) fn zone_totals<'s>(
        &self,
        snapshot: &'s Snapshot,
    ) -> Vec<(Option<&'s ZoneImage>, ZoneTotals)> {
        if self.zone_metrics == 0 {
            return Vec::new();
        }
        let total = |place| {
            let zones = self.counters().filter_map(|(_, counters)| counters.zones());
            zones.fold(ZoneTotals::default(), |mut totals, counts| {
                for (&count, total) in ZoneCount::ALL.iter().zip(&mut totals) {
                    *total += counts.get(place, count);
                }
                totals
            })
        };
        let zones = (0..).zip(snapshot.zones());
        let placed = zones.map(|(number, zone)| (snapshot.count_place(number), zone));
        let own = placed.filter(|&(place, _)| place != 0);
        own.map(|(place, zone)| (Some(zone), total(place)))
            .chain([(None, total(0))])
            .collect()
    }

    /// Starts a worker on `ports`, pinned to `cpu` if there is one.
    pub(super) fn spawn<P>(
        &mut self,
        name: String,
        cpu: Option<usize>,
        ports: Vec<P>,
        mut work: Work<P::Frame>,
        idle: Idle,
        snapshot: &Arc<Snapshot>,
    ) -> Result<()>
    where
        P: Port + Send + 'static,
        P::Frame: Send,
    {
        let handle = WorkerHandle::new(self.counters_of(&name)).context("worker")?;
        if let Work::Answer(turn) = &mut work {
            turn.set_zone_counts(handle.counters.zones().cloned());
            let (recorder, reader) = recorder();
            turn.set_recorder(recorder);
            self.record(&name, reader, Bell::Worker(handle.clone()));
        }
        let (mailbox, inbox) = mailbox(Arc::clone(snapshot));
        let worker = Worker::new(ports, inbox, work, idle, handle.clone());
        let thread = thread::Builder::new().name(name.clone()).spawn(move || {
            log::limit_this_thread();
            pin(cpu);
            worker.run()
        })?;
        let counters = Arc::clone(&handle.counters);
        self.retired.retain(|gone| gone.name != name);
        self.cpus.extend(cpu.filter(|cpu| !self.cpus.contains(cpu)));
        let bell = Bell::Worker(handle);
        self.posts
            .push(Post::new(name.clone(), mailbox, bell.clone()));
        self.members.push(Member {
            name,
            counters,
            cpu,
            bell,
            thread: Some(thread),
        });
        Ok(())
    }

    /// Starts a sibling thread: TCP, and the UDP sockets in `ports`.
    pub(super) fn spawn_sibling(
        &mut self,
        number: usize,
        cpu: Option<usize>,
        vector_len: usize,
        tcp: (Sibling, Arc<TcpCounters>),
        ports: Vec<SocketPort>,
        snapshot: &Arc<Snapshot>,
    ) -> Result<()> {
        let (tcp, tcp_counters) = tcp;
        let name = format!("sibling/{number}");
        let counters = Arc::new(Counters::with_zones(self.zone_metrics));
        let (mailbox, inbox) = mailbox(Arc::clone(snapshot));
        let bell = Bell::Sibling(tcp.waker());
        let (sibling, readers) =
            SiblingThread::new(tcp, ports, vector_len, inbox, Arc::clone(&counters))?;
        for reader in readers {
            self.record(&name, reader, bell.clone());
        }
        let thread = thread::Builder::new().name(name.clone()).spawn(move || {
            log::limit_this_thread();
            pin(cpu);
            sibling.run()
        })?;
        self.tcp.push(tcp_counters);
        self.posts
            .push(Post::new(name.clone(), mailbox, bell.clone()));
        self.members.push(Member {
            name,
            counters,
            cpu,
            bell,
            thread: Some(thread),
        });
        Ok(())
    }

    /// The CPUs that workers are pinned to.
    pub(super) fn cpus(&self) -> Vec<usize> {
        self.cpus.clone()
    }

    /// The ways by which snapshots reach all threads.
    pub(super) fn take_posts(&mut self) -> Vec<Post> {
        std::mem::take(&mut self.posts)
    }

    /// What all threads record of queries.
    pub(super) fn take_sources(&mut self) -> Vec<Source> {
        std::mem::take(&mut self.sources)
    }

    fn record(&mut self, name: &str, reader: Reader, bell: Bell) {
        let wake = move || {
            // One that cannot be woken sees it half a second later.
            let _ = bell.wake();
        };
        self.sources
            .push(Source::new(name.to_owned(), reader, wake));
    }

    /// An error when a worker has ended that was not told to.
    pub(super) fn watch(&mut self) -> Result<()> {
        for member in &mut self.members {
            if member.thread.as_ref().is_some_and(JoinHandle::is_finished) {
                let name = &member.name;
                return Err(match member.thread.take().map(JoinHandle::join) {
                    Some(Ok(Err(error))) => anyhow!(error).context(format!("worker {name}")),
                    _ => anyhow!("worker {name} has ended"),
                });
            }
        }
        Ok(())
    }

    /// Tells all workers to drain and leave, and waits for them. `replaced`: another process has
    /// their kernel sockets as well, and answers there.
    pub(super) fn stop(&mut self, replaced: bool) -> Result<()> {
        end(&mut self.members, replaced)
    }

    /// Ends the workers of these interfaces' queues, and closes their sockets, once they have
    /// answered what is in their rings. What they have counted is told further on.
    pub(super) fn retire(&mut self, interfaces: &[String]) {
        let is_theirs = |member: &Member| {
            let interface = member.name.rsplit_once('/').map(|(interface, _)| interface);
            interface.is_some_and(|interface| interfaces.iter().any(|name| name == interface))
        };
        let (mut theirs, rest): (Vec<_>, Vec<_>) = self.members.drain(..).partition(is_theirs);
        self.members = rest;
        if let Err(error) = end(&mut theirs, false) {
            tracing::warn!("{error:#}");
        }
        self.retired.extend(theirs.into_iter().map(|gone| Retired {
            name: gone.name,
            counters: gone.counters,
            cpu: gone.cpu,
        }));
    }

    /// What a new worker of this name adds to: what one counted that is gone, if there was one.
    fn counters_of(&self, name: &str) -> Arc<Counters> {
        self.predecessor(name).map_or_else(
            || Arc::new(Counters::with_zones(self.zone_metrics)),
            |gone| Arc::clone(&gone.counters),
        )
    }

    /// The CPU of a worker of this name that is gone.
    pub(super) fn cpu_before(&self, name: &str) -> Option<usize> {
        self.predecessor(name)?.cpu
    }

    fn predecessor(&self, name: &str) -> Option<&Retired> {
        self.retired.iter().find(|gone| gone.name == name)
    }

    /// What the TCP side has counted, over all siblings.
    pub(super) fn tcp_totals(&self) -> TcpTotals {
        let mut totals = TcpTotals::default();
        self.tcp
            .iter()
            .for_each(|counters| totals.include(counters));
        totals
    }

    /// The counters of every worker by its name, also of those that are gone.
    pub(super) fn counters(&self) -> impl Iterator<Item = (&str, &Counters)> {
        let members = self.members.iter();
        let members = members.map(|member| (member.name.as_str(), &*member.counters));
        let retired = self.retired.iter();
        members.chain(retired.map(|gone| (gone.name.as_str(), &*gone.counters)))
    }
}

/// Pins the calling thread, where it is to be pinned.
fn pin(cpu: Option<usize>) {
    if let Some(cpu) = cpu
        && let Err(error) = cpu::pin(cpu)
    {
        let thread = thread::current();
        tracing::warn!(thread = thread.name(), %error, "it is not pinned");
    }
}

/// Tells these workers to drain and leave, and waits for them.
fn end(members: &mut [Member], replaced: bool) -> Result<()> {
    for member in &*members {
        member.bell.stop(replaced)?;
    }
    for member in members {
        match member.thread.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => tracing::warn!(worker = member.name, %error, "left"),
            Some(Err(_)) => tracing::error!(worker = member.name, "panicked"),
        }
    }
    Ok(())
}
