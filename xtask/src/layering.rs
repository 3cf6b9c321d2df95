//! Which package may depend on which: read from `cargo tree`, with all features on.

use crate::run::{self, Echo, Failure};
use crate::workspace::LIBRARIES;

/// What one library may stand on.
#[derive(Debug, Clone, Copy)]
struct Layer {
    package: &'static str,
    /// Exactly these packages of this repository, in alphabetic order.
    ours: &'static [&'static str],
    /// Whether `ash` may stand under it.
    ash: bool,
}

const LAYERS: [Layer; 4] = [
    Layer { package: LIBRARIES[0], ours: &[], ash: false },
    Layer { package: LIBRARIES[1], ours: &[], ash: true },
    Layer { package: LIBRARIES[2], ours: &["buddy-core"], ash: false },
    Layer { package: LIBRARIES[3], ours: &["buddy-core", "memtype-select", "vk-pool"], ash: true },
];

/// Checks the dependencies of every library, and that the check refuses a tree it must refuse.
pub(crate) fn run() -> Result<(), Failure> {
    let mut problems = Vec::new();
    for layer in &LAYERS {
        let tree = tree_of(layer.package)?;
        problems.extend(check(layer, &tree));
        if layer.ash {
            prove_refusal(layer, &tree)?;
        }
    }
    if problems.is_empty() {
        println!("layering: {} libraries stand where they should", LAYERS.len());
        Ok(())
    } else {
        Err(Failure::new(problems.join("\n")))
    }
}

fn tree_of(package: &str) -> Result<String, Failure> {
    // Quiet: what is downloaded on a fresh machine would be told in front of the tree.
    let words =
        ["tree", "--quiet", "-e", "normal", "--all-features", "--prefix", "none", "-p", package];
    run::run_captured(run::cargo(words), Echo::Hidden)
}

/// A real tree with ash in it must be refused for the same package were it not allowed ash.
///
/// So a change of what `cargo tree` prints cannot turn the check into one that sees nothing.
fn prove_refusal(layer: &Layer, tree: &str) -> Result<(), Failure> {
    let without = Layer { ash: false, ..*layer };
    if check(&without, tree).iter().any(|problem| problem.contains("ash must not")) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the layering check does not see ash under {}, where it is: the check is broken",
        layer.package
    )))
}

/// Judges the text of `cargo tree --prefix none`; an answer without problems is empty.
fn check(layer: &Layer, tree: &str) -> Vec<String> {
    let package = layer.package;
    let mut lines = tree.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines.next().map(name_of) != Some(package) {
        return vec![format!("layering: the tree of {package} does not start with {package}")];
    }
    let mut problems = Vec::new();
    let mut ours = Vec::new();
    for line in lines {
        let name = name_of(line);
        if is_ours(line) {
            ours.push(name);
        }
        if !layer.ash && (name == "ash" || name.starts_with("ash-")) {
            problems.push(format!("layering: {name} must not stand under {package}"));
        }
    }
    ours.sort_unstable();
    ours.dedup();
    if ours != layer.ours {
        problems.push(format!(
            "layering: of this repository {package} must stand on {:?}, but stands on {ours:?}",
            layer.ours
        ));
    }
    problems
}

fn name_of(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// Whether a line names a package by its folder, which only those of this repository have.
fn is_ours(line: &str) -> bool {
    line.split(" (").skip(1).any(|note| std::path::Path::new(note).is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "\
vk-pool v0.1.0 (/src/crates/vk-pool)
buddy-core v0.1.0 (/src/crates/buddy-core)
thiserror v2.0.17
thiserror-impl v2.0.17 (proc-macro)
proc-macro2 v1.0.103
smallvec v1.15.1
thiserror v2.0.17 (*)
";

    fn layer(package: &str) -> Layer {
        LAYERS.into_iter().find(|layer| layer.package == package).unwrap()
    }

    #[test]
    fn a_tree_as_it_should_be_is_accepted() {
        assert_eq!(check(&layer("vk-pool"), POOL), Vec::<String>::new());
        let alone = "buddy-core v0.1.0 (/src/crates/buddy-core)\nthiserror v2.0.17\n";
        assert_eq!(check(&layer("buddy-core"), alone), Vec::<String>::new());
    }

    #[test]
    fn planted_ash_is_refused() {
        let planted = format!("{POOL}ash v0.38.0+1.3.281\n");
        assert_eq!(
            check(&layer("vk-pool"), &planted),
            ["layering: ash must not stand under vk-pool"]
        );
        let window = format!("{POOL}ash-window v0.13.0\n");
        assert_eq!(check(&layer("vk-pool"), &window).len(), 1);
        let similar = format!("{POOL}ashpd v0.1.0\n");
        assert_eq!(check(&layer("vk-pool"), &similar), Vec::<String>::new());
    }

    #[test]
    fn a_library_of_ours_too_many_or_too_few_is_refused() {
        let more = format!("{POOL}memtype-select v0.1.0 (/src/crates/memtype-select)\n");
        assert_eq!(check(&layer("vk-pool"), &more).len(), 1);
        let fewer = "vk-pool v0.1.0 (/src/crates/vk-pool)\nsmallvec v1.15.1\n";
        assert_eq!(check(&layer("vk-pool"), fewer).len(), 1);
        let leaf = "memtype-select v0.1.0 (/s/memtype-select)\nbuddy-core v0.1.0 (/s/buddy-core)\n";
        assert_eq!(check(&layer("memtype-select"), leaf).len(), 1);
    }

    #[test]
    fn text_that_is_no_tree_of_the_package_is_refused() {
        for text in ["", "error: no such package\n", POOL] {
            assert_eq!(check(&layer("buddy-core"), text).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_check_that_sees_no_ash_is_called_broken() {
        let facade = layer("gpu-alloc-ash");
        let tree = "gpu-alloc-ash v0.1.0 (/s/gpu-alloc-ash)\nash v0.38.0+1.3.281\n";
        assert_eq!(prove_refusal(&facade, tree), Ok(()));
        assert!(prove_refusal(&facade, "gpu-alloc-ash v0.1.0 (/s/gpu-alloc-ash)\n").is_err());
        assert!(prove_refusal(&facade, "").is_err());
    }
}
