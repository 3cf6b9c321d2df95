//! `cargo xtask demo`: the recorded renderer, replayed on this machine's GPU or on lavapipe.
//!
//! The replay itself prefers a GPU to a software driver among the devices that the loader shows it.
//! What is decided here is whether anything must be installed first, and whether the loader is told
//! to use lavapipe alone: on a machine without a GPU every hardware driver that comes in the same
//! package would be loaded in vain, and some complain about it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::run::{self, Echo, Failure};
use crate::setup;
use crate::vulkan::{DRIVER_VARIABLES, Vulkan};

/// Which drivers the replay gets to see.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Drivers {
    /// Those that the loader finds by itself, or that the user's environment names.
    AsTheyAre,
    /// Lavapipe alone, by this manifest.
    Lavapipe(PathBuf),
    /// There is no loader, or no driver that could work.
    Missing,
}

/// Replays the recorded renderer; `arguments` go to the replay, and its exit code comes back.
///
/// The replay and cargo say themselves what went wrong, so nothing is added to that.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let drivers = match ready() {
        Drivers::Missing => {
            setup::run().map_err(|failure| {
                Failure::new(format!("the demo needs Vulkan, and this machine has none: {failure}"))
            })?;
            ready()
        }
        found => found,
    };
    let manifest = match &drivers {
        Drivers::Lavapipe(manifest) => Some(manifest.as_path()),
        Drivers::AsTheyAre | Drivers::Missing => None,
    };
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    let status = run::status(replay(arguments, manifest))?;
    // A replay ended by a signal has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Replays the whole trace on lavapipe, and looks for what the summary must say: that everything was
/// freed, and that the validation layer was on and silent.
pub(crate) fn check() -> Result<(), Failure> {
    let lavapipe = Vulkan::of_this_machine().lavapipe.ok_or_else(|| {
        Failure::new("no driver manifest of lavapipe (lvp_icd*.json): run `cargo xtask setup`")
    })?;
    check_summary(&run::run_captured(replay(&[], Some(&lavapipe)), Echo::Shown)?)
}

/// The summary says that everything was freed, and that the layer was on and silent.
pub(crate) fn check_summary(text: &str) -> Result<(), Failure> {
    for (head, tail) in [("freed", "everything"), ("validation", "0 messages")] {
        let says = |line: &str| {
            line.trim().strip_prefix(head).is_some_and(|rest| rest.trim().starts_with(tail))
        };
        if !text.lines().any(says) {
            return Err(Failure::new(format!("the demo does not say `{head} {tail}`")));
        }
    }
    Ok(())
}

/// The manifest of lavapipe, where a program is to see that driver alone.
pub(crate) fn lavapipe_alone() -> Option<PathBuf> {
    match ready() {
        Drivers::Lavapipe(manifest) => Some(manifest),
        Drivers::AsTheyAre | Drivers::Missing => None,
    }
}

/// The replay, with one driver alone if a manifest is given.
fn replay(arguments: &[String], manifest: Option<&Path>) -> Command {
    let mut command = run::cargo(["run", "--release", "--package", "replay", "--"]);
    command.args(arguments);
    if let Some(manifest) = manifest {
        for variable in DRIVER_VARIABLES {
            command.env(variable, manifest);
        }
    }
    command
}

fn ready() -> Drivers {
    if cfg!(target_os = "linux") {
        drivers(&Vulkan::of_this_machine())
    } else {
        // Elsewhere loader and drivers are not found by these files; the replay says what lacks.
        Drivers::AsTheyAre
    }
}

fn drivers(vulkan: &Vulkan) -> Drivers {
    if vulkan.loader.is_none() {
        return Drivers::Missing;
    }
    if vulkan.chosen_by_user || (vulkan.gpu_device && vulkan.other_driver) {
        return Drivers::AsTheyAre;
    }
    match &vulkan.lavapipe {
        Some(manifest) => Drivers::Lavapipe(manifest.clone()),
        None => Drivers::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine right after `setup`: hardware drivers are installed beside lavapipe, without a GPU.
    fn without_gpu() -> Vulkan {
        Vulkan {
            loader: Some("/l/libvulkan.so.1".into()),
            lavapipe: Some("/i/lvp_icd.json".into()),
            other_driver: true,
            ..Vulkan::default()
        }
    }

    #[test]
    fn a_machine_without_a_gpu_uses_lavapipe_alone() {
        assert_eq!(drivers(&without_gpu()), Drivers::Lavapipe("/i/lvp_icd.json".into()));
    }

    #[test]
    fn a_gpu_with_a_driver_is_left_to_the_replay() {
        let vulkan = Vulkan { gpu_device: true, ..without_gpu() };
        assert_eq!(drivers(&vulkan), Drivers::AsTheyAre);
        let no_lavapipe = Vulkan { lavapipe: None, ..vulkan };
        assert_eq!(drivers(&no_lavapipe), Drivers::AsTheyAre);
    }

    #[test]
    fn a_gpu_without_a_driver_falls_back_to_lavapipe() {
        let vulkan = Vulkan { gpu_device: true, other_driver: false, ..without_gpu() };
        assert_eq!(drivers(&vulkan), Drivers::Lavapipe("/i/lvp_icd.json".into()));
    }

    #[test]
    fn the_users_choice_of_drivers_stands() {
        let vulkan = Vulkan { chosen_by_user: true, ..without_gpu() };
        assert_eq!(drivers(&vulkan), Drivers::AsTheyAre);
    }

    #[test]
    fn no_loader_or_no_driver_that_could_work_is_missing() {
        assert_eq!(drivers(&Vulkan { loader: None, ..without_gpu() }), Drivers::Missing);
        assert_eq!(drivers(&Vulkan { lavapipe: None, ..without_gpu() }), Drivers::Missing);
        assert_eq!(drivers(&Vulkan::default()), Drivers::Missing);
    }

    #[test]
    fn a_demo_that_was_not_validated_or_leaked_is_refused() {
        let good =
            "  freed        everything; no device memory is left\n  validation   0 messages, too\n";
        assert_eq!(check_summary(good), Ok(()));
        for (from, to) in
            [("0 messages", "10 messages"), ("0 messages", "off"), ("everything", "not everything")]
        {
            assert!(check_summary(&good.replace(from, to)).is_err(), "{to}");
        }
        assert!(check_summary("").is_err());
    }
}
