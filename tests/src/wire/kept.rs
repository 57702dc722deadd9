//! What is done with a benchmark's points: the options that `bench wire` and `bench tcp` share.

use super::journal::Journal;
use super::point::Point;
use std::path::PathBuf;

/// Whether points are shown, printed or kept.
#[derive(Debug, Default)]
pub struct Kept {
    /// Print JSON lines instead of a table.
    pub json: bool,
    /// Where the points are kept.
    pub save: Option<PathBuf>,
    /// Keep what the file has.
    pub append: bool,
    /// A word about the circumstances.
    pub note: Option<String>,
    /// Show what the file has and measure nothing.
    pub show: Option<PathBuf>,
}

impl Kept {
    /// Takes an option without a value; false: it is none of these.
    pub fn flag(&mut self, name: &str) -> bool {
        match name {
            "--json" => self.json = true,
            "--append" => self.append = true,
            _ => return false,
        }
        true
    }

    /// Takes an option with its value; false: it is none of these.
    pub fn set(&mut self, name: &str, value: &str) -> bool {
        match name {
            "--save" => self.save = Some(value.into()),
            "--show" => self.show = Some(value.into()),
            "--note" => self.note = Some(value.to_owned()),
            _ => return false,
        }
        true
    }

    /// The points of an earlier run, where only these are to be shown.
    pub fn earlier(&self, bench: &str) -> Option<Vec<Point>> {
        self.show.as_deref().map(|file| Journal::read(bench, file))
    }

    /// Begins to keep a run, or goes on with one.
    pub fn journal(&self, bench: &'static str) -> Journal {
        let (file, note) = (self.save.as_deref(), self.note.as_deref());
        Journal::begin(bench, file, self.append, note)
    }

    /// The points to show for a run: with it those that the file had; none where they were printed.
    pub fn shown(&self, bench: &str, points: Vec<Point>) -> Option<Vec<Point>> {
        let file = self.save.as_deref().filter(|_| self.append);
        let all = |file| Journal::read(bench, file);
        (!self.json).then(|| file.map_or(points, all))
    }
}
