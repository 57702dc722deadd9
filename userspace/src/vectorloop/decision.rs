//! What a query is answered with.

use crate::answer::{Absence, Answer};
use crate::zone::image::BodyRef;

/// As small as it can be for what is asked most: it is written and read for every packet.
pub(super) enum Decision<'s> {
    /// That is not decided yet.
    Open,
    /// These records of this zone, with authority: of nearly all queries there is no more to say.
    Hit(u32, BodyRef<'s>),
    /// That the name does not exist, to whoever does not ask for DNSSEC.
    Absence(Absence<'s>),
    /// Anything else.
    Other(Answer<'s>),
}

impl<'s> Decision<'s> {
    /// As an answer like any other.
    pub(super) fn answer(&self) -> Answer<'s> {
        match *self {
            Self::Open => Answer::NONE,
            Self::Hit(zone, body) => Answer::data(zone, body),
            Self::Absence(absence) => absence.into(),
            Self::Other(answer) => answer,
        }
    }
}
