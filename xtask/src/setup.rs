//! `cargo xtask setup`: installs what the demo and the tests need beyond the toolchain.
//!
//! Goes by files, not by packages: what is there is left alone, wherever it came from, and when all
//! is there nothing is run and nobody is asked.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::run::{self, Echo, Failure};
use crate::vulkan::Vulkan;

/// How often apt-get is tried, as another installation may hold one of its locks for a while.
///
/// `DPkg::Lock::Timeout` covers the lock of dpkg, not those of the package lists and archives.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_secs(10);

/// One thing that must be there, and the package of Debian and Ubuntu that brings it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
}

const LAVAPIPE: Part =
    Part { name: "lavapipe (Mesa's software Vulkan driver)", package: "mesa-vulkan-drivers" };
const LOADER: Part = Part { name: "the Vulkan loader", package: "libvulkan1" };
const LAYER: Part =
    Part { name: "the Khronos validation layer", package: "vulkan-validationlayers" };

/// For `versus` alone: one of the allocators it compares is written in C++.
const COMPILER: Part = Part { name: "a C++ compiler", package: "g++" };

/// For `sanitize` alone.
const VALGRIND: Part = Part { name: "valgrind", package: "valgrind" };

/// What is missing, in the order in which it would be used.
pub(crate) fn missing(vulkan: &Vulkan) -> Vec<Part> {
    let parts = [(&vulkan.loader, LOADER), (&vulkan.lavapipe, LAVAPIPE), (&vulkan.layer, LAYER)];
    parts.into_iter().filter(|(file, _)| file.is_none()).map(|(_, part)| part).collect()
}

/// Installs what is missing, and says what it does.
pub(crate) fn run() -> Result<(), Failure> {
    let vulkan = Vulkan::of_this_machine();
    let parts = missing(&vulkan);
    if parts.is_empty() {
        println!("{}", already_there(&vulkan));
        return Ok(());
    }
    let rights = rights().map_err(|why| by_hand(&parts, why))?;
    println!("setup: installing {} with apt-get", names(&parts));
    install(rights, &parts)?;
    let left = missing(&Vulkan::of_this_machine());
    if left.is_empty() {
        println!("setup: done");
        Ok(())
    } else {
        Err(by_hand(&left, "apt-get succeeded, but the files are not where the loader looks"))
    }
}

/// Installs what is missing, and is silent if nothing is.
pub(crate) fn run_if_needed() -> Result<(), Failure> {
    if missing(&Vulkan::of_this_machine()).is_empty() { Ok(()) } else { run() }
}

/// Installs a C++ compiler, if there is none.
pub(crate) fn install_compiler() -> Result<(), Failure> {
    install_one(COMPILER, require_compiler)
}

/// Installs valgrind, if it is not there.
pub(crate) fn install_valgrind() -> Result<(), Failure> {
    install_one(VALGRIND, require_valgrind)
}

/// Installs one part, if it is missing by its own test.
fn install_one(part: Part, require: fn() -> Result<(), Failure>) -> Result<(), Failure> {
    if require().is_ok() {
        println!("already there: {}", part.name);
        return Ok(());
    }
    let parts = [part];
    let rights = rights().map_err(|why| by_hand(&parts, why))?;
    println!("setup: installing {} with apt-get", names(&parts));
    install(rights, &parts)?;
    require()
}

/// Fails, and says what to do, if there is no valgrind.
pub(crate) fn require_valgrind() -> Result<(), Failure> {
    if answers("valgrind", &["--version"]) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "missing: {}; `cargo xtask setup --sanitize` installs it where there is apt-get (package {})",
        VALGRIND.name, VALGRIND.package,
    )))
}

/// Fails, and says what to do, if there is no C++ compiler where cargo's build scripts look.
pub(crate) fn require_compiler() -> Result<(), Failure> {
    let line = std::env::var("CXX").unwrap_or_default();
    // It may have arguments behind it.
    let program = line.split_whitespace().next().unwrap_or("c++");
    if answers(program, &["--version"]) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "missing: {} (`{program}` does not answer); `cargo xtask setup --versus` installs it \
         where there is apt-get (package {})",
        COMPILER.name, COMPILER.package,
    )))
}

fn already_there(vulkan: &Vulkan) -> String {
    let files: Vec<_> = [&vulkan.loader, &vulkan.lavapipe, &vulkan.layer]
        .into_iter()
        .flatten()
        .map(|file| file.display().to_string())
        .collect();
    format!("already there: {}", files.join(", "))
}

fn names(parts: &[Part]) -> String {
    parts.iter().map(|part| part.name).collect::<Vec<_>>().join(", ")
}

/// The one line for a machine on which this program cannot install anything.
fn by_hand(parts: &[Part], why: &str) -> Failure {
    let packages: Vec<_> = parts.iter().map(|part| part.package).collect();
    Failure::new(format!(
        "missing: {}; not installed: {why}; install it by hand (Debian, Ubuntu: {}; elsewhere the \
         packages or SDK of the same content)",
        names(parts),
        packages.join(" "),
    ))
}

/// How packages may be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    Root,
    Sudo,
}

fn rights() -> Result<Rights, &'static str> {
    if !cfg!(target_os = "linux") {
        return Err("this system is not Linux");
    }
    if !answers("apt-get", &["--version"]) {
        return Err("there is no apt-get");
    }
    let user = run::run_captured(command("id", &["-u"]), Echo::Hidden);
    if user.is_ok_and(|id| id.trim() == "0") {
        Ok(Rights::Root)
    } else if answers("sudo", &["-n", "true"]) {
        Ok(Rights::Sudo)
    } else {
        Err("neither root nor sudo without a password")
    }
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    command(program, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn install(rights: Rights, parts: &[Part]) -> Result<(), Failure> {
    if let Err(failure) = patiently(rights, &["update"]) {
        println!("setup: {failure}; going on with the package lists that are there");
    }
    // A package whose file went missing counts as installed, hence `--reinstall`.
    let mut words = vec!["install", "-y", "--no-install-recommends", "--reinstall"];
    words.extend(parts.iter().map(|part| part.package));
    patiently(rights, &words).map_err(|failure| by_hand(parts, &failure.to_string()))
}

fn patiently(rights: Rights, words: &[&str]) -> Result<(), Failure> {
    let mut attempt = 1;
    loop {
        let captured = run::capture(apt_get(rights, words), Echo::Shown)?;
        if captured.status.success() {
            return Ok(());
        }
        if !is_locked(&captured.text) || attempt == ATTEMPTS {
            return Err(Failure::new(format!("apt-get {} failed: {}", words[0], captured.status)));
        }
        println!("setup: apt-get is in use; trying again in {} s", PAUSE.as_secs());
        sleep(PAUSE);
        attempt += 1;
    }
}

/// Whether apt-get gave up because another process holds one of its locks.
fn is_locked(output: &str) -> bool {
    output.lines().any(|line| line.starts_with("E: Could not get lock"))
}

fn apt_get(rights: Rights, words: &[&str]) -> Command {
    // Through sudo the variable would be dropped from the environment, so env sets it behind it.
    let mut line = match rights {
        Rights::Root => vec![],
        Rights::Sudo => vec!["sudo", "-n"],
    };
    line.extend(["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get", "-q"]);
    line.extend(["-o", "DPkg::Lock::Timeout=120"]);
    line.extend(words);
    command(line[0], &line[1..])
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Vulkan {
        Vulkan {
            loader: Some("/l/libvulkan.so.1".into()),
            lavapipe: Some("/i/lvp_icd.x86_64.json".into()),
            layer: Some("/e/VkLayer_khronos_validation.json".into()),
            ..Vulkan::default()
        }
    }

    #[test]
    fn only_what_has_no_file_is_missing() {
        assert_eq!(missing(&complete()), []);
        assert_eq!(missing(&Vulkan { layer: None, ..complete() }), [LAYER]);
        assert_eq!(missing(&Vulkan::default()), [LOADER, LAVAPIPE, LAYER]);
    }

    #[test]
    fn a_complete_machine_is_told_which_files_it_has() {
        let line = already_there(&complete());
        assert!(line.starts_with("already there: /l/libvulkan.so.1, /i/lvp"), "{line}");
    }

    #[test]
    fn the_line_for_other_systems_names_parts_packages_and_reason() {
        let line = by_hand(&[LOADER, LAYER], "there is no apt-get").to_string();
        for part in ["the Vulkan loader", "there is no apt-get", "libvulkan1 vulkan-validation"] {
            assert!(line.contains(part), "{line}");
        }
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn apt_get_is_never_asked_to_ask() {
        let words = |rights| -> Vec<String> {
            let command = apt_get(rights, &["install", "-y", "libvulkan1"]);
            std::iter::once(command.get_program())
                .chain(command.get_args())
                .map(|word| word.to_string_lossy().into_owned())
                .collect()
        };
        let root = words(Rights::Root);
        assert_eq!(root[..2], ["env", "DEBIAN_FRONTEND=noninteractive"]);
        assert_eq!(root[root.len() - 3..], ["install", "-y", "libvulkan1"]);
        let sudo = words(Rights::Sudo);
        assert_eq!(sudo[..2], ["sudo", "-n"]);
        assert_eq!(sudo[2..], root);
    }

    #[test]
    fn a_held_lock_is_told_from_other_errors() {
        assert!(is_locked(
            "Reading package lists...\nE: Could not get lock /var/lib/apt/lists/lock. It is held \
             by process 812 (apt-get)\n"
        ));
        assert!(!is_locked("E: Unable to locate package libvulkan1\n"));
    }
}
