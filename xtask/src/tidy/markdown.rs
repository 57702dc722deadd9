//! Links in Markdown files lead somewhere.

use super::Findings;
use std::path::Path;

/// Looks at every link to a file of the repository.
pub(super) fn check(text: &str, root: &Path, findings: &mut Findings<'_>) {
    let document = root.join(findings.path);
    let folder = document.parent().unwrap_or(root);
    let mut in_fence = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        }
        if in_fence {
            continue;
        }
        for target in links(&without_code(line)) {
            if is_file_link(target) && !folder.join(path_of(target)).exists() {
                findings.add(index + 1, format!("link to {target}, which is not there"));
            }
        }
    }
}

/// The line without what stands in backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The targets of `[text](target)` and of `[label]: target`.
fn links(line: &str) -> Vec<&str> {
    let inline = line
        .match_indices("](")
        .filter_map(|(at, opening)| line[at + opening.len()..].split([')', ' ']).next());
    let reference = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
        .and_then(|(_, target)| target.split_whitespace().next());
    inline.chain(reference).collect()
}

/// Whether a link leads to a file: neither to another host nor to a heading of the same page.
fn is_file_link(target: &str) -> bool {
    !target.is_empty()
        && !target.contains("://")
        && !target.starts_with(['#', '<'])
        && !target.starts_with("mailto:")
}

/// The file's part of a link.
fn path_of(target: &str) -> &str {
    target.split('#').next().unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository;

    fn found(text: &str) -> Vec<(usize, String)> {
        Findings::of("xtask/README.md", text, |text, findings| {
            check(text, &repository::root(), findings);
        })
    }

    #[test]
    fn a_link_to_a_file_that_is_not_there_is_found() {
        let text = "A [page](../no-such.md#part) and [more](src/main.rs)\n\n[label]: ../nothing\n";
        let expected = [
            (
                1,
                "link to ../no-such.md#part, which is not there".to_owned(),
            ),
            (3, "link to ../nothing, which is not there".to_owned()),
        ];
        assert_eq!(found(text), expected);
    }

    #[test]
    fn other_links_and_code_are_left_alone() {
        let text = "[a](https://example.com/x) [b](#part) [c](mailto:x@example.com) [d](src)\n\
                    `[e](nothing)`\n```\n[f](nothing)\n```\n";
        assert!(found(text).is_empty());
    }
}
