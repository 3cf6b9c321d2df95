//! One buffer or image with its memory: created, filled, verified, destroyed.

use gpu_alloc_ash::ash::vk;
use gpu_alloc_ash::{
    AccessError, Allocation, AllocationRequest, CreateError, GpuAllocator, MemoryPropertyFlags,
    Refused, UsageFlags,
};

use crate::pattern::{CHUNK, Pattern, chunks};
use crate::shape::{IMAGE_USAGE, ImageShape, ResourceLimits};
use crate::trace::{Class, Kind, Location};

/// A living resource of a replay.
pub(crate) struct Resource {
    handle: Handle,
    pub(crate) allocation: Allocation,
    /// Bytes of it that hold its pattern; 0 if the host cannot reach its memory.
    pub(crate) written: u64,
}

#[derive(Clone, Copy)]
enum Handle {
    Buffer(vk::Buffer),
    Image(vk::Image),
}

/// Where reading the pattern back went wrong.
pub(crate) enum VerifyError {
    Access(AccessError),
    /// The first wrong byte of the allocation.
    WrongByte {
        offset: u64,
    },
}

/// Two pieces of host memory for patterns, used again and again.
pub(crate) struct Scratch {
    expected: Vec<u8>,
    found: Vec<u8>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { expected: vec![0; CHUNK], found: vec![0; CHUNK] }
    }
}

impl Resource {
    /// Creates what the class describes and binds memory to it.
    ///
    /// # Safety
    ///
    /// 1. `limits` are those of the allocator's device, and `size` is at most its largest buffer.
    pub(crate) unsafe fn create(
        allocator: &GpuAllocator,
        limits: &ResourceLimits,
        class: &Class,
        size: u64,
    ) -> Result<Self, CreateError> {
        let request = AllocationRequest {
            usage: usage(class.location),
            name: Some(&class.name),
            ..AllocationRequest::default()
        };
        let (handle, allocation) = match class.kind {
            Kind::Buffer => {
                let info =
                    vk::BufferCreateInfo::default().size(size).usage(buffer_usage(class.location));
                // SAFETY: the size is not zero, as the trace has it, and within the limit (clause
                // 1); the usages need no feature.
                let (buffer, allocation) = unsafe { allocator.create_buffer(&info, &request) }?;
                (Handle::Buffer(buffer), allocation)
            }
            Kind::Image => {
                let shape = ImageShape::of_size(size, limits);
                let info = vk::ImageCreateInfo::default()
                    .image_type(vk::ImageType::TYPE_2D)
                    .format(shape.texel.format())
                    .extent(vk::Extent3D { width: shape.width, height: shape.height, depth: 1 })
                    .mip_levels(1)
                    .array_layers(shape.layers)
                    .samples(vk::SampleCountFlags::TYPE_1)
                    .tiling(vk::ImageTiling::OPTIMAL)
                    .usage(IMAGE_USAGE);
                // SAFETY: the shape keeps the device's limits for these formats and this usage
                // (clause 1), which every device supports.
                let (image, allocation) = unsafe { allocator.create_image(&info, &request) }?;
                (Handle::Image(image), allocation)
            }
        };
        Ok(Self { handle, allocation, written: 0 })
    }

    /// Writes the pattern of the trace's allocation `index`, if the host can reach the memory.
    pub(crate) fn fill(
        &mut self,
        allocator: &GpuAllocator,
        index: usize,
        scratch: &mut Scratch,
    ) -> Result<(), AccessError> {
        if self.allocation.mapped_ptr().is_none() {
            return Ok(());
        }
        let pattern = Pattern::new(index);
        for chunk in self.chunks(allocator) {
            let bytes = &mut scratch.expected[..length(&chunk)];
            pattern.fill(chunk.start, bytes);
            allocator.write(&mut self.allocation, chunk.start, bytes)?;
            self.written += chunk.end - chunk.start;
        }
        Ok(())
    }

    /// Reads back what [`fill`](Self::fill) wrote, and answers how many bytes were right.
    pub(crate) fn verify(
        &self,
        allocator: &GpuAllocator,
        index: usize,
        scratch: &mut Scratch,
    ) -> Result<u64, VerifyError> {
        if self.written == 0 {
            return Ok(0);
        }
        let pattern = Pattern::new(index);
        let mut verified = 0;
        for chunk in self.chunks(allocator) {
            let expected = &mut scratch.expected[..length(&chunk)];
            pattern.fill(chunk.start, expected);
            let found = &mut scratch.found[..length(&chunk)];
            allocator.read(&self.allocation, chunk.start, found).map_err(VerifyError::Access)?;
            if expected != found {
                let right = expected.iter().zip(&*found).take_while(|(a, b)| a == b);
                let offset = chunk.start + right.count() as u64;
                return Err(VerifyError::WrongByte { offset });
            }
            verified += chunk.end - chunk.start;
        }
        Ok(verified)
    }

    /// Destroys the resource and frees its memory.
    ///
    /// # Safety
    ///
    /// 1. The device does not use it.
    pub(crate) unsafe fn destroy(
        self,
        allocator: &GpuAllocator,
    ) -> Result<(), Refused<Allocation>> {
        match self.handle {
            // SAFETY: clause 1; the two were made together.
            Handle::Buffer(buffer) => unsafe { allocator.destroy_buffer(buffer, self.allocation) },
            // SAFETY: as above.
            Handle::Image(image) => unsafe { allocator.destroy_image(image, self.allocation) },
        }
    }

    fn chunks(
        &self,
        allocator: &GpuAllocator,
    ) -> impl Iterator<Item = std::ops::Range<u64>> + use<> {
        let cached =
            allocator.selector().memory_type(self.allocation.memory_type_index()).is_some_and(
                |memory_type| memory_type.property_flags.contains(MemoryPropertyFlags::HOST_CACHED),
            );
        chunks(self.allocation.size(), cached)
    }
}

fn length(chunk: &std::ops::Range<u64>) -> usize {
    usize::try_from(chunk.end - chunk.start).expect("a chunk is at most CHUNK bytes")
}

fn usage(location: Location) -> UsageFlags {
    match location {
        Location::GpuOnly => UsageFlags::FAST_DEVICE_ACCESS,
        Location::CpuToGpu => UsageFlags::UPLOAD,
        Location::GpuToCpu => UsageFlags::DOWNLOAD,
    }
}

fn buffer_usage(location: Location) -> vk::BufferUsageFlags {
    let copies = vk::BufferUsageFlags::TRANSFER_SRC | vk::BufferUsageFlags::TRANSFER_DST;
    match location {
        Location::GpuOnly => {
            copies
                | vk::BufferUsageFlags::STORAGE_BUFFER
                | vk::BufferUsageFlags::VERTEX_BUFFER
                | vk::BufferUsageFlags::INDEX_BUFFER
        }
        Location::CpuToGpu | Location::GpuToCpu => copies,
    }
}

#[cfg(test)]
mod tests {
    use vk_sim::{DriverConfig, SimDriver};

    use super::*;

    #[test]
    fn a_byte_that_somebody_else_wrote_is_found() {
        let driver = SimDriver::new(DriverConfig::default()).expect("it describes a device");
        // SAFETY: 1. The three are of one driver. 2. The driver is declared first, hence dropped
        // last. 3. The default configuration names nothing.
        let allocator = unsafe {
            let (instance, device) = (driver.instance(), driver.device());
            GpuAllocator::new(instance, driver.physical_device(), device, Default::default())
        }
        .expect("the configuration is the default");
        let limits = ResourceLimits {
            max_image_width: 64,
            max_image_height: 64,
            max_image_layers: 1,
            max_buffer_size: 1 << 20,
        };
        let class = Class {
            name: "staging".into(),
            location: Location::CpuToGpu,
            kind: Kind::Buffer,
            alignment: 16,
            memory_type_bits: 1,
        };
        let mut scratch = Scratch::new();
        // SAFETY: 1. The simulated device has no limits of its own for resources.
        let created = unsafe { Resource::create(&allocator, &limits, &class, 200_000) };
        let mut resource = created.expect("the device is empty");
        resource.fill(&allocator, 3, &mut scratch).expect("upload memory is mapped");
        assert_eq!(resource.written, resource.allocation.size());
        let right = resource.verify(&allocator, 3, &mut scratch);
        assert!(matches!(right, Ok(verified) if verified == resource.written));

        let mut byte = [0];
        allocator.read(&resource.allocation, 150_001, &mut byte).expect("it is mapped");
        byte[0] ^= 1;
        allocator.write(&mut resource.allocation, 150_001, &byte).expect("it is mapped");
        let wrong = resource.verify(&allocator, 3, &mut scratch);
        assert!(matches!(wrong, Err(VerifyError::WrongByte { offset: 150_001 })));
        let other = resource.verify(&allocator, 4, &mut scratch);
        assert!(matches!(other, Err(VerifyError::WrongByte { offset: 0 })));
        // SAFETY: 1. Nothing is ever submitted.
        unsafe { resource.destroy(&allocator) }.expect("it is this allocator's");
    }
}
