//! Rules for lines of any text file.

use super::Findings;

/// Widest line of code, in characters.
const COLUMNS_MAX: usize = 100;

/// Files whose lines have a width; prose, tables and manifests are as wide as they must be.
const CODE: &[&str] = &[".rs", ".sh", ".ci/run"];

/// Files whose lines end where their text does. In data files blanks may mean something.
const TRIMMED: &[&str] = &[".rs", ".sh", ".ci/run", ".md", ".toml", ".zone"];

/// Marks of unfinished work. In two pieces, or this file would carry them.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Beginnings of paths that exist only on the machine where something was written.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/w/"),
];

/// Looks at every line.
pub(super) fn check(text: &str, findings: &mut Findings<'_>) {
    let is_one_of = |endings: &[&str]| endings.iter().any(|end| findings.path.ends_with(end));
    let (is_code, is_trimmed) = (is_one_of(CODE), is_one_of(TRIMMED));
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if is_trimmed && line.ends_with([' ', '\t', '\r']) {
            findings.add(number, "trailing blanks");
        }
        let columns = line.chars().count();
        if is_code && columns > COLUMNS_MAX {
            findings.add(number, format!("{columns} columns; at most {COLUMNS_MAX}"));
        }
        for mark in MARKS.iter().filter(|mark| is_marked(line, mark)) {
            findings.add(number, format!("{mark} without an issue's number"));
        }
        for path in MACHINE_PATHS.iter().filter(|path| names_path(line, path)) {
            findings.add(number, format!("{path}… is a path of one machine"));
        }
    }
}

/// Whether `line` carries `mark` as a word, outside backticks, and no issue's number (`#12`).
fn is_marked(line: &str, mark: &str) -> bool {
    let has_issue = line
        .split('#')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let stands_alone = |at: usize| {
        let joins = |c: char| c.is_alphanumeric() || c == '_' || c == '`';
        !line[..at].ends_with(joins) && !line[at + mark.len()..].starts_with(joins)
    };
    !has_issue && line.match_indices(mark).any(|(at, _)| stands_alone(at))
}

/// Whether `line` has an absolute path that begins with `path`.
fn names_path(line: &str, path: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || "._-~}>*)".contains(c);
    line.match_indices(path)
        .any(|(at, _)| !line[..at].ends_with(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        Findings::of(path, text, check)
    }

    #[test]
    fn the_hundredth_column_is_the_last() {
        let fits = "é".repeat(100);
        assert!(found("a.rs", &fits).is_empty());
        let wide = format!("ok\n{fits}x");
        assert_eq!(
            found("a.rs", &wide),
            [(2, "101 columns; at most 100".to_owned())]
        );
        assert!(found("a.md", &wide).is_empty());
    }

    #[test]
    fn trailing_blanks_are_found_but_not_in_data() {
        for path in ["a.rs", "a.toml", "a.md"] {
            assert_eq!(
                found(path, "a\nb \nc\t"),
                [2, 3].map(|n| (n, "trailing blanks".to_owned()))
            );
        }
        assert!(found("a.rpl", "a \n").is_empty());
    }

    #[test]
    fn unfinished_work_needs_an_issue() {
        let mark = MARKS[0];
        assert_eq!(found("a.rs", &format!("// {mark}: later")).len(), 1);
        assert_eq!(found("a.rs", &format!("// {mark}(#): later")).len(), 1);
        assert!(found("a.rs", &format!("// {mark}(#12): later")).is_empty());
        assert!(found("a.rs", &format!("// {mark}S.md, `{mark}`")).is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_found_and_relative_ones_are_not() {
        for path in MACHINE_PATHS {
            assert_eq!(
                found("a.toml", &format!("x = \"{path}y\"")).len(),
                1,
                "{path}"
            );
            assert!(
                found("a.toml", &format!("x = \"..{path}y\"")).is_empty(),
                "{path}"
            );
        }
    }
}
