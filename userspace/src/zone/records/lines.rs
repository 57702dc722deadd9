//! Which file and line a record stands on, in 32 bits whatever was included where.

use std::sync::Arc;

use crate::zone::error::Place;

/// Counts the lines of all files in the order in which they are read.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    files: Vec<Arc<str>>,
    /// In ascending order of `start`; never empty.
    stretches: Vec<Stretch>,
    /// The number of the next line.
    next: u32,
}

/// Lines that follow each other in one file.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// The number of the stretch's first line.
    start: u32,
    file: usize,
    /// What number that line has in its file, from 1.
    file_line: u32,
}

impl Lines {
    /// Begins with the first line of a zone's file.
    pub(crate) fn new(file: &str) -> Self {
        let stretch = Stretch {
            start: 0,
            file: 0,
            file_line: 1,
        };
        Self {
            files: vec![file.into()],
            stretches: vec![stretch],
            next: 0,
        }
    }

    /// Adds a file and gives its number.
    pub(crate) fn add_file(&mut self, file: &str) -> usize {
        self.files.push(file.into());
        self.files.len() - 1
    }

    /// All files so far.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| &**file)
    }

    /// Goes on at a line of a file.
    pub(crate) fn go_on(&mut self, file: usize, file_line: u32) {
        self.stretches.push(Stretch {
            start: self.next,
            file,
            file_line,
        });
    }

    /// Gives the number of a line of the file that is being read.
    pub(crate) fn number(&mut self, file_line: u32) -> u32 {
        let stretch = self.stretches[self.stretches.len() - 1];
        let number = stretch
            .start
            .saturating_add(file_line.saturating_sub(stretch.file_line));
        self.next = number.saturating_add(1);
        number
    }

    /// Tells what file and line a number stands for.
    pub(crate) fn place(&self, number: u32, column: u32) -> Place {
        let after = self
            .stretches
            .partition_point(|stretch| stretch.start <= number);
        let stretch = self.stretches[after.saturating_sub(1)];
        let line = stretch.file_line.saturating_add(number - stretch.start);
        Place {
            file: self.files[stretch.file].clone(),
            position: Some((line, column)),
        }
    }

    /// The place of what concerns the whole zone: its file.
    pub(crate) fn whole(&self) -> Place {
        Place {
            file: self.files[0].clone(),
            position: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_leads_back_to_its_file_and_line() {
        let mut lines = Lines::new("outer");
        let first = lines.number(1);
        let include = lines.number(7);
        let inner = lines.add_file("inner");
        lines.go_on(inner, 1);
        let included = lines.number(1);
        let included_later = lines.number(100);
        lines.go_on(0, 8);
        let last = lines.number(9);
        let shown = |number| lines.place(number, 1);
        let at = |file: &str, line| Place {
            file: file.into(),
            position: Some((line, 1)),
        };
        assert_eq!(shown(first), at("outer", 1));
        assert_eq!(shown(include), at("outer", 7));
        assert_eq!(shown(included), at("inner", 1));
        assert_eq!(shown(included_later), at("inner", 100));
        assert_eq!(shown(last), at("outer", 9));
    }
}
