//! The runtime for all that talks to many at a time: a thread of its own, never a worker's.

use crate::sys::cpu;
use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};

/// How long those who are talked to may take to hear the end.
const PATIENCE: Duration = Duration::from_millis(500);

/// The way to the thread.
pub(super) struct Runtime {
    handle: Handle,
    /// Each task that is to be finished has a clone.
    token: Sender<Infallible>,
    finished: Receiver<Infallible>,
}

impl Runtime {
    /// Starts the thread, which keeps off the CPUs in `taken`.
    pub(super) fn start(taken: Vec<usize>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let handle = runtime.handle().clone();
        let builder = thread::Builder::new().name("runtime".to_owned());
        builder.spawn(move || {
            if let Err(error) = cpu::avoid(&taken) {
                tracing::debug!(%error, "the runtime uses any CPU");
            }
            // It ends with the process.
            runtime.block_on(pending::<()>());
        })?;
        let (token, finished) = channel();
        Ok(Self {
            handle,
            token,
            finished,
        })
    }

    /// Runs a task for as long as the server runs.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }

    /// Runs a task that ends by itself, and that has some time to do so when the server stops.
    pub(super) fn spawn_to_end(&self, task: impl Future<Output = ()> + Send + 'static) {
        let token = self.token.clone();
        self.handle.spawn(async move {
            task.await;
            drop(token);
        });
    }

    /// Waits a little for what is to be finished.
    pub(super) fn finish(self) {
        drop(self.token);
        // Nothing is ever sent: it is the end of all tokens, or of the patience.
        let _ = self.finished.recv_timeout(PATIENCE);
    }
}
