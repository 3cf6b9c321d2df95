//! What a replay did, or why it stopped.

use std::time::Duration;

use gpu_alloc_ash::{AccessError, CreateError, FreeError};
use thiserror::Error;

use crate::timeline::Timeline;

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Operations played; what was destroyed at the end because the trace left it alive does not
    /// count.
    pub operations: usize,
    /// Buffers created.
    pub buffer_count: usize,
    /// Images created.
    pub image_count: usize,
    /// How many of both got a memory object of their own.
    pub dedicated_count: usize,
    /// Resources destroyed after the last operation.
    pub left_over_count: usize,
    /// The allocator's books after each operation.
    pub timeline: Timeline,
    /// From the first operation until everything was destroyed.
    pub wall_time: Duration,
    /// The part of it that the creation and destruction of resources took: allocator, driver and
    /// validation layer.
    pub inside_time: Duration,
    /// Successful calls of `vkAllocateMemory`.
    pub device_allocations: u64,
    /// Sum of the sizes of all allocations in the trace.
    pub recorded_bytes: u64,
    /// Sum of the sizes that this device's driver required for the same.
    pub required_bytes: u64,
    /// The part of those in memory that the host can reach.
    pub mapped_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Bytes read back and found to be right.
    pub verified_bytes: u64,
}

impl Outcome {
    /// Buffers and images created: the `vkAllocateMemory` calls of a program without an allocator.
    #[must_use]
    pub fn allocation_count(&self) -> usize {
        self.buffer_count + self.image_count
    }
}

/// Why a replay stopped.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayError {
    /// The trace has a buffer that this device cannot have.
    #[error("operation {operation}: a buffer of {size} bytes; this device allows {limit}")]
    BufferTooLarge {
        /// The operation, counted from 0.
        operation: usize,
        /// The buffer's size in bytes.
        size: u64,
        /// `maxBufferSize`.
        limit: u64,
    },
    /// A resource could not be created.
    #[error("operation {operation}: {size} bytes for `{name}`: {error}")]
    Create {
        /// The operation, counted from 0.
        operation: usize,
        /// The size that the trace has.
        size: u64,
        /// The name that the trace has.
        name: Box<str>,
        /// What the allocator said.
        error: CreateError,
    },
    /// Mapped memory could not be read or written.
    #[error("allocation {allocation}: {error}")]
    Access {
        /// The allocation, as the trace counts.
        allocation: usize,
        /// What the allocator said.
        error: AccessError,
    },
    /// Memory does not hold what was written there.
    #[error("allocation {allocation}, `{name}`: wrong byte at offset {offset}")]
    WrongByte {
        /// The allocation, as the trace counts.
        allocation: usize,
        /// The name that the trace has.
        name: Box<str>,
        /// The first wrong byte.
        offset: u64,
    },
    /// The allocator refused to take memory back.
    #[error("allocation {allocation}: {error}")]
    Free {
        /// The allocation, as the trace counts.
        allocation: usize,
        /// What the allocator said.
        error: FreeError,
    },
}
