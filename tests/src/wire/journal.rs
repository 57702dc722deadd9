//! The file that a run is kept in: a line for each point as soon as it is measured.

use super::point::Point;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where the points of one benchmark are kept, if they are.
#[derive(Debug)]
pub struct Journal {
    bench: &'static str,
    file: Option<PathBuf>,
}

impl Journal {
    /// Begins the file, if there is one, or goes on with it. `note` is for its readers.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn begin(
        bench: &'static str,
        file: Option<&Path>,
        append: bool,
        note: Option<&str>,
    ) -> Self {
        let journal = Self {
            bench,
            file: file.map(Path::to_owned),
        };
        let Some(file) = file else { return journal };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).expect("a folder for the results");
        }
        if !append {
            fs::write(file, "").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        if let Some(note) = note {
            journal.keep(&json!({ "note": note }).to_string());
        }
        journal
    }

    /// Adds a line: what is measured is kept, whatever comes after.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn keep(&self, line: &str) {
        let Some(file) = &self.file else { return };
        let opened = OpenOptions::new().append(true).create(true).open(file);
        let written = opened.and_then(|mut file| writeln!(file, "{line}"));
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// The rounds that are there already: those that are added come after them.
    pub fn rounds(&self) -> u64 {
        let Some(file) = &self.file else { return 0 };
        let rounds = Self::read(self.bench, file).into_iter();
        let rounds = rounds.filter_map(|point| point.count("round"));
        rounds.max().unwrap_or(0)
    }

    /// The points of a benchmark in a file.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub fn read(bench: &str, file: &Path) -> Vec<Point> {
        let text = fs::read_to_string(file);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let points = text.lines().filter_map(|line| Point::read(bench, line));
        points.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    #[test]
    fn a_run_goes_on_behind_the_rounds_that_are_there() {
        let folder = Folder::new();
        let file = folder.path().join("deep/tcp.jsonl");
        let begin = |append| Journal::begin("tcp", Some(&file), append, Some("noisy"));
        let point = Point::new("tcp", &[("server", "nsd")]);
        let journal = begin(false);
        assert_eq!(journal.rounds(), 0);
        journal.keep(&point.clone().with("round", 3).line());
        journal.keep(&Point::new("wire", &[]).with("round", 9).line());
        assert_eq!(begin(true).rounds(), 3);
        assert_eq!(Journal::read("tcp", &file).len(), 1);
        assert_eq!(begin(false).rounds(), 0, "a new run forgets the old one");
        Journal::begin("tcp", None, false, None).keep("nowhere");
    }
}
