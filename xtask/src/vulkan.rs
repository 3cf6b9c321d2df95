//! What of Vulkan this machine has: loader, drivers, validation layer, and a GPU of its own.
//!
//! Looks for files where the loader looks for them and runs nothing of Vulkan itself, so the answer
//! takes no time and is the same before and after an installation of something else.

use std::env;
use std::env::consts::ARCH;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const LOADER: &str = "libvulkan.so.1";
const LAYER: &str = "VkLayer_khronos_validation.json";

/// The loader's variables by which a user names drivers; the second is for loaders before 1.3.207.
pub(crate) const DRIVER_VARIABLES: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// The files found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Vulkan {
    pub(crate) loader: Option<PathBuf>,
    /// The driver manifest of lavapipe, Mesa's driver that runs on the processor.
    pub(crate) lavapipe: Option<PathBuf>,
    pub(crate) layer: Option<PathBuf>,
    /// A driver manifest other than lavapipe's is installed.
    pub(crate) other_driver: bool,
    /// The kernel offers a device that such a driver could open.
    pub(crate) gpu_device: bool,
    /// The user's environment names the drivers.
    pub(crate) chosen_by_user: bool,
}

impl Vulkan {
    /// Looks at this machine.
    pub(crate) fn of_this_machine() -> Self {
        let manifests = files_in(&data_folders("icd.d"));
        Self {
            loader: loader(),
            lavapipe: lavapipe_of(&manifests, ARCH),
            layer: first_file(layer_folders(), LAYER),
            other_driver: manifests.iter().any(|file| is_manifest(file) && !is_lavapipe(file)),
            gpu_device: has_gpu_device(),
            chosen_by_user: DRIVER_VARIABLES
                .iter()
                .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty())),
        }
    }
}

/// The folders in which the loader seeks `vulkan/<kind>`, the user's before the system's.
fn data_folders(kind: &str) -> Vec<PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let user = |variable: &str, fallback: &str| {
        env::var_os(variable).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(fallback)))
    };
    let mut bases: Vec<PathBuf> = Vec::new();
    bases.extend(user("XDG_CONFIG_HOME", ".config"));
    bases.extend(["/usr/local/etc", "/etc"].map(PathBuf::from));
    bases.extend(user("XDG_DATA_HOME", ".local/share"));
    bases.extend(folders_of(env::var_os("XDG_DATA_DIRS")));
    bases.extend(["/usr/local/share", "/usr/share"].map(PathBuf::from));
    bases.into_iter().map(|base| base.join("vulkan").join(kind)).collect()
}

/// The loader seeks layers in `VK_LAYER_PATH` alone if that is set.
fn layer_folders() -> Vec<PathBuf> {
    match env::var_os("VK_LAYER_PATH").filter(|list| !list.is_empty()) {
        Some(list) => folders_of(Some(list)),
        None => data_folders("explicit_layer.d"),
    }
}

fn folders_of(list: Option<OsString>) -> Vec<PathBuf> {
    list.map(|list| env::split_paths(&list).collect()).unwrap_or_default()
}

/// Every file directly in the folders that exist, folder by folder, sorted within each.
fn files_in(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in folders {
        let mut here: Vec<PathBuf> = std::fs::read_dir(folder)
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
            .unwrap_or_default();
        here.sort();
        files.append(&mut here);
    }
    files
}

fn first_file(folders: Vec<PathBuf>, name: &str) -> Option<PathBuf> {
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.exists())
}

fn file_name(file: &Path) -> &str {
    file.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn is_manifest(file: &Path) -> bool {
    file_name(file).ends_with(".json")
}

fn is_lavapipe(file: &Path) -> bool {
    is_manifest(file) && file_name(file).starts_with("lvp_icd")
}

/// The manifest of lavapipe: one that names this architecture, or else one that names none.
///
/// Machines with several architectures have one manifest for each, and the loader cannot use a
/// library of a foreign one.
fn lavapipe_of(manifests: &[PathBuf], architecture: &str) -> Option<PathBuf> {
    let named = format!("lvp_icd.{architecture}.json");
    let plain = "lvp_icd.json";
    [named.as_str(), plain]
        .iter()
        .find_map(|name| manifests.iter().find(|file| file_name(file) == *name))
        .cloned()
}

/// The loader's library: in the usual folders of this architecture, or known to `ldconfig`.
fn loader() -> Option<PathBuf> {
    let mut folders = folders_of(env::var_os("LD_LIBRARY_PATH"));
    for prefix in ["/usr/local/lib", "/usr/lib", "/lib"] {
        folders.push(Path::new(prefix).join(format!("{ARCH}-linux-gnu")));
    }
    folders.extend(["/usr/lib64", "/usr/local/lib64"].map(PathBuf::from));
    first_file(folders, LOADER).or_else(|| {
        // A normal user's search path often lacks /sbin.
        ["ldconfig", "/sbin/ldconfig"].iter().find_map(|program| {
            let listing =
                Command::new(program).arg("-p").stderr(Stdio::null()).output().ok()?.stdout;
            loader_of(&String::from_utf8_lossy(&listing), ARCH).filter(|file| file.exists())
        })
    })
}

/// The loader in the listing of `ldconfig -p`, of the architecture if the listing tells it.
fn loader_of(listing: &str, architecture: &str) -> Option<PathBuf> {
    let tag = match architecture {
        "x86_64" => "x86-64",
        "aarch64" => "AArch64",
        _ => "",
    };
    listing.lines().find_map(|line| {
        let (name, file) = line.trim().split_once(" => ")?;
        (name.split(' ').next() == Some(LOADER) && name.contains(tag)).then(|| file.into())
    })
}

/// Whether the kernel shows a GPU: a render node, or the device file of a driver without one.
fn has_gpu_device() -> bool {
    let render_node =
        files_in(&["/dev/dri".into()]).iter().any(|file| file_name(file).starts_with("renderD"));
    let others = ["/dev/nvidia0", "/dev/dxg", "/dev/kgsl-3d0", "/dev/mali0"];
    render_node || others.iter().any(|file| Path::new(file).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn lavapipe_is_taken_for_this_architecture_only() {
        let debian =
            paths(&["/u/intel_icd.x86_64.json", "/u/lvp_icd.i686.json", "/u/lvp_icd.x86_64.json"]);
        assert_eq!(lavapipe_of(&debian, "x86_64"), Some("/u/lvp_icd.x86_64.json".into()));
        assert_eq!(lavapipe_of(&debian, "i686"), Some("/u/lvp_icd.i686.json".into()));
        assert_eq!(lavapipe_of(&debian, "aarch64"), None);
        let plain = paths(&["/u/lvp_icd.json"]);
        assert_eq!(lavapipe_of(&plain, "aarch64"), Some("/u/lvp_icd.json".into()));
        assert_eq!(lavapipe_of(&[], "x86_64"), None);
    }

    #[test]
    fn a_manifest_is_lavapipes_by_its_name() {
        assert!(is_lavapipe(Path::new("/u/lvp_icd.x86_64.json")));
        assert!(!is_lavapipe(Path::new("/u/lvp_icd.x86_64.json.bak")));
        assert!(!is_lavapipe(Path::new("/u/radeon_icd.x86_64.json")));
    }

    #[test]
    fn the_loader_is_found_in_the_listing_of_ldconfig() {
        let listing = "\
2 libs found in cache `/etc/ld.so.cache'
\tlibvulkan.so.1 (libc6) => /lib/i386-linux-gnu/libvulkan.so.1
\tlibvulkan.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libvulkan.so.1
\tlibvulkan_lvp.so (libc6,x86-64) => /lib/x86_64-linux-gnu/libvulkan_lvp.so
";
        let found = loader_of(listing, "x86_64");
        assert_eq!(found, Some("/lib/x86_64-linux-gnu/libvulkan.so.1".into()));
        assert_eq!(loader_of(listing, "aarch64"), None);
        assert_eq!(loader_of("", "x86_64"), None);
    }

    #[test]
    fn files_of_a_folder_that_does_not_exist_are_none() {
        assert_eq!(files_in(&["/no/such/folder".into()]), Vec::<PathBuf>::new());
        assert_eq!(first_file(paths(&["/no/such/folder"]), LOADER), None);
    }
}
