//! What names are relative to, and the owner that stands for entries without one.

use super::lexer::Token;
use crate::name::{self, NameBuf, NameError, ROOT};

/// The origin that `$ORIGIN` sets.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The name as written.
    pub(super) name: NameBuf,
    /// Its labels below the zone's origin, with small letters; `None` if it is outside of the zone.
    relative: Option<NameBuf>,
}

impl Origin {
    /// Sets an origin; `zone` is the zone's, with small letters.
    pub(super) fn new(name: NameBuf, zone: &[u8]) -> Self {
        let mut lowercase = name;
        lowercase.make_lowercase();
        let relative = name::strip_ancestor(&lowercase, zone).and_then(|labels| {
            let mut relative = NameBuf::new();
            relative.push_wire(labels).ok()?;
            Some(relative)
        });
        Self { name, relative }
    }
}

/// The owner of an entry, and of those after it that have none.
#[derive(Clone)]
pub(super) struct Owner {
    labels: NameBuf,
    standing: Standing,
}

/// Where an owner stands to the zone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// There was no owner yet.
    Missing,
    /// In the zone; kept are the labels below its origin.
    Inside,
    /// Elsewhere; kept is the whole name.
    Outside,
}

impl Owner {
    /// The state at the beginning of a file.
    pub(super) fn missing() -> Self {
        Self {
            labels: NameBuf::new(),
            standing: Standing::Missing,
        }
    }

    /// Reads an owner; `zone` is the zone's origin with small letters.
    pub(super) fn set(
        &mut self,
        token: Token<'_>,
        origin: &Origin,
        zone: &[u8],
    ) -> Result<(), NameError> {
        self.labels.clear();
        self.standing = Standing::Outside;
        let is_origin = (token.raw, token.is_quoted) == (b"@", false);
        let is_absolute = !is_origin && self.labels.push_text(token.raw)?;
        self.labels.make_lowercase();
        if is_absolute {
            // Without the root label, as the labels are.
            let zone_labels = &zone[..zone.len() - 1];
            match name::strip_ancestor(&self.labels, zone_labels).map(<[u8]>::len) {
                Some(len) => {
                    self.labels.truncate(len);
                    self.standing = Standing::Inside;
                }
                None => self.labels.push_wire(ROOT)?,
            }
            return Ok(());
        }
        match &origin.relative {
            Some(relative) => {
                self.labels.push_wire(relative)?;
                self.standing = Standing::Inside;
                if self.labels.len() + zone.len() > name::NAME_LEN_MAX {
                    return Err(NameError::NameTooLong);
                }
            }
            None => self.labels.push_wire(&origin.name)?,
        }
        Ok(())
    }

    /// The labels below the zone's origin if the owner is in the zone, else its whole name.
    pub(super) fn place(&self) -> Option<Result<&[u8], &[u8]>> {
        match self.standing {
            Standing::Missing => None,
            Standing::Inside => Some(Ok(&self.labels)),
            Standing::Outside => Some(Err(&self.labels)),
        }
    }
}
