//! What both allocators are made to do: a trace, with the memory type of each allocation decided.
//!
//! # Basic design
//!
//! Which memory type serves a request is a decision of its own, and not what is compared here: it is
//! made once, for both, and each is allowed nothing but that type. The rule is VMA's for the three
//! locations of the recorded programs.

use ash::vk;
use replay::{Kind, Location, Operation, RecordedDevice, Trace};
use vk_sim::DriverConfig;

/// What an allocation is to be, in the recorded driver's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// In bytes.
    pub(super) size: u64,
    /// In bytes, a power of two.
    pub(super) alignment: u64,
    /// The one type that is allowed.
    pub(super) memory_type_index: u32,
    /// An image of optimal tiling, or else a buffer.
    pub(super) is_image: bool,
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Allocate { slot: usize, request: Request },
    Free { slot: usize },
}

/// A program under its name, with the device that it ran on.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) device: RecordedDevice,
    pub(super) steps: Vec<Step>,
    pub(super) slot_count: usize,
    /// Bytes that are live after each step, as the driver required them.
    pub(super) live: Vec<u64>,
}

impl Program {
    /// Counts what is live.
    pub(super) fn new(name: &str, device: RecordedDevice, steps: Vec<Step>) -> Self {
        let mut sizes: Vec<u64> = Vec::new();
        let mut sum = 0;
        let live = steps.iter().map(|step| {
            match *step {
                Step::Allocate { slot, request } => {
                    sizes.resize(sizes.len().max(slot + 1), 0);
                    sizes[slot] = request.size;
                    sum += request.size;
                }
                Step::Free { slot } => sum -= std::mem::take(&mut sizes[slot]),
            }
            sum
        });
        let live = live.collect();
        Self { name: name.into(), device, slot_count: sizes.len(), steps, live }
    }

    /// A recorded trace.
    pub(super) fn of_trace(name: &str, trace: &Trace) -> Result<Self, String> {
        let types: Vec<_> = trace
            .classes()
            .iter()
            .map(|class| memory_type(trace.device(), class.location, class.memory_type_bits))
            .collect();
        let mut slot = 0;
        let steps = trace.operations().iter().map(|operation| match *operation {
            Operation::Allocate { class: index, size } => {
                let class = &trace.classes()[index];
                let memory_type_index = types[index].ok_or_else(|| {
                    let (bits, location) = (class.memory_type_bits, class.location);
                    format!("{name}: no memory type of {bits:#x} serves {location:?}")
                })?;
                let is_image = class.kind == Kind::Image;
                let alignment = class.alignment;
                let request = Request { size, alignment, memory_type_index, is_image };
                slot += 1;
                Ok(Step::Allocate { slot: slot - 1, request })
            }
            Operation::Free { allocation } => Ok(Step::Free { slot: allocation }),
        });
        let steps = steps.collect::<Result<_, String>>()?;
        Ok(Self::new(name, trace.device().clone(), steps))
    }

    /// The simulated device that stands for the recorded one.
    pub(super) fn driver_config(&self) -> DriverConfig {
        let device = &self.device;
        let flags = |flags| vk::MemoryPropertyFlags::from_raw(flags);
        // A recording has no heap flags; a heap is the device's if a type of it is.
        let is_local = |heap: usize| {
            let mut types = device.memory_types.iter();
            types.any(|&(raw, index)| {
                index as usize == heap && flags(raw).contains(vk::MemoryPropertyFlags::DEVICE_LOCAL)
            })
        };
        let heap_flags = |heap| match is_local(heap) {
            true => vk::MemoryHeapFlags::DEVICE_LOCAL,
            false => vk::MemoryHeapFlags::empty(),
        };
        let heaps = device.memory_heaps.iter().enumerate();
        DriverConfig {
            memory_types: device.memory_types.iter().map(|&(raw, i)| (flags(raw), i)).collect(),
            memory_heaps: heaps.map(|(index, &size)| (size, heap_flags(index))).collect(),
            buffer_image_granularity: device.buffer_image_granularity,
            non_coherent_atom_size: device.non_coherent_atom_size,
            max_memory_allocation_size: u64::MAX,
            extensions: Vec::new(),
            api_version: vk::API_VERSION_1_0,
            ..DriverConfig::default()
        }
    }
}

/// The memory type for a location: the required flags, the fewest of the preferred ones missing, the
/// fewest that nobody asked for and that are not ordinary (protected, lazily allocated, AMD's), the lowest.
fn memory_type(device: &RecordedDevice, location: Location, bits: u32) -> Option<u32> {
    use vk::MemoryPropertyFlags as Flags;
    let (required, preferred) = match location {
        Location::GpuOnly => (Flags::empty(), Flags::DEVICE_LOCAL),
        Location::CpuToGpu => (Flags::HOST_VISIBLE | Flags::HOST_COHERENT, Flags::empty()),
        Location::GpuToCpu => (Flags::HOST_VISIBLE, Flags::HOST_CACHED),
    };
    let ordinary =
        Flags::DEVICE_LOCAL | Flags::HOST_VISIBLE | Flags::HOST_COHERENT | Flags::HOST_CACHED;
    let types = (0u32..).zip(&device.memory_types);
    let allowed = types.filter(|&(index, &(raw, _))| {
        bits.checked_shr(index).is_some_and(|bits| bits & 1 == 1)
            && Flags::from_raw(raw).contains(required)
    });
    let cost = |flags: Flags| {
        let missing = (preferred & !flags).as_raw().count_ones();
        (missing, (flags & !ordinary).as_raw().count_ones())
    };
    allowed.min_by_key(|&(_, &(raw, _))| cost(Flags::from_raw(raw))).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn navi21() -> RecordedDevice {
        RecordedDevice {
            memory_types: vec![(1, 0), (1, 0), (6, 1), (7, 2), (7, 2), (14, 1), (0xc1, 0)],
            memory_heaps: vec![1 << 34, 1 << 34, 1 << 28],
            ..RecordedDevice::default()
        }
    }

    #[test]
    fn the_type_of_a_location_is_the_lowest_that_has_what_it_needs() {
        let choice = |location, bits| memory_type(&navi21(), location, bits);
        assert_eq!(choice(Location::GpuOnly, 0x7f), Some(0));
        assert_eq!(choice(Location::CpuToGpu, 0x7f), Some(2));
        assert_eq!(choice(Location::CpuToGpu, 0x08), Some(3));
        assert_eq!(choice(Location::GpuToCpu, 0x7f), Some(5));
        assert_eq!(choice(Location::GpuOnly, 0x42), Some(1));
        assert_eq!(choice(Location::CpuToGpu, 0x03), None);
    }

    #[test]
    fn live_bytes_follow_the_steps() {
        let request = Request { size: 5, alignment: 1, memory_type_index: 0, is_image: false };
        let steps = vec![
            Step::Allocate { slot: 0, request },
            Step::Allocate { slot: 1, request: Request { size: 7, ..request } },
            Step::Free { slot: 0 },
        ];
        let program = Program::new("p", navi21(), steps);
        assert_eq!(program.live, [5, 12, 7]);
        assert_eq!(program.slot_count, 2);
    }
}
