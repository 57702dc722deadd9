//! Answers that go on at another name: CNAME records, and those that DNAME records imply.

use super::body::{self, POINTER_REACH};
use super::owner::{CHAIN_MAX, OwnerPlace};
use super::proof::Proofs;
use super::{Sections, put_pointer};
use crate::answer::{Answer, Client, Follow, Wanted, lookup};
use crate::packet::{NAME_LEN_MAX, Query, code};
use crate::snapshot::Snapshot;
use crate::telemetry::Rcode;
use crate::zone::image::{BODY_REACH, Body, Target};
use arrayvec::ArrayVec;

/// Bytes of a record's owner pointer, type, class, TTL and data length.
const RECORD_LEN: usize = 12;

/// No link begins behind this offset: what the last one answers has pointers to itself.
const CHAIN_END: usize = POINTER_REACH - BODY_REACH;

/// A name in the making: the next one to be looked up.
type NameBuffer = ArrayVec<u8, NAME_LEN_MAX>;

/// The answer section as it grows.
struct Chain<'m, 's> {
    message: &'m mut [u8],
    end: usize,
    answers: u16,
    owner: OwnerPlace,
    name: NameBuffer,
    seen: ArrayVec<NameBuffer, CHAIN_MAX>,
    /// The DNAME records in the message, and where they are.
    redirects: ArrayVec<(&'s [u8], usize), CHAIN_MAX>,
    /// What the wildcards on the way prove.
    proofs: Proofs<'s>,
    /// Who wants to know, if any name varies.
    client: Option<&'m Client>,
    /// The most bits of the client's subnet that a link depends on.
    scope: u8,
}

/// Why a chain ends before its last link.
enum Stop {
    /// The message is full.
    Full,
    /// The answer is complete as it is.
    With(Rcode),
}

/// Writes the records of each name on the way, then what the last one answers.
pub(super) fn write<'s>(
    message: &mut [u8],
    query: &Query,
    answer: &Answer<'s>,
    client: Option<&Client>,
    snapshot: &'s Snapshot,
) -> Sections {
    let name = message[query.name()].iter().copied().collect();
    let mut chain = Chain {
        message,
        end: query.question_end(),
        answers: 0,
        owner: OwnerPlace::in_question(query),
        name,
        seen: ArrayVec::new(),
        redirects: ArrayVec::new(),
        proofs: Proofs::default(),
        client,
        scope: 0,
    };
    let stop = match chain.walk(query.wanted(), *answer, snapshot) {
        Ok(sections) => return sections,
        Err(stop) => stop,
    };
    match stop {
        Stop::With(rcode) if chain.end + chain.proofs.len(chain.end) <= chain.message.len() => {
            Sections {
                end: chain.proofs.write(chain.message, chain.end),
                counts: [chain.answers, chain.proofs.count(), 0],
                rcode,
                truncated: false,
                scope: chain.scope,
            }
        }
        _ => Sections {
            truncated: true,
            scope: chain.scope,
            ..Sections::none(query.question_end(), Rcode::NoError)
        },
    }
}

impl<'s> Chain<'_, 's> {
    /// Follows the links.
    fn walk(
        &mut self,
        wanted: Wanted,
        mut answer: Answer<'s>,
        snapshot: &'s Snapshot,
    ) -> Result<Sections, Stop> {
        loop {
            self.scope = self.scope.max(answer.scope);
            let Some(body) = answer.body else {
                // The name is not ours: whoever asks goes on elsewhere (RFC 1034 §4.3.2 step 3a).
                return Err(Stop::With(match answer.rcode {
                    Rcode::Refused => Rcode::NoError,
                    rcode => rcode,
                }));
            };
            if wanted.dnssec {
                let zone = &snapshot.zones()[answer.zone as usize];
                self.proofs.add(answer.claim, zone, &self.name, &self.owner);
            }
            match answer.follow {
                // RFC 2181 §5: the DNAME record that is asked for may have led here.
                Follow::Nothing if self.redirected_by(&body.read()).is_some() => {
                    return Err(Stop::With(answer.rcode));
                }
                Follow::Nothing | Follow::Own(_) => return self.last(&body.read(), &answer),
                Follow::Alias(target) => self.alias(&body.read(), target)?,
                Follow::Redirect(target) => {
                    self.redirect(&body.read(), target, &answer)?;
                    // RFC 1034 §3.6.2: the implied CNAME record is what was asked for.
                    if matches!(wanted.qtype, code::CNAME | code::ANY) {
                        return Err(Stop::With(Rcode::NoError));
                    }
                }
            }
            if self.is_loop() || self.end > CHAIN_END {
                return Err(Stop::With(Rcode::NoError));
            }
            answer = lookup(wanted, &self.name, self.client, snapshot);
        }
    }

    /// Adds a CNAME record and goes on at its target.
    fn alias(&mut self, body: &Body<'_>, target: Target<'_>) -> Result<(), Stop> {
        let start = self.append(body, self.owner.name_len())?;
        self.owner.follow(
            target.name.len(),
            usize::from(target.shared),
            start + RECORD_LEN,
        );
        self.rename(target.name);
        Ok(())
    }

    /// Adds a DNAME record and the CNAME record that it implies (RFC 6672 §3.1).
    fn redirect(
        &mut self,
        body: &Body<'s>,
        target: Target<'_>,
        answer: &Answer<'_>,
    ) -> Result<(), Stop> {
        let skip = usize::from(answer.owner_skip);
        let dname = self.redirection(body, self.name.len() - skip)?;
        let mut name = NameBuffer::new();
        let fits = name.try_extend_from_slice(&self.name[..skip]).is_ok()
            && name.try_extend_from_slice(target.name).is_ok();
        if !fits {
            // RFC 6672 §2.2: a name that grows too long is YXDOMAIN.
            return Err(Stop::With(Rcode::YxDomain));
        }
        // RFC 3597 §4: the name in a CNAME record may be compressed. Where the DNAME takes labels
        // away and puts none in their place, the new name is the end of the old one.
        let dname_target = dname + RECORD_LEN;
        let (written, pointer) = if is_at_or_below(&self.name, &name) {
            (&[][..], self.owner.position(name.len()))
        } else {
            (&self.name[..skip], dname_target)
        };
        let (at, len) = (self.end, RECORD_LEN + written.len() + 2);
        let record = self.message.get_mut(at..at + len).ok_or(Stop::Full)?;
        record[2..4].copy_from_slice(&code::CNAME.to_be_bytes());
        record[4..6].copy_from_slice(&code::CLASS_IN.to_be_bytes());
        let rdata_len = u16::try_from(written.len() + 2).unwrap_or(0);
        record[10..12].copy_from_slice(&rdata_len.to_be_bytes());
        record[RECORD_LEN..len - 2].copy_from_slice(written);
        let is_shortened = written.is_empty();
        // RFC 6672 §3.1: the TTL of the CNAME is the DNAME's. Owner, type and class before it.
        self.message.copy_within(dname + 6..dname + 10, at + 6);
        put_pointer(self.message, at, self.owner.position(self.name.len()));
        put_pointer(self.message, at + len - 2, pointer);
        if is_shortened {
            self.owner.shorten(name.len());
        } else {
            let places = [
                (target.name.len(), dname_target),
                (name.len(), at + RECORD_LEN),
            ];
            self.owner = OwnerPlace::in_pieces(places);
        }
        self.end += len;
        self.answers += 1;
        self.rename(&name);
        Ok(())
    }

    /// Adds a DNAME record, unless the chain came past it before: no record comes twice (RFC 2181
    /// §5). Returns where it is.
    fn redirection(&mut self, body: &Body<'s>, owner_len: usize) -> Result<usize, Stop> {
        if let Some(at) = self.redirected_by(body) {
            return Ok(at);
        }
        let at = self.append(body, owner_len)?;
        // As many fit as there can be links.
        let _ = self.redirects.try_push((body.records, at));
        Ok(at)
    }

    /// Where this DNAME record is, if the chain came past it.
    fn redirected_by(&self, body: &Body<'s>) -> Option<usize> {
        let mut redirects = self.redirects.iter();
        let found = redirects.find(|(records, _)| std::ptr::eq(*records, body.records));
        found.map(|&(_, at)| at)
    }

    /// Adds what the last name answers.
    fn last(&mut self, body: &Body<'_>, answer: &Answer<'_>) -> Result<Sections, Stop> {
        let owner_len = self.owner.name_len() - usize::from(answer.owner_skip);
        let written = body::write(
            self.message,
            self.end,
            body,
            &self.owner,
            owner_len,
            Some(&self.proofs),
        );
        let is_nothing = written.end == self.end;
        if is_nothing && written.truncated {
            return Err(Stop::Full);
        }
        let [answers, authorities, additionals] = written.counts;
        Ok(Sections {
            end: written.end,
            counts: [self.answers + answers, authorities, additionals],
            rcode: answer.rcode,
            truncated: written.truncated,
            scope: self.scope,
        })
    }

    /// Adds the answer section of a body that the ancestor with `owner_len` bytes owns.
    fn append(&mut self, body: &Body<'_>, owner_len: usize) -> Result<usize, Stop> {
        let start = self.end;
        // Useful additions are for the last link alone.
        let answer = Body {
            records: &body.records[..body.answer_len],
            counts: [body.counts[0], 0, 0],
            authority_len: 0,
            ..*body
        };
        let written = body::write(self.message, start, &answer, &self.owner, owner_len, None);
        if written.truncated {
            return Err(Stop::Full);
        }
        self.end = written.end;
        self.answers += body.counts[0];
        Ok(start)
    }

    /// Notes the name that was answered, and takes the next.
    fn rename(&mut self, name: &[u8]) {
        let next: NameBuffer = name.iter().copied().collect();
        let last = std::mem::replace(&mut self.name, next);
        // A full list ends the chain: see `is_loop`.
        let _ = self.seen.try_push(last);
    }

    /// Whether the chain came back to a name, or is longer than anyone needs.
    fn is_loop(&self) -> bool {
        self.seen.is_full()
            || self
                .seen
                .iter()
                .any(|seen| seen.eq_ignore_ascii_case(&self.name))
    }
}

/// Whether `name` is `ancestor` or below it, in whatever case.
fn is_at_or_below(name: &[u8], ancestor: &[u8]) -> bool {
    let Some(own) = name.len().checked_sub(ancestor.len()) else {
        return false;
    };
    let mut at = 0;
    while at < own {
        at += 1 + usize::from(name[at]);
    }
    at == own && name[at..].eq_ignore_ascii_case(ancestor)
}
