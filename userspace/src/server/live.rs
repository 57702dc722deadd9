//! Live streams over the control socket.

use super::Server;
use super::runtime::Runtime;
use crate::config::{GeoOptions, MapOptions, RegionOptions};
use crate::control::{Code, Refusal, Reply, Response, TailRequest, TopRequest};
use crate::geo::{self, GeoMap};
use crate::querylog::{By, Hub, Message, Subscription, TopOptions, Unavailable, View, Wanted};
use serde_json::Value;
use std::future::poll_fn;
use std::io;
use std::os::unix;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// Bytes that are written at once, about.
const BATCH_LEN: usize = 64 << 10;
/// How often it looks whether a client that says nothing more is still there.
const LOOK: Duration = Duration::from_millis(200);
/// The longest list.
const LENGTH_MAX: usize = 100;
/// How seldom or often lists can be told, in milliseconds.
const EVERY_MIN_MS: u64 = 100;
const EVERY_MAX_MS: u64 = 3_600_000;
/// What a filter may list: workers compare every query with it.
const FILTER_ITEMS_MAX: usize = 64;
/// A client that takes nothing for so long has its place taken from it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Databases are large: one copy at a time is read.
static LOADING: Semaphore = Semaphore::const_new(1);
/// Where a client is that no database knows.
const UNKNOWN: &str = "unknown";

/// What a client asks for.
pub(super) struct Asked {
    wanted: Wanted,
    countries: Countries,
}

/// Whether countries are to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Countries {
    No,
    /// If there is a database that knows them.
    IfKnown,
    Yes,
}

/// What `tail` asks for.
pub(super) fn tail(asked: &TailRequest) -> Result<Asked, Refusal> {
    Ok(Asked {
        wanted: wanted(asked, View::Tail)?,
        countries: Countries::No,
    })
}

fn wanted(asked: &TailRequest, view: View) -> Result<Wanted, Refusal> {
    if asked.sample == 0 {
        return Err(Refusal::bad_request("sample: 0 is none; 1 is all"));
    }
    let items = asked.filter.items();
    if items > FILTER_ITEMS_MAX {
        let problem =
            format!("{items} names, types, codes and networks: {FILTER_ITEMS_MAX} at most");
        return Err(Refusal::bad_request(problem));
    }
    let filter = asked.filter.filter(ToOwned::to_owned);
    Ok(Wanted {
        filter: filter.map_err(|error| Refusal::bad_request(error.to_string()))?,
        sample: asked.sample,
        view,
    })
}

/// What `top` asks for.
pub(super) fn top(asked: &TopRequest) -> Result<Asked, Refusal> {
    if !(1..=LENGTH_MAX).contains(&asked.length) {
        let problem = format!("length: it is not within 1–{LENGTH_MAX}");
        return Err(Refusal::bad_request(problem));
    }
    if !(EVERY_MIN_MS..=EVERY_MAX_MS).contains(&asked.every_ms) {
        let problem = format!("every_ms: it is not within {EVERY_MIN_MS}–{EVERY_MAX_MS}");
        return Err(Refusal::bad_request(problem));
    }
    let lists = By::ALL.into_iter();
    let options = TopOptions {
        by: match asked.by.is_empty() {
            true => lists.collect(),
            false => lists.filter(|by| asked.by.contains(by)).collect(),
        },
        len: asked.length,
        every: Duration::from_millis(asked.every_ms),
        total: asked.total,
        countries: None,
    };
    let countries = match (asked.by.is_empty(), options.by.contains(&By::Countries)) {
        (true, _) => Countries::IfKnown,
        (false, true) => Countries::Yes,
        (false, false) => Countries::No,
    };
    Ok(Asked {
        wanted: wanted(&asked.tail, View::Top(options))?,
        countries,
    })
}

impl Server<'_> {
    /// Begins a live stream, or says why there is none.
    pub(super) fn stream(&mut self, asked: Result<Asked, Refusal>, reply: Reply) {
        let asked = match asked {
            Ok(asked) => asked,
            Err(refusal) => return reply.send(Err(refusal)),
        };
        let databases = self.resources.published().databases;
        let hub = self.query_log.hub().clone();
        let runtime = match self.runtime() {
            Ok(runtime) => runtime,
            Err(error) => return reply.send(Err(error.to_string())),
        };
        if let Some(stream) = reply.into_stream() {
            runtime.spawn_to_end(async move {
                if let Err(error) = converse(stream, asked, databases, hub).await {
                    tracing::debug!(%error, "a live stream's reader");
                }
            });
        }
    }

    /// The runtime, started when it is needed first.
    pub(super) fn runtime(&mut self) -> io::Result<&Runtime> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => Runtime::start(self.workers.cpus())?,
        };
        Ok(self.runtime.insert(runtime))
    }
}

/// Talks to one client until either end has enough.
async fn converse(
    stream: unix::net::UnixStream,
    asked: Asked,
    databases: Arc<[PathBuf]>,
    hub: Hub,
) -> io::Result<()> {
    let stream = UnixStream::from_std(stream)?;
    let subscribed = async { Ok(Some(subscribe(asked, databases, &hub).await)) };
    let left = async { has_gone(&stream).await.map(|()| None) };
    let Some(subscribed) = first(subscribed, left).await? else {
        return Ok(());
    };
    match subscribed {
        Ok(subscription) => first(tell(&stream, subscription), has_gone(&stream)).await,
        Err(refusal) => write(&stream, &response(&Response::refused(refusal))).await,
    }
}

/// Subscribes; where countries are to be counted, when they are there.
async fn subscribe(
    asked: Asked,
    databases: Arc<[PathBuf]>,
    hub: &Hub,
) -> Result<Subscription, Refusal> {
    let mut wanted = asked.wanted;
    if let View::Top(options) = &mut wanted.view
        && asked.countries != Countries::No
    {
        let turn = LOADING.acquire().await.map_err(|error| error.to_string())?;
        let map = spawn_blocking(move || countries(&databases)).await;
        drop(turn);
        match map.map_err(|error| error.to_string())? {
            Ok(map) => options.countries = Some(Arc::new(map)),
            Err(problem) if asked.countries == Countries::Yes => return Err(problem.into()),
            Err(_) => options.by.retain(|by| *by != By::Countries),
        }
    }
    hub.subscribe(wanted).map_err(|unavailable| {
        let code = match unavailable {
            Unavailable::Full => Code::Failed,
            Unavailable::Stopping => Code::Stopping,
        };
        Refusal::new(code, unavailable.to_string())
    })
}

/// Tells what there is to be told, until the server ends.
async fn tell(stream: &UnixStream, mut subscription: Subscription) -> io::Result<()> {
    let mut lines = Vec::new();
    let mut has_begun = false;
    while let Some(message) = subscription.next().await {
        let mut next = Some(message);
        while let Some(message) = next {
            if message == Message::Begun {
                has_begun = true;
                lines.extend(response(&Response::granted(Value::Null)));
            }
            message.write(&mut lines);
            next = match lines.len() < BATCH_LEN {
                true => subscription.next_now(),
                false => None,
            };
        }
        write(stream, &lines).await?;
        lines.clear();
    }
    match has_begun {
        true => Ok(()),
        false => {
            let stopping = Refusal::new(Code::Stopping, Unavailable::Stopping.to_string());
            let refused = Response::refused(stopping);
            write(stream, &response(&refused)).await
        }
    }
}

fn response(response: &Response) -> Vec<u8> {
    // It is made of texts and numbers, and writing to memory does not fail.
    let mut line = serde_json::to_vec(response).unwrap_or_default();
    line.push(b'\n');
    line
}

async fn write(stream: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        timeout(PATIENCE, stream.writable()).await??;
        match stream.try_write(bytes) {
            Ok(len) => bytes = &bytes[len..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Ends when the client has left; what it says is for nobody. One that has only ended its own side
/// still listens.
async fn has_gone(stream: &UnixStream) -> io::Result<()> {
    let mut said = [0; 256];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut said) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    while !stream.ready(Interest::WRITABLE).await?.is_write_closed() {
        sleep(LOOK).await;
    }
    Ok(())
}

/// Runs both until one of them ends.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Pending => other.as_mut().poll(context),
        ready => ready,
    })
    .await
}

/// A map with a region for every code that a country may have: the operator's own maps know only
/// the countries that their rules name.
fn countries(databases: &[PathBuf]) -> Result<GeoMap, String> {
    if databases.is_empty() {
        return Err("countries: there is no database of where clients are ([geo])".to_owned());
    }
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|one| letters().map(move |other| format!("{one}{other}")));
    let names: Vec<String> = [UNKNOWN.to_owned()].into_iter().chain(codes).collect();
    let numbered = (0..).zip(&names).skip(1);
    let map = MapOptions {
        name: "countries".to_owned(),
        countries: numbered
            .map(|(number, code)| (code.clone(), number))
            .collect(),
        regions: names
            .iter()
            .map(|name| RegionOptions {
                name: name.clone(),
                fallbacks: Vec::new(),
            })
            .collect(),
        ..MapOptions::default()
    };
    let options = GeoOptions {
        databases: databases.to_vec(),
        maps: vec![map],
    };
    let loaded = geo::load(&options).map_err(|problems| problems.join("; "))?;
    let mut maps = loaded.geo.maps.into_iter();
    maps.next().ok_or_else(|| "there is no map".to_owned())
}
