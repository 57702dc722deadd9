//! What the server draws at its start, where the configuration has no secrets of cookies.

use crate::packet::cookie::Secret;
use anyhow::{Context, Result};

/// Secrets of cookies that nobody has configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct Secrets {
    /// The first: it stays, for what is not to change while the server runs.
    pub(super) first: Secret,
    /// Cookies are made from it.
    pub(in crate::server) current: Secret,
    /// Cookies from it are right still.
    pub(super) previous: Option<Secret>,
}

impl Secrets {
    /// Begins with this one.
    pub(in crate::server) fn of(secret: Secret) -> Self {
        Self {
            first: secret,
            current: secret,
            previous: None,
        }
    }

    /// Begins with one that nobody knows.
    pub(in crate::server) fn drawn() -> Result<Self> {
        draw().map(Self::of)
    }

    /// Goes on with another; cookies from the one before this are no longer right.
    pub(super) fn rotate(&mut self) -> Result<()> {
        let next = draw()?;
        self.previous = Some(std::mem::replace(&mut self.current, next));
        Ok(())
    }
}

fn draw() -> Result<Secret> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).context("random numbers for cookies")?;
    Ok(Secret(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_secret_stays_right_after_another_is_drawn() {
        let first = Secret([1; 16]);
        let mut secrets = Secrets::of(first);
        secrets.rotate().unwrap();
        assert_eq!((secrets.previous, secrets.first), (Some(first), first));
        let second = secrets.current;
        assert_ne!(second, first);
        secrets.rotate().unwrap();
        assert_eq!((secrets.previous, secrets.first), (Some(second), first));
    }
}
