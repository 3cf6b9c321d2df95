//! Rules `first-line` and `forbidden-words`: what every file has, and what no library file has.

use super::{Source, Violation};

/// Notes to oneself: they belong in an issue. Sought everywhere, comments included.
const NOTES: [&str; 2] = ["TODO", "FIXME"];

/// Left-overs of debugging, and shortcuts around checks. Sought in code.
const SHORTCUTS: [&str; 4] = ["dbg!", "unreachable_unchecked", "get_unchecked", "transmute"];

/// Every file says in its first line what it is for.
pub(super) fn first_line(source: &Source) -> Option<Violation> {
    let first = source.text.lines().next().unwrap_or_default();
    let says_something = first.strip_prefix("//! ").is_some_and(|rest| !rest.trim().is_empty());
    (!says_something).then(|| Violation {
        rule: "first-line",
        place: format!("{}:1", source.path),
        message: "the first line must be a `//!` sentence that says what the file is for".into(),
    })
}

/// Words that have no place in a library.
pub(super) fn forbidden(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seek = |text: &str, words: &[&str]| {
        for (index, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                violations.push(Violation {
                    rule: "forbidden-words",
                    place: format!("{}:{}", source.path, index + 1),
                    message: format!("`{word}` has no place in a library"),
                });
            }
        }
    };
    seek(&source.text, &NOTES);
    seek(&source.code, &SHORTCUTS);
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_first_sentence_is_refused() {
        for text in ["", "use std::fmt;\n", "// Notes.\n", "//!\n", "//! \n", "\n//! Late.\n"] {
            assert!(first_line(&Source::new("a.rs", text)).is_some(), "{text:?}");
        }
        assert_eq!(first_line(&Source::new("a.rs", "//! What it is.\n")), None);
    }

    #[test]
    fn each_forbidden_word_is_refused_with_its_line() {
        for word in NOTES.iter().chain(&SHORTCUTS) {
            let text = format!("//! A.\nfn f() {{ {word}(x) }}\n");
            let violations = forbidden(&Source::new("crates/a/src/b.rs", text));
            assert_eq!(violations.len(), 1, "{word}");
            assert_eq!(violations[0].place, "crates/a/src/b.rs:2");
        }
    }

    #[test]
    fn notes_are_sought_in_comments_and_shortcuts_are_not() {
        let count = |text: &str| forbidden(&Source::new("a.rs", text)).len();
        assert_eq!(count("// TODO: later\n"), 1);
        assert_eq!(count("/// Never by transmute.\nfn f() {}\n"), 0);
        assert_eq!(count("fn f() { bytemuck::cast_slice(x) }\n"), 0);
    }
}
