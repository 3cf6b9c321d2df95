//! `cargo xtask tidy`: rules of the repository that no compiler checks. Also a test of this package.
//!
//! Each rule is a function from text or names to violations, so that its tests can hand it a text
//! that breaks it. Every violation names its rule.

mod code;
mod length;
mod tree;
mod unsafety;
mod words;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::run::{Failure, root};

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The rule's name, by which a person finds it in this folder.
    rule: &'static str,
    /// A path from the repository's root, with a line number where there is one.
    place: String,
    /// What is wrong, and what would be right.
    message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [rule: {}]", self.place, self.message, self.rule)
    }
}

/// A Rust source file of the repository.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the repository's root, with `/` between its parts.
    path: String,
    text: String,
    /// The text with comments, strings and character literals blanked; the same lines.
    code: String,
}

impl Source {
    fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { path: path.into(), code: code::only(&text), text }
    }

    /// Whether the file is part of one of the libraries, not of their tests and benches.
    fn is_library(&self) -> bool {
        self.path.starts_with("crates/") && self.path.contains("/src/")
    }
}

/// What was looked at and what was found.
#[derive(Debug, Default)]
struct Report {
    file_count: usize,
    violations: Vec<Violation>,
    /// Not breaches yet: what is longer than it should be.
    warnings: Vec<Violation>,
}

/// Checks every rule and prints what is broken.
pub(crate) fn run() -> Result<(), Failure> {
    let report = check(root())
        .map_err(|error| Failure::new(format!("tidy cannot read the repository: {error}")))?;
    for warning in &report.warnings {
        println!("warning: {warning}");
    }
    println!("tidy: {} files, {} violations", report.file_count, report.violations.len());
    if report.violations.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = report.violations.iter().map(Violation::to_string).collect();
    Err(Failure::new(format!("the repository is not tidy\n{}", lines.join("\n"))))
}

fn check(root: &Path) -> io::Result<Report> {
    let sources = sources(root)?;
    let mut report = Report { file_count: sources.len(), ..Report::default() };
    for source in &sources {
        report.violations.extend(words::first_line(source));
        report.violations.extend(length::over(source, &length::HARD));
        report.warnings.extend(length::over(source, &length::SOFT));
        if source.is_library() {
            report.violations.extend(words::forbidden(source));
        }
    }
    report.violations.extend(unsafety::levels(&sources));
    report.violations.extend(unsafety::modules(&sources));
    report.violations.extend(tree::top_level(&tree::names_in(root)?));
    report.violations.extend(tree::own_workspaces(root)?);
    let manifest = fs::read_to_string(root.join("xtask/Cargo.toml"))?;
    report.violations.extend(tree::standard_library_only(&manifest));
    Ok(report)
}

/// Every Rust file under the folders that hold code, sorted by path.
fn sources(root: &Path) -> io::Result<Vec<Source>> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "examples"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    files
        .iter()
        .map(|file| {
            let path = file.strip_prefix(root).unwrap_or(file).to_string_lossy();
            Ok(Source::new(path.replace('\\', "/"), fs::read_to_string(file)?))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, files)?;
            }
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::LIBRARIES;

    #[test]
    fn the_repository_is_tidy() {
        let report = check(root()).unwrap();
        let lines: Vec<_> = report.violations.iter().map(Violation::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }

    #[test]
    fn every_library_and_this_file_are_looked_at() {
        let sources = sources(root()).unwrap();
        let seen = |path: &str| sources.iter().any(|source| source.path == path);
        for library in LIBRARIES {
            assert!(seen(&format!("crates/{library}/src/lib.rs")), "{library}");
        }
        assert!(seen("xtask/src/tidy/mod.rs"));
        assert!(!sources.iter().any(|source| source.path.contains("/target/")));
    }

    #[test]
    fn a_violation_names_place_and_rule() {
        let violation =
            Violation { rule: "top-level", place: "notes".into(), message: "not listed".into() };
        assert_eq!(violation.to_string(), "notes: not listed [rule: top-level]");
    }
}
