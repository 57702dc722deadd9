//! From a master file to records that can be served.

use std::path::Path;

use super::check::check;
use super::error::{Severity, ZoneProblem};
use super::records::ZoneRecords;

/// Reads a master file and checks it as a zone; `origin` is the zone's name in wire form.
///
/// Warnings come with the records; if there is an error all problems come instead of them.
pub fn load(
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
