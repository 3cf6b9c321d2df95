//! How long a thread's small allocations take while another is inside of a slow `vkAllocateMemory`.
//!
//! # Basic design
//!
//! The simulated driver takes 8 ms for each `vkAllocateMemory`, asleep. One thread takes memory until blocks
//! have to be made, and lets it go, again and again; the other allocates and frees 1 KiB of the same memory type,
//! for which there is room, and each allocation and release is timed by the clock of the wall. What
//! other programs on the machine take away is in it, for both, so runs go in turns and medians are taken.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use vk_sim::{Call, DriverConfig, SimDriver};

use super::facade::{Facade, Ours, Policy, Vma};
use super::program::Request;
use super::{figures, gauge};
use crate::report::{Row, median};

/// The case.
pub(super) const NAME: &str = "slow-driver";

/// What `vkAllocateMemory` takes.
const DELAY: Duration = Duration::from_millis(8);

/// Calls of `vkAllocateMemory` that the first thread waits for.
const CALLS: usize = 24;

/// Allocations that it holds at most: then it lets all of them go.
const HELD: usize = 40;

/// What it asks for: a part of a block, for either.
const LARGE: u64 = 8 << 20;

const fn request(size: u64) -> Request {
    Request { size, alignment: 256, memory_type_index: 0, is_image: false }
}

/// Runs so often, and answers the rows.
///
/// # Errors
///
/// A device that could not be made, or a request that was refused.
pub(super) fn run(runs: usize, tell: &mut dyn FnMut(&str)) -> Result<Vec<Row>, String> {
    let (mut ours, mut vma) = (Vec::new(), Vec::new());
    for run in 0..runs {
        tell(&format!("{NAME}: run {} of {runs}", run + 1));
        ours.push(play::<Ours>()?);
        vma.push(play::<Vma>()?);
    }
    let row = |name: &str, thousandths: usize| {
        let at = |times: &Vec<u32>| f64::from(times[(times.len() - 1) * thousandths / 1000]);
        let of = |all: &[Vec<u32>]| median(&all.iter().map(at).collect::<Vec<f64>>());
        let case = format!("{NAME}/{name}");
        Row::single(figures::GROUP, case, figures::PEER, "ns", of(&ours), of(&vma))
    };
    Ok(vec![row("p50", 500), row("p99", 990), row("p99.9", 999), row("worst", 1000)])
}

/// The times of the second thread's operations, in ascending order.
fn play<F>() -> Result<Vec<u32>, String>
where
    F: Facade + Sync,
    F::Held: Send,
{
    let driver = SimDriver::new(DriverConfig::default()).map_err(|error| error.to_string())?;
    let device = gauge::device(&driver);
    let facade = F::open(&driver, &device, Policy::Default)?;
    let first = facade.allocate(&request(1 << 10)).ok_or("the first block was refused")?;
    driver.set_delay(Call::AllocateMemory, DELAY);
    let (start, is_done) = (Barrier::new(2), AtomicBool::new(false));
    let mut times = std::thread::scope(|scope| {
        scope.spawn(|| {
            let _device = gauge::device(&driver);
            start.wait();
            while driver.call_count(Call::AllocateMemory) <= CALLS {
                let held: Vec<_> =
                    (0..HELD).filter_map(|_| facade.allocate(&request(LARGE))).collect();
                held.into_iter().for_each(|held| facade.free(held));
            }
            is_done.store(true, Ordering::Release);
        });
        let small = scope.spawn(|| {
            let _device = gauge::device(&driver);
            start.wait();
            let mut times = Vec::new();
            while !is_done.load(Ordering::Acquire) {
                let before = Instant::now();
                let held = facade.allocate(&request(1 << 10));
                times.push(nanoseconds(before));
                let before = Instant::now();
                held.into_iter().for_each(|held| facade.free(held));
                times.push(nanoseconds(before));
            }
            times
        });
        small.join().expect("no facade panics")
    });
    driver.set_delay(Call::AllocateMemory, Duration::ZERO);
    facade.free(first);
    if times.is_empty() {
        return Err("nothing was timed".into());
    }
    times.sort_unstable();
    Ok(times)
}

fn nanoseconds(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_nanos()).unwrap_or(u32::MAX)
}
