//! Rules for Rust files, read from their tokens: what stands in strings and comments is no code.

use super::Findings;
use super::dependencies::{PLACES, UNSAFE, is_within};
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use syn::visit::{self, Visit};

/// Longest function, from `fn` to its closing brace: a screen.
const FUNCTION_LINES_MAX: usize = 70;
/// Longest file, in lines that are neither blank, comment, nor test module.
const FILE_LINES_MAX: usize = 300;
/// Longest file of tests: tables of cases are long and simple.
const TEST_FILE_LINES_MAX: usize = 500;

/// Looks at one file.
pub(super) fn check(text: &str, findings: &mut Findings<'_>) {
    if !text.starts_with("//!") {
        findings.add(1, "does not begin with `//!` and what the file is for");
    }
    let parsed = syn::parse_file(text).and_then(|file| Ok((file, text.parse::<TokenStream>()?)));
    let (file, stream) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return findings.add(error.span().start().line, error.to_string()),
    };
    let mut outline = Outline::default();
    outline.visit_file(&file);
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    check_sizes(&outline, &tokens, findings);
    check_unsafe(&tokens, findings);
    check_dependencies(&tokens, findings);
}

/// What a file's syntax tree says: its functions and its test modules, by lines.
#[derive(Default)]
struct Outline {
    functions: Vec<(String, RangeInclusive<usize>)>,
    tests: Vec<RangeInclusive<usize>>,
}

impl Outline {
    fn add_function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let end = body.brace_token.span.close().end().line;
        let lines = signature.fn_token.span.start().line..=end;
        self.functions.push((signature.ident.to_string(), lines));
    }
}

impl<'ast> Visit<'ast> for Outline {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add_function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add_function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add_function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.attrs.iter().any(is_cfg_test) {
            let first = item
                .attrs
                .first()
                .map_or(item.mod_token.span, |a| a.pound_token.span);
            let last = match (&item.content, &item.semi) {
                (Some((brace, _)), _) => brace.span.close(),
                (None, semi) => semi.map_or(item.mod_token.span, |semi| semi.span),
            };
            self.tests.push(first.start().line..=last.end().line);
        }
        visit::visit_item_mod(self, item);
    }
}

/// Whether an attribute is `#[cfg(test)]`.
fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Path>()
            .is_ok_and(|path| path.is_ident("test"))
}

/// A token and the lines it stands on. Groups appear as their delimiters.
struct Token {
    text: String,
    lines: RangeInclusive<usize>,
}

/// Puts the tokens of a file in one row, without doc comments.
fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        // A doc comment comes as the attribute that it stands for, at the place of the comment.
        let source = tree.span().source_text().unwrap_or_default();
        if source.starts_with("//") || source.starts_with("/*") {
            continue;
        }
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = delimiters(group.delimiter());
                push(open, group.span_open(), tokens);
                flatten(group.stream(), tokens);
                push(close, group.span_close(), tokens);
            }
            other => push(&other.to_string(), other.span(), tokens),
        }
    }
}

fn push(text: &str, span: Span, tokens: &mut Vec<Token>) {
    tokens.push(Token {
        text: text.to_owned(),
        lines: span.start().line..=span.end().line,
    });
}

fn delimiters(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Functions and files that do not fit.
fn check_sizes(outline: &Outline, tokens: &[Token], findings: &mut Findings<'_>) {
    for (name, lines) in &outline.functions {
        let count = lines.end() - lines.start() + 1;
        if count > FUNCTION_LINES_MAX {
            let what = format!("fn {name} has {count} lines; at most {FUNCTION_LINES_MAX}");
            findings.add(*lines.start(), what);
        }
    }
    let limit = if is_test_file(findings.path) {
        TEST_FILE_LINES_MAX
    } else {
        FILE_LINES_MAX
    };
    let count = code_lines(outline, tokens);
    if count > limit {
        findings.add(1, format!("{count} lines of code; at most {limit}"));
    }
}

/// Lines that hold a token outside the test modules.
fn code_lines(outline: &Outline, tokens: &[Token]) -> usize {
    let is_test = |line: &usize| outline.tests.iter().any(|tests| tests.contains(line));
    let lines: BTreeSet<usize> = tokens.iter().flat_map(|t| t.lines.clone()).collect();
    lines.iter().filter(|line| !is_test(line)).count()
}

/// Whether the whole file is tests: in the package `tests`, or a test module's own file.
fn is_test_file(path: &str) -> bool {
    path.split('/')
        .any(|part| part == "tests" || part == "tests.rs")
}

/// `unsafe` outside the files that may have it.
fn check_unsafe(tokens: &[Token], findings: &mut Findings<'_>) {
    if is_within(findings.path, UNSAFE) {
        return;
    }
    let blocks = tokens.iter().filter(|token| token.text == "unsafe");
    for line in blocks.map(|token| *token.lines.start()) {
        findings.add(
            line,
            "`unsafe` outside the files that xtask/src/tidy/dependencies.rs lists",
        );
    }
}

/// Dependencies named outside their place; each line once.
fn check_dependencies(tokens: &[Token], findings: &mut Findings<'_>) {
    for (krate, places) in PLACES {
        if is_within(findings.path, places) {
            continue;
        }
        let lines: BTreeSet<usize> = (0..tokens.len())
            .filter(|&index| tokens[index].text == *krate && names_crate(tokens, index))
            .map(|index| *tokens[index].lines.start())
            .collect();
        for line in lines {
            let what = format!("{krate} may be named only in {}", places.join(", "));
            findings.add(line, what);
        }
    }
}

/// Whether the identifier at `index` begins a path (`krate::…`, `::krate::…`) or an import.
fn names_crate(tokens: &[Token], index: usize) -> bool {
    let text = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or("", |t| &t.text);
    let before = |distance: usize| text(index.checked_sub(distance));
    let leads_on = text(Some(index + 1)) == ":" && text(Some(index + 2)) == ":";
    let is_segment = before(1) == ":" && before(2) == ":" && ends_segment(before(3));
    (leads_on && !is_segment) || matches!(before(1), "use" | "crate")
}

/// Whether a path goes on behind this token: a name or generic arguments, but no keyword before a
/// path that begins with `::`.
fn ends_segment(token: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "as", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "return", "use", "where",
    ];
    token.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>')
        && !KEYWORDS.contains(&token)
}

#[cfg(test)]
mod tests;
