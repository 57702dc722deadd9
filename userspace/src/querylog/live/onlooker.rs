//! A subscriber, as the query log's thread has it.

use super::super::output::Format;
use super::super::{Entry, Tap, json};
use super::top::Top;
use super::{LiveCounts, LiveEvent, Message, View, Wanted};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Entries are told without the records of their answers.
const FORM: Format = Format::Json { answers: 0 };

/// One that looks on for a while.
pub(in super::super) struct Onlooker {
    wanted: Wanted,
    /// What it sees, counted; `None`: it sees each entry.
    top: Option<Top>,
    /// Its tap, once there is one for it.
    number: Option<u8>,
    has_begun: bool,
    /// Messages that found no room, and that it was not told of yet.
    lost: u64,
    messages: Sender<Message>,
    counts: Arc<LiveCounts>,
}

impl Onlooker {
    pub(super) fn new(wanted: Wanted, messages: Sender<Message>, counts: Arc<LiveCounts>) -> Self {
        let top = match &wanted.view {
            View::Tail => None,
            View::Top(options) => Some(Top::new(options.clone())),
        };
        Self {
            wanted,
            top,
            number: None,
            has_begun: false,
            lost: 0,
            messages,
            counts,
        }
    }

    /// Whether nobody listens any more.
    pub(super) fn is_gone(&self) -> bool {
        self.messages.is_closed()
    }

    /// The number of its tap.
    pub(super) fn number(&self) -> Option<u8> {
        self.number
    }

    /// Gives it a tap of this number.
    pub(super) fn seat(&mut self, number: u8) {
        self.number = Some(number);
    }

    /// What it needs of the workers.
    pub(super) fn tap(&self) -> Option<Tap> {
        let Wanted { filter, sample, .. } = &self.wanted;
        let number = self.number?;
        Some(FORM.tap(number, filter, *sample))
    }

    /// Takes an entry, if it is one of its own.
    pub(super) fn take(&mut self, entry: &Entry<'_>) {
        let is_own = |number: u8| entry.reply.taps & 1 << number != 0;
        if !self.has_begun || self.is_gone() || !self.number.is_some_and(is_own) {
            return;
        }
        match &mut self.top {
            Some(top) => top.take(entry),
            None => self.show(entry),
        }
    }

    /// Says that all workers know of it.
    pub(super) fn begin(&mut self) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.send(Message::Begun);
            if let Some(top) = &mut self.top {
                top.restart();
            }
        }
    }

    /// Tells what it is time to tell.
    pub(super) fn look_after(&mut self, now: Instant) {
        if !self.has_begun {
            return;
        }
        self.tell_losses();
        if let Some(top) = &mut self.top
            && let Some(text) = top.tell(now)
        {
            self.send(Message::Top(text.into()));
        }
    }

    fn show(&mut self, entry: &Entry<'_>) {
        // What would be lost needs no text.
        if !self.tell_losses() || self.messages.capacity() == 0 {
            return self.lose();
        }
        let mut text = Vec::new();
        json::write(entry, 0, &mut text);
        text.pop();
        self.send(Message::Entry(text.into()));
    }

    fn send(&mut self, message: Message) {
        match self.messages.try_send(message) {
            Ok(()) => self.counts.add(LiveEvent::Sent, 1),
            Err(TrySendError::Full(_)) => self.lose(),
            // Nobody misses it.
            Err(TrySendError::Closed(_)) => {}
        }
    }

    fn lose(&mut self) {
        self.lost += 1;
        self.counts.add(LiveEvent::Lost, 1);
    }

    /// Says what was lost, before anything else; false: there is no room even for that.
    fn tell_losses(&mut self) -> bool {
        if self.lost != 0 && self.messages.try_send(Message::Lost(self.lost)).is_ok() {
            self.lost = 0;
        }
        self.lost == 0
    }
}
