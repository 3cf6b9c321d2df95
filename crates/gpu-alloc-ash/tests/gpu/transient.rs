//! Transient attachments, rendered to.
//!
//! Basic design: a render pass clears transient colour and depth attachments of four samples, each
//! half to a value of its own, and resolves both into ordinary images, which are copied back. So
//! the values that come back were held by the transient attachments. No pipeline is needed.

use ash::vk;
use gpu_alloc_ash::{AllocationRequest, Strategy, UsageFlags};
use vk_boot::gpu_tests::skip;

use crate::formats::{D16, RGBA8};
use crate::resources::{Image, Shape};
use crate::support::{Gpu, STRATEGIES, on_device};
use crate::transfers::{assert_image, submit};

type Usage = vk::ImageUsageFlags;

const WIDTH: u32 = 64;
const HEIGHT: u32 = 48;
/// Every conformant device has it for both kinds of attachments.
const SAMPLES: vk::SampleCountFlags = vk::SampleCountFlags::TYPE_4;

const LEFT_COLOR: [u8; 4] = [255, 51, 0, 102];
const RIGHT_COLOR: [u8; 4] = [0, 204, 153, 255];
const LEFT_DEPTH: u16 = u16::MAX;
const RIGHT_DEPTH: u16 = 0;

/// The attachments of the pass, in their order in it.
struct Attachments {
    color: Image,
    depth: Image,
    resolved_color: Image,
    resolved_depth: Image,
}

impl Attachments {
    fn new(gpu: &Gpu, strategy: Strategy, also: Usage) -> Self {
        let request = AllocationRequest {
            usage: UsageFlags::FAST_DEVICE_ACCESS | UsageFlags::TRANSIENT,
            strategy,
            ..Default::default()
        };
        let transient = |format, usage| {
            let flat = Shape::flat(format, vk::ImageTiling::OPTIMAL, WIDTH, HEIGHT);
            let shape = Shape { samples: SAMPLES, ..flat };
            let image =
                Image::new(gpu, shape, usage | also | Usage::TRANSIENT_ATTACHMENT, &request);
            assert_lazily_allocated_where_possible(gpu, &image);
            let is_dedicated = strategy == Strategy::Dedicated;
            assert_eq!(image.allocation.is_dedicated(), is_dedicated);
            image
        };
        let resolved = |format, usage| {
            let shape = Shape::flat(format, vk::ImageTiling::OPTIMAL, WIDTH, HEIGHT);
            Image::new(gpu, shape, usage | Usage::TRANSFER_SRC, &on_device(strategy))
        };
        Self {
            color: transient(&RGBA8, Usage::COLOR_ATTACHMENT),
            depth: transient(&D16, Usage::DEPTH_STENCIL_ATTACHMENT),
            resolved_color: resolved(&RGBA8, Usage::COLOR_ATTACHMENT),
            resolved_depth: resolved(&D16, Usage::DEPTH_STENCIL_ATTACHMENT),
        }
    }

    fn images(&self) -> [&Image; 4] {
        [&self.color, &self.depth, &self.resolved_color, &self.resolved_depth]
    }

    fn destroy(self, gpu: &Gpu) {
        for image in [self.color, self.depth, self.resolved_color, self.resolved_depth] {
            image.destroy(gpu);
        }
    }
}

/// Where the image may live in lazily allocated memory, that is where it is.
fn assert_lazily_allocated_where_possible(gpu: &Gpu, image: &Image) {
    let lazily = vk::MemoryPropertyFlags::LAZILY_ALLOCATED;
    // SAFETY: the image lives.
    let requirements = unsafe { gpu.device().get_image_memory_requirements(image.handle) };
    let possible = (0..gpu.boot.memory_properties.memory_type_count).any(|index| {
        requirements.memory_type_bits & (1 << index) != 0
            && gpu.flags_of_type(index).contains(lazily)
    });
    let flags = gpu.flags_of_type(image.allocation.memory_type_index());
    assert_eq!(flags.contains(lazily), possible, "{flags:?}");
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn transient_attachments_hold_what_is_rendered_to_them() {
    let gpu = Gpu::new();
    let count = matrix(&gpu);
    println!("{count} passes");
    if count == 0 {
        skip("the device cannot resolve depth");
    }
    gpu.finish();
}

/// Whether depth can be resolved by the first sample, as on every conformant device with Vulkan
/// 1.2.
fn resolves_depth(gpu: &Gpu) -> bool {
    if gpu.boot.api_version < vk::API_VERSION_1_2 {
        assert!(!gpu.boot.is_lavapipe, "lavapipe has Vulkan 1.2");
        return false;
    }
    let mut resolve = vk::PhysicalDeviceDepthStencilResolveProperties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut resolve);
    let physical_device = gpu.boot.physical_device;
    // SAFETY: the device has Vulkan 1.2, whose core has the structure.
    unsafe { gpu.boot.instance.get_physical_device_properties2(physical_device, &mut properties) };
    let modes = resolve.supported_depth_resolve_modes;
    let can = modes.contains(vk::ResolveModeFlags::SAMPLE_ZERO);
    assert!(can || gpu.is_mock(), "{modes:?}");
    can
}

/// Renders to transient attachments of every usage and strategy. Returns how many passes there
/// were: 4, or none on a device that cannot resolve depth.
pub(crate) fn matrix(gpu: &Gpu) -> usize {
    if !resolves_depth(gpu) {
        return 0;
    }
    let mut count = 0;
    for strategy in STRATEGIES {
        for also in [Usage::empty(), Usage::INPUT_ATTACHMENT] {
            let attachments = Attachments::new(gpu, strategy, also);
            render(gpu, &attachments);
            check(gpu, &attachments);
            attachments.destroy(gpu);
            count += 1;
        }
    }
    count
}

/// Left and right half of the resolved images are what was rendered there.
fn check(gpu: &Gpu, attachments: &Attachments) {
    let half = WIDTH as usize / 2;
    let halves = |left: &[u8], right: &[u8]| {
        [left.repeat(half), right.repeat(half)].concat().repeat(HEIGHT as usize)
    };
    let color = halves(&LEFT_COLOR, &RIGHT_COLOR);
    assert_image(gpu, "colour", &attachments.resolved_color, &color);
    let depth = halves(&LEFT_DEPTH.to_ne_bytes(), &RIGHT_DEPTH.to_ne_bytes());
    assert_image(gpu, "depth", &attachments.resolved_depth, &depth);
}

/// Renders both halves and waits.
fn render(gpu: &Gpu, attachments: &Attachments) {
    let pass = render_pass(gpu);
    let views = attachments.images().map(|image| view(gpu, image));
    let framebuffer = framebuffer(gpu, pass, &views);
    let area = vk::Rect2D::default().extent(vk::Extent2D { width: WIDTH, height: HEIGHT });
    let clear_values = [color_value(LEFT_COLOR), depth_value(LEFT_DEPTH)];
    let begin = vk::RenderPassBeginInfo::default()
        .render_pass(pass)
        .framebuffer(framebuffer)
        .render_area(area)
        .clear_values(&clear_values);
    submit(gpu, |commands| {
        let inline = vk::SubpassContents::INLINE;
        // SAFETY: pass, framebuffer and images live until the submission has finished.
        unsafe { gpu.device().cmd_begin_render_pass(commands, &begin, inline) };
        clear_right_half(gpu, commands);
        // SAFETY: begun above.
        unsafe { gpu.device().cmd_end_render_pass(commands) };
    });
    // SAFETY: the submission has finished.
    unsafe { gpu.device().destroy_framebuffer(framebuffer, None) };
    for view in views {
        // SAFETY: as above.
        unsafe { gpu.device().destroy_image_view(view, None) };
    }
    // SAFETY: as above.
    unsafe { gpu.device().destroy_render_pass(pass, None) };
}

fn clear_right_half(gpu: &Gpu, commands: vk::CommandBuffer) {
    let clears = [
        vk::ClearAttachment::default()
            .aspect_mask(vk::ImageAspectFlags::COLOR)
            .clear_value(color_value(RIGHT_COLOR)),
        vk::ClearAttachment::default()
            .aspect_mask(vk::ImageAspectFlags::DEPTH)
            .clear_value(depth_value(RIGHT_DEPTH)),
    ];
    let offset = vk::Offset2D::default().x((WIDTH / 2).cast_signed());
    let right = vk::Rect2D { offset, extent: vk::Extent2D { width: WIDTH / 2, height: HEIGHT } };
    let rect = vk::ClearRect::default().rect(right).layer_count(1);
    // SAFETY: inside of the render pass, and inside of its area.
    unsafe { gpu.device().cmd_clear_attachments(commands, &clears, &[rect]) };
}

fn color_value(color: [u8; 4]) -> vk::ClearValue {
    let float32 = color.map(|channel| f32::from(channel) / 255.0);
    vk::ClearValue { color: vk::ClearColorValue { float32 } }
}

fn depth_value(depth: u16) -> vk::ClearValue {
    let depth = f32::from(depth) / f32::from(u16::MAX);
    vk::ClearValue { depth_stencil: vk::ClearDepthStencilValue { depth, stencil: 0 } }
}

fn view(gpu: &Gpu, image: &Image) -> vk::ImageView {
    let info = vk::ImageViewCreateInfo::default()
        .image(image.handle)
        .view_type(vk::ImageViewType::TYPE_2D)
        .format(image.shape.format.format)
        .subresource_range(image.shape.whole());
    // SAFETY: the image lives, is bound and is an attachment.
    unsafe { gpu.device().create_image_view(&info, None) }.unwrap()
}

fn framebuffer(gpu: &Gpu, pass: vk::RenderPass, views: &[vk::ImageView]) -> vk::Framebuffer {
    let info = vk::FramebufferCreateInfo::default()
        .render_pass(pass)
        .attachments(views)
        .width(WIDTH)
        .height(HEIGHT)
        .layers(1);
    // SAFETY: the views are of the pass's formats and sample counts, in its order.
    unsafe { gpu.device().create_framebuffer(&info, None) }.unwrap()
}

/// Clears colour and depth of four samples, and resolves both for copying.
fn render_pass(gpu: &Gpu) -> vk::RenderPass {
    let color_layout = vk::ImageLayout::COLOR_ATTACHMENT_OPTIMAL;
    let depth_layout = vk::ImageLayout::DEPTH_STENCIL_ATTACHMENT_OPTIMAL;
    let attachments = [
        transient_attachment(&RGBA8, color_layout),
        transient_attachment(&D16, depth_layout),
        resolved_attachment(&RGBA8),
        resolved_attachment(&D16),
    ];
    let refer = |attachment, layout, aspect| {
        vk::AttachmentReference2::default()
            .attachment(attachment)
            .layout(layout)
            .aspect_mask(aspect)
    };
    let color = [refer(0, color_layout, vk::ImageAspectFlags::COLOR)];
    let depth = refer(1, depth_layout, vk::ImageAspectFlags::DEPTH);
    let resolved_color = [refer(2, color_layout, vk::ImageAspectFlags::COLOR)];
    let resolved_depth = refer(3, depth_layout, vk::ImageAspectFlags::DEPTH);
    // As `resolves_depth` has asked.
    let mut depth_resolve = vk::SubpassDescriptionDepthStencilResolve::default()
        .depth_resolve_mode(vk::ResolveModeFlags::SAMPLE_ZERO)
        .stencil_resolve_mode(vk::ResolveModeFlags::NONE)
        .depth_stencil_resolve_attachment(&resolved_depth);
    let subpass = vk::SubpassDescription2::default()
        .pipeline_bind_point(vk::PipelineBindPoint::GRAPHICS)
        .color_attachments(&color)
        .resolve_attachments(&resolved_color)
        .depth_stencil_attachment(&depth)
        .push_next(&mut depth_resolve);
    // Resolves of both kinds write as colour attachments do (Vulkan spec, "Render Pass Resolve
    // Operations"); the copies read.
    let dependency = vk::SubpassDependency2::default()
        .src_subpass(0)
        .dst_subpass(vk::SUBPASS_EXTERNAL)
        .src_stage_mask(vk::PipelineStageFlags::COLOR_ATTACHMENT_OUTPUT)
        .src_access_mask(vk::AccessFlags::COLOR_ATTACHMENT_WRITE)
        .dst_stage_mask(vk::PipelineStageFlags::TRANSFER)
        .dst_access_mask(vk::AccessFlags::TRANSFER_READ);
    let (subpasses, dependencies) = ([subpass], [dependency]);
    let info = vk::RenderPassCreateInfo2::default()
        .attachments(&attachments)
        .subpasses(&subpasses)
        .dependencies(&dependencies);
    // SAFETY: the device has Vulkan 1.2, and what the info points to lives.
    unsafe { gpu.device().create_render_pass2(&info, None) }.unwrap()
}

/// Neither loaded nor stored: it need not outlive the pass.
fn transient_attachment(
    format: &crate::formats::Format,
    layout: vk::ImageLayout,
) -> vk::AttachmentDescription2<'static> {
    vk::AttachmentDescription2::default()
        .format(format.format)
        .samples(SAMPLES)
        .load_op(vk::AttachmentLoadOp::CLEAR)
        .store_op(vk::AttachmentStoreOp::DONT_CARE)
        .stencil_load_op(vk::AttachmentLoadOp::DONT_CARE)
        .stencil_store_op(vk::AttachmentStoreOp::DONT_CARE)
        .initial_layout(vk::ImageLayout::UNDEFINED)
        .final_layout(layout)
}

fn resolved_attachment(format: &crate::formats::Format) -> vk::AttachmentDescription2<'static> {
    vk::AttachmentDescription2::default()
        .format(format.format)
        .samples(vk::SampleCountFlags::TYPE_1)
        .load_op(vk::AttachmentLoadOp::DONT_CARE)
        .store_op(vk::AttachmentStoreOp::STORE)
        .stencil_load_op(vk::AttachmentLoadOp::DONT_CARE)
        .stencil_store_op(vk::AttachmentStoreOp::DONT_CARE)
        .initial_layout(vk::ImageLayout::UNDEFINED)
        .final_layout(vk::ImageLayout::TRANSFER_SRC_OPTIMAL)
}
