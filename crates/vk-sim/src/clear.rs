//! Clearing colour images: checked when it is recorded.

use ash::vk;

use crate::command::Command;
use crate::image::ImageForm;
use crate::state::{CallResult, Entered};
use crate::violation::{Role, Rule};

/// The layouts that clears take without `VK_KHR_shared_presentable_image`.
const LAYOUTS: [vk::ImageLayout; 2] =
    [vk::ImageLayout::TRANSFER_DST_OPTIMAL, vk::ImageLayout::GENERAL];

impl Entered<'_> {
    pub(crate) fn clear_image(
        &mut self,
        command_buffer: u64,
        image: u64,
        layout: vk::ImageLayout,
        color: [u32; 4],
        mut ranges: Vec<vk::ImageSubresourceRange>,
    ) -> CallResult<()> {
        self.recording(command_buffer)?;
        let form = self.transfer_image(Role::Destination, image)?;
        if !form.is_clearable {
            return Err(self.refuse(Rule::ClearFormat { image }));
        }
        if !LAYOUTS.contains(&layout) {
            return Err(self.refuse(Rule::ClearLayout { layout: layout.as_raw() }));
        }
        if ranges.is_empty() {
            return Err(self.refuse(Rule::ZeroSize));
        }
        for range in &mut ranges {
            self.check_subresources(&form, range)?;
        }
        let bytes = color.iter().flat_map(|word| word.to_ne_bytes());
        // A texel has at most 32 bytes.
        let texel = bytes.cycle().take(form.block.bytes as usize).collect();
        self.push(command_buffer, Command::ClearImage { image, texel, ranges })
    }

    /// Checks a range, and writes out how many levels and layers are all that remain.
    fn check_subresources(
        &mut self,
        form: &ImageForm,
        range: &mut vk::ImageSubresourceRange,
    ) -> CallResult<()> {
        if range.aspect_mask != vk::ImageAspectFlags::COLOR {
            let aspect = range.aspect_mask.as_raw();
            return Err(self.refuse(Rule::ClearAspect { aspect }));
        }
        let levels = ["baseMipLevel", "levelCount"];
        let (base, count) = (range.base_mip_level, range.level_count);
        range.level_count =
            self.check_run(levels, (base, count, vk::REMAINING_MIP_LEVELS), form.mip_levels)?;
        let layers = ["baseArrayLayer", "layerCount"];
        let (base, count) = (range.base_array_layer, range.layer_count);
        range.layer_count =
            self.check_run(layers, (base, count, vk::REMAINING_ARRAY_LAYERS), form.array_layers)?;
        Ok(())
    }

    /// How many of an image's levels or layers are meant: `count` from `base` on, or all that remain.
    fn check_run(
        &mut self,
        [base_member, count_member]: [&'static str; 2],
        (base, count, remaining): (u32, u32, u32),
        there: u32,
    ) -> CallResult<u32> {
        if base >= there {
            let rule = Rule::NoSubresource { member: base_member, value: base, count: there };
            return Err(self.refuse(rule));
        }
        // `base < there` was checked above.
        let left = there - base;
        match count {
            count if count == remaining => Ok(left),
            0 => Err(self.refuse(Rule::ZeroExtent { member: count_member })),
            count if count > left => {
                let rule = Rule::NoSubresource { member: count_member, value: count, count: left };
                Err(self.refuse(rule))
            }
            count => Ok(count),
        }
    }
}
