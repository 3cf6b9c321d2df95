//! The drivers: where each comes from, how it is started, and whether it executes.
//!
//! The drivers of GPUs that nobody here has are Mesa's own, on the stand-ins for their kernel side
//! that Mesa has for its tests ("DRM shim"): all that a driver decides by itself is real, and nothing
//! is executed.

/// Which packages a driver is unpacked from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// None: it is installed on this machine.
    Machine,
    /// Mesa for the machine's own release, from its backports.
    Backports,
    /// Chromium, which has a software driver and Khronos' mock.
    Chromium,
    /// Mesa for the release in development, with all the libraries that it needs.
    Development,
}

impl Origin {
    /// Those that something is unpacked for.
    pub(crate) const UNPACKED: [Self; 3] = [Self::Backports, Self::Chromium, Self::Development];

    /// The name of the folder it is unpacked into.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Backports => "backports",
            Self::Chromium => "chromium",
            Self::Development => "development",
        }
    }
}

/// One device to test on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Driver {
    /// What it is called on the command line, and in [`GPU_TESTS_DRIVER`](crate::gpu).
    pub(crate) name: &'static str,
    pub(crate) origin: Origin,
    /// The file name of its library.
    pub(crate) library: &'static str,
    /// The stand-in for the kernel's side, by the name in its file name.
    pub(crate) shim: Option<&'static str>,
    /// The variable that tells the stand-in which GPU it is, and the GPU.
    pub(crate) gpu: Option<(&'static str, &'static str)>,
    /// What the tests look for in the device's or driver's name, so that they run on no other.
    pub(crate) requires: &'static str,
    /// Whether commands are executed.
    pub(crate) executes: bool,
}

/// Every driver, in the order in which they are run.
pub(crate) const DRIVERS: [Driver; 12] = [
    software("lavapipe", Origin::Machine, "", "lavapipe"),
    software("lavapipe-backports", Origin::Backports, "libvulkan_lvp.so", "lavapipe"),
    software("lavapipe-development", Origin::Development, "libvulkan_lvp.so", "lavapipe"),
    software("swiftshader", Origin::Chromium, "libvk_swiftshader.so", "swiftshader"),
    radv("radv-navi21", "navi21", "NAVI21"),
    radv("radv-navi31", "navi31", "NAVI31"),
    radv("radv-phoenix", "phoenix", "PHOENIX"),
    nvk("nvk-ada", "192"),
    nvk("nvk-kepler", "f0"),
    Driver {
        library: "libvulkan_freedreno.so",
        gpu: Some(("FD_GPU_ID", "740")),
        ..on_shim("turnip", "freedreno", "Turnip Adreno")
    },
    Driver { library: "libvulkan_asahi.so", ..on_shim("honeykrisp", "asahi", "Honeykrisp") },
    Driver {
        executes: false,
        ..software("mock", Origin::Chromium, "libVkICD_mock_icd.so", "Vulkan Mock Device")
    },
];

const fn software(
    name: &'static str,
    origin: Origin,
    library: &'static str,
    requires: &'static str,
) -> Driver {
    Driver { name, origin, library, shim: None, gpu: None, requires, executes: true }
}

const fn on_shim(name: &'static str, shim: &'static str, requires: &'static str) -> Driver {
    let origin = Origin::Development;
    Driver { name, origin, library: "", shim: Some(shim), gpu: None, requires, executes: false }
}

const fn radv(name: &'static str, gpu: &'static str, requires: &'static str) -> Driver {
    Driver {
        library: "libvulkan_radeon.so",
        gpu: Some(("AMDGPU_GPU_ID", gpu)),
        ..on_shim(name, "amdgpu", requires)
    }
}

/// Its devices have no names; the table of `vk-sim` tells them apart.
const fn nvk(name: &'static str, chipset: &'static str) -> Driver {
    Driver {
        library: "libvulkan_nouveau.so",
        gpu: Some(("NOUVEAU_CHIPSET", chipset)),
        ..on_shim(name, "nouveau", "NVK")
    }
}

/// The drivers of that name or family (`radv` for all that begin with `radv-`), or all.
pub(crate) fn named(name: &str) -> Vec<&'static Driver> {
    let exact: Vec<_> = DRIVERS.iter().filter(|driver| driver.name == name).collect();
    if !exact.is_empty() {
        return exact;
    }
    let of_family = |driver: &&Driver| {
        name == "all" || driver.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
    };
    DRIVERS.iter().filter(of_family).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str) -> Vec<&'static str> {
        named(name).iter().map(|driver| driver.name).collect()
    }

    #[test]
    fn a_driver_is_named_alone_with_its_family_or_with_all() {
        assert_eq!(names("turnip"), ["turnip"]);
        assert_eq!(names("radv"), ["radv-navi21", "radv-navi31", "radv-phoenix"]);
        assert_eq!(names("lavapipe"), ["lavapipe"]);
        assert_eq!(names("nvk-kepler"), ["nvk-kepler"]);
        assert_eq!(named("all").len(), DRIVERS.len());
        assert_eq!(names("voodoo"), [""; 0]);
        assert_eq!(names("rad"), [""; 0]);
    }

    #[test]
    fn names_differ_and_what_has_no_kernel_side_executes_nothing() {
        for (index, driver) in DRIVERS.iter().enumerate() {
            assert!(DRIVERS[..index].iter().all(|before| before.name != driver.name));
            assert!(driver.shim.is_none() || !driver.executes, "{}", driver.name);
            assert_eq!(driver.library.is_empty(), driver.origin == Origin::Machine);
        }
    }
}
