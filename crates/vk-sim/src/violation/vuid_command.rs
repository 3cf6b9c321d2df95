//! The names of the rules about commands, queues and fences.

use super::vuid::{owner, parameter};
use super::{ObjectKind, Role, Rule, Violation};
use crate::call::Call;
use crate::record::CommandState;

impl Violation {
    /// Owner and clause, as in `VUID-owner-clause`.
    pub(super) fn command_rule(&self) -> Option<(&'static str, &'static str)> {
        let owner = self.call.name();
        if let Rule::ShortRows { member, .. } = self.rule {
            let is_row = member == "bufferRowLength";
            return Some((
                "VkBufferImageCopy",
                if is_row { "bufferRowLength-00195" } else { "bufferImageHeight-00196" },
            ));
        }
        if let Rule::TransferMemory { kind, .. } = self.rule
            && matches!(self.call, Call::CmdPipelineBarrier | Call::CmdPipelineBarrier2)
        {
            let is_image = kind == ObjectKind::Image;
            let clause = if is_image { "image-01932" } else { "buffer-01931" };
            return Some((self.barrier_structure(kind), clause));
        }
        let clause = match self.rule {
            Rule::InUse { .. } => self.in_use_clause()?,
            Rule::WrongState { state, .. } => self.state_clause(state)?,
            Rule::NoSingleReset { .. } if self.call == Call::ResetCommandBuffer => {
                "commandBuffer-00046"
            }
            Rule::NoSingleReset { .. } => "commandBuffer-00050",
            Rule::FenceSignaled { .. } if self.call == Call::QueueSubmit2 => "fence-04894",
            Rule::FenceSignaled { .. } => "fence-00063",
            Rule::QueueOutOfRange { .. } if self.call == Call::CreateCommandPool => {
                "queueFamilyIndex-01937"
            }
            Rule::QueueOutOfRange { member: "queueIndex", .. } => "queueIndex-00385",
            Rule::QueueOutOfRange { .. } => "queueFamilyIndex-00384",
            Rule::TransferUsage { role, .. } => self.usage_clause(role)?,
            Rule::TransferMemory { role, .. } => self.memory_clause(role)?,
            _ => self.range_clause()?,
        };
        Some((owner, clause))
    }

    /// Owner and clause for a handle of this kind that is of no living object: commands have a
    /// source and a destination, and what is in a structure or an array is listed there.
    pub(super) fn parameter_rule(&self, kind: ObjectKind) -> (&'static str, &'static str) {
        use ObjectKind::{Buffer, CommandBuffer, CommandPool, Fence, Image};
        let owner = owner(self.call);
        match (self.call, kind) {
            (Call::AllocateMemory, kind) => ("VkMemoryDedicatedAllocateInfo", parameter(kind)),
            (Call::CmdFillBuffer | Call::CmdUpdateBuffer | Call::CmdCopyImageToBuffer, Buffer) => {
                (owner, "dstBuffer-parameter")
            }
            (Call::CmdCopyBuffer | Call::CmdCopyBufferToImage, Buffer) => {
                (owner, "srcBuffer-parameter")
            }
            (Call::CmdCopyBufferToImage, Image) => (owner, "dstImage-parameter"),
            (Call::CmdCopyImageToBuffer, Image) => (owner, "srcImage-parameter"),
            (Call::CmdPipelineBarrier | Call::CmdPipelineBarrier2, Buffer | Image) => {
                (self.barrier_structure(kind), parameter(kind))
            }
            (Call::AllocateCommandBuffers, CommandPool) => {
                ("VkCommandBufferAllocateInfo", parameter(kind))
            }
            (Call::FreeCommandBuffers, CommandBuffer) => (owner, "pCommandBuffers-00048"),
            (Call::QueueSubmit, CommandBuffer) => ("VkSubmitInfo", "pCommandBuffers-parameter"),
            (Call::QueueSubmit2, CommandBuffer) => ("VkCommandBufferSubmitInfo", parameter(kind)),
            (Call::ResetFences | Call::WaitForFences, Fence) => (owner, "pFences-parameter"),
            _ => (owner, parameter(kind)),
        }
    }

    fn barrier_structure(&self, kind: ObjectKind) -> &'static str {
        match (self.call, kind) {
            (Call::CmdPipelineBarrier2, ObjectKind::Image) => "VkImageMemoryBarrier2",
            (Call::CmdPipelineBarrier2, _) => "VkBufferMemoryBarrier2",
            (_, ObjectKind::Image) => "VkImageMemoryBarrier",
            _ => "VkBufferMemoryBarrier",
        }
    }

    fn in_use_clause(&self) -> Option<&'static str> {
        Some(match self.call {
            Call::FreeMemory => "memory-00677",
            Call::DestroyBuffer => "buffer-00922",
            Call::DestroyImage => "image-01000",
            Call::DestroyFence => "fence-01120",
            Call::ResetFences => "pFences-01123",
            Call::DestroyCommandPool => "commandPool-00041",
            Call::ResetCommandPool => "commandPool-00040",
            Call::FreeCommandBuffers => "pCommandBuffers-00047",
            Call::ResetCommandBuffer => "commandBuffer-00045",
            Call::QueueSubmit => "fence-00064",
            Call::QueueSubmit2 => "fence-04895",
            _ => return None,
        })
    }

    fn state_clause(&self, state: CommandState) -> Option<&'static str> {
        Some(match (self.call, state) {
            (Call::BeginCommandBuffer, _) => "commandBuffer-00049",
            (Call::EndCommandBuffer, _) => "commandBuffer-00059",
            (Call::QueueSubmit, CommandState::Pending) => "pCommandBuffers-00071",
            (Call::QueueSubmit, _) => "pCommandBuffers-00070",
            (Call::QueueSubmit2, CommandState::Pending) => "commandBuffer-03875",
            (Call::QueueSubmit2, _) => "commandBuffer-03874",
            _ => "commandBuffer-recording",
        })
    }

    fn usage_clause(&self, role: Role) -> Option<&'static str> {
        Some(match (self.call, role) {
            (Call::CmdCopyBuffer, Role::Source) => "srcBuffer-00118",
            (Call::CmdCopyBuffer, Role::Destination) => "dstBuffer-00120",
            (Call::CmdFillBuffer, _) => "dstBuffer-00029",
            (Call::CmdUpdateBuffer, _) => "dstBuffer-00034",
            (Call::CmdCopyBufferToImage, Role::Source) => "srcBuffer-00174",
            (Call::CmdCopyBufferToImage, Role::Destination) => "dstImage-00177",
            (Call::CmdCopyImageToBuffer, Role::Source) => "srcImage-00186",
            (Call::CmdCopyImageToBuffer, Role::Destination) => "dstBuffer-00191",
            (Call::CmdClearColorImage, _) => "image-00002",
            _ => return None,
        })
    }

    fn memory_clause(&self, role: Role) -> Option<&'static str> {
        Some(match (self.call, role) {
            (Call::CmdCopyBuffer, Role::Source) => "srcBuffer-00119",
            (Call::CmdCopyBuffer, Role::Destination) => "dstBuffer-00121",
            (Call::CmdFillBuffer, _) => "dstBuffer-00031",
            (Call::CmdUpdateBuffer, _) => "dstBuffer-00035",
            (Call::CmdCopyBufferToImage, Role::Source) => "srcBuffer-00176",
            (Call::CmdCopyBufferToImage, Role::Destination) => "dstImage-00178",
            (Call::CmdCopyImageToBuffer, Role::Source) => "srcImage-00187",
            (Call::CmdCopyImageToBuffer, Role::Destination) => "dstBuffer-00192",
            (Call::CmdClearColorImage, _) => "image-00003",
            _ => return None,
        })
    }

    fn range_clause(&self) -> Option<&'static str> {
        use Role::{Destination, Source};
        Some(match (self.call, self.rule) {
            (Call::CmdCopyBuffer, Rule::TransferOffset { role: Source, .. }) => "srcOffset-00113",
            (Call::CmdCopyBuffer, Rule::TransferOffset { role: Destination, .. }) => {
                "dstOffset-00114"
            }
            (Call::CmdFillBuffer, Rule::TransferOffset { .. }) => "dstOffset-00024",
            (Call::CmdUpdateBuffer, Rule::TransferOffset { .. }) => "dstOffset-00032",
            (Call::CmdCopyBuffer, Rule::TransferSize { role: Source, .. }) => "size-00115",
            (Call::CmdCopyBuffer, Rule::TransferSize { role: Destination, .. }) => "size-00116",
            (Call::CmdFillBuffer, Rule::TransferSize { .. }) => "size-00027",
            (Call::CmdUpdateBuffer, Rule::TransferSize { .. }) => "dataSize-00033",
            (Call::CmdCopyBufferToImage, Rule::TransferSize { .. }) => "pRegions-00171",
            (Call::CmdCopyImageToBuffer, Rule::TransferSize { .. }) => "pRegions-00183",
            (Call::CmdFillBuffer, Rule::TransferNotOnWord { member: "size", .. }) => "size-00028",
            (Call::CmdFillBuffer, Rule::TransferNotOnWord { .. }) => "dstOffset-00025",
            (_, Rule::TransferNotOnWord { member: "dataSize", .. }) => "dataSize-00038",
            (_, Rule::TransferNotOnWord { .. }) => "dstOffset-00036",
            (_, Rule::UpdateTooLarge { .. }) => "dataSize-00037",
            (_, Rule::TransferOverlap { .. }) => "pRegions-00117",
            (Call::CmdClearColorImage, Rule::NoSubresource { member, .. }) => match member {
                "baseMipLevel" => "baseMipLevel-01470",
                "levelCount" => "pRanges-01692",
                "baseArrayLayer" => "baseArrayLayer-01472",
                _ => "pRanges-01693",
            },
            (_, Rule::ClearLayout { .. }) => "imageLayout-00005",
            (_, Rule::ClearAspect { .. }) => "aspectMask-02498",
            (_, Rule::ClearFormat { .. }) => "image-00007",
            (Call::CmdCopyBufferToImage, Rule::NoSubresource { member: "mipLevel", .. }) => {
                "imageSubresource-01701"
            }
            (Call::CmdCopyBufferToImage, Rule::NoSubresource { .. }) => "imageSubresource-01702",
            (_, Rule::NoSubresource { member: "mipLevel", .. }) => "imageSubresource-01703",
            (_, Rule::NoSubresource { .. }) => "imageSubresource-01704",
            (_, Rule::TexelsOutside { axis: "z", .. }) => "imageOffset-00200",
            (Call::CmdCopyBufferToImage, Rule::TexelsOutside { axis: "x", .. }) => "pRegions-06218",
            (Call::CmdCopyBufferToImage, Rule::TexelsOutside { .. }) => "pRegions-06219",
            (_, Rule::TexelsOutside { axis: "x", .. }) => "pRegions-06221",
            (_, Rule::TexelsOutside { .. }) => "pRegions-06222",
            (_, Rule::TexelOffset { .. }) => "bufferOffset-01558",
            _ => return None,
        })
    }
}
