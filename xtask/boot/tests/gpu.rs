//! A real device boots, runs commands from two threads, and its validation layer is heard.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use ash::vk;
use vk_boot::gpu_tests::{executes, report_facts, report_messages, skip};
use vk_boot::{Boot, BootError, BootOptions, DeviceChoice, Severity, Validation};

/// A buffer in memory of its own that the host can read.
struct HostBuffer {
    buffer: vk::Buffer,
    memory: vk::DeviceMemory,
}

impl HostBuffer {
    const SIZE: u64 = 4096;

    fn new(boot: &Boot) -> Self {
        let create_info = vk::BufferCreateInfo::default()
            .size(Self::SIZE)
            .usage(vk::BufferUsageFlags::TRANSFER_DST);
        // SAFETY: valid usage; the caller destroys the buffer.
        let buffer = unsafe { boot.device.create_buffer(&create_info, None) }.unwrap();
        // SAFETY: the buffer lives.
        let requirements = unsafe { boot.device.get_buffer_memory_requirements(buffer) };
        let wanted = vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
        let memory_type_index = (0..boot.memory_properties.memory_type_count)
            .find(|&index| {
                let flags = boot.memory_properties.memory_types[index as usize].property_flags;
                requirements.memory_type_bits & (1 << index) != 0 && flags.contains(wanted)
            })
            .unwrap();
        let allocate_info = vk::MemoryAllocateInfo::default()
            .allocation_size(requirements.size)
            .memory_type_index(memory_type_index);
        // SAFETY: valid usage; the caller frees the memory.
        let memory = unsafe { boot.device.allocate_memory(&allocate_info, None) }.unwrap();
        // SAFETY: the type is allowed, the offset 0 aligned, the size the required one.
        unsafe { boot.device.bind_buffer_memory(buffer, memory, 0) }.unwrap();
        Self { buffer, memory }
    }

    fn first_word(&self, boot: &Boot) -> u32 {
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: host-visible, and not mapped.
        let pointer = unsafe { boot.device.map_memory(self.memory, 0, Self::SIZE, flags) }.unwrap();
        // SAFETY: mapped, aligned, and the device is idle.
        let word = unsafe { pointer.cast::<u32>().read() };
        // SAFETY: mapped above.
        unsafe { boot.device.unmap_memory(self.memory) };
        word
    }

    fn destroy(self, boot: &Boot) {
        // SAFETY: the device has finished with it.
        unsafe { boot.device.destroy_buffer(self.buffer, None) };
        // SAFETY: nothing is bound any more.
        unsafe { boot.device.free_memory(self.memory, None) };
    }
}

fn boot() -> Boot {
    Boot::new(&BootOptions::for_gpu_tests()).unwrap()
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_device_boots_and_ends_without_a_message() {
    let boot = boot();
    println!("{} by {}, enabled: {:?}", boot.device_name, boot.driver_name, boot.enabled);
    assert!(boot.validation);
    assert!(boot.api_version >= vk::API_VERSION_1_1);
    assert!(boot.memory_properties.memory_type_count > 0);
    assert!(boot.max_memory_allocation_size > 0);
    report_facts(&boot);
    let messages = boot.finish();
    report_messages(&messages);
    assert_eq!(messages, []);
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn validation_reports_a_deliberate_error() {
    let boot = boot();
    let empty = vk::BufferCreateInfo::default().usage(vk::BufferUsageFlags::TRANSFER_DST);
    // SAFETY: a size of zero is invalid usage, on purpose; drivers only record the number.
    let buffer = unsafe { boot.device.create_buffer(&empty, None) };
    if let Ok(buffer) = buffer {
        // SAFETY: made above, never used.
        unsafe { boot.device.destroy_buffer(buffer, None) };
    }
    assert_eq!(boot.messages().count(), 1);
    let messages = boot.messages().take();
    assert_eq!(messages[0].severity, Severity::Error);
    assert_eq!(&*messages[0].vuid, "VUID-VkBufferCreateInfo-size-00912");
    assert!(messages[0].to_string().contains("VUID-VkBufferCreateInfo-size-00912"));
    assert_eq!(boot.finish(), []);
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn an_object_left_behind_is_named_at_the_end() {
    let boot = boot();
    // SAFETY: valid usage, except that nobody destroys it.
    let _ = unsafe { boot.device.create_fence(&vk::FenceCreateInfo::default(), None) }.unwrap();
    assert!(boot.messages().is_empty());
    let messages = boot.finish();
    assert!(
        messages.iter().any(|message| message.vuid.contains("vkDestroyDevice")),
        "{messages:?}"
    );
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_missing_barrier_is_a_hazard() {
    let boot = boot();
    assert!(boot.synchronization_validation);
    let target = HostBuffer::new(&boot);
    let fill = |commands| {
        // SAFETY: the buffer has the usage and the size.
        unsafe { boot.device.cmd_fill_buffer(commands, target.buffer, 0, HostBuffer::SIZE, 1) };
    };
    // SAFETY: clause 1 is broken on purpose: there is no barrier between the two fills.
    unsafe {
        boot.submit(|commands| {
            fill(commands);
            fill(commands);
        })
    }
    .unwrap();
    target.destroy(&boot);
    let messages = boot.finish();
    assert!(
        messages.iter().any(|message| message.vuid.contains("SYNC-HAZARD-WRITE-AFTER-WRITE")
            || message.text.contains("WRITE_AFTER_WRITE")),
        "{messages:?}"
    );
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn two_threads_submit_at_once() {
    const ROUNDS: u32 = 50;
    let boot = boot();
    if !executes(&boot) {
        return skip("the device executes nothing");
    }
    thread::scope(|scope| {
        for thread in 0..2 {
            let boot = &boot;
            scope.spawn(move || {
                let target = HostBuffer::new(boot);
                for round in 0..ROUNDS {
                    let word = (thread << 16) | round;
                    let fill = |commands| {
                        let size = HostBuffer::SIZE;
                        // SAFETY: the buffer has the usage and the size.
                        unsafe {
                            boot.device.cmd_fill_buffer(commands, target.buffer, 0, size, word);
                        }
                    };
                    // SAFETY: the buffer is this thread's own and lives; each fill is waited for.
                    unsafe { boot.submit(fill) }.unwrap();
                    assert_eq!(target.first_word(boot), word);
                }
                target.destroy(boot);
            });
        }
    });
    assert_eq!(boot.finish(), []);
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_panic_while_recording_leaves_nothing_behind() {
    let boot = boot();
    // SAFETY: nothing is submitted.
    let submit = || unsafe { boot.submit::<()>(|_commands| panic!("planted")) };
    assert!(catch_unwind(AssertUnwindSafe(submit)).is_err());
    assert_eq!(boot.finish(), []);
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_device_that_is_not_there_is_named() {
    let device = DeviceChoice::from_name("no such device");
    let error = Boot::new(&BootOptions { validation: Validation::Off, device }).err().unwrap();
    let BootError::NoMatchingDevice { wanted, device_count } = error else {
        panic!("{error}");
    };
    assert_eq!(&*wanted, "no such device");
    assert!(device_count > 0);
}
