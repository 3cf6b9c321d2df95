//! The name that the specification gives each rule.
//!
//! Numbers as in Vulkan 1.3.239, whose validation layer Debian 12 has; a few have others since.

use super::{ObjectKind, Rule, Violation};
use crate::call::Call;

impl Violation {
    /// The rule's name, such as `VUID-vkMapMemory-memory-00678`; `None` for practices and for
    /// rules that the specification states in prose only.
    #[must_use]
    pub fn vuid(&self) -> Option<String> {
        let (owner, clause) = self.owner_and_clause()?;
        Some(format!("VUID-{owner}-{clause}"))
    }

    fn owner_and_clause(&self) -> Option<(&'static str, &'static str)> {
        const DEDICATED: &str = "VkMemoryDedicatedAllocateInfo";
        let owner = owner(self.call);
        Some(match self.rule {
            Rule::UnknownHandle { kind, .. } => self.parameter_rule(kind),
            Rule::UnknownDestination { .. } => (owner, "dstBuffer-parameter"),
            Rule::DeviceDestroyed => (self.call.name(), "device-parameter"),
            Rule::DeviceCoherentMemory { .. } => (owner, "deviceCoherentMemory-02790"),
            Rule::PriorityOutOfRange { .. } => {
                ("VkMemoryPriorityAllocateInfoEXT", "priority-02602")
            }
            Rule::ZeroSize | Rule::ZeroExtent { .. } => return self.zero_rule(),
            Rule::LargerThanHeap { .. } => (owner, "pAllocateInfo-01713"),
            Rule::MemoryTypeOutOfRange { .. } => (owner, "pAllocateInfo-01714"),
            Rule::TooManyAllocations { .. } => (owner, "maxMemoryAllocationCount-04101"),
            Rule::DedicatedToTwo { .. } => (DEDICATED, "image-01432"),
            Rule::DedicatedSize { kind: ObjectKind::Image, .. } => (DEDICATED, "image-01433"),
            Rule::DedicatedSize { .. } => (DEDICATED, "buffer-01435"),
            Rule::MappedTwice { .. } => (owner, "memory-00678"),
            Rule::MapOffset { .. } => (owner, "offset-00679"),
            Rule::MapSize { .. } => (owner, "size-00681"),
            Rule::NotHostVisible { .. } => (owner, "memory-00682"),
            Rule::NotMapped { .. } if self.call == Call::UnmapMemory => (owner, "memory-00689"),
            Rule::NotMapped { .. } => (owner, "memory-00684"),
            Rule::RangeOutsideMapping { size: ash::vk::WHOLE_SIZE, .. } => (owner, "size-00686"),
            Rule::RangeOutsideMapping { .. } => (owner, "size-00685"),
            Rule::RangeOffsetNotOnAtom { .. } => (owner, "offset-00687"),
            Rule::MappingEndNotOnAtom { .. } => (owner, "size-01389"),
            Rule::RangeEndNotOnAtom { .. } => (owner, "size-01390"),
            Rule::AddressOfUnbound { .. } => (owner, "buffer-02600"),
            Rule::AddressWithoutUsage { .. } => (owner, "buffer-02601"),
            Rule::Leak { kind: ObjectKind::Device, .. } => (owner, "instance-00629"),
            Rule::Leak { .. } => (owner, "device-00378"),
            _ => match self.bind_clause() {
                Some(clause) => (owner, clause),
                None => return self.command_rule(),
            },
        })
    }

    /// Owner and clause of a rule against zeros.
    fn zero_rule(&self) -> Option<(&'static str, &'static str)> {
        let owner = self.call.name();
        let Rule::ZeroExtent { member } = self.rule else {
            return Some(match self.call {
                Call::CmdCopyBuffer => ("VkBufferCopy", "size-01988"),
                Call::CmdFillBuffer => (owner, "size-00026"),
                Call::CmdClearColorImage => (owner, "rangeCount-arraylength"),
                Call::CmdUpdateBuffer => (owner, "dataSize-arraylength"),
                Call::AllocateMemory => ("VkMemoryAllocateInfo", "allocationSize-00638"),
                Call::CreateBuffer | Call::GetDeviceBufferMemoryRequirements => {
                    ("VkBufferCreateInfo", "size-00912")
                }
                Call::MapMemory => (owner, "size-00680"),
                _ => return None,
            });
        };
        if self.call == Call::CmdClearColorImage {
            let is_level = member == "levelCount";
            let clause = if is_level { "levelCount-01720" } else { "layerCount-01721" };
            return Some(("VkImageSubresourceRange", clause));
        }
        if matches!(self.call, Call::CmdCopyBufferToImage | Call::CmdCopyImageToBuffer) {
            let clause = match member {
                "width" => "imageExtent-06659",
                "height" => "imageExtent-06660",
                _ => "imageExtent-06661",
            };
            return Some(("VkBufferImageCopy", clause));
        }
        let clause = match member {
            "width" => "extent-00944",
            "height" => "extent-00945",
            "depth" => "extent-00946",
            "mipLevels" => "mipLevels-00947",
            _ => "arrayLayers-00948",
        };
        Some(("VkImageCreateInfo", clause))
    }

    /// The clause of a rule about binding, which differs by resource, and for images by function.
    fn bind_clause(&self) -> Option<&'static str> {
        use ObjectKind::Image;
        let is_image2 = self.call == Call::BindImageMemory2;
        Some(match self.rule {
            Rule::BoundTwice { kind: Image, .. } => "image-07460",
            Rule::BoundTwice { .. } => "buffer-07459",
            Rule::BindOffset { kind: Image, .. } => "memoryOffset-01046",
            Rule::BindOffset { .. } => "memoryOffset-01031",
            Rule::BindMemoryType { kind: Image, .. } if is_image2 => "pNext-01615",
            Rule::BindMemoryType { kind: Image, .. } => "memory-01047",
            Rule::BindMemoryType { .. } => "memory-01035",
            Rule::BindAlignment { kind: Image, .. } if is_image2 => "pNext-01616",
            Rule::BindAlignment { kind: Image, .. } => "memoryOffset-01048",
            Rule::BindAlignment { .. } => "memoryOffset-01036",
            Rule::BindSize { kind: Image, .. } if is_image2 => "pNext-01617",
            Rule::BindSize { kind: Image, .. } => "size-01049",
            Rule::BindSize { .. } => "size-01037",
            Rule::BindNotDedicated { kind: Image, .. } => "image-01445",
            Rule::BindNotDedicated { .. } => "buffer-01444",
            Rule::BindDedicatedElsewhere { kind: Image, .. } => "memory-01509",
            Rule::BindDedicatedElsewhere { .. } => "memory-01508",
            Rule::MissingDeviceAddressFlag { .. } => "bufferDeviceAddress-03339",
            _ => return None,
        })
    }
}

/// The function, or the structure it takes, that the specification lists the rule under.
pub(super) fn owner(call: Call) -> &'static str {
    match call {
        Call::FlushMappedMemoryRanges | Call::InvalidateMappedMemoryRanges => "VkMappedMemoryRange",
        Call::BindBufferMemory2 => "VkBindBufferMemoryInfo",
        Call::BindImageMemory2 => "VkBindImageMemoryInfo",
        Call::GetBufferMemoryRequirements2 => "VkBufferMemoryRequirementsInfo2",
        Call::GetImageMemoryRequirements2 => "VkImageMemoryRequirementsInfo2",
        Call::GetBufferDeviceAddress => "VkBufferDeviceAddressInfo",
        _ => call.name(),
    }
}

pub(super) fn parameter(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Memory => "memory-parameter",
        ObjectKind::Buffer => "buffer-parameter",
        ObjectKind::Image => "image-parameter",
        ObjectKind::CommandPool => "commandPool-parameter",
        ObjectKind::CommandBuffer => "commandBuffer-parameter",
        ObjectKind::Fence => "fence-parameter",
        ObjectKind::Device => "device-parameter",
    }
}
