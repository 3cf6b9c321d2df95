//! How a program is started so that it finds one driver and no other.
//!
//! Basic design: the Vulkan loader is given a manifest that names the driver's library. Drivers of
//! the release in development need that release's C library, so programs run through its dynamic
//! loader, with its Vulkan loader and validation layer, and the stand-in for the kernel's side is
//! loaded before all else. Cargo is told by a runner, and does not run so itself.

use std::env;
use std::env::consts::ARCH;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::drivers::{Driver, Missing, Origin, folder};
use crate::run;
use crate::vulkan::{DRIVER_VARIABLES, Vulkan};

/// What a program is started with to run on one driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    environment: Vec<(String, OsString)>,
    /// What stands before the program, if anything.
    runner: Vec<String>,
}

impl Launch {
    /// A cargo command whose programs see this driver alone.
    pub(crate) fn cargo(&self, words: &[&str]) -> Command {
        let (verb, rest) = words.split_first().expect("a cargo command begins with a verb");
        let mut command = run::cargo([verb]);
        if !self.runner.is_empty() {
            let words: Vec<String> = self.runner.iter().map(|word| quoted(word)).collect();
            let runner = format!("target.'cfg(all())'.runner = [{}]", words.join(", "));
            command.args(["--config", &runner]);
        }
        command.args(rest);
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        // Would add drivers to those named, or choose among them.
        command.env_remove("VK_ADD_DRIVER_FILES").env_remove("VK_BOOT_DEVICE");
        command
    }
}

/// A string of TOML.
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// How to start programs on the driver.
///
/// # Errors
///
/// Why it cannot be had, in words.
pub(crate) fn launch(driver: &Driver, missing: &[Missing]) -> Result<Launch, String> {
    if let Some(missing) = missing.iter().find(|missing| missing.origin == driver.origin) {
        return Err(missing.why.clone());
    }
    let folder = folder();
    let root = folder.join(driver.origin.folder());
    if driver.origin == Origin::Machine {
        let manifest = Vulkan::of_this_machine().lavapipe;
        let manifest = manifest.ok_or("it is not installed: run `cargo xtask setup`")?;
        return Ok(Launch { environment: environment(driver, &manifest, &folder), runner: vec![] });
    }
    let libraries = match driver.origin {
        Origin::Chromium => root,
        _ => root.join(format!("usr/lib/{ARCH}-linux-gnu")),
    };
    let library = existing(libraries.join(driver.library))?;
    let manifest = write_manifest(driver, &library, &folder)?;
    let mut launch =
        Launch { environment: environment(driver, &manifest, &folder), runner: vec![] };
    match driver.origin {
        Origin::Backports => {
            launch.runner = vec!["env".into(), format!("LD_LIBRARY_PATH={}", libraries.display())];
        }
        Origin::Development => {
            launch.runner = through_own_loader(driver, &libraries)?;
            let layers = folder.join("development/usr/share/vulkan/explicit_layer.d");
            launch.environment.push(("VK_LAYER_PATH".into(), existing(layers)?.into()));
        }
        Origin::Machine | Origin::Chromium => {}
    }
    Ok(launch)
}

fn existing(path: PathBuf) -> Result<PathBuf, String> {
    if path.exists() { Ok(path) } else { Err(format!("the packages have no {}", path.display())) }
}

fn write_manifest(driver: &Driver, library: &Path, folder: &Path) -> Result<PathBuf, String> {
    let manifest = folder.join(format!("{}.json", driver.name));
    let text = format!(
        "{{\"file_format_version\": \"1.0.0\", \
         \"ICD\": {{\"library_path\": {}, \"api_version\": \"1.3.0\"}}}}\n",
        quoted(&library.display().to_string())
    );
    fs::write(&manifest, text).map_err(|error| format!("{}: {error}", manifest.display()))?;
    Ok(manifest)
}

fn environment(driver: &Driver, manifest: &Path, folder: &Path) -> Vec<(String, OsString)> {
    let mut environment: Vec<(String, OsString)> =
        DRIVER_VARIABLES.iter().map(|name| ((*name).to_owned(), manifest.into())).collect();
    environment.push(("MESA_SHADER_CACHE_DISABLE".into(), "true".into()));
    // Layers that the system switches on by itself are not what is tested.
    environment.push(("VK_LOADER_LAYERS_DISABLE".into(), "~implicit~".into()));
    if env::var_os("XDG_RUNTIME_DIR").is_none() && folder.exists() {
        environment.push(("XDG_RUNTIME_DIR".into(), folder.into()));
    }
    if let Some((name, gpu)) = driver.gpu {
        environment.push((name.into(), gpu.into()));
    }
    environment
}

/// The dynamic loader beside the libraries, told to look nowhere else.
fn through_own_loader(driver: &Driver, libraries: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(libraries).map_err(|error| error.to_string())?;
    let mut loaders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
        })
        .collect();
    loaders.sort();
    let loader = loaders.first().ok_or("the packages have no dynamic loader")?;
    let word = |path: &Path| path.display().to_string();
    let mut runner = vec![word(loader), "--library-path".into(), word(libraries)];
    if let Some(shim) = driver.shim {
        let shim = existing(libraries.join(format!("lib{shim}_noop_drm_shim.so")))?;
        runner.extend(["--preload".into(), word(&shim)]);
    }
    Ok(runner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_given_the_runner_and_does_not_run_so_itself() {
        let launch = Launch {
            environment: vec![("VK_DRIVER_FILES".into(), "/d/x.json".into())],
            runner: vec!["/d/ld.so".into(), "--preload".into(), "/d/a \"b\".so".into()],
        };
        let command = launch.cargo(&["test", "--package", "p"]);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        let runner =
            "target.'cfg(all())'.runner = [\"/d/ld.so\", \"--preload\", \"/d/a \\\"b\\\".so\"]";
        assert_eq!(words, ["test", "--config", runner, "--package", "p"]);
        let has =
            |name: &str| command.get_envs().any(|(key, value)| key == name && value.is_some());
        assert!(has("VK_DRIVER_FILES"));
        assert!(!has("LD_PRELOAD") && !has("LD_LIBRARY_PATH"));
        let plain = Launch { runner: vec![], ..launch }.cargo(&["run"]);
        assert_eq!(plain.get_args().count(), 1);
    }

    #[test]
    fn a_driver_whose_packages_are_missing_is_refused_with_the_reason() {
        let missing = [Missing { origin: Origin::Chromium, why: "no network".into() }];
        let mock = DRIVERS_OF_CHROMIUM.iter().find(|driver| driver.name == "mock").unwrap();
        assert_eq!(launch(mock, &missing), Err("no network".into()));
    }

    const DRIVERS_OF_CHROMIUM: &[Driver] = &crate::drivers::DRIVERS;
}
