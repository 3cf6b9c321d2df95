//! Configurations at random, for the tests that run programs.

use proptest::prelude::*;
use vk_pool::linear::LinearKind;
use vk_pool::{Algorithm, PoolConfig, Retention};

use super::{Honest, KIB, MIB};

/// Adaptive pools of every algorithm that may have several blocks.
pub(crate) fn configs() -> impl Strategy<Value = PoolConfig> {
    let granularity = prop_oneof![Just(1u64), Just(64), Just(1024), Just(65536)];
    let atom = prop_oneof![3 => Just(1u64), 1 => Just(64), 1 => Just(256), 1 => Just(4096)];
    let min = prop_oneof![Just(1u64), Just(16), Just(256)];
    let floor = prop_oneof![Just(0u64), Just(MIB), Just(8 * MIB)];
    let algorithm = prop_oneof![
        3 => Just(Algorithm::TwoTier),
        1 => Just(Algorithm::Tlsf),
        1 => Just(Algorithm::Buddy),
        1 => Just(Algorithm::Linear(LinearKind::Auto)),
        1 => Just(Algorithm::Linear(LinearKind::FreeAtOnce)),
        1 => Just(Algorithm::Linear(LinearKind::Stack)),
        1 => any::<()>().prop_map(|()| Honest::algorithm()),
    ];
    (granularity, atom, min, floor, 0u64..4, algorithm).prop_map(
        |(granularity, atom, min, floor_bytes, growth_divisor, algorithm)| PoolConfig {
            algorithm,
            buffer_image_granularity: granularity,
            atom_size: atom,
            min_allocation_size: min,
            first_block_size: MIB,
            largest_block_size: 4 * MIB,
            smallest_block_size: 256 * KIB,
            dedicated_above: MIB,
            growth_divisor,
            retention: Retention { floor_bytes, live_divisor: 4 },
            ..PoolConfig::default()
        },
    )
}

/// Pools of one block size that is no power of two, and of a few blocks at most.
pub(crate) fn fixed_configs() -> impl Strategy<Value = PoolConfig> {
    let one_block = prop_oneof![
        Just(Algorithm::Linear(LinearKind::Ring)),
        Just(Algorithm::Linear(LinearKind::DoubleStack)),
        Just(Algorithm::Linear(LinearKind::Auto)),
        Just(Algorithm::Buddy),
    ];
    let size = prop_oneof![Just(3 * MIB), 2 * MIB..5 * MIB];
    let min_alignment = prop_oneof![3 => Just(1u64), 1 => Just(512), 1 => Just(16_384)];
    (configs(), one_block, size, 1u32..4, min_alignment).prop_map(
        |(config, one_block, size, max_block_count, min_alignment)| PoolConfig {
            algorithm: if max_block_count == 1 { one_block } else { config.algorithm.clone() },
            max_block_count: Some(max_block_count),
            min_alignment,
            ..config.with_block_size(size)
        },
    )
}
