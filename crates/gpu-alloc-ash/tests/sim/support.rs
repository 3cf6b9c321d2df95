//! The fixture: an allocator on a simulated driver, and every unsafe call that the tests make on them.

use ash::vk;
use gpu_alloc_ash::{
    AdoptError, AllocError, Allocation, AllocationRequest, AllocatorConfig, ConfigError,
    CreateError, ExternalMemory, GpuAllocator, Refused,
};
use vk_sim::{DriverConfig, Rule, SimDriver, Violation};

pub(crate) const KIB: u64 = 1 << 10;
pub(crate) const MIB: u64 = 1 << 20;

/// What the tests' buffers are for, unless they say otherwise.
pub(crate) const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_SRC;

/// A driver and an allocator on it.
pub(crate) struct Sim {
    // Before `driver`, so that a test that panics still drops it first.
    pub(crate) allocator: GpuAllocator,
    pub(crate) driver: SimDriver,
}

impl Sim {
    /// The default device and the default policy.
    pub(crate) fn default() -> Self {
        Self::new(DriverConfig::default(), AllocatorConfig::default())
    }

    /// The default device with this policy.
    pub(crate) fn with_config(config: AllocatorConfig) -> Self {
        Self::new(DriverConfig::default(), config)
    }

    /// A device made with the API version that it offers, whatever `config` says.
    pub(crate) fn new(driver: DriverConfig, mut config: AllocatorConfig) -> Self {
        config.api_version = driver.api_version;
        Self::with_version(driver, config)
    }

    /// A device made with the API version that `config` names.
    pub(crate) fn with_version(driver: DriverConfig, config: AllocatorConfig) -> Self {
        let driver = SimDriver::new(driver).expect("the tests describe possible devices");
        let allocator = allocator_on(&driver, config).expect("the configuration is consistent");
        Self { allocator, driver }
    }

    #[track_caller]
    pub(crate) fn allocate(&self, request: &AllocationRequest<'_>) -> Allocation {
        self.allocator.allocate(request).expect("there is room")
    }

    #[track_caller]
    pub(crate) fn free(&self, allocation: Allocation) {
        free_in(&self.allocator, allocation).expect("the allocation is this allocator's");
    }

    #[track_caller]
    pub(crate) fn free_many(&self, allocations: Vec<Allocation>) {
        // SAFETY: 1. The device was never told of them.
        unsafe { self.allocator.free_many(allocations) }.expect("they are this allocator's");
    }

    /// Frees many, one of which is a stranger; answers all of them.
    #[track_caller]
    pub(crate) fn refused_many(&self, allocations: Vec<Allocation>) -> Vec<Allocation> {
        // SAFETY: 1. The device was never told of them.
        unsafe { self.allocator.free_many(allocations) }.expect_err("one is a stranger").returned
    }

    pub(crate) fn create_buffer(
        &self,
        info: &vk::BufferCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) -> Result<(vk::Buffer, Allocation), CreateError> {
        // SAFETY: 1. The infos of these tests are valid usage; the driver would record if not.
        unsafe { self.allocator.create_buffer(info, request) }
    }

    pub(crate) fn create_image(
        &self,
        info: &vk::ImageCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) -> Result<(vk::Image, Allocation), CreateError> {
        // SAFETY: 1. As above.
        unsafe { self.allocator.create_image(info, request) }
    }

    #[track_caller]
    pub(crate) fn destroy_buffer(&self, buffer: vk::Buffer, allocation: Allocation) {
        destroy_buffer_in(&self.allocator, buffer, allocation).expect("it is this allocator's");
    }

    #[track_caller]
    pub(crate) fn destroy_image(&self, image: vk::Image, allocation: Allocation) {
        destroy_image_in(&self.allocator, image, allocation).expect("it is this allocator's");
    }

    pub(crate) fn allocate_for_buffer(
        &self,
        buffer: vk::Buffer,
        request: &AllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        // SAFETY: 1. The tests hand in live, unbound buffers. 2. None of them has a device address.
        unsafe { self.allocator.allocate_for_buffer(buffer, request) }
    }

    pub(crate) fn allocate_for_image(
        &self,
        image: vk::Image,
        request: &AllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        // SAFETY: 1. The tests hand in live, unbound images. 2. And leave the kind unknown.
        unsafe { self.allocator.allocate_for_image(image, request) }
    }

    pub(crate) fn adopt(&self, external: ExternalMemory<'_>) -> Result<Allocation, AdoptError> {
        // SAFETY: 1. to 3. The tests describe objects truly, free them last, and leave them alone.
        unsafe { self.allocator.adopt_external(external) }
    }

    /// A buffer that the allocator does not know.
    pub(crate) fn raw_buffer(&self, info: &vk::BufferCreateInfo<'_>) -> vk::Buffer {
        // SAFETY: The driver lives.
        unsafe { self.driver.device().create_buffer(info, None) }.expect("nothing was planted")
    }

    /// An image that the allocator does not know.
    pub(crate) fn raw_image(&self, info: &vk::ImageCreateInfo<'_>) -> vk::Image {
        // SAFETY: The driver lives.
        unsafe { self.driver.device().create_image(info, None) }.expect("nothing was planted")
    }

    pub(crate) fn destroy_raw_buffer(&self, buffer: vk::Buffer) {
        // SAFETY: The driver lives, and checks the handle.
        unsafe { self.driver.device().destroy_buffer(buffer, None) };
    }

    pub(crate) fn destroy_raw_image(&self, image: vk::Image) {
        // SAFETY: The driver lives, and checks the handle.
        unsafe { self.driver.device().destroy_image(image, None) };
    }

    pub(crate) fn bind_buffer(&self, buffer: vk::Buffer, allocation: &Allocation) {
        let (memory, offset) = (allocation.memory(), allocation.offset());
        // SAFETY: The driver lives, and checks the handles.
        unsafe { self.driver.device().bind_buffer_memory(buffer, memory, offset) }
            .expect("the allocation suits the buffer");
    }

    pub(crate) fn bind_image(&self, image: vk::Image, allocation: &Allocation) {
        let (memory, offset) = (allocation.memory(), allocation.offset());
        // SAFETY: The driver lives, and checks the handles.
        unsafe { self.driver.device().bind_image_memory(image, memory, offset) }
            .expect("the allocation suits the image");
    }

    /// A memory object that the allocator does not know.
    pub(crate) fn raw_memory(&self, size: u64, memory_type_index: u32) -> vk::DeviceMemory {
        let info = vk::MemoryAllocateInfo::default()
            .allocation_size(size)
            .memory_type_index(memory_type_index);
        // SAFETY: The driver lives.
        unsafe { self.driver.device().allocate_memory(&info, None) }.expect("there is room")
    }

    /// Maps a whole memory object that the allocator does not know.
    pub(crate) fn map_raw(&self, memory: vk::DeviceMemory) -> core::ptr::NonNull<u8> {
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: The driver lives, and checks the handle.
        let address = unsafe { self.driver.device().map_memory(memory, 0, vk::WHOLE_SIZE, flags) };
        core::ptr::NonNull::new(address.expect("it is host-visible").cast())
            .expect("a mapping has an address")
    }

    pub(crate) fn free_raw_memory(&self, memory: vk::DeviceMemory) {
        // SAFETY: The driver lives, and checks the handle.
        unsafe { self.driver.device().free_memory(memory, None) };
    }

    /// Ends a test that gave everything back.
    #[track_caller]
    pub(crate) fn finish(self) {
        self.check_books();
        let Self { allocator, driver } = self;
        assert_eq!(allocator.leaks(), [], "everything was given back");
        allocator.destroy().expect("nothing lives");
        assert!(driver.live().is_empty(), "the driver holds {:?}", driver.live());
        assert_eq!(avoidable_lints(&driver), []);
        assert_eq!(driver.finish(), []);
    }
}

/// The lints, but for the one that no program can avoid: a budget of 0 is passed by the first byte.
pub(crate) fn avoidable_lints(driver: &SimDriver) -> Vec<Violation> {
    let mut lints = driver.lints();
    lints.retain(|lint| !matches!(lint.rule, Rule::OverBudget { budget: 0, .. }));
    lints
}

/// An allocator on a driver, with the driver's own device.
pub(crate) fn allocator_on(
    driver: &SimDriver,
    config: AllocatorConfig,
) -> Result<GpuAllocator, ConfigError> {
    allocator_on_device(driver, driver.device(), config)
}

/// An allocator on a driver, behind a device whose functions a test may have replaced.
pub(crate) fn allocator_on_device(
    driver: &SimDriver,
    device: &ash::Device,
    config: AllocatorConfig,
) -> Result<GpuAllocator, ConfigError> {
    // SAFETY: 1. The handles are one driver's. 2. The tests keep the driver longer than the allocator.
    // 3. The driver has every extension, and the API version that `config` names.
    unsafe { GpuAllocator::new(driver.instance(), driver.physical_device(), device, config) }
}

pub(crate) fn free_in(
    allocator: &GpuAllocator,
    allocation: Allocation,
) -> Result<(), Refused<Allocation>> {
    // SAFETY: 1. and 2. The simulated device executes nothing; what was bound is destroyed before.
    unsafe { allocator.free(allocation) }
}

pub(crate) fn destroy_buffer_in(
    allocator: &GpuAllocator,
    buffer: vk::Buffer,
    allocation: Allocation,
) -> Result<(), Refused<Allocation>> {
    // SAFETY: 1. The tests hand in what was made together. 2. The device executes nothing.
    unsafe { allocator.destroy_buffer(buffer, allocation) }
}

pub(crate) fn destroy_image_in(
    allocator: &GpuAllocator,
    image: vk::Image,
    allocation: Allocation,
) -> Result<(), Refused<Allocation>> {
    // SAFETY: 1. The tests hand in what was made together. 2. The device executes nothing.
    unsafe { allocator.destroy_image(image, allocation) }
}

/// A buffer of `size` bytes.
pub(crate) fn buffer_info<'a>(size: u64) -> vk::BufferCreateInfo<'a> {
    vk::BufferCreateInfo::default().size(size).usage(TRANSFER)
}

/// A square image of four bytes a texel.
pub(crate) fn image_info<'a>(edge: u32, tiling: vk::ImageTiling) -> vk::ImageCreateInfo<'a> {
    vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_2D)
        .format(vk::Format::R8G8B8A8_UNORM)
        .extent(vk::Extent3D { width: edge, height: edge, depth: 1 })
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1)
        .tiling(tiling)
        .usage(vk::ImageUsageFlags::SAMPLED)
}
