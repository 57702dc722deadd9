//! How queries are written.

use super::super::json;
use super::super::{Entry, Filter, Tap};
use super::{dnstap, frame_streams, pcap};

/// A form in which queries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object a line.
    Json {
        /// Records of each answer, at most.
        answers: usize,
    },
    /// Frame Streams of dnstap messages, one for each query and one for each reply.
    Dnstap,
    /// Packets, as if they had been captured.
    Pcap,
}

/// Bytes of a reply for each record of its answer that is shown, and for what stands before: most
/// answers are shown in full.
const RECORD_LEN: usize = 48;
const QUESTION_LEN: usize = 288;

impl Format {
    /// What files of this form end in.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Json { .. } => "json",
            Self::Dnstap => "dnstap",
            Self::Pcap => "pcap",
        }
    }

    /// What a file begins with.
    pub(super) fn header(self) -> Vec<u8> {
        match self {
            Self::Json { .. } => Vec::new(),
            Self::Dnstap => frame_streams::start(dnstap::CONTENT_TYPE),
            Self::Pcap => pcap::HEADER.to_vec(),
        }
    }

    /// What a file ends with.
    pub(super) fn trailer(self) -> Vec<u8> {
        match self {
            Self::Dnstap => frame_streams::stop(),
            Self::Json { .. } | Self::Pcap => Vec::new(),
        }
    }

    /// Appends a query and its reply.
    pub(super) fn write(self, entry: &Entry<'_>, bytes: &mut Vec<u8>) {
        match self {
            Self::Json { answers } => json::write(entry, answers, bytes),
            Self::Dnstap => dnstap::write(entry, bytes),
            Self::Pcap => pcap::write(entry, bytes),
        }
    }

    /// What it needs of the workers, of one of so many of the queries that pass `filter`.
    pub(in super::super) fn tap(self, number: u8, filter: &Filter, sample: u32) -> Tap {
        let (reply_len, queries) = match self {
            Self::Json { answers } => (QUESTION_LEN + answers * RECORD_LEN, false),
            Self::Dnstap | Self::Pcap => (usize::from(u16::MAX), true),
        };
        Tap {
            number,
            filter: filter.clone(),
            sample,
            reply_len: u16::try_from(reply_len).unwrap_or(u16::MAX),
            queries,
        }
    }
}
