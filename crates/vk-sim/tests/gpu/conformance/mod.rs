//! Deliberately wrong programs: the simulated driver and the validation layer name the same rule.
//!
//! Basic design: each program is run on a simulated lavapipe and on lavapipe itself, on devices of
//! its own. The layer is told to hold back what breaks a rule, by a messenger that says so, and so
//! returns `VK_ERROR_VALIDATION_FAILED_EXT` as the simulation does; no wrong call reaches the
//! driver. Both sides' rules, without repetitions, have to be the same list, but for the exceptions
//! that are listed, and those have to be exceptions indeed.

mod binding;
mod clears;
mod commands;
mod exceptions;
mod lavapipe;
mod memory;
mod program;
mod simulated;

use ash::vk;
use exceptions::{EXCEPTIONS, Exception};
use program::Program;
use vk_boot::gpu_tests::skip;

fn version(number: u32) -> String {
    let [major, minor, patch] = [
        vk::api_version_major(number),
        vk::api_version_minor(number),
        vk::api_version_patch(number),
    ];
    format!("{major}.{minor}.{patch}")
}

fn programs() -> impl Iterator<Item = &'static Program> {
    let lists = [memory::PROGRAMS, binding::PROGRAMS, commands::PROGRAMS, clears::PROGRAMS];
    lists.into_iter().flatten()
}

fn exception(name: &str) -> Option<&'static Exception> {
    EXCEPTIONS.iter().find(|exception| exception.name == name)
}

#[test]
fn every_wrong_program_breaks_one_rule_on_the_simulated_driver() {
    assert!(programs().count() >= 25);
    for program in programs() {
        assert_eq!(simulated::run(program).len(), 1, "{}", program.name);
    }
}

#[test]
fn every_exception_is_about_a_program() {
    for exception in EXCEPTIONS {
        let count = programs().filter(|program| program.name == exception.name).count();
        assert_eq!(count, 1, "{}", exception.name);
    }
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn the_simulated_driver_and_the_validation_layer_name_the_same_rules() {
    let boot = crate::stage::boot();
    let (is_lavapipe, layer) = (boot.is_lavapipe, boot.layer_version.map(version));
    assert_eq!(boot.finish(), []);
    if !is_lavapipe || layer.as_deref() != Some(exceptions::LAYER) {
        return skip("the exceptions are listed for lavapipe and layer 1.3.239");
    }
    let (mut equal_count, mut wrong) = (0, Vec::new());
    for program in programs() {
        let (simulated, layer) = (simulated::run(program), lavapipe::run(program));
        let is_right = match exception(program.name) {
            Some(exception) => {
                simulated != layer && simulated == exception.simulated && layer == exception.layer
            }
            None => simulated == layer,
        };
        equal_count += usize::from(simulated == layer);
        if !is_right {
            wrong.push(format!("{}: simulated {simulated:?}, layer {layer:?}", program.name));
        }
    }
    println!("{equal_count} wrong programs are named alike, {} exceptions", EXCEPTIONS.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal_count >= 25);
}
