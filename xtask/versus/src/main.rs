//! Our allocators beside others', in one process, on the same work: `versus <group>`.
//!
//! A group compares one layer: `core` is allocators of offsets in one region, `memory` whole allocators
//! by what they take from the driver, `facade` whole allocators by their time on a device. Each group
//! is a function from the arguments to an exit code, and uses what it needs of programs, verification,
//! contest and report.

mod arguments;
mod clock;
mod contest;
mod core_group;
mod facade;
mod memory;
mod peers;
mod pin;
mod program;
mod replay;
mod report;
mod singles;
mod verify;
mod workloads;

use std::process::ExitCode;

use crate::arguments::{ArgumentError, Arguments};

/// A layer that is compared: its name, and what runs it.
type Group = (&'static str, fn(&Arguments) -> Result<(), String>);

const GROUPS: [Group; 3] =
    [("core", core_group::run), ("memory", memory::run), ("facade", facade::run)];

const HELP: &str = "\
versus <group> [options]

groups
  core            allocators of offsets in one region: buddy-core, and the segregated fit, two
                  tiers, linear region and pools of vk-pool, against VMA's virtual block,
                  offset-allocator, vulkano, gpu-alloc, buddy_system_allocator, rlsf
  memory          whole allocators on a simulated driver, replaying recorded traces and texture
                  mixes: gpu-alloc-ash against VMA
  facade          whole allocators on a Vulkan device: gpu-alloc-ash against VMA,
                  gpu-allocator, gpu-alloc

options
  --json          one object a line instead of tables; remarks go to standard error
  --runs N        how often everything is timed (9; with --quick 3)
  --quick         less work; for a look, not for the record
  --cases a,b     only these; for memory also the paths of traces
  --peers x,y     only these
";

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(ArgumentError::Help) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return refuse(&error.to_string()),
    };
    let Some((_, run)) = GROUPS.iter().find(|(name, _)| *name == arguments.group) else {
        return refuse(&format!("no such group: {}", arguments.group));
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says why the command line was not understood, and how it would be.
fn refuse(error: &str) -> ExitCode {
    eprint!("error: {error}\n\n{HELP}");
    ExitCode::from(2)
}
