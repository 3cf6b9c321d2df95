//! What the repository consists of: its libraries, and the small workspaces beside the main one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::run;

/// The libraries that are published, lowest layer first.
pub(crate) const LIBRARIES: [&str; 4] =
    ["buddy-core", "memtype-select", "vk-pool", "gpu-alloc-ash"];

/// The folders under `xtask/` that are workspaces of their own, sorted by name.
pub(crate) fn own_workspaces(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root.join("xtask"))? {
        let folder = entry?.path();
        match fs::read_to_string(folder.join("Cargo.toml")) {
            Ok(manifest) if has_section(&manifest, "workspace") => folders.push(folder),
            _ => {}
        }
    }
    folders.sort();
    Ok(folders)
}

/// The target folder of such a workspace: one of its own under the main one, so that neither waits
/// for the other's lock.
pub(crate) fn target_folder(name: &str) -> PathBuf {
    let main = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    run::root().join(main.unwrap_or_else(|| "target".into())).join(name)
}

/// Whether a manifest has the section `[name]`.
pub(crate) fn has_section(manifest: &str, name: &str) -> bool {
    manifest
        .lines()
        .any(|line| line.trim().strip_prefix('[').and_then(|l| l.strip_suffix(']')) == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_no_std_check_is_a_workspace_of_its_own_and_boot_is_not() {
        let folders = own_workspaces(crate::run::root()).unwrap();
        assert!(folders.iter().any(|folder| folder.ends_with("xtask/no-std")), "{folders:?}");
        assert!(!folders.iter().any(|folder| folder.ends_with("xtask/boot")), "{folders:?}");
    }

    #[test]
    fn a_workspace_of_its_own_has_a_target_folder_of_its_own() {
        assert!(target_folder("no-std").is_absolute());
        assert!(target_folder("no-std").ends_with("no-std"));
        assert_ne!(target_folder("no-std"), target_folder("versus"));
    }

    #[test]
    fn a_section_is_a_whole_line() {
        assert!(has_section("[package]\nname = \"a\"\n\n[workspace]\n", "workspace"));
        assert!(!has_section("[package]\nversion.workspace = true\n", "workspace"));
        assert!(!has_section("[workspace.dependencies]\n", "workspace"));
    }
}
