//! The wrong programs that the two name differently.

/// The version of Vulkan that the layer was written for of which the exceptions are. Each version
/// of the layer has its own names for some of the rules.
pub(super) const LAYER: &str = "1.3.239";

/// A program for which the two lists differ, with both.
pub(super) struct Exception {
    pub(super) name: &'static str,
    pub(super) simulated: &'static [&'static str],
    pub(super) layer: &'static [&'static str],
}

/// What that layer checks besides, or names otherwise; the comment says which.
pub(super) const EXCEPTIONS: &[Exception] = &[
    // The layer takes what is not mapped for a mapping of nothing as well.
    Exception {
        name: "flush what is not mapped",
        simulated: &["VUID-VkMappedMemoryRange-memory-00684"],
        layer: &["VUID-VkMappedMemoryRange-memory-00684", "VUID-VkMappedMemoryRange-size-00685"],
    },
    // The layer goes on to the size, of which nothing is left.
    Exception {
        name: "bind a buffer past the memory",
        simulated: &["VUID-vkBindBufferMemory-memoryOffset-01031"],
        layer: &[
            "VUID-vkBindBufferMemory-memoryOffset-01031",
            "VUID-vkBindBufferMemory-size-01037",
        ],
    },
    // The same, the size first.
    Exception {
        name: "bind an image past the memory",
        simulated: &["VUID-vkBindImageMemory-memoryOffset-01046"],
        layer: &["VUID-vkBindImageMemory-size-01049", "VUID-vkBindImageMemory-memoryOffset-01046"],
    },
    // The layer goes on to the size, of which nothing is left.
    Exception {
        name: "copy from past the end",
        simulated: &["VUID-vkCmdCopyBuffer-srcOffset-00113"],
        layer: &["VUID-vkCmdCopyBuffer-srcOffset-00113", "VUID-vkCmdCopyBuffer-size-00115"],
    },
    // The same.
    Exception {
        name: "copy to past the end",
        simulated: &["VUID-vkCmdCopyBuffer-dstOffset-00114"],
        layer: &["VUID-vkCmdCopyBuffer-dstOffset-00114", "VUID-vkCmdCopyBuffer-size-00116"],
    },
    // The layer has a rule for the region besides that for its axis.
    Exception {
        name: "upload past the width of an image",
        simulated: &["VUID-vkCmdCopyBufferToImage-pRegions-06218"],
        layer: &[
            "VUID-vkCmdCopyBufferToImage-pRegions-06218",
            "VUID-vkCmdCopyBufferToImage-pRegions-06217",
        ],
    },
    // The layer takes the level for one without texels as well.
    Exception {
        name: "upload to a level that is not there",
        simulated: &["VUID-vkCmdCopyBufferToImage-imageSubresource-01701"],
        layer: &[
            "VUID-vkCmdCopyBufferToImage-pRegions-06218",
            "VUID-vkCmdCopyBufferToImage-pRegions-06219",
            "VUID-vkCmdCopyBufferToImage-imageOffset-00200",
            "VUID-vkCmdCopyBufferToImage-pRegions-06217",
            "VUID-vkCmdCopyBufferToImage-imageSubresource-01701",
        ],
    },
    // The layer has a second rule for formats of one plane.
    Exception {
        name: "upload from within a texel",
        simulated: &["VUID-vkCmdCopyBufferToImage-bufferOffset-01558"],
        layer: &[
            "VUID-vkCmdCopyBufferToImage-bufferOffset-01558",
            "VUID-vkCmdCopyBufferToImage-pRegions-07273",
        ],
    },
    // The layer goes on to the number of levels, of which none is left.
    Exception {
        name: "clear a level that is not there",
        simulated: &["VUID-vkCmdClearColorImage-baseMipLevel-01470"],
        layer: &[
            "VUID-vkCmdClearColorImage-baseMipLevel-01470",
            "VUID-vkCmdClearColorImage-pRanges-01692",
        ],
    },
    // The same of layers.
    Exception {
        name: "clear a layer that is not there",
        simulated: &["VUID-vkCmdClearColorImage-baseArrayLayer-01472"],
        layer: &[
            "VUID-vkCmdClearColorImage-baseArrayLayer-01472",
            "VUID-vkCmdClearColorImage-pRanges-01693",
        ],
    },
    // The layer has a name of its own for this cause.
    Exception {
        name: "submit before the end",
        simulated: &["VUID-vkQueueSubmit-pCommandBuffers-00070"],
        layer: &["UNASSIGNED-CoreValidation-DrawState-NoEndCommandBuffer"],
    },
    // The layer has a name of its own for this cause.
    Exception {
        name: "submit what uses a destroyed buffer",
        simulated: &["VUID-vkQueueSubmit-pCommandBuffers-00070"],
        layer: &["UNASSIGNED-CoreValidation-DrawState-InvalidCommandBuffer-VkBuffer"],
    },
];
