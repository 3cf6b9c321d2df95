//! Breaches of the rules about binding, by each of the four functions that bind, and about the
//! addresses of what is bound.

use ash::prelude::VkResult;
use ash::vk::{self, Handle};
use vk_sim::{Call, DriverConfig, ObjectKind, Rule, SimDriver};

use crate::support::{Calls, VRAM, allocate_info, driver};
use crate::violations::{REFUSED, check, check_refused};

const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_DST;
const ADDRESS: vk::BufferUsageFlags = vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS;
const SAMPLED: vk::ImageUsageFlags = vk::ImageUsageFlags::SAMPLED;

/// How a buffer or an image is bound, by which function.
#[derive(Clone, Copy)]
enum Bind {
    Buffer,
    Buffer2,
    Image,
    Image2,
}

impl Bind {
    fn kind(self) -> ObjectKind {
        match self {
            Self::Buffer | Self::Buffer2 => ObjectKind::Buffer,
            Self::Image | Self::Image2 => ObjectKind::Image,
        }
    }

    /// A resource of 4096 bytes.
    fn create(self, driver: &SimDriver) -> u64 {
        match self.kind() {
            ObjectKind::Image => driver.image(32, SAMPLED).unwrap().as_raw(),
            _ => driver.buffer(4096, TRANSFER).unwrap().as_raw(),
        }
    }

    fn bind(self, driver: &SimDriver, handle: u64, memory: u64, offset: u64) -> VkResult<()> {
        let memory = vk::DeviceMemory::from_raw(memory);
        match self {
            Self::Buffer => driver.bind_buffer(vk::Buffer::from_raw(handle), memory, offset),
            Self::Buffer2 => driver.bind_buffer2(vk::Buffer::from_raw(handle), memory, offset),
            Self::Image => driver.bind_image(vk::Image::from_raw(handle), memory, offset),
            Self::Image2 => driver.bind_image2(vk::Image::from_raw(handle), memory, offset),
        }
    }

    fn call(self) -> Call {
        match self {
            Self::Buffer => Call::BindBufferMemory,
            Self::Buffer2 => Call::BindBufferMemory2,
            Self::Image => Call::BindImageMemory,
            Self::Image2 => Call::BindImageMemory2,
        }
    }
}

/// The four functions, and where each one's rules are listed.
const BINDS: [(Bind, &str); 4] = [
    (Bind::Buffer, "vkBindBufferMemory"),
    (Bind::Buffer2, "VkBindBufferMemoryInfo"),
    (Bind::Image, "vkBindImageMemory"),
    (Bind::Image2, "VkBindImageMemoryInfo"),
];

/// Binding at `offset` of 65536 bytes of VRAM breaks `rule`, with a clause for each of [`BINDS`].
fn check_bind(offset: u64, rule: impl Fn(ObjectKind) -> Rule, clauses: [&str; 4]) {
    for ((bind, owner), clause) in BINDS.into_iter().zip(clauses) {
        let driver = driver();
        let memory = driver.allocate(VRAM, 65536).unwrap().as_raw();
        let handle = bind.create(&driver);
        let vuid = format!("VUID-{owner}-{clause}");
        let expected = (bind.call(), rule(bind.kind()), &*vuid);
        check_refused(&driver, || bind.bind(&driver, handle, memory, offset), REFUSED, expected);
        assert_eq!(driver.memories()[0].bound_count, 0);
        bind.bind(&driver, handle, memory, 0).unwrap();
    }
}

#[test]
fn binding_out_of_range_or_misaligned() {
    check_bind(
        65536,
        |kind| Rule::BindOffset { kind, offset: 65536, memory_size: 65536 },
        ["memoryOffset-01031", "memoryOffset-01031", "memoryOffset-01046", "memoryOffset-01046"],
    );
    check_bind(
        128,
        |kind| {
            let alignment = if kind == ObjectKind::Buffer { 256 } else { 4096 };
            Rule::BindAlignment { kind, offset: 128, alignment }
        },
        ["memoryOffset-01036", "memoryOffset-01036", "memoryOffset-01048", "pNext-01616"],
    );
    for ((bind, owner), clause) in
        BINDS.into_iter().zip(["size-01037", "size-01037", "size-01049", "pNext-01617"])
    {
        let driver = driver();
        let memory = driver.allocate(VRAM, 8191).unwrap().as_raw();
        let handle = bind.create(&driver);
        let kind = bind.kind();
        let rule = Rule::BindSize { kind, offset: 4096, required: 4096, memory_size: 8191 };
        let vuid = format!("VUID-{owner}-{clause}");
        let expected = (bind.call(), rule, &*vuid);
        check_refused(&driver, || bind.bind(&driver, handle, memory, 4096), REFUSED, expected);
    }
}

#[test]
fn binding_twice() {
    for ((bind, owner), clause) in
        BINDS.into_iter().zip(["buffer-07459", "buffer-07459", "image-07460", "image-07460"])
    {
        let driver = driver();
        let memory = driver.allocate(VRAM, 65536).unwrap().as_raw();
        let handle = bind.create(&driver);
        bind.bind(&driver, handle, memory, 0).unwrap();
        let vuid = format!("VUID-{owner}-{clause}");
        let expected = (bind.call(), Rule::BoundTwice { kind: bind.kind(), handle }, &*vuid);
        check_refused(&driver, || bind.bind(&driver, handle, memory, 8192), REFUSED, expected);
    }
}

#[test]
fn binding_to_the_wrong_type() {
    let lazily = vk::MemoryPropertyFlags::LAZILY_ALLOCATED;
    let config = DriverConfig { memory_types: vec![(lazily, 0)], ..DriverConfig::default() };
    for ((bind, owner), clause) in
        BINDS.into_iter().zip(["memory-01035", "memory-01035", "memory-01047", "pNext-01615"])
    {
        let driver = SimDriver::new(config.clone()).unwrap();
        let memory = driver.allocate(0, 65536).unwrap().as_raw();
        let handle = bind.create(&driver);
        let kind = bind.kind();
        let rule = Rule::BindMemoryType { kind, memory_type_index: 0, memory_type_bits: 0 };
        let vuid = format!("VUID-{owner}-{clause}");
        let expected = (bind.call(), rule, &*vuid);
        check_refused(&driver, || bind.bind(&driver, handle, memory, 0), REFUSED, expected);
    }
}

#[test]
fn binding_to_freed_memory() {
    for (bind, owner) in BINDS {
        let driver = driver();
        let memory = driver.allocate(VRAM, 65536).unwrap();
        driver.free(memory);
        let handle = bind.create(&driver);
        let memory = memory.as_raw();
        let rule = Rule::UnknownHandle { kind: ObjectKind::Memory, handle: memory };
        let vuid = format!("VUID-{owner}-memory-parameter");
        let expected = (bind.call(), rule, &*vuid);
        check_refused(&driver, || bind.bind(&driver, handle, memory, 0), REFUSED, expected);
    }
}

#[test]
fn binding_to_memory_dedicated_to_another() {
    let driver = driver();
    let owner = driver.buffer(4096, TRANSFER).unwrap();
    let other = driver.buffer(4096, TRANSFER).unwrap();
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().buffer(owner);
    let memory =
        driver.allocate_with(&allocate_info(VRAM, 4096).push_next(&mut dedicated)).unwrap();
    let handle = other.as_raw();
    let rule = Rule::BindDedicatedElsewhere { kind: ObjectKind::Buffer, handle, offset: 0 };
    let vuid = "VUID-vkBindBufferMemory-memory-01508";
    let bind = || driver.bind_buffer(other, memory, 0);
    check_refused(&driver, bind, REFUSED, (Call::BindBufferMemory, rule, vuid));
    driver.bind_buffer(owner, memory, 0).unwrap();

    let driver = self::driver();
    let owner = driver.image(32, SAMPLED).unwrap();
    let other = driver.image(32, SAMPLED).unwrap();
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(owner);
    let memory =
        driver.allocate_with(&allocate_info(VRAM, 4096).push_next(&mut dedicated)).unwrap();
    let handle = other.as_raw();
    let rule = Rule::BindDedicatedElsewhere { kind: ObjectKind::Image, handle, offset: 0 };
    let vuid = "VUID-vkBindImageMemory-memory-01509";
    let bind = || driver.bind_image(other, memory, 0);
    check_refused(&driver, bind, REFUSED, (Call::BindImageMemory, rule, vuid));
    driver.bind_image(owner, memory, 0).unwrap();
}

#[test]
fn binding_to_shared_memory_where_dedicated_is_required() {
    let config = DriverConfig { requires_dedicated: true, ..DriverConfig::default() };
    for ((bind, owner), clause) in
        BINDS.into_iter().zip(["buffer-01444", "buffer-01444", "image-01445", "image-01445"])
    {
        let driver = SimDriver::new(config.clone()).unwrap();
        let memory = driver.allocate(VRAM, 4096).unwrap().as_raw();
        let handle = bind.create(&driver);
        let vuid = format!("VUID-{owner}-{clause}");
        let rule = Rule::BindNotDedicated { kind: bind.kind(), handle };
        let expected = (bind.call(), rule, &*vuid);
        check_refused(&driver, || bind.bind(&driver, handle, memory, 0), REFUSED, expected);
    }
}

#[test]
fn device_addresses_without_flag_usage_or_memory() {
    let driver = driver();
    let memory = driver.allocate(VRAM, 4096).unwrap();
    let buffer = driver.buffer(4096, ADDRESS).unwrap();
    let (raw_buffer, raw_memory) = (buffer.as_raw(), memory.as_raw());
    let rule = Rule::MissingDeviceAddressFlag { buffer: raw_buffer, memory: raw_memory };
    let vuid = "VUID-vkBindBufferMemory-bufferDeviceAddress-03339";
    let bind = || driver.bind_buffer(buffer, memory, 0);
    check_refused(&driver, bind, REFUSED, (Call::BindBufferMemory, rule, vuid));

    let driver = self::driver();
    let buffer = driver.buffer(4096, ADDRESS).unwrap();
    assert_eq!(driver.address(buffer), 0);
    let rule = Rule::AddressOfUnbound { buffer: buffer.as_raw() };
    let vuid = "VUID-VkBufferDeviceAddressInfo-buffer-02600";
    check(&driver, Call::GetBufferDeviceAddress, rule, vuid);

    let driver = self::driver();
    let buffer = driver.buffer(4096, TRANSFER).unwrap();
    assert_eq!(driver.address(buffer), 0);
    let rule = Rule::AddressWithoutUsage { buffer: buffer.as_raw() };
    let vuid = "VUID-VkBufferDeviceAddressInfo-buffer-02601";
    check(&driver, Call::GetBufferDeviceAddress, rule, vuid);
}
