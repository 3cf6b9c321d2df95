//! A small renderer, tested as a user of the crate would test one: what it allocates and what it
//! loads, on five GPUs, and what it does when memory is short or something is forgotten.
//!
//! The simulated device copies instead of drawing. A frame is right if the device had the frame's
//! uniforms, the whole mesh and the whole texture.

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest, AllocatorConfig, CreateError, UsageFlags};
use rstest::rstest;
use vk_sim::{DriverConfig, ObjectKind, Rule, Violation, tables};

use crate::devices::{self, on_each};
use crate::queue::{BOTH_ENDS, Queue};
use crate::rng::Rng;
use crate::support::{KIB, MIB, Sim};

const FRAMES_IN_FLIGHT: usize = 3;
const UNIFORMS: u64 = 16 * KIB;
const MESH: u64 = 48 * KIB;
const TEXTURE_EDGE: u32 = 64;
/// Bytes of the texture's only level.
const TEXTURE: u64 = 64 * 64 * 4;

/// What the renderer holds from beginning to end.
struct Renderer {
    mesh: (vk::Buffer, Allocation),
    texture: (vk::Image, Allocation),
    uniforms: Vec<(vk::Buffer, Allocation)>,
    depth: (vk::Image, Allocation),
    screenshot: (vk::Buffer, Allocation),
    /// The memory type that its staging buffers came from.
    staging_type: u32,
    assets: Vec<u8>,
}

fn named(usage: UsageFlags, name: &'static str) -> AllocationRequest<'static> {
    AllocationRequest { usage, name: Some(name), ..Default::default() }
}

fn buffer(
    sim: &Sim,
    size: u64,
    request: &AllocationRequest<'_>,
) -> Result<(vk::Buffer, Allocation), CreateError> {
    sim.create_buffer(&vk::BufferCreateInfo::default().size(size).usage(BOTH_ENDS), request)
}

fn image(
    sim: &Sim,
    (edge, format): (u32, vk::Format),
    usage: vk::ImageUsageFlags,
    request: &AllocationRequest<'_>,
) -> Result<(vk::Image, Allocation), CreateError> {
    let info = crate::support::image_info(edge, vk::ImageTiling::OPTIMAL);
    sim.create_image(&info.format(format).usage(usage), request)
}

fn whole_texture(buffer_offset: u64) -> [vk::BufferImageCopy; 1] {
    let image_subresource = vk::ImageSubresourceLayers {
        aspect_mask: vk::ImageAspectFlags::COLOR,
        layer_count: 1,
        ..Default::default()
    };
    let image_extent = vk::Extent3D { width: TEXTURE_EDGE, height: TEXTURE_EDGE, depth: 1 };
    [vk::BufferImageCopy { buffer_offset, image_subresource, image_extent, ..Default::default() }]
}

impl Renderer {
    /// Makes everything, and loads mesh and texture through a staging buffer.
    fn load(sim: &Sim, queue: &Queue, assets: Vec<u8>) -> Result<Self, CreateError> {
        let on_device = UsageFlags::FAST_DEVICE_ACCESS;
        let mesh = buffer(sim, MESH, &named(on_device, "mesh"))?;
        let sampled = vk::ImageUsageFlags::SAMPLED
            | vk::ImageUsageFlags::TRANSFER_SRC
            | vk::ImageUsageFlags::TRANSFER_DST;
        let color = (TEXTURE_EDGE, vk::Format::R8G8B8A8_UNORM);
        let texture = image(sim, color, sampled, &named(on_device, "texture"))?;
        let depth = image(
            sim,
            (256, vk::Format::D32_SFLOAT),
            vk::ImageUsageFlags::DEPTH_STENCIL_ATTACHMENT
                | vk::ImageUsageFlags::TRANSIENT_ATTACHMENT,
            &named(on_device | UsageFlags::TRANSIENT, "depth"),
        )?;
        let each_frame = named(on_device | UsageFlags::UPLOAD, "uniforms");
        let uniforms = (0..FRAMES_IN_FLIGHT).map(|_| buffer(sim, UNIFORMS, &each_frame));
        let uniforms = uniforms.collect::<Result<_, _>>()?;
        let size = UNIFORMS + MESH + TEXTURE;
        let screenshot = buffer(sim, size, &named(UsageFlags::DOWNLOAD, "screenshot"))?;

        let (staging, mut memory) =
            buffer(sim, MESH + TEXTURE, &named(UsageFlags::UPLOAD, "staging"))?;
        sim.allocator.write(&mut memory, 0, &assets).expect("staging memory is mapped");
        queue.copy((staging, 0), (mesh.0, 0), MESH);
        queue.write_texels(staging, texture.0, &whole_texture(MESH));
        let staging_type = memory.memory_type_index();
        sim.destroy_buffer(staging, memory);
        Ok(Self { mesh, texture, uniforms, depth, screenshot, staging_type, assets })
    }

    /// Renders a frame, and proves that the device had all of it.
    fn frame(&mut self, sim: &Sim, queue: &Queue, number: usize, rng: &mut Rng) {
        let seen = rng.bytes(usize::try_from(UNIFORMS).expect("small"));
        let (uniforms, memory) = &mut self.uniforms[number % FRAMES_IN_FLIGHT];
        sim.allocator.write(memory, 0, &seen).expect("uniforms are mapped");
        let screenshot = self.screenshot.0;
        queue.copy((*uniforms, 0), (screenshot, 0), UNIFORMS);
        queue.copy((self.mesh.0, 0), (screenshot, UNIFORMS), MESH);
        queue.read_texels(self.texture.0, screenshot, &whole_texture(UNIFORMS + MESH));
        let mut found = vec![0; seen.len() + self.assets.len()];
        sim.allocator.read(&self.screenshot.1, 0, &mut found).expect("it is mapped");
        assert!(found[..seen.len()] == seen, "frame {number}: the device had other uniforms");
        assert!(found[seen.len()..] == self.assets, "frame {number}: mesh or texture are lost");
    }

    /// Where mesh, texture, uniforms, depth, staging and screenshot are.
    fn memory_types(&self) -> [u32; 6] {
        [
            self.mesh.1.memory_type_index(),
            self.texture.1.memory_type_index(),
            self.uniforms[0].1.memory_type_index(),
            self.depth.1.memory_type_index(),
            self.staging_type,
            self.screenshot.1.memory_type_index(),
        ]
    }

    fn unload(self, sim: &Sim) {
        for (buffer, memory) in self.uniforms.into_iter().chain([self.mesh, self.screenshot]) {
            sim.destroy_buffer(buffer, memory);
        }
        for (image, memory) in [self.texture, self.depth] {
            sim.destroy_image(image, memory);
        }
    }
}

fn assets() -> Vec<u8> {
    Rng::new(5).bytes(usize::try_from(MESH + TEXTURE).expect("small"))
}

/// Loads, renders, and gives everything back; where things were.
fn render(sim: &Sim) -> [u32; 6] {
    let queue = Queue::new(sim);
    let mut rng = Rng::new(6);
    let mut renderer = Renderer::load(sim, &queue, assets()).expect("there is room");
    for number in 0..2 * FRAMES_IN_FLIGHT {
        renderer.frame(sim, &queue, number, &mut rng);
    }
    sim.check_books();
    let committed = sim.allocator.stats().total_allocated;
    assert!(committed <= 64 * MIB, "{committed} bytes: more than a block of each type");
    let memory_types = renderer.memory_types();
    renderer.unload(sim);
    memory_types
}

fn sim_of(name: &str) -> Sim {
    let table = tables::find(name).expect("a table of vk-sim");
    Sim::new(DriverConfig::from(table), AllocatorConfig::default())
}

/// In the order of `Renderer::memory_types`.
#[rstest]
#[case::its_window_for_uniforms("NVIDIA GeForce GTX 1650", [1, 1, 4, 1, 2, 3])]
#[case::every_type_twice("AMD Radeon RX 5700 XT (RADV NAVI10)", [0, 0, 3, 0, 2, 5])]
#[case::one_type_for_all("Intel(R) HD Graphics 5500 (BDW GT2)", [0; 6])]
#[case::lazy_depth("Apple M2", [0, 0, 1, 2, 1, 1])]
#[case::lazy_depth_and_uncached_uploads("Turnip Adreno (TM) 740", [0, 0, 0, 3, 0, 1])]
fn a_renderer_has_the_right_memory_and_bytes(#[case] name: &str, #[case] memory_types: [u32; 6]) {
    let sim = sim_of(name);
    assert_eq!(render(&sim), memory_types);
    sim.finish();
}

#[test]
fn a_renderer_renders_on_every_device() {
    let devices = devices::all_and_without_coherence().into_iter();
    let devices = devices.filter(|device| !device.is_single_object());
    let count = on_each(devices.collect(), |device| {
        let sim = Sim::new(device.config.clone(), AllocatorConfig::default());
        render(&sim);
        sim.finish();
    });
    assert!(count >= 84, "{count} devices");
}

/// Another program has taken the window: the uniforms go to the system's memory, and come back.
#[test]
fn uniforms_leave_the_window_when_it_is_full() {
    let sim = sim_of("NVIDIA GeForce GTX 1650");
    let window = 2;
    let (size, _) = sim.driver.config().memory_heaps[window as usize];
    sim.driver.set_other_usage(window, size);
    assert_eq!(render(&sim), [1, 1, 2, 1, 2, 3]);
    sim.driver.set_other_usage(window, 0);
    assert_eq!(render(&sim), [1, 1, 4, 1, 2, 3]);
    sim.finish();
}

#[test]
fn what_a_renderer_forgets_is_named() {
    let sim = sim_of("Apple M2");
    let queue = Queue::new(&sim);
    let renderer = Renderer::load(&sim, &queue, assets()).expect("there is room");
    drop(queue);
    let Sim { allocator, driver } = sim;
    let leaks = allocator.destroy().expect_err("all of it lives").leaks;
    let mut names: Vec<_> = leaks.into_iter().filter_map(|leak| leak.name).collect();
    names.sort_unstable();
    let expected = ["depth", "mesh", "screenshot", "texture", "uniforms", "uniforms", "uniforms"];
    assert_eq!(names, expected);
    assert!(driver.live().memory > 0, "memory in use is not freed under its users");
    drop(renderer);
    let is_resource = |breach: &Violation| {
        matches!(breach.rule, Rule::Leak { kind: ObjectKind::Buffer | ObjectKind::Image, .. })
    };
    let resources = driver.finish().into_iter().filter(is_resource).count();
    assert_eq!(resources, 7, "the driver names them, too");
}
