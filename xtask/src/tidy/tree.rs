//! Rules `top-level`, `own-workspace` and `xtask-std-only`: files and manifests.

use std::fs;
use std::io;
use std::path::Path;

use super::Violation;
use crate::workspace;

/// Everything that may stand at the top of the repository, beside names that start with a dot.
const TOP_LEVEL: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "README.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "crates",
    "xtask",
    "examples",
    "docs",
    // Never in a commit, and always there once something was built.
    "target",
];

/// The names of files and folders directly in a folder, sorted.
pub(super) fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// The top of the repository holds what is listed, and no more.
pub(super) fn top_level(names: &[String]) -> Vec<Violation> {
    names
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .map(|name| Violation {
            rule: "top-level",
            place: name.clone(),
            message: format!("the top level holds only {} and dotfiles", TOP_LEVEL.join(", ")),
        })
        .collect()
}

/// A workspace of its own has a lock file of its own, and the root leaves it out.
pub(super) fn own_workspaces(root: &Path) -> io::Result<Vec<Violation>> {
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let mut violations = Vec::new();
    for folder in workspace::own_workspaces(root)? {
        let path = folder.strip_prefix(root).unwrap_or(&folder).to_string_lossy();
        violations.extend(own_workspace(&path, &manifest, folder.join("Cargo.lock").exists()));
    }
    Ok(violations)
}

fn own_workspace(path: &str, root_manifest: &str, has_lock_file: bool) -> Vec<Violation> {
    let violation = |message: &str| Violation {
        rule: "own-workspace",
        place: path.to_owned(),
        message: message.to_owned(),
    };
    let mut violations = Vec::new();
    if !has_lock_file {
        violations.push(violation("a workspace of its own has its Cargo.lock committed"));
    }
    let excluded = root_manifest
        .lines()
        .any(|line| line.starts_with("exclude") && line.contains(&format!("\"{path}\"")));
    if !excluded {
        violations.push(violation("a workspace of its own is in the root manifest's `exclude`"));
    }
    violations
}

/// The xtask must build before anything else is downloaded.
pub(super) fn standard_library_only(manifest: &str) -> Option<Violation> {
    let has_dependencies = manifest.lines().any(|line| {
        let line = line.trim();
        line.starts_with('[') && line.contains("dependencies")
    });
    has_dependencies.then(|| Violation {
        rule: "xtask-std-only",
        place: "xtask/Cargo.toml".into(),
        message: "xtask has no dependencies, so that it builds before anything is there".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_listed_is_refused_at_the_top() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut listed = names(&TOP_LEVEL);
        listed.extend(names(&[".git", ".ci"]));
        assert_eq!(top_level(&listed), []);
        listed.push("notes.txt".into());
        let violations = top_level(&listed);
        assert_eq!(violations.len(), 1);
        assert_eq!((violations[0].rule, violations[0].place.as_str()), ("top-level", "notes.txt"));
    }

    #[test]
    fn a_workspace_without_lock_file_or_exclusion_is_refused() {
        let manifest = "[workspace]\nexclude = [\"xtask/no-std\", \"xtask/fuzz\"]\n";
        assert_eq!(own_workspace("xtask/no-std", manifest, true), []);
        assert_eq!(own_workspace("xtask/no-std", manifest, false).len(), 1);
        assert_eq!(own_workspace("xtask/no", manifest, true).len(), 1);
        assert_eq!(own_workspace("xtask/versus", "[workspace]\n", false).len(), 2);
    }

    #[test]
    fn a_dependency_of_the_xtask_is_refused() {
        assert_eq!(standard_library_only("[package]\nname = \"xtask\"\n[lints]\n"), None);
        for section in ["[dependencies]", "[dev-dependencies]", "[dependencies.anyhow]"] {
            assert!(standard_library_only(&format!("[package]\n{section}\n")).is_some());
        }
    }
}
