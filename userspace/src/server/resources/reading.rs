//! When something that was read from files is read again.

use super::stamp::Stamps;
use std::path::Path;
use std::time::Duration;

/// A file that was changed so lately may still be written: by itself nobody reads it yet.
pub(super) const CALM: Duration = Duration::from_millis(250);

/// What is read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Whatever has changed, and what could not be read: somebody asks for it.
    All,
    /// Whatever has changed and is still: nobody asks.
    Changed,
    /// This zone, changed or not.
    Zone(Vec<u8>),
}

/// What is to be done about files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// They are as they were.
    Keep,
    /// Somebody seems to be writing one still.
    Later,
    /// They are to be read.
    Read,
}

/// The files that something was read from last, and whether it is in force.
#[derive(Default)]
pub(super) struct Reading {
    files: Vec<Stamps>,
    is_refused: bool,
}

impl Reading {
    /// Before these are read.
    pub(super) fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        Self {
            files: paths.into_iter().map(Stamps::before).collect(),
            is_refused: false,
        }
    }

    /// What to do; `is_same`: the same files are still meant, to be read in the same way.
    pub(super) fn look(&self, is_same: bool, scope: &Scope) -> Look {
        let has_changed = !is_same || self.files.iter().any(Stamps::have_changed);
        let again = self.is_refused && *scope == Scope::All;
        if matches!(scope, Scope::Zone(_)) || !has_changed && !again {
            return Look::Keep;
        }
        let is_moving = || self.files.iter().any(|file| file.are_moving(CALM));
        match *scope == Scope::Changed && is_same && is_moving() {
            true => Look::Later,
            false => Look::Read,
        }
    }

    /// Notes whether what was read is in force: what is not, is read again when somebody asks.
    pub(super) fn set_refused(&mut self, is_refused: bool) {
        self.is_refused = is_refused;
    }

    /// Whether what was read last is not in force.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// The files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().flat_map(Stamps::paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::wait;
    use std::fs;

    #[test]
    fn what_is_refused_is_read_again_for_whoever_asks_and_what_moves_for_nobody_else() {
        let folder = std::env::temp_dir().join(format!("ripples-reading-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("file");
        fs::write(&path, "one").unwrap();
        let mut reading = Reading::of([path.as_path()]);
        let looks = |reading: &Reading| {
            let scopes = [Scope::All, Scope::Changed, Scope::Zone(Vec::new())];
            scopes.map(|scope| reading.look(true, &scope))
        };
        assert_eq!(looks(&reading), [Look::Keep; 3]);
        reading.set_refused(true);
        assert_eq!(looks(&reading), [Look::Read, Look::Keep, Look::Keep]);
        fs::write(&path, "other").unwrap();
        assert_eq!(looks(&reading), [Look::Read, Look::Later, Look::Keep]);
        wait::pause(CALM);
        assert_eq!(looks(&reading), [Look::Read, Look::Read, Look::Keep]);
        let reading = Reading::default();
        assert_eq!(looks(&reading), [Look::Keep; 3]);
        assert_eq!(reading.look(false, &Scope::Changed), Look::Read);
        fs::remove_dir_all(folder).unwrap();
    }
}
