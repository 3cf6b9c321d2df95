//! Runs a wrong program on a simulated lavapipe.

use vk_sim::{DriverConfig, SimDriver, tables};

use super::program::{Program, Stage, without_repetitions};

/// The rules that it breaks.
pub(super) fn run(program: &Program) -> Vec<String> {
    let table = tables::find("llvmpipe (LLVM 15.0.6) Mesa 22.3.6").unwrap();
    let config =
        DriverConfig { buffer_alignment: 64, image_alignment: 64, ..DriverConfig::from(table) };
    let driver = SimDriver::new(config).unwrap();
    // SAFETY: the driver lives.
    let queue = unsafe { driver.device().get_device_queue(0, 0) };
    let stage = Stage::new(driver.device(), queue, 0);
    (program.run)(&stage);
    let count = driver.violations().len();
    stage.clear();
    assert_eq!(driver.violations().len(), count, "{}: while clearing up", program.name);
    drop(stage);
    without_repetitions(driver.finish().iter().filter_map(vk_sim::Violation::vuid))
}
