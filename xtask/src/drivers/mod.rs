//! `cargo xtask drivers`: real drivers, unpacked from packages into `target/`, none installed.
//!
//! Basic design: packages come in three lots, each unpacked into a folder of its own and moved to its
//! name when it is whole, so that one that is there is whole. A lot that cannot be had is reported
//! with the reason, and its drivers are left out; that is no failure, since a machine may be offline
//! or not be Debian.

mod archive;
mod known;
mod launch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Echo, Failure};
use crate::workspace::target_folder;

use archive::{Archive, Wanted};
pub(crate) use known::{DRIVERS, Driver, Origin, named};
pub(crate) use launch::{Launch, launch};

/// Where everything is unpacked.
pub(crate) fn folder() -> PathBuf {
    target_folder("drivers")
}

/// A lot of packages that cannot be had, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) origin: Origin,
    pub(crate) why: String,
}

/// Unpacks what is not there yet, and says what there is; `fresh` unpacks everything anew.
pub(crate) fn run(fresh: bool) -> Result<(), Failure> {
    if fresh && folder().exists() {
        fs::remove_dir_all(folder()).map_err(|error| {
            Failure::new(format!("{} cannot be removed: {error}", folder().display()))
        })?;
    }
    let missing = fetch(&Origin::UNPACKED);
    for driver in &DRIVERS {
        match launch(driver, &missing) {
            Ok(_) => println!("  {:22} ready", driver.name),
            Err(why) => println!("  {:22} cannot be had: {why}", driver.name),
        }
    }
    Ok(())
}

/// Unpacks these lots, where they are not there yet; answers those that cannot be had.
pub(crate) fn fetch(origins: &[Origin]) -> Vec<Missing> {
    let wanted: Vec<Origin> =
        origins.iter().copied().filter(|origin| !folder().join(origin.folder()).exists()).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let archive = Archive::of_this_machine();
    let mut missing = Vec::new();
    for origin in wanted {
        let unpacked = archive.clone().and_then(|archive| unpack(&archive, origin));
        match unpacked {
            Ok(()) => println!("drivers: {} unpacked", origin.folder()),
            Err(why) => {
                println!("drivers: {} cannot be had: {why}", origin.folder());
                missing.push(Missing { origin, why });
            }
        }
    }
    missing
}

/// Downloads and unpacks one lot.
fn unpack(archive: &Archive, origin: Origin) -> Result<(), String> {
    let work = folder().join(format!("{}.part", origin.folder()));
    // What an interrupted run has left.
    let _ = fs::remove_dir_all(&work);
    let root = work.join("root");
    fs::create_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))?;
    let (suite, packages, wanted): (String, &[&str], Wanted) = match origin {
        Origin::Machine => return Ok(()),
        Origin::Backports => (
            format!("{}-backports", archive.release),
            &["mesa-vulkan-drivers", "libdrm2"],
            Wanted::Alone,
        ),
        Origin::Chromium => {
            (format!("{}-security", archive.release), &["chromium-common"], Wanted::Alone)
        }
        Origin::Development => (
            "sid".to_owned(),
            &["mesa-vulkan-drivers", "mesa-drm-shim", "vulkan-validationlayers", "libvulkan1"],
            Wanted::WithDependencies,
        ),
    };
    println!("drivers: {}: {} from {suite}", origin.folder(), packages.join(", "));
    for package in archive.download(&suite, packages, wanted, &work)? {
        extract(&package, &root)?;
    }
    keep_drivers(origin, &root)?;
    fs::rename(&root, folder().join(origin.folder())).map_err(|error| error.to_string())?;
    fs::remove_dir_all(&work).map_err(|error| error.to_string())
}

fn extract(package: &Path, root: &Path) -> Result<(), String> {
    let mut command = Command::new("dpkg-deb");
    command.arg("--extract").args([package, root]);
    run::run_captured(command, Echo::Hidden).map_err(|failure| failure.to_string())?;
    fs::remove_file(package).map_err(|error| error.to_string())
}

/// Of a browser, nothing but its drivers stays.
fn keep_drivers(origin: Origin, root: &Path) -> Result<(), String> {
    if origin != Origin::Chromium {
        return Ok(());
    }
    let files = root.join("usr/lib/chromium");
    for driver in DRIVERS.iter().filter(|driver| driver.origin == origin) {
        fs::rename(files.join(driver.library), root.join(driver.library))
            .map_err(|error| format!("the package has no {}: {error}", driver.library))?;
    }
    for entry in fs::read_dir(root).map_err(|error| error.to_string())?.flatten() {
        if entry.path().is_dir() {
            fs::remove_dir_all(entry.path()).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
