//! What is wrong with a zone: errors and warnings that name file, line and column.

use std::fmt;
use std::sync::Arc;

/// After so many errors nothing more is read or checked: the rest would mostly follow from them.
pub const ERROR_COUNT_MAX: usize = 20;

/// So many warnings are kept; those beyond are only counted.
pub const WARNING_COUNT_MAX: usize = 100;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The zone is served all the same.
    Warning,
    /// The zone cannot be served.
    Error,
}

/// Where a problem is: a file and, unless it concerns the whole zone, a position in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's name as it was given or included.
    pub file: Arc<str>,
    /// Line and column, both from 1, or `None` for the whole zone. Columns count characters.
    pub position: Option<(u32, u32)>,
}

/// One thing that is wrong with a zone.
///
/// Shown as `file:line:column: message`, a warning as `file:line:column: warning: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneProblem {
    /// Whether the zone can still be served.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub message: String,
}

impl fmt::Display for ZoneProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.place.file)?;
        if let Some((line, column)) = self.place.position {
            write!(f, "{line}:{column}:")?;
        }
        let severity = match self.severity {
            Severity::Error => "",
            Severity::Warning => " warning:",
        };
        write!(f, "{severity} {}", self.message)
    }
}

impl std::error::Error for ZoneProblem {}

/// Collects problems up to the limits.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Vec<ZoneProblem>,
    error_count: usize,
    warning_count: usize,
}

impl Problems {
    /// Adds an error, unless there are enough already.
    pub(crate) fn error(&mut self, place: Place, message: impl Into<String>) {
        self.error_count += 1;
        if self.error_count <= ERROR_COUNT_MAX {
            let message = message.into();
            self.list.push(ZoneProblem {
                severity: Severity::Error,
                place,
                message,
            });
        }
    }

    /// Adds a warning, unless there are enough already: then it is only counted.
    ///
    /// Place and message are made only when needed: a zone can have millions of warnings.
    pub(crate) fn warning(&mut self, make: impl FnOnce() -> (Place, String)) {
        self.warning_count += 1;
        if self.warning_count <= WARNING_COUNT_MAX {
            let (place, message) = make();
            self.list.push(ZoneProblem {
                severity: Severity::Warning,
                place,
                message,
            });
        }
    }

    /// Adds what was found behind the rest.
    pub(crate) fn append(&mut self, other: Self) {
        let room = WARNING_COUNT_MAX.saturating_sub(self.warning_count);
        let (errors, warnings): (Vec<_>, Vec<_>) =
            (other.list.into_iter()).partition(|problem| problem.severity == Severity::Error);
        self.list.extend(warnings.into_iter().take(room));
        let room = ERROR_COUNT_MAX.saturating_sub(self.error_count);
        self.list.extend(errors.into_iter().take(room));
        self.warning_count += other.warning_count;
        self.error_count += other.error_count;
    }

    /// Says whether there are so many errors that it is time to stop.
    pub(crate) fn is_full(&self) -> bool {
        self.error_count >= ERROR_COUNT_MAX
    }

    /// Says whether there is an error at all.
    pub(crate) fn has_error(&self) -> bool {
        self.error_count > 0
    }

    /// Gives what was collected, by file and line, with a last word about what was left out; `file`
    /// is the zone's.
    pub(crate) fn into_list(mut self, file: &Arc<str>) -> Vec<ZoneProblem> {
        self.list
            .sort_by(|left, right| left.place.cmp(&right.place));
        let place = || Place {
            file: file.clone(),
            position: None,
        };
        if let withheld @ 1.. = self.warning_count.saturating_sub(WARNING_COUNT_MAX) {
            self.list.push(ZoneProblem {
                severity: Severity::Warning,
                place: place(),
                message: format!("{withheld} more warnings are not shown"),
            });
        }
        if self.is_full() {
            self.list.push(ZoneProblem {
                severity: Severity::Error,
                place: place(),
                message: format!("stopped after {ERROR_COUNT_MAX} errors"),
            });
        }
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(position: Option<(u32, u32)>) -> Place {
        Place {
            file: "zone".into(),
            position,
        }
    }

    #[test]
    fn a_problem_names_file_line_and_column() {
        let mut problems = Problems::default();
        problems.error(place(Some((3, 7))), "bad");
        problems.warning(|| (place(None), "odd".into()));
        let shown = problems
            .into_list(&"zone".into())
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        assert_eq!(shown, ["zone: warning: odd", "zone:3:7: bad"]);
    }

    #[test]
    fn problems_beyond_the_limits_are_counted_and_not_kept() {
        let mut problems = Problems::default();
        for _ in 0..WARNING_COUNT_MAX + 5 {
            problems.warning(|| (place(None), "odd".into()));
        }
        assert!(!problems.has_error());
        for _ in 0..ERROR_COUNT_MAX {
            assert!(!problems.is_full());
            problems.error(place(None), "bad");
        }
        assert!(problems.is_full());
        let list = problems.into_list(&"zone".into());
        assert_eq!(list.len(), WARNING_COUNT_MAX + ERROR_COUNT_MAX + 2);
        assert_eq!(
            list[list.len() - 2].message,
            "5 more warnings are not shown"
        );
    }
}
