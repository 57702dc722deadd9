//! Zone files → images: several at a time, each error with its place.

use super::check::check;
use super::checked::CheckedNames;
use super::error::{Severity, ZoneProblem};
use super::progress::{Effort, Progress};
use super::records::ZoneRecords;
use super::saved;
use super::served::ServedZone;
use super::threads::share;
use crate::config::ZoneSource;
use crate::name;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What came of loading a zone.
pub struct Loaded {
    /// The zone, or why there is none: one line each.
    pub image: Result<ServedZone, Vec<String>>,
    /// What is wrong but can be served: one line each.
    pub warnings: Vec<String>,
    /// The files that were read: the zone's, and what it includes as far as it is known.
    pub files: Vec<PathBuf>,
}

/// A file from this size on is loaded by all threads together, smaller ones by one each.
const LARGE_OCTETS: u64 = 4 << 20;

/// Loads all zones; in the order of `sources`.
pub fn load_all(sources: &[ZoneSource], effort: Effort<'_>) -> Vec<Loaded> {
    let all: Vec<usize> = (0..sources.len()).collect();
    load_some(sources, &all, &CheckedNames::default(), effort)
}

/// Loads the zones at these places of all `sources` that are served; in the order of `places`,
/// which ascend. The addresses of the names in `checked` may be left out while they are down.
pub fn load_some(
    sources: &[ZoneSource],
    places: &[usize],
    checked: &CheckedNames,
    effort: Effort<'_>,
) -> Vec<Loaded> {
    let apexes = Apexes::of(sources);
    let load = |at: usize, threads| {
        let source = &sources[at];
        let effort = Effort { threads, ..effort };
        let checked = checked.within(&source.origin);
        load_by(source, apexes.below(&source.origin), checked, effort)
    };
    let (large, small) = by_size(sources, places, effort.progress);
    // One after the other: together they would need the memory of all at once.
    let large = large.into_iter().map(|at| (at, load(at, effort.threads)));
    let mut all: Vec<(usize, Loaded)> = large.collect();
    let loaded = share(small.len(), effort.threads, |number| load(small[number], 1));
    all.extend(
        loaded
            .into_iter()
            .map(|(number, zone)| (small[number], zone)),
    );
    all.sort_unstable_by_key(|&(at, _)| at);
    all.into_iter().map(|(_, loaded)| loaded).collect()
}

/// Which zones have large files, and which have not. All their octets are to come.
fn by_size(
    sources: &[ZoneSource],
    places: &[usize],
    progress: &Progress,
) -> (Vec<usize>, Vec<usize>) {
    let size = |at: &usize| {
        // What is wrong with the file is said when it is read.
        let len = fs::metadata(&sources[*at].file).map_or(0, |file| file.len());
        progress.expect(len);
        len >= LARGE_OCTETS
    };
    places.iter().copied().partition(size)
}

/// The apexes of all zones, in canonical order.
pub struct Apexes<'s>(Vec<&'s [u8]>);

impl<'s> Apexes<'s> {
    /// The apexes of these zones.
    pub fn of(sources: &'s [ZoneSource]) -> Self {
        let mut apexes: Vec<&[u8]> = sources.iter().map(|source| &source.origin[..]).collect();
        apexes.sort_by(|left, right| name::canonical_cmp_lowercase(left, right));
        Self(apexes)
    }

    /// Those that lie below `origin`: they follow it.
    pub fn below(&self, origin: &[u8]) -> &[&'s [u8]] {
        let is_before = |apex: &&[u8]| name::canonical_cmp_lowercase(apex, origin).is_le();
        let behind = &self.0[self.0.partition_point(is_before)..];
        let end = behind.partition_point(|apex| name::is_at_or_below(apex, origin));
        &behind[..end]
    }
}

/// Loads one zone, which is served beside those of `apexes`. The addresses of the names at
/// `checked` may be left out.
fn load_by(
    source: &ZoneSource,
    apexes: &[&[u8]],
    checked: &[Vec<u8>],
    effort: Effort<'_>,
) -> Loaded {
    // Once: it may be a pipe, and a hundred thousand files are many.
    let opened = File::open(&source.file);
    if let Ok(file) = &opened
        && let Some(loaded) = saved::load(file, source, apexes, effort)
    {
        return loaded;
    }
    let lines = |problems: Vec<ZoneProblem>| problems.iter().map(ToString::to_string).collect();
    match read_by(opened, &source.file, &source.origin, effort) {
        Err(errors) => Loaded {
            files: files_of(&errors),
            image: Err(lines(errors)),
            warnings: Vec::new(),
        },
        Ok((records, warnings)) => {
            let files = records.files().map(PathBuf::from).collect();
            let image = ServedZone::compile(&records, apexes, checked).map_err(|error| {
                let origin = name::display(&source.origin);
                vec![format!("{}: zone {origin}: {error}", source.file.display())]
            });
            Loaded {
                image,
                warnings: lines(warnings),
                files,
            }
        }
    }
}

/// The files that have problems.
fn files_of(problems: &[ZoneProblem]) -> Vec<PathBuf> {
    let files = problems.iter().map(|problem| &*problem.place.file);
    let mut files: Vec<PathBuf> = files.map(PathBuf::from).collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// Reads a master file and checks it as a zone; `origin` is the zone's name in wire form.
///
/// Warnings come with the records; if there is an error all problems come instead of them.
pub fn read(
    path: &Path,
    origin: &[u8],
) -> Result<(ZoneRecords, Vec<ZoneProblem>), Vec<ZoneProblem>> {
    let progress = &Progress::none();
    let threads = 1;
    read_by(File::open(path), path, origin, Effort { threads, progress })
}

/// The same on several threads.
fn read_by(
    opened: io::Result<File>,
    path: &Path,
    origin: &[u8],
    effort: Effort<'_>,
) -> Result<(ZoneRecords, Vec<ZoneProblem>), Vec<ZoneProblem>> {
    let (mut records, mut problems) = ZoneRecords::read_by(opened, path, origin, effort)?;
    problems.extend(check(&records));
    if problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(problems);
    }
    records.forget_lines();
    Ok((records, problems))
}
