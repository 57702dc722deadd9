//! The HTTP side, on the runtime: it asks the control thread for what it tells.
//!
//! It knows pages, not what is on them: whatever shows the server's state to browsers or
//! collectors comes here, and nothing of it goes near a worker.

mod pages;

use super::runtime::Runtime;
use crate::sys::waker::Waker;
use crate::telemetry::exposition::Format;
use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

/// Connections at a time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// How long one may last.
const LIFETIME: Duration = Duration::from_secs(60);
/// How long a request's header may take.
const HEADER_PATIENCE: Duration = Duration::from_secs(5);
/// How long to rest after accepting, or taking the address over, has failed.
const REST: Duration = Duration::from_millis(200);

/// What the control thread is asked.
pub(super) struct Scrape {
    pub(super) format: Format,
    /// Where the text goes.
    pub(super) answer: oneshot::Sender<String>,
}

/// The control thread's end: what is asked, and when to look.
pub(super) struct Http {
    requests: Receiver<Scrape>,
    waker: Waker,
}

/// Its own end.
#[derive(Clone)]
struct Asker {
    requests: Sender<Scrape>,
    waker: Waker,
}

/// An address to be told at, before anybody answers there.
pub(super) struct HttpSocket {
    address: SocketAddr,
    listener: Option<TcpListener>,
}

impl HttpSocket {
    /// Listens on `address`. Where this server is `replacing` another, that one may have the
    /// address for a while yet.
    pub(super) fn open(address: SocketAddr, replacing: bool) -> Result<Self> {
        let listener = match TcpListener::bind(address) {
            Err(error) if replacing && error.kind() == io::ErrorKind::AddrInUse => None,
            bound => Some(bound.with_context(|| format!("--http {address}: cannot listen"))?),
        };
        Ok(Self { address, listener })
    }
}

impl Http {
    /// Answers at `socket`.
    pub(super) fn start(socket: HttpSocket, runtime: &Runtime) -> Result<Self> {
        let (sender, requests) = channel();
        let waker = Waker::new().context("http")?;
        let asker = Asker {
            requests: sender,
            waker: waker.clone(),
        };
        runtime.spawn(serve(socket, asker));
        Ok(Self { requests, waker })
    }

    /// Answers whoever waits.
    pub(super) fn answer(&self, text: impl Fn(Format) -> String) -> io::Result<()> {
        self.waker.clear()?;
        // Those who come while these are answered wait for the next turn: the thread has others to
        // look after.
        let waiting: Vec<Scrape> = self.requests.try_iter().take(CONNECTIONS_MAX).collect();
        if waiting.len() == CONNECTIONS_MAX {
            self.waker.wake()?;
        }
        let mut texts: Vec<(Format, String)> = Vec::new();
        for Scrape { format, answer } in waiting {
            if answer.is_closed() {
                continue;
            }
            let known = texts.iter().find(|(known, _)| *known == format);
            let text = match known {
                Some((_, text)) => text.clone(),
                None => {
                    let text = text(format);
                    texts.push((format, text.clone()));
                    text
                }
            };
            // Whoever has gone meanwhile needs none.
            let _ = answer.send(text);
        }
        Ok(())
    }
}

impl AsFd for Http {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.waker.as_fd()
    }
}

/// Accepts for as long as the server runs.
async fn serve(socket: HttpSocket, asker: Asker) {
    let address = socket.address;
    let listener = match socket.listener {
        Some(listener) => listener,
        None => inherit(address).await,
    };
    let listener = listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(listener));
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => {
            return tracing::error!(%error, "--http {address}: nothing is told there");
        }
    };
    tracing::info!("metrics at http://{address}/metrics");
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let asker = asker.clone();
                tokio::spawn(async move {
                    let _ended = timeout(LIFETIME, converse(stream, asker)).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "http");
                sleep(REST).await;
            }
        }
    }
}

/// Waits until the server that is being replaced has left the address.
async fn inherit(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(_) => sleep(REST).await,
        }
    }
}

/// Answers the requests of one connection.
async fn converse(stream: TcpStream, asker: Asker) {
    let service = service_fn(move |request| pages::page(request, asker.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "http");
    }
}

impl Asker {
    /// The metrics; `None` when the server is stopping, or too busy to say.
    async fn metrics(&self, format: Format) -> Option<String> {
        let (answer, text) = oneshot::channel();
        self.requests.send(Scrape { format, answer }).ok()?;
        self.waker.wake().ok()?;
        timeout(HEADER_PATIENCE, text).await.ok()?.ok()
    }
}
