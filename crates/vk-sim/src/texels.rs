//! Copies between buffers and images: checking a region, and walking over its rows.

use ash::vk;

use crate::command::{Command, TexelCopy};
use crate::image::ImageForm;
use crate::requirements::Form;
use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Role, Rule};

/// Bytes that lie together in the buffer and in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) buffer_offset: u64,
    pub(crate) image_offset: u64,
    pub(crate) size: u64,
}

impl Entered<'_> {
    pub(crate) fn copy_texels(
        &mut self,
        command_buffer: u64,
        direction: TexelCopy,
        (buffer, image): (u64, u64),
        regions: Vec<vk::BufferImageCopy>,
    ) -> CallResult<()> {
        self.recording(command_buffer)?;
        let (buffer_role, image_role) = match direction {
            TexelCopy::ToImage => (Role::Source, Role::Destination),
            TexelCopy::ToBuffer => (Role::Destination, Role::Source),
        };
        let buffer_size = self.transfer_buffer(buffer_role, buffer)?;
        let form = self.transfer_image(image_role, image)?;
        for region in &regions {
            self.check_region(&form, region)?;
            let offset = region.buffer_offset;
            let mut end =
                rows(&form, region).map(|row| row.map(|row| row.buffer_offset + row.size));
            let end = end.try_fold(0, |end, row_end| row_end.map(|row_end| end.max(row_end)));
            // Without a row at all, or past 2^64, the region leaves the buffer just as well.
            let size = end.map_or(u64::MAX, |end: u64| end.saturating_sub(offset));
            if offset >= buffer_size || size > buffer_size - offset {
                let role = buffer_role;
                return Err(self.refuse(Rule::TransferSize { role, offset, size, buffer_size }));
            }
        }
        self.push(command_buffer, Command::CopyTexels { direction, buffer, image, regions })
    }

    /// An image with memory and the usage for its role.
    pub(crate) fn transfer_image(&mut self, role: Role, handle: u64) -> CallResult<ImageForm> {
        let resource = self.with_memory(role, ObjectKind::Image, handle)?;
        let Form::Image { image, .. } = resource.form else {
            return Err(self.unknown(ObjectKind::Image, handle));
        };
        let wanted = match role {
            Role::Source => vk::ImageUsageFlags::TRANSFER_SRC,
            Role::Destination => vk::ImageUsageFlags::TRANSFER_DST,
        };
        if !image.usage.contains(wanted) {
            let rule = Rule::TransferUsage { role, kind: ObjectKind::Image, handle };
            return Err(self.refuse(rule));
        }
        Ok(image)
    }

    fn check_region(&mut self, image: &ImageForm, region: &vk::BufferImageCopy) -> CallResult<()> {
        let layers = region.image_subresource;
        let extent = region.image_extent;
        for (member, value) in
            [("width", extent.width), ("height", extent.height), ("depth", extent.depth)]
        {
            if value == 0 {
                return Err(self.refuse(Rule::ZeroExtent { member }));
            }
        }
        if layers.mip_level >= image.mip_levels {
            let (value, count) = (layers.mip_level, image.mip_levels);
            return Err(self.refuse(Rule::NoSubresource { member: "mipLevel", value, count }));
        }
        let last = layers.layer_count.checked_sub(1);
        let last = last.and_then(|count| layers.base_array_layer.checked_add(count));
        if last.is_none_or(|last| last >= image.array_layers) {
            let (value, count) = (layers.base_array_layer, image.array_layers);
            return Err(self.refuse(Rule::NoSubresource { member: "layers", value, count }));
        }
        let level = image.level_extent(layers.mip_level);
        let offset = region.image_offset;
        for (axis, offset, extent, level_extent) in [
            ("x", offset.x, extent.width, level.width),
            ("y", offset.y, extent.height, level.height),
            ("z", offset.z, extent.depth, level.depth),
        ] {
            let start = u32::try_from(offset).ok();
            let end = start.and_then(|start| start.checked_add(extent));
            if end.is_none_or(|end| end > level_extent) {
                let rule = Rule::TexelsOutside { axis, offset, extent, level_extent };
                return Err(self.refuse(rule));
            }
        }
        for (member, value, extent) in [
            ("bufferRowLength", region.buffer_row_length, extent.width),
            ("bufferImageHeight", region.buffer_image_height, extent.height),
        ] {
            if value != 0 && value < extent {
                return Err(self.refuse(Rule::ShortRows { member, value, extent }));
            }
        }
        let texel_bytes = u64::from(image.block.bytes);
        if !region.buffer_offset.is_multiple_of(texel_bytes) {
            let rule = Rule::TexelOffset { offset: region.buffer_offset, texel_bytes };
            return Err(self.refuse(rule));
        }
        Ok(())
    }
}

/// The rows of a region that was checked, each `None` if it passes 2^64 in the buffer.
///
/// As the specification addresses buffers in copies: rows of `bufferRowLength` texels, slices of
/// `bufferImageHeight` rows, layers of as many slices as the region is deep; blocks for texels
/// where the format is compressed.
pub(crate) fn rows<'a>(
    image: &'a ImageForm,
    region: &vk::BufferImageCopy,
) -> impl Iterator<Item = Option<Row>> + use<'a> {
    let region = *region;
    let block = image.block;
    let extent = region.image_extent;
    let or_extent = |length, extent| if length == 0 { extent } else { length };
    let row_blocks = or_extent(region.buffer_row_length, extent.width).div_ceil(block.width);
    let slice_rows = or_extent(region.buffer_image_height, extent.height).div_ceil(block.height);
    let row_pitch = u64::from(row_blocks) * u64::from(block.bytes);
    let down = extent.height.div_ceil(block.height);
    let size = u64::from(extent.width.div_ceil(block.width)) * u64::from(block.bytes);
    let layers = 0..region.image_subresource.layer_count;
    let slices = move |layer| (0..extent.depth).map(move |slice| (layer, slice));
    let each = move |(layer, slice)| (0..down).map(move |row| (layer, slice, row));
    layers.flat_map(slices).flat_map(each).map(move |(layer, slice, row)| {
        let slices = u64::from(layer).checked_mul(u64::from(extent.depth))?;
        let slices = slices.checked_add(u64::from(slice))?;
        let rows = slices.checked_mul(u64::from(slice_rows))?.checked_add(u64::from(row))?;
        let buffer_offset = rows.checked_mul(row_pitch)?.checked_add(region.buffer_offset)?;
        buffer_offset.checked_add(size)?;
        let image_offset = image_offset(image, &region, layer, slice, row);
        Some(Row { buffer_offset, image_offset, size })
    })
}

/// Where a row of a region begins in the image, in which it lies.
fn image_offset(
    image: &ImageForm,
    region: &vk::BufferImageCopy,
    layer: u32,
    slice: u32,
    row: u32,
) -> u64 {
    let start = |offset: i32| u32::try_from(offset).expect("checked when it was recorded");
    let layers = region.image_subresource;
    let (across, down) = image.level_blocks(layers.mip_level);
    let x = u64::from(start(region.image_offset.x) / image.block.width);
    let y = u64::from(start(region.image_offset.y) / image.block.height + row);
    let z = u64::from(start(region.image_offset.z) + slice);
    // All within the image, whose size fits.
    let blocks = (z * down + y) * across + x;
    image.layer_offset(layers.mip_level, layers.base_array_layer + layer)
        + blocks * u64::from(image.block.bytes)
}
