//! The file of marks: `192.0.2.1 down`, a line each.

use super::Target;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads marks: what is up, what is down; or says what is wrong, one line each.
pub fn parse(text: &str, path: &Path) -> Result<BTreeMap<Target, bool>, Vec<String>> {
    let mut marks = BTreeMap::new();
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let problem = match mark(line) {
            Ok(None) => continue,
            Ok(Some((target, is_up))) => match marks.insert(target.clone(), is_up) {
                None => continue,
                Some(_) => format!("{target} is marked twice"),
            },
            Err(problem) => problem,
        };
        problems.push(format!("{}:{number}: {problem}", path.display()));
    }
    match problems.is_empty() {
        true => Ok(marks),
        false => Err(problems),
    }
}

/// The mark of a line without its comment.
fn mark(line: &str) -> Result<Option<(Target, bool)>, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [] => Ok(None),
        [target, "up"] => Ok(Some((target.parse()?, true))),
        [target, "down"] => Ok(Some((target.parse()?, false))),
        _ => Err(format!(
            "{:?} is not WHAT up or WHAT down, as in 192.0.2.1 down",
            line.trim()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_mark_or_a_problem_with_its_number() {
        let path = Path::new("marks");
        let text = "# all of it\n192.0.2.1 down # broken disk\n\n\twww.example.com/eu\tup\n";
        let marks = parse(text, path).unwrap();
        let shown: Vec<String> = marks
            .iter()
            .map(|(target, is_up)| format!("{target} {is_up}"))
            .collect();
        assert_eq!(shown, ["192.0.2.1 false", "www.example.com/eu true"]);
        let problems = parse("a down\n::1 up\n::1 down\n::2 Up\n::3\n", path).unwrap_err();
        let beginnings = [
            "marks:1: \"a\" is",
            "marks:3: ::1 is marked",
            "marks:4: ",
            "marks:5: ",
        ];
        assert_eq!(problems.len(), beginnings.len());
        for (problem, beginning) in problems.iter().zip(beginnings) {
            assert!(problem.starts_with(beginning), "{problem}");
        }
    }
}
