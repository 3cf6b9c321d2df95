//! Submissions run when they are waited for, and what they use cannot go before.

use ash::vk::{self, Handle};
use vk_sim::{Call, CommandState, ObjectKind, Rule};

use crate::recorder::{Recorder, fence};
use crate::support::{COHERENT, Calls, VRAM, driver, read_byte};
use crate::violations::{REFUSED, check};

/// A buffer that the host sees, and commands that fill it with ones.
fn filling(recorder: &Recorder) -> (crate::recorder::Bound, *mut u8, vk::CommandBuffer) {
    let buffer = recorder.buffer(COHERENT, 64);
    let pointer = recorder.driver.map(buffer.memory, 0, 64).unwrap();
    let commands = recorder.recorded(|device, commands| {
        // SAFETY: the driver lives.
        unsafe { device.cmd_fill_buffer(commands, buffer.buffer, 0, 64, 0x0101_0101) }
    });
    (buffer, pointer, commands)
}

#[test]
fn who_does_not_wait_reads_old_bytes() {
    type Wait = fn(&Recorder);
    let waits: [Wait; 4] = [
        |recorder| recorder.wait(&[recorder.fence], true).unwrap(),
        |recorder| recorder.wait_idle().unwrap(),
        // SAFETY: the driver lives.
        |recorder| unsafe { recorder.driver.device().device_wait_idle() }.unwrap(),
        |recorder| {
            // SAFETY: the driver lives.
            let status = unsafe { recorder.driver.device().get_fence_status(recorder.fence) };
            assert_eq!(status, Ok(true));
        },
    ];
    for wait in waits {
        let recorder = Recorder::new();
        let (_, pointer, commands) = filling(&recorder);
        recorder.submit(&[commands], recorder.fence).unwrap();
        assert_eq!(read_byte(pointer, 0), 0);
        wait(&recorder);
        assert_eq!(read_byte(pointer, 0), 1);
        assert_eq!(recorder.driver.violations(), []);
    }
}

#[test]
fn a_fence_waits_for_what_was_submitted_up_to_it() {
    let recorder = Recorder::new();
    let (_, first, commands) = filling(&recorder);
    let (_, second, later) = filling(&recorder);
    recorder.submit(&[commands], vk::Fence::null()).unwrap();
    recorder.submit(&[], recorder.fence).unwrap();
    recorder.submit(&[later], vk::Fence::null()).unwrap();
    let unsubmitted = fence(&recorder.driver, false);
    recorder.wait(&[unsubmitted, recorder.fence], false).unwrap();
    assert_eq!((read_byte(first, 0), read_byte(second, 0)), (1, 0));
    assert_eq!(recorder.wait(&[unsubmitted, recorder.fence], true), Err(vk::Result::TIMEOUT));
    // SAFETY: the driver lives.
    let status = unsafe { recorder.driver.device().get_fence_status(unsubmitted) };
    assert_eq!(status, Ok(false));
    // SAFETY: the driver lives.
    unsafe { recorder.driver.device().reset_fences(&[recorder.fence]) }.unwrap();
    assert_eq!(recorder.wait(&[recorder.fence], true), Err(vk::Result::TIMEOUT));
    assert_eq!(recorder.driver.violations(), []);
}

type Break = fn(&Recorder, vk::Buffer, vk::DeviceMemory, vk::CommandBuffer);

/// What may not be done while commands are pending.
const IN_USE: [(Call, ObjectKind, &str, Break); 7] = [
    (
        Call::DestroyBuffer,
        ObjectKind::Buffer,
        "vkDestroyBuffer-buffer-00922",
        |recorder, buffer, _, _| {
            recorder.driver.destroy_buffer(buffer);
        },
    ),
    (
        Call::FreeMemory,
        ObjectKind::Memory,
        "vkFreeMemory-memory-00677",
        |recorder, _, memory, _| {
            recorder.driver.free(memory);
        },
    ),
    (Call::DestroyFence, ObjectKind::Fence, "vkDestroyFence-fence-01120", |recorder, _, _, _| {
        // SAFETY: the driver lives.
        unsafe { recorder.driver.device().destroy_fence(recorder.fence, None) }
    }),
    (Call::ResetFences, ObjectKind::Fence, "vkResetFences-pFences-01123", |recorder, _, _, _| {
        // SAFETY: the driver lives.
        let result = unsafe { recorder.driver.device().reset_fences(&[recorder.fence]) };
        assert_eq!(result, Err(REFUSED));
    }),
    (Call::QueueSubmit, ObjectKind::Fence, "vkQueueSubmit-fence-00064", |recorder, _, _, _| {
        assert_eq!(recorder.submit(&[], recorder.fence), Err(REFUSED));
    }),
    (
        Call::DestroyCommandPool,
        ObjectKind::CommandBuffer,
        "vkDestroyCommandPool-commandPool-00041",
        |recorder, _, _, _| {
            // SAFETY: the driver lives.
            unsafe { recorder.driver.device().destroy_command_pool(recorder.pool, None) }
        },
    ),
    (
        Call::FreeCommandBuffers,
        ObjectKind::CommandBuffer,
        "vkFreeCommandBuffers-pCommandBuffers-00047",
        |recorder, _, _, commands| {
            // SAFETY: the driver lives.
            unsafe { recorder.driver.device().free_command_buffers(recorder.pool, &[commands]) }
        },
    ),
];

#[test]
fn what_pending_commands_use_cannot_go() {
    for (call, kind, vuid, break_rule) in IN_USE {
        let recorder = Recorder::new();
        let (buffer, pointer, commands) = filling(&recorder);
        recorder.submit(&[commands], recorder.fence).unwrap();
        let before = recorder.driver.live();
        break_rule(&recorder, buffer.buffer, buffer.memory, commands);
        assert_eq!(recorder.driver.live(), before);
        let handle = match kind {
            ObjectKind::Buffer => buffer.buffer.as_raw(),
            ObjectKind::Memory => buffer.memory.as_raw(),
            ObjectKind::Fence => recorder.fence.as_raw(),
            _ => commands.as_raw(),
        };
        check(&recorder.driver, call, Rule::InUse { kind, handle }, &format!("VUID-{vuid}"));
        recorder.wait_idle().unwrap();
        assert_eq!(read_byte(pointer, 0), 1, "{call:?}");
        recorder.driver.destroy_buffer(buffer.buffer);
        recorder.driver.free(buffer.memory);
        assert_eq!(recorder.finish().len(), 1, "{call:?}");
    }
}

/// The states that a command buffer may not be in.
#[test]
fn command_buffers_in_the_wrong_state() {
    type Break = fn(&Recorder, vk::CommandBuffer) -> ash::prelude::VkResult<()>;
    let cases: [(Call, CommandState, &str, Break); 5] = [
        (
            Call::EndCommandBuffer,
            CommandState::Initial,
            "vkEndCommandBuffer-commandBuffer-00059",
            |recorder, commands| recorder.end(commands),
        ),
        (
            Call::BeginCommandBuffer,
            CommandState::Recording,
            "vkBeginCommandBuffer-commandBuffer-00049",
            |recorder, commands| {
                recorder.begin(commands)?;
                recorder.begin(commands)
            },
        ),
        (
            Call::QueueSubmit,
            CommandState::Recording,
            "vkQueueSubmit-pCommandBuffers-00070",
            |recorder, commands| {
                recorder.begin(commands)?;
                recorder.submit(&[commands], vk::Fence::null())
            },
        ),
        (
            Call::QueueSubmit,
            CommandState::Pending,
            "vkQueueSubmit-pCommandBuffers-00071",
            |recorder, commands| {
                recorder.begin(commands)?;
                recorder.end(commands)?;
                recorder.submit(&[commands], vk::Fence::null())?;
                recorder.submit(&[commands], vk::Fence::null())
            },
        ),
        (
            Call::QueueSubmit,
            CommandState::Invalid,
            "vkQueueSubmit-pCommandBuffers-00070",
            |recorder, commands| {
                recorder.begin_with(commands, vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT)?;
                recorder.end(commands)?;
                recorder.submit(&[commands], vk::Fence::null())?;
                recorder.wait_idle()?;
                recorder.submit(&[commands], vk::Fence::null())
            },
        ),
    ];
    for (call, state, vuid, break_rule) in cases {
        let recorder = Recorder::new();
        let commands = recorder.allocate();
        assert_eq!(break_rule(&recorder, commands), Err(REFUSED));
        let rule = Rule::WrongState { command_buffer: commands.as_raw(), state };
        check(&recorder.driver, call, rule, &format!("VUID-{vuid}"));
    }
}

#[test]
fn commands_outside_of_recording_and_a_second_recording() {
    let recorder = Recorder::new();
    let buffer = recorder.buffer(VRAM, 64).buffer;
    let commands = recorder.recorded(|_, _| {});
    // SAFETY: the driver lives.
    unsafe { recorder.driver.device().cmd_fill_buffer(commands, buffer, 0, 64, 0) };
    let state = CommandState::Executable;
    let rule = Rule::WrongState { command_buffer: commands.as_raw(), state };
    check(
        &recorder.driver,
        Call::CmdFillBuffer,
        rule,
        "VUID-vkCmdFillBuffer-commandBuffer-recording",
    );

    let recorder = Recorder::new();
    let commands = recorder.recorded(|_, _| {});
    assert_eq!(recorder.begin(commands), Err(REFUSED));
    let rule =
        Rule::NoSingleReset { command_buffer: commands.as_raw(), pool: recorder.pool.as_raw() };
    let vuid = "VUID-vkBeginCommandBuffer-commandBuffer-00050";
    check(&recorder.driver, Call::BeginCommandBuffer, rule, vuid);

    let flags = vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER;
    let recorder = Recorder::with(driver(), flags);
    let commands = recorder.recorded(|_, _| {});
    recorder.begin(commands).unwrap();
    let no_flags = vk::CommandBufferResetFlags::empty();
    // SAFETY: the driver lives.
    unsafe { recorder.driver.device().reset_command_buffer(commands, no_flags) }.unwrap();
    recorder.begin(commands).unwrap();
    assert_eq!(recorder.finish(), []);
}

#[test]
fn a_command_buffer_whose_resources_went_is_invalid() {
    let recorder = Recorder::new();
    let (buffer, _, commands) = filling(&recorder);
    recorder.driver.free(buffer.memory);
    assert_eq!(recorder.submit(&[commands], recorder.fence), Err(REFUSED));
    let state = CommandState::Invalid;
    let rule = Rule::WrongState { command_buffer: commands.as_raw(), state };
    check(&recorder.driver, Call::QueueSubmit, rule, "VUID-vkQueueSubmit-pCommandBuffers-00070");
    assert_eq!(recorder.wait(&[recorder.fence], true), Err(vk::Result::TIMEOUT));
}

#[test]
fn a_freed_command_buffer_and_a_signalled_fence() {
    let recorder = Recorder::new();
    let commands = recorder.allocate();
    // SAFETY: the driver lives.
    unsafe { recorder.driver.device().free_command_buffers(recorder.pool, &[commands]) };
    assert_eq!(recorder.begin(commands), Err(REFUSED));
    let rule = Rule::UnknownHandle { kind: ObjectKind::CommandBuffer, handle: commands.as_raw() };
    let vuid = "VUID-vkBeginCommandBuffer-commandBuffer-parameter";
    check(&recorder.driver, Call::BeginCommandBuffer, rule, vuid);

    let recorder = Recorder::new();
    let signaled = fence(&recorder.driver, true);
    assert_eq!(recorder.submit(&[], signaled), Err(REFUSED));
    let rule = Rule::FenceSignaled { fence: signaled.as_raw() };
    check(&recorder.driver, Call::QueueSubmit, rule, "VUID-vkQueueSubmit-fence-00063");
}

#[test]
fn there_is_one_family_with_one_queue() {
    for (family, index, member, clause) in [
        (1, 0, "queueFamilyIndex", "queueFamilyIndex-00384"),
        (0, 1, "queueIndex", "queueIndex-00385"),
    ] {
        let driver = driver();
        // SAFETY: the driver lives.
        let queue = unsafe { driver.device().get_device_queue(family, index) };
        assert_eq!(queue, vk::Queue::null());
        let rule = Rule::QueueOutOfRange { member, value: 1 };
        check(&driver, Call::GetDeviceQueue, rule, &format!("VUID-vkGetDeviceQueue-{clause}"));
    }
    let driver = driver();
    let physical_device = driver.physical_device();
    // SAFETY: the driver lives.
    let families =
        unsafe { driver.instance().get_physical_device_queue_family_properties(physical_device) };
    assert_eq!((families.len(), families[0].queue_count), (1, 1));
    assert_eq!(families[0].queue_flags, vk::QueueFlags::TRANSFER);
}
