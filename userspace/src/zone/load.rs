//! Zone files → images: several at a time, each error with its place.

use super::check::check;
use super::compile::compile_beside;
use super::error::{Severity, ZoneProblem};
use super::image::ZoneImage;
use super::records::ZoneRecords;
use crate::config::ZoneSource;
use crate::name;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What came of loading a zone.
pub struct Loaded {
    /// The image, or why there is none: one line each.
    pub image: Result<ZoneImage, Vec<String>>,
    /// What is wrong but can be served: one line each.
    pub warnings: Vec<String>,
}

/// Loads all zones on `threads` threads; in the order of `sources`.
pub fn load_all(sources: &[ZoneSource], threads: usize) -> Vec<Loaded> {
    let next = AtomicUsize::new(0);
    let apexes: Vec<&[u8]> = sources.iter().map(|source| &source.origin[..]).collect();
    let work = || {
        let mut loaded = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = sources.get(at) else {
                return loaded;
            };
            loaded.push((at, load(source, &apexes)));
        }
    };
    let mut all = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(sources.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut all = work();
        for other in others {
            all.extend(other.join().unwrap_or_default());
        }
        all
    });
    all.sort_unstable_by_key(|&(at, _)| at);
    all.into_iter().map(|(_, loaded)| loaded).collect()
}

/// Loads one zone, which is served beside those of `apexes`.
pub fn load(source: &ZoneSource, apexes: &[&[u8]]) -> Loaded {
    let lines = |problems: Vec<ZoneProblem>| problems.iter().map(ToString::to_string).collect();
    match read(&source.file, &source.origin) {
        Err(errors) => Loaded {
            image: Err(lines(errors)),
            warnings: Vec::new(),
        },
        Ok((records, warnings)) => {
            let image = compile_beside(&records, apexes).map_err(|error| {
                let origin = name::display(&source.origin);
                vec![format!("{}: zone {origin}: {error}", source.file.display())]
            });
            Loaded {
                image,
                warnings: lines(warnings),
            }
        }
    }
}

/// Reads a master file and checks it as a zone; `origin` is the zone's name in wire form.
///
/// Warnings come with the records; if there is an error all problems come instead of them.
pub fn read(
    path: &Path,
    origin: &[u8],
) -> Result<(ZoneRecords, Vec<ZoneProblem>), Vec<ZoneProblem>> {
    let (mut records, mut problems) = ZoneRecords::read(path, origin)?;
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
