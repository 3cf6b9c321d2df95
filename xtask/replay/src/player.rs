//! Plays a trace: creates, binds, fills, verifies and destroys what the recorded program had.
//!
//! Basic design: one table of living resources, indexed as the trace counts its allocations. After
//! each operation the allocator's books are sampled. The clock for the allocator and the driver
//! runs only around creation and destruction; writing, verifying and sampling are outside it. What
//! the trace leaves alive is destroyed at the end, and so is everything when a step fails.

use std::time::{Duration, Instant};

use gpu_alloc_ash::GpuAllocator;

use crate::outcome::{Outcome, ReplayError};
use crate::resource::{Resource, Scratch, VerifyError};
use crate::shape::ResourceLimits;
use crate::timeline::{Sample, Timeline};
use crate::trace::{Kind, Operation, Trace};

/// How much of a trace is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// At most so many operations.
    pub operations: Option<usize>,
    /// No further operation after this time.
    pub time: Option<Duration>,
}

/// Plays the trace and destroys everything it made, also when it stops with an error.
///
/// `progress` hears the number of operations after each of them.
///
/// # Errors
///
/// The first [`ReplayError`].
///
/// # Safety
///
/// 1. `limits` are those of the allocator's device.
pub unsafe fn replay(
    allocator: &GpuAllocator,
    limits: &ResourceLimits,
    trace: &Trace,
    extent: Extent,
    progress: &mut dyn FnMut(usize),
) -> Result<Outcome, ReplayError> {
    let calls_before = allocator.stats().device_allocations;
    let start = Instant::now();
    let mut player = Player {
        allocator,
        limits,
        trace,
        live: Vec::new(),
        state: Sample::default(),
        scratch: Scratch::new(),
        outcome: Outcome::default(),
    };
    let played = player.play(extent, start, progress);
    let cleared = player.clear(played.is_ok());
    played.and(cleared)?;
    let mut outcome = player.outcome;
    outcome.wall_time = start.elapsed();
    // Cannot underflow: the allocator counts upwards.
    outcome.device_allocations = allocator.stats().device_allocations - calls_before;
    Ok(outcome)
}

struct Player<'a> {
    allocator: &'a GpuAllocator,
    limits: &'a ResourceLimits,
    trace: &'a Trace,
    /// `live[i]` is the trace's allocation `i`, iff it was made and is not freed.
    live: Vec<Option<Resource>>,
    /// The state as this side knows it; the allocator's side is put in for each sample.
    state: Sample,
    scratch: Scratch,
    outcome: Outcome,
}

impl Player<'_> {
    fn play(
        &mut self,
        extent: Extent,
        start: Instant,
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), ReplayError> {
        let operations = self.trace.operations();
        let count = extent.operations.unwrap_or(usize::MAX).min(operations.len());
        self.outcome.timeline = Timeline::with_capacity(count);
        for (index, operation) in operations[..count].iter().enumerate() {
            if extent.time.is_some_and(|time| start.elapsed() >= time) {
                break;
            }
            match *operation {
                Operation::Allocate { class, size } => self.allocate(index, class, size)?,
                Operation::Free { allocation } => self.free(allocation, true)?,
            }
            self.outcome.operations += 1;
            self.sample();
            progress(self.outcome.operations);
        }
        Ok(())
    }

    fn allocate(&mut self, operation: usize, class: usize, size: u64) -> Result<(), ReplayError> {
        let class = &self.trace.classes()[class];
        let limit = self.limits.max_buffer_size;
        if class.kind == Kind::Buffer && size > limit {
            return Err(ReplayError::BufferTooLarge { operation, size, limit });
        }
        let before = Instant::now();
        // SAFETY: 1. Clause 1 of `replay`; the size was checked above.
        let created = unsafe { Resource::create(self.allocator, self.limits, class, size) };
        self.outcome.inside_time += before.elapsed();
        let mut resource = created.map_err(|error| ReplayError::Create {
            operation,
            size,
            name: class.name.clone(),
            error,
        })?;
        let index = self.live.len();
        let filled = resource.fill(self.allocator, index, &mut self.scratch);
        self.count_in(class.kind, size, &resource);
        self.live.push(Some(resource));
        filled.map_err(|error| ReplayError::Access { allocation: index, error })
    }

    fn count_in(&mut self, kind: Kind, recorded: u64, resource: &Resource) {
        let required = resource.allocation.size();
        let outcome = &mut self.outcome;
        match kind {
            Kind::Buffer => outcome.buffer_count += 1,
            Kind::Image => outcome.image_count += 1,
        }
        outcome.recorded_bytes += recorded;
        outcome.required_bytes += required;
        outcome.written_bytes += resource.written;
        if resource.allocation.mapped_ptr().is_some() {
            outcome.mapped_bytes += required;
        }
        if resource.allocation.is_dedicated() {
            outcome.dedicated_count += 1;
            self.state.dedicated_count += 1;
        }
        self.state.live += required;
        self.state.live_count += 1;
    }

    /// Verifies the allocation if that is asked for, and destroys it.
    fn free(&mut self, index: usize, verify: bool) -> Result<(), ReplayError> {
        let slot = &mut self.live[index];
        if verify {
            let resource = slot.as_ref().expect("a trace frees only what lives");
            self.outcome.verified_bytes += resource
                .verify(self.allocator, index, &mut self.scratch)
                .map_err(|error| verify_error(self.trace, index, error))?;
        }
        let resource = slot.take().expect("a trace frees only what lives");
        // Cannot underflow: `count_in` added the same when the resource was made.
        self.state.live -= resource.allocation.size();
        self.state.live_count -= 1;
        if resource.allocation.is_dedicated() {
            self.state.dedicated_count -= 1;
        }
        let before = Instant::now();
        // SAFETY: 1. Nothing is ever submitted to the device.
        let destroyed = unsafe { resource.destroy(self.allocator) };
        self.outcome.inside_time += before.elapsed();
        destroyed.map_err(|refused| ReplayError::Free { allocation: index, error: refused.error })
    }

    /// Destroys what lives; goes on when something fails, and answers the first error.
    fn clear(&mut self, verify: bool) -> Result<(), ReplayError> {
        let mut result = Ok(());
        for index in 0..self.live.len() {
            if self.live[index].is_some() {
                self.outcome.left_over_count += 1;
                let freed = self.free(index, verify && result.is_ok());
                if self.live[index].is_some() {
                    // It was found to be wrong, and is still there.
                    let again = self.free(index, false);
                    result = result.and(freed).and(again);
                } else {
                    result = result.and(freed);
                }
            }
        }
        result
    }

    fn sample(&mut self) {
        let stats = self.allocator.stats();
        self.outcome.timeline.push(Sample {
            committed: stats.total_allocated,
            used: stats.total_used,
            block_count: usize::try_from(stats.block_count).unwrap_or(usize::MAX),
            ..self.state
        });
    }
}

fn verify_error(trace: &Trace, allocation: usize, error: VerifyError) -> ReplayError {
    match error {
        VerifyError::Access(error) => ReplayError::Access { allocation, error },
        VerifyError::WrongByte { offset } => {
            ReplayError::WrongByte { allocation, name: trace.name_of(allocation).into(), offset }
        }
    }
}
