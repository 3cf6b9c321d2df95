//! The usual requests of a renderer, asked of a device and explained: what `memory-types` prints.

mod device;
mod json;

use std::fmt::Write;

use memtype_select::{
    BufferUsageFlags as Buffer, HostAccess, ImageTiling, ImageUsageFlags as Image, MemoryRequest,
    MemoryTypeSelector, ResourceUse,
};

pub use device::{Device, table_names};
pub use json::JsonError;

/// What a renderer usually asks for, each with a name.
#[must_use]
pub fn usual_requests() -> Vec<(&'static str, MemoryRequest)> {
    let writes = HostAccess::SequentialWrite;
    let random = HostAccess::Random;
    let uniforms = ResourceUse::buffer(Buffer::UNIFORM_BUFFER).host_access(writes);
    let attachment = Image::COLOR_ATTACHMENT | Image::TRANSIENT_ATTACHMENT;
    let texture = Image::SAMPLED | Image::TRANSFER_DST;
    let resources = [
        ("texture", ResourceUse::image(texture, ImageTiling::Optimal)),
        ("transient attachment", ResourceUse::image(attachment, ImageTiling::Optimal)),
        ("vertex buffer", ResourceUse::buffer(Buffer::VERTEX_BUFFER | Buffer::TRANSFER_DST)),
        ("staging buffer", ResourceUse::buffer(Buffer::TRANSFER_SRC).host_access(writes)),
        ("uniforms of each frame", uniforms),
        ("uniforms of each frame, or staged", uniforms.or_staged()),
        ("readback buffer", ResourceUse::buffer(Buffer::TRANSFER_DST).host_access(random)),
        (
            "storage buffer that the host reads, or staged",
            ResourceUse::buffer(Buffer::STORAGE_BUFFER).host_access(random).or_staged(),
        ),
    ];
    let request = |resource| MemoryRequest { resource: Some(resource), ..Default::default() };
    let mut requests: Vec<(&str, MemoryRequest)> =
        resources.map(|(name, resource)| (name, request(resource))).into();
    let large = MemoryRequest { size: 1 << 30, ..request(uniforms) };
    requests.push(("the host writes, the device reads, 1 GiB", large));
    requests
}

/// The explanation of every usual request on `device`.
#[must_use]
pub fn report(device: &Device) -> String {
    let selector = MemoryTypeSelector::new(device.properties.clone());
    let mut text = format!("{}\n{}\n", device.name, device.source);
    for (name, request) in usual_requests() {
        let explanation = selector.explain(&request);
        writeln!(text, "\n{name}\n{explanation}").expect("writing to a string does not fail");
    }
    text
}

/// The devices of the page in the documentation of memtype-select: a discrete GPU with a small
/// BAR, one with opt-in types, and unified memory.
const PAGE: [&str; 3] =
    ["NVIDIA GeForce GTX 1650", "AMD Radeon RX 6800 (RADV NAVI21)", "Turnip Adreno (TM) 740"];

/// The page that shows the reports of three GPUs in the documentation of memtype-select.
///
/// # Panics
///
/// Panics if `vk-sim` no longer has one of the tables.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "What three GPUs answer to the usual requests of a renderer.\n\n\
         Printed by `cargo run -p examples --bin memory-types -- --table NAME`; without `--table` \
         it asks your own GPU.\n",
    );
    for name in PAGE {
        let device = Device::from_table(name).expect("vk-sim has the tables of the page");
        let report = report(&device);
        let (_, body) = report.split_once('\n').expect("the first line is the name");
        write!(text, "\n# {name}\n\n```text\n{body}```\n").expect("writing does not fail");
    }
    text
}
