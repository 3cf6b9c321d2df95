//! Has the sources under test compiled into the program: as they are, with loom's atomics, and with one
//! fault each.
//!
//! Basic design: the modules `pools` of `gpu-alloc-ash` find their locks at `crate::sync`, where this
//! program has loom's, and `evictable/entry.rs` finds its cell beside it. So the real files are used as they lie, by `#[path]`. Whatever differs from them is
//! a copy in which one text, which must stand there exactly once, is replaced by another. `vk-pool` is
//! the plain library, but where the copy differs in it or has loom's atomics. Then it is a module of this
//! program, so its paths from the root are made longer.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

// What the program needs of them is not needed here.
#[allow(dead_code)]
#[path = "src/mutations/mod.rs"]
mod mutations;

use mutations::{MUTATIONS, Mutation};

const FACADE: &str = "gpu-alloc-ash";
const POOL: &str = "vk-pool";

/// The files of `vk-pool` whose atomics threads change with no lock held.
const ATOMIC_FILES: [&str; 2] = ["budgets.rs", "evict/word.rs"];

/// The file of the facade beside its pools: who gets at what may be lost.
const ENTRY: &str = "evictable/entry.rs";

fn main() {
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let crates = own.join("../../crates").canonicalize().expect("the repository has crates/");
    let variants = Variants { crates, out: out.clone(), models: own.join("src/models/mod.rs") };
    for name in [FACADE, POOL] {
        println!("cargo::rerun-if-changed={}", variants.sources(name).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/mutations");

    let mut text = variants.module("real", &variants.sources(FACADE), None);
    text += &variants.with_atomics("atomics", None);
    for mutation in MUTATIONS {
        text += &match mutation.package {
            FACADE => variants.of_facade(mutation),
            POOL if mutation.is_atomic() => variants.with_atomics(mutation.name, Some(mutation)),
            POOL => variants.of_pool(mutation),
            other => panic!("{}: no such package: {other}", mutation.name),
        };
    }
    text += "/// The models of a variant.\n";
    text += "pub(crate) fn models(variant: &str) -> Option<&'static [crate::Model]> {\n";
    text += "    Some(match variant {\n";
    for name in ["real", "atomics"].into_iter().chain(MUTATIONS.iter().map(|m| m.name)) {
        writeln!(text, "        {name:?} => {name}::models::MODELS,").expect("a string has room");
    }
    text += "        _ => return None,\n    })\n}\n";
    write(&out.join("variants.rs"), &text);
}

/// Where things lie.
struct Variants {
    crates: PathBuf,
    out: PathBuf,
    models: PathBuf,
}

impl Variants {
    fn sources(&self, package: &str) -> PathBuf {
        self.crates.join(package).join("src")
    }

    /// A variant whose fault is in the facade; `vk-pool` is the library.
    fn of_facade(&self, mutation: &Mutation) -> String {
        let facade = self.out.join(mutation.name).join("facade");
        self.copy_pools(&facade, &|file, text| mutation.applied(FACADE, file, text));
        self.check(mutation, &self.sources(FACADE));
        self.module(mutation.name, &facade, None)
    }

    /// A variant whose fault is in `vk-pool`.
    fn of_pool(&self, mutation: &Mutation) -> String {
        self.check(mutation, &self.sources(POOL));
        self.with_own_pool(mutation.name, &|file, text| mutation.applied(POOL, file, text))
    }

    /// A variant in which loom sees the atomics of `vk-pool`, too.
    fn with_atomics(&self, name: &str, mutation: Option<&Mutation>) -> String {
        if let Some(mutation) = mutation {
            self.check(mutation, &self.sources(POOL));
        }
        self.with_own_pool(name, &|file, text| {
            let text = mutation.map_or(text.to_owned(), |it| it.applied(POOL, file, text));
            if !ATOMIC_FILES.contains(&file) {
                return text;
            }
            assert!(text.contains("core::sync::atomic"), "{file} has no atomics any more");
            // Those of loom cannot be made in constants.
            let text = text.replace("pub const fn new(", "pub fn new(");
            text.replace("core::sync::atomic", "loom::sync::atomic")
        })
    }

    fn with_own_pool(&self, name: &str, change: &dyn Fn(&str, &str) -> String) -> String {
        let (facade, pool) = (self.out.join(name).join("facade"), self.out.join(name).join("pool"));
        let root = format!("crate::variants::{name}::vk_pool::");
        self.copy_pools(&facade, &|_, text| text.replace("vk_pool::", &root));
        let sources = self.sources(POOL);
        for file in files(&sources) {
            let text = change(&file, &read(&sources.join(&file)));
            // Attributes and crates of a library's front page have no place in a module.
            let lines = text
                .lines()
                .filter(|line| !line.starts_with("#![") && !line.starts_with("extern crate"));
            let text: String = lines.flat_map(|line| [line, "\n"]).collect();
            write(&pool.join(&file), &text.replace("crate::", &root));
        }
        self.module(name, &facade, Some(&pool.join("lib.rs")))
    }

    /// Copies what is under test of the facade.
    fn copy_pools(&self, to: &Path, change: &dyn Fn(&str, &str) -> String) {
        let sources = self.sources(FACADE);
        let is_pools =
            |file: &String| file == "pools.rs" || file.starts_with("pools/") || file == ENTRY;
        for file in files(&sources).into_iter().filter(is_pools) {
            write(&to.join(&file), &change(&file, &read(&sources.join(&file))));
        }
    }

    /// The text to replace stands in its file exactly once: else it would be nobody's fault.
    fn check(&self, mutation: &Mutation, sources: &Path) {
        let Mutation { name, file, find, .. } = mutation;
        let count = read(&sources.join(file)).matches(find).count();
        assert!(count == 1, "mutation {name}: its text stands in {file} {count} times:\n{find}");
    }

    fn module(&self, name: &str, facade: &Path, pool: Option<&Path>) -> String {
        let pool = match pool {
            Some(file) => format!("#[path = {file:?}]\n    pub(crate) mod vk_pool;"),
            None => "pub(crate) use ::vk_pool;".to_owned(),
        };
        // Sources that are linted where they belong, and that a fault may leave a name unused in.
        let sources = "#[allow(dead_code, unused, unreachable_pub, missing_docs, clippy::all)]";
        let models = &self.models;
        format!(
            "/// A variant of the sources under test, and its models.\n\
             pub(crate) mod {name} {{\n    {sources}\n    {pool}\n    {sources}\n    \
             #[path = {facade:?}]\n    pub(crate) mod facade {{\n        pub(crate) mod pools;\n        \
             pub(crate) use loom::cell;\n        \
             #[path = {ENTRY:?}]\n        pub(crate) mod entry;\n    }}\n    \
             #[path = {models:?}]\n    pub(crate) mod models;\n}}\n\n"
        )
    }
}

/// All source files under a folder, relative to it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("it is a folder") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(folder).expect("it lies under it");
                found.push(relative.to_str().expect("source files have plain names").to_owned());
            }
        }
    }
    found.sort();
    found
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Leaves a file alone that has this text, so that nothing is compiled again for it.
fn write(file: &Path, text: &str) {
    if fs::read_to_string(file).is_ok_and(|there| there == text) {
        return;
    }
    fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("it can be made");
    fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
