//! The options of benchmarks whose points are shown or kept, and whose server is Ripples.

use super::{file_meant, words};
use clap::Args;
use std::path::PathBuf;

/// What is done with the points; and what the server is told besides.
#[derive(Debug, Args)]
pub(crate) struct Kept {
    /// Print nothing but JSON lines on stdout
    #[arg(long)]
    json: bool,
    /// Keep the run in a file
    #[arg(long, value_name = "FILE")]
    save: Option<Option<PathBuf>>,
    /// Keep what the file has, and count it in: a long run can be made in pieces
    #[arg(long, requires = "save")]
    append: bool,
    /// What readers of the saved run have to know, as in "other work ran beside it"
    #[arg(long, value_name = "TEXT", requires = "save")]
    note: Option<String>,
    /// Show a saved run and measure nothing
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    show: Option<Option<PathBuf>>,
    /// More arguments for `ripples run`
    #[arg(last = true, value_name = "ARGUMENTS")]
    ripples: Vec<String>,
}

impl Kept {
    /// Whether anything is measured.
    pub(super) fn measures(&self) -> bool {
        self.show.is_none()
    }

    /// The benchmark's own words for these options, behind those of its others; `saved` is the file
    /// that is meant where none is named.
    pub(super) fn words(
        &self,
        saved: &str,
        pairs: &[(&str, Option<&str>)],
        flags: &[(&str, bool)],
    ) -> Vec<String> {
        let file = |file: &Option<_>| file.as_ref().map(|file| file_meant(file, saved));
        let [save, show] = [&self.save, &self.show].map(file);
        let own = [
            ("--note", self.note.as_deref()),
            ("--save", save.as_deref()),
            ("--show", show.as_deref()),
        ];
        let own_flags = [("--json", self.json), ("--append", self.append)];
        words(
            &[pairs, &own].concat(),
            &[flags, &own_flags].concat(),
            &self.ripples,
        )
    }
}
