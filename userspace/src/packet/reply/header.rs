//! The header of a reply (RFC 1035 §4.1.1).

use crate::packet::checksum::Sum;
use crate::packet::{HEADER_LEN, word_at};
use crate::telemetry::Rcode;

/// AA and TC in the third byte of the header, QR and RD beside them.
const QR: u8 = 0x80;
const AA: u8 = 0x04;
const TC: u8 = 0x02;
const OPCODE_AND_RD: u8 = 0x79;

/// What a reply says of itself.
pub(super) struct Header {
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
    pub(super) rcode: Rcode,
    pub(super) has_question: bool,
    /// Records per section.
    pub(super) counts: [u16; 3],
}

impl Header {
    /// Writes it over the query's; returns its part of a checksum. RA, AD and CD are clear:
    /// RFC 4035 §3.1.6.
    ///
    /// As little-endian words: bytes put together one by one are written one by one.
    #[inline(always)]
    pub(super) fn write(&self, header: &mut [u8; HEADER_LEN]) -> Sum {
        let [answers, authorities, additionals] = self.counts;
        let asked = word_at(header, 0);
        let authoritative = if self.authoritative { AA } else { 0 };
        let truncated = if self.truncated { TC } else { 0 };
        let front = asked & u64::from(u32::from_le_bytes([0xff, 0xff, OPCODE_AND_RD, 0]))
            | u64::from(QR | authoritative | truncated) << 16
            | u64::from(self.rcode.code() & 0x0f) << 24
            | u64::from(self.has_question) << 40
            | u64::from(answers.to_be()) << 48;
        let back = u32::from(authorities.to_be()) | u32::from(additionals.to_be()) << 16;
        header[..8].copy_from_slice(&front.to_le_bytes());
        header[8..].copy_from_slice(&back.to_le_bytes());
        Sum::default()
            .octet(front.to_le_bytes())
            .quad(back.to_le_bytes())
    }
}
