//! Calls of pools, command buffers, fences and the queue that fail by rule have no effect.

use ash::prelude::VkResult;
use ash::vk;
use vk_sim::Call;

use crate::recorder::{Recorder, fence};
use crate::support::driver;

/// Two command buffers, of which one is being recorded, and a signalled fence.
struct Setting {
    recorder: Recorder,
    commands: vk::CommandBuffer,
    recording: vk::CommandBuffer,
    signaled: vk::Fence,
}

impl Setting {
    fn new() -> Self {
        let flags = vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER;
        let recorder = Recorder::with(driver(), flags);
        let [commands, recording] = [0; 2].map(|_: i32| recorder.allocate());
        recorder.begin(recording).unwrap();
        let signaled = fence(&recorder.driver, true);
        Self { recorder, commands, recording, signaled }
    }

    /// Makes the call, if it is one of those tested here.
    fn attempt(&self, call: Call) -> Option<VkResult<()>> {
        let Self { recorder, commands, recording, signaled } = self;
        let (device, fence) = (recorder.driver.device(), recorder.fence);
        let pool_info = vk::CommandPoolCreateInfo::default();
        let buffers = vk::CommandBufferAllocateInfo::default()
            .command_pool(recorder.pool)
            .command_buffer_count(2);
        let (pool_flags, buffer_flags) =
            (vk::CommandPoolResetFlags::empty(), vk::CommandBufferResetFlags::empty());
        Some(match call {
            Call::CreateCommandPool => {
                // SAFETY: the driver lives.
                unsafe { device.create_command_pool(&pool_info, None) }.map(drop)
            }
            // SAFETY: the driver lives.
            Call::ResetCommandPool => unsafe {
                device.reset_command_pool(recorder.pool, pool_flags)
            },
            Call::AllocateCommandBuffers => {
                // SAFETY: the driver lives.
                unsafe { device.allocate_command_buffers(&buffers) }.map(drop)
            }
            Call::BeginCommandBuffer => recorder.begin(*commands),
            Call::EndCommandBuffer => recorder.end(*recording),
            // SAFETY: the driver lives.
            Call::ResetCommandBuffer => unsafe {
                device.reset_command_buffer(*commands, buffer_flags)
            },
            Call::CreateFence => {
                // SAFETY: the driver lives.
                unsafe { device.create_fence(&vk::FenceCreateInfo::default(), None) }.map(drop)
            }
            // SAFETY: the driver lives.
            Call::ResetFences => unsafe { device.reset_fences(&[*signaled]) },
            // SAFETY: the driver lives.
            Call::GetFenceStatus => unsafe { device.get_fence_status(*signaled) }.map(drop),
            Call::WaitForFences => recorder.wait(&[*signaled], true),
            Call::QueueSubmit => recorder.submit(&[], fence),
            // SAFETY: the driver lives.
            Call::QueueSubmit2 => unsafe { device.queue_submit2(recorder.queue, &[], fence) },
            Call::QueueWaitIdle => recorder.wait_idle(),
            // SAFETY: the driver lives.
            Call::DeviceWaitIdle => unsafe { device.device_wait_idle() },
            // SAFETY: the driver lives.
            Call::EnumerateDeviceExtensionProperties => unsafe {
                let instance = recorder.driver.instance();
                instance.enumerate_device_extension_properties(recorder.driver.physical_device())
            }
            .map(drop),
            _ => return None,
        })
    }
}

#[test]
fn a_failed_call_has_no_effect_and_the_next_one_works() {
    let mut failed = Vec::new();
    for call in Call::ALL {
        for &result in call.errors() {
            let setting = Setting::new();
            let driver = &setting.recorder.driver;
            let before = driver.live();
            driver.fail_nth_of(call, 1, result);
            let Some(failure) = setting.attempt(call) else { continue };
            assert_eq!(failure, Err(result), "{call:?}");
            assert_eq!(driver.live(), before, "{call:?}");
            assert_eq!(setting.attempt(call), Some(Ok(())), "{call:?}");
            assert_eq!(driver.violations(), [], "{call:?}");
            failed.push(call);
        }
    }
    failed.dedup();
    assert_eq!(failed.len(), 15);
}
