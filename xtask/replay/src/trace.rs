//! A recorded trace in memory, and the builder that keeps it consistent.
//!
//! Allocations have no names of their own but an index, counted from 0 in the order in which they
//! were made. What many of them share (what it is for, where it lives, the debug name) is a
//! [`Class`].

use crate::error::Problem;

/// A recorded program: what it asked for and gave back, in order.
///
/// Every free names an allocation that was made before it and is not freed yet; some allocations
/// may never be freed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    provenance: Provenance,
    device: RecordedDevice,
    classes: Vec<Class>,
    operations: Vec<Operation>,
    allocation_count: usize,
}

/// Where a trace comes from, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The program that was recorded.
    pub program: Box<str>,
    /// How it was recorded.
    pub recorder: Box<str>,
}

/// The device that the program ran on when it was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedDevice {
    /// Its name, with the driver's.
    pub name: Box<str>,
    /// `bufferImageGranularity` in bytes.
    pub buffer_image_granularity: u64,
    /// `nonCoherentAtomSize` in bytes.
    pub non_coherent_atom_size: u64,
    /// Property flags and heap index of each memory type, in the driver's order.
    pub memory_types: Vec<(u32, u32)>,
    /// Size in bytes of each memory heap.
    pub memory_heaps: Vec<u64>,
}

/// What a group of allocations has in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// The program's name for it.
    pub name: Box<str>,
    /// Who reads and writes it.
    pub location: Location,
    /// What was bound to it.
    pub kind: Kind,
    /// The alignment in bytes that the recorded driver asked for, a power of two.
    pub alignment: u64,
    /// The memory types that the recorded driver allowed.
    pub memory_type_bits: u32,
}

/// Who reads and writes an allocation, in the words of the recorded programs' allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// The device alone.
    GpuOnly,
    /// Written by the host, read by the device.
    CpuToGpu,
    /// Written by the device, read by the host.
    GpuToCpu,
}

/// What was bound to an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A buffer.
    Buffer,
    /// An image with optimal tiling.
    Image,
}

/// One step of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An allocation was made; it has the next index.
    Allocate {
        /// Its class, an index into [`Trace::classes`].
        class: usize,
        /// Its size in bytes: what the recorded driver required for the resource. Not zero.
        size: u64,
    },
    /// An allocation was given back.
    Free {
        /// Its index.
        allocation: usize,
    },
}

impl Trace {
    /// Where it comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The device it was recorded on.
    #[must_use]
    pub fn device(&self) -> &RecordedDevice {
        &self.device
    }

    /// The classes, in the order in which they first came up.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The operations, in the order in which they happened.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// How many of the operations are allocations.
    #[must_use]
    pub fn allocation_count(&self) -> usize {
        self.allocation_count
    }

    /// The name of the allocation with that index; empty when there is none.
    ///
    /// # Complexity
    ///
    /// Linear in the number of operations.
    #[must_use]
    pub fn name_of(&self, allocation: usize) -> &str {
        self.operations
            .iter()
            .filter_map(|operation| match operation {
                Operation::Allocate { class, .. } => Some(&*self.classes[*class].name),
                Operation::Free { .. } => None,
            })
            .nth(allocation)
            .unwrap_or_default()
    }
}

/// Builds a [`Trace`] step by step and refuses steps that no program can have made.
#[derive(Clone, Debug)]
pub struct TraceBuilder {
    trace: Trace,
    /// `live[i]` iff allocation `i` was made and not freed.
    live: Vec<bool>,
}

impl TraceBuilder {
    /// Starts a trace without operations.
    #[must_use]
    pub fn new(provenance: Provenance, device: RecordedDevice) -> Self {
        Self {
            trace: Trace {
                provenance,
                device,
                classes: Vec::new(),
                operations: Vec::new(),
                allocation_count: 0,
            },
            live: Vec::new(),
        }
    }

    /// Adds a class and returns its index.
    ///
    /// # Errors
    ///
    /// [`Problem::AlignmentNotPowerOfTwo`]; nothing was added.
    pub fn add_class(&mut self, class: Class) -> Result<usize, Problem> {
        if !class.alignment.is_power_of_two() {
            return Err(Problem::AlignmentNotPowerOfTwo { alignment: class.alignment });
        }
        self.trace.classes.push(class);
        Ok(self.trace.classes.len() - 1)
    }

    /// Adds an allocation of `size` bytes and returns its index.
    ///
    /// # Errors
    ///
    /// [`Problem::ZeroSize`], or [`Problem::UnknownClass`] when no class has that index; nothing
    /// was added.
    pub fn allocate(&mut self, class: usize, size: u64) -> Result<usize, Problem> {
        if size == 0 {
            return Err(Problem::ZeroSize);
        }
        let class_count = self.trace.classes.len();
        if class >= class_count {
            return Err(Problem::UnknownClass { class, class_count });
        }
        self.trace.operations.push(Operation::Allocate { class, size });
        self.trace.allocation_count += 1;
        self.live.push(true);
        Ok(self.live.len() - 1)
    }

    /// Adds the end of the allocation with that index.
    ///
    /// # Errors
    ///
    /// [`Problem::NotLive`] when it was never made or is freed already; nothing was added.
    pub fn free(&mut self, allocation: usize) -> Result<(), Problem> {
        match self.live.get_mut(allocation) {
            Some(live) if *live => *live = false,
            _ => return Err(Problem::NotLive),
        }
        self.trace.operations.push(Operation::Free { allocation });
        Ok(())
    }

    /// How many allocations were made so far, freed ones included.
    #[must_use]
    pub fn allocation_count(&self) -> usize {
        self.live.len()
    }

    /// The finished trace.
    #[must_use]
    pub fn finish(self) -> Trace {
        self.trace
    }
}
