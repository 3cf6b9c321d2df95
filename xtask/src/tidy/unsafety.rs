//! Rules `unsafe-level` and `unsafe-modules`: where `unsafe` code may live.

use super::{Source, Violation};

/// The level that each library's front page sets.
const LEVELS: [(&str, &str); 4] = [
    ("buddy-core", "deny"),
    ("memtype-select", "forbid"),
    ("vk-pool", "forbid"),
    ("gpu-alloc-ash", "deny"),
];

/// The facade's modules that may lift the level, in alphabetic order.
const FACADE_MODULES: &[&str] = &[
    "access",
    "allocator",
    "batch",
    "create",
    "custom/resources",
    "driver",
    "driver/pool",
    "evictable/access",
    "evictable/entry",
    "evictable/frame",
    "evictable/free",
    "evictable/resources",
    "external",
    "facts",
    "grow",
    "guards",
    "mapped",
    "prepare",
    "zeroes",
];

/// The modules that lift the level, by library.
const MODULES: [(&str, &[&str]); 2] =
    [("buddy-core", &["arena"]), ("gpu-alloc-ash", FACADE_MODULES)];

/// Each library's `lib.rs` sets the level that it promises.
pub(super) fn levels(sources: &[Source]) -> Vec<Violation> {
    LEVELS.iter().filter_map(|&(library, level)| level_of(sources, library, level)).collect()
}

fn level_of(sources: &[Source], library: &str, level: &str) -> Option<Violation> {
    let path = format!("crates/{library}/src/lib.rs");
    let wanted = format!("{level}(unsafe_code)");
    let is_set = sources.iter().filter(|source| source.path == path).any(|source| {
        attributes(&source.code)
            .iter()
            .any(|attribute| attribute.target == Target::Enclosing && attribute.content == wanted)
    });
    (!is_set).then(|| Violation {
        rule: "unsafe-level",
        place: path,
        message: format!("the front page must set `#![{wanted}]`"),
    })
}

/// The modules that lift the level are exactly those listed, and only whole modules do.
pub(super) fn modules(sources: &[Source]) -> Vec<Violation> {
    MODULES.iter().flat_map(|&(library, listed)| modules_of(sources, library, listed)).collect()
}

fn modules_of(sources: &[Source], library: &str, listed: &[&str]) -> Vec<Violation> {
    let folder = format!("crates/{library}/src/");
    let violation = |place: &str, message: String| Violation {
        rule: "unsafe-modules",
        place: place.to_owned(),
        message,
    };
    let mut violations = Vec::new();
    let mut found = Vec::new();
    for source in sources {
        let Some(file) = source.path.strip_prefix(&folder) else {
            continue;
        };
        for attribute in attributes(&source.code).iter().filter(|a| a.lifts_unsafe()) {
            match module_of(file, &attribute.target) {
                Some(module) if listed.contains(&module.as_str()) => found.push(module),
                Some(module) => violations.push(violation(
                    &source.path,
                    format!("module `{module}` may not lift `unsafe_code`; it is not listed"),
                )),
                None => violations.push(violation(
                    &source.path,
                    "`unsafe_code` may be lifted for a whole listed module only".into(),
                )),
            }
        }
    }
    for module in listed.iter().filter(|module| !found.iter().any(|name| name == *module)) {
        violations.push(violation(
            &folder,
            format!("module `{module}` is listed, but does not lift `unsafe_code`"),
        ));
    }
    violations
}

/// The module that an attribute in `file` (relative to `src/`) is about, as `outer/inner`.
fn module_of(file: &str, target: &Target) -> Option<String> {
    let stem = file.strip_suffix(".rs")?;
    let own = match stem {
        "lib" | "mod" => "",
        _ => stem.strip_suffix("/mod").unwrap_or(stem),
    };
    match target {
        // Of the front page it would be the whole library.
        Target::Enclosing if own.is_empty() => None,
        Target::Enclosing => Some(own.to_owned()),
        Target::Module(name) if own.is_empty() => Some(name.clone()),
        Target::Module(name) => Some(format!("{own}/{name}")),
        Target::Item => None,
    }
}

/// What an attribute applies to.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// `#![…]`: the file it stands in.
    Enclosing,
    /// `#[…] mod name`.
    Module(String),
    /// `#[…]` before anything else.
    Item,
}

#[derive(Debug, PartialEq, Eq)]
struct Attribute {
    /// What stands between the brackets, without white space.
    content: String,
    target: Target,
}

impl Attribute {
    /// Also when conditional, and when `expect` stands for `allow`.
    fn lifts_unsafe(&self) -> bool {
        let lifts = self.content.contains("allow(") || self.content.contains("expect(");
        lifts && self.content.contains("unsafe_code")
    }
}

fn attributes(code: &str) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    for (start, _) in code.match_indices('#') {
        let rest = &code[start + 1..];
        let (enclosing, rest) = match rest.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let Some((content, after)) = bracketed(rest) else {
            continue;
        };
        let target = if enclosing { Target::Enclosing } else { target_before(after) };
        attributes.push(Attribute { content: content.split_whitespace().collect(), target });
    }
    attributes
}

/// Splits `[a[b]c] rest` into what is in the outer brackets and what follows them.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('[')?;
    let mut depth = 1_usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&inner[..at], &inner[at + 1..]));
        }
    }
    None
}

/// What stands after an outer attribute, behind further attributes and the visibility.
fn target_before(after: &str) -> Target {
    let mut rest = after.trim_start();
    while let Some((_, after)) = rest.strip_prefix('#').and_then(bracketed) {
        rest = after.trim_start();
    }
    let words: Vec<&str> = rest.split_whitespace().take(3).collect();
    let item = match words.as_slice() {
        [visibility, item @ ..] if visibility.starts_with("pub") => item,
        item => item,
    };
    match item {
        ["mod", name, ..] => Target::Module(name.trim_end_matches([';', '{']).to_owned()),
        _ => Target::Item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(files: &[(&str, &str)]) -> Vec<Source> {
        files
            .iter()
            .map(|(file, text)| Source::new(format!("crates/lib/src/{file}"), *text))
            .collect()
    }

    #[test]
    fn a_front_page_without_its_level_is_refused() {
        let level = |text: &str| level_of(&library(&[("lib.rs", text)]), "lib", "forbid");
        assert_eq!(level("//! A.\n#![no_std]\n#![forbid(unsafe_code)]\n"), None);
        for text in [
            "//! A.\n",
            "//! A.\n#![deny(unsafe_code)]\n",
            "//! A.\n// #![forbid(unsafe_code)]\n",
            "//! `#![forbid(unsafe_code)]`\n#[forbid(unsafe_code)]\nmod a;\n",
        ] {
            assert!(level(text).is_some(), "{text}");
        }
        assert!(level_of(&[], "lib", "forbid").is_some());
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], listed: &[&str], violation_count: usize) {
        let violations = modules_of(&library(files), "lib", listed);
        assert_eq!(violations.len(), violation_count, "{violations:?}");
        assert!(violations.iter().all(|violation| violation.rule == "unsafe-modules"));
    }

    #[test]
    fn modules_that_lift_the_level_must_be_listed() {
        let outer = [("lib.rs", "#[allow(unsafe_code)]\npub(crate) mod driver;\n")];
        check(&outer, &["driver"], 0);
        check(&outer, &[], 1);
        check(&outer, &["other"], 2);
        let inner = [("map/raw.rs", "#![expect(\n    unsafe_code,\n    reason = \"calls\"\n)]\n")];
        check(&inner, &["map/raw"], 0);
        check(&inner, &["raw"], 2);
        check(&[("map/mod.rs", "#![allow(unsafe_code)]\n")], &["map"], 0);
        check(
            &[("map.rs", "#[cfg(unix)]\n#[allow(unsafe_code)]\nmod raw {\n}\n")],
            &["map/raw"],
            0,
        );
        check(&[("lib.rs", "#![cfg_attr(test, allow(unsafe_code))]\n")], &[], 1);
    }

    #[test]
    fn a_listed_module_that_does_not_lift_the_level_is_refused() {
        check(&[("lib.rs", "mod driver;\n")], &["driver"], 1);
    }

    #[test]
    fn the_level_is_not_lifted_for_items_or_for_the_whole_library() {
        check(&[("lib.rs", "#![allow(unsafe_code)]\n")], &["lib"], 2);
        check(&[("a.rs", "#[allow(unsafe_code)]\npub fn f() {}\n")], &["a"], 2);
        check(&[("a.rs", "#[allow(dead_code)]\npub fn f() {}\n// allow(unsafe_code)\n")], &[], 0);
    }
}
