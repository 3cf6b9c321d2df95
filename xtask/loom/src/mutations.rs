//! The planted faults: each is one change of a source file, and a model that must see it.

/// One planted fault.
#[derive(Debug)]
pub(crate) struct Mutation {
    /// Also the name of the module that has it.
    pub(crate) name: &'static str,
    /// The package and the file, from its `src/`.
    pub(crate) package: &'static str,
    pub(crate) file: &'static str,
    /// What stands in the file exactly once, and what takes its place.
    pub(crate) find: &'static str,
    pub(crate) replace: &'static str,
    /// The model that must fail, and a part of what it then says.
    pub(crate) model: &'static str,
    pub(crate) says: &'static str,
}

/// What loom says when every thread waits.
const DEADLOCK: &str = "deadlock";
/// What the pools say when a block has come without its memory object.
const NO_OBJECT: &str = "each block of the pool has its memory object";

/// What the models say when a block goes with the memory object of another.
const OTHERS_OBJECT: &str = "a block goes with its own memory object";

/// All of them.
pub(crate) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "an_arrival_wakes_nobody",
        package: "gpu-alloc-ash",
        file: "pools/wanted.rs",
        find: "        shard.notify();\n        Ok(Placed {",
        replace: "                Ok(Placed {",
        model: "one_block_is_made_for_three",
        says: DEADLOCK,
    },
    Mutation {
        name: "a_custom_pool_is_waited_for_elsewhere",
        package: "gpu-alloc-ash",
        file: "pools/asking.rs",
        find: "        let shard = if is_custom(class) { CUSTOM_SHARD } else { 0 };",
        replace: "        let shard = CUSTOM_SHARD & 0;",
        model: "one_block_of_a_custom_pool_is_made",
        says: "asked in vain",
    },
    Mutation {
        name: "a_refusal_wakes_nobody",
        package: "gpu-alloc-ash",
        file: "pools/wanted.rs",
        find: "            drop(locked);\n            shard.notify();",
        replace: "            drop(locked);",
        model: "a_refusal_wakes_who_waits",
        says: DEADLOCK,
    },
    Mutation {
        name: "a_lease_wakes_nobody",
        package: "gpu-alloc-ash",
        file: "pools/wanted.rs",
        find: "        shard.notify();\n        Some(Placed {",
        replace: "                Some(Placed {",
        model: "two_threads_of_one_branch_lease_once",
        says: DEADLOCK,
    },
    Mutation {
        name: "room_wakes_nobody",
        package: "gpu-alloc-ash",
        file: "pools/wanted.rs",
        find: "        entry.put_object(slot, object);\n        drop(locked);\n        shard.notify();",
        replace: "        entry.put_object(slot, object);\n        drop(locked);",
        model: "room_is_made_for_a_branch",
        says: DEADLOCK,
    },
    Mutation {
        name: "the_lock_is_let_go_before_the_wait",
        package: "gpu-alloc-ash",
        file: "pools/shard.rs",
        find: "            self.resolved.wait(&mut pools);",
        replace: "            drop(pools);\n            pools = self.pools.lock();\n            self.resolved.wait(&mut pools);",
        model: "one_block_is_made_for_three",
        says: DEADLOCK,
    },
    Mutation {
        name: "the_wait_is_for_nobody",
        package: "gpu-alloc-ash",
        file: "pools/asking.rs",
        find: "        self.shard(shard, class).wait(class, ticket);",
        replace: "        self.shard(shard, class).wait(ClassId(1), ticket);",
        model: "one_block_is_made_for_three",
        says: "asked in vain",
    },
    Mutation {
        name: "a_block_comes_before_its_object",
        package: "gpu-alloc-ash",
        file: "pools/wanted.rs",
        find: "        entry.put_object(place.slot(), object);\n        drop(locked);\n        if is_room {",
        replace: "        drop(locked);\n        shard.notify();\n        let mut locked = shard.lock();\n        locked.class(self.class).expect(\"it is there\").put_object(place.slot(), object);\n        drop(locked);\n        if is_room {",
        model: "one_block_is_made_for_three",
        says: "index out of bounds",
    },
    Mutation {
        name: "a_lease_comes_before_its_object",
        package: "gpu-alloc-ash",
        file: "pools/wanted.rs",
        find: "        entry.put_object(place.slot(), object);\n        entry.turns.room_came();\n        drop(locked);\n        shard.notify();\n        Some(Placed {",
        replace: "        drop(locked);\n        shard.notify();\n        let mut locked = shard.lock();\n        locked.class(self.class).expect(\"it is there\").put_object(place.slot(), object);\n        Some(Placed {",
        model: "two_threads_of_one_branch_lease_once",
        says: "index out of bounds",
    },
    Mutation {
        name: "a_freed_block_goes_before_its_object",
        package: "gpu-alloc-ash",
        file: "pools/freeing.rs",
        find: "                let left = entry.left(block);\n                drop(locked);\n                Ok(self.settle(class, left))",
        replace: "                drop(locked);\n                let mut locked = self.shard(0, class).lock();\n                let left = locked.class(class).expect(\"it is there\").left(block);\n                drop(locked);\n                Ok(self.settle(class, left))",
        model: "blocks_come_and_go",
        says: OTHERS_OBJECT,
    },
    Mutation {
        name: "a_trimmed_block_goes_before_its_object",
        package: "gpu-alloc-ash",
        file: "pools/freeing.rs",
        find: "        self.shards[0].lock().iter_mut().find_map(ClassPool::trim)",
        replace: "        let mut locked = self.shards[0].lock();\n        let (class, block) = locked.iter_mut().find_map(|entry| Some((entry.class(), entry.pool.trim()?)))?;\n        drop(locked);\n        let mut locked = self.shards[0].lock();\n        let object = locked.class(class)?.take_object(block.slot());\n        Some((block, object))",
        model: "an_empty_block_is_trimmed_or_used",
        says: OTHERS_OBJECT,
    },
    Mutation {
        name: "a_lease_ends_before_its_object",
        package: "gpu-alloc-ash",
        file: "pools/freeing.rs",
        find: "                while let Some(block) = entry.pool.trim() {\n                    match entry.left(block) {\n                        Left::Lease(lease) => leases.push((entry.class(), lease)),\n                        Left::Block(_) => unreachable!(\"branches have no blocks of the driver\"),\n                    }\n                }\n            }\n        }",
        replace: "                while let Some(block) = entry.pool.trim() {\n                    leases.push((entry.class(), block));\n                }\n            }\n        }\n        let leases: Vec<_> = leases.into_iter().map(|(class, block)| {\n            let mut locked = self.shards[index].lock();\n            match locked.class(class).expect(\"it is there\").left(block) {\n                Left::Lease(lease) => (class, lease),\n                Left::Block(_) => unreachable!(\"branches have no blocks of the driver\"),\n            }\n        }).collect();",
        model: "an_empty_lease_is_ended_or_used",
        says: NO_OBJECT,
    },
    Mutation {
        name: "what_a_lease_leaves_goes_before_its_object",
        package: "gpu-alloc-ash",
        file: "pools/freeing.rs",
        find: "        let block = entry.pool.shed()?;\n        Some(entry.spent(block))\n    }\n}",
        replace: "        let block = entry.pool.shed()?;\n        drop(trunk);\n        let mut trunk = self.shards[0].lock();\n        let object = trunk.class(class)?.take_object(block.slot());\n        Some((block, object))\n    }\n}",
        model: "a_freed_lease_empties_the_trunk",
        says: OTHERS_OBJECT,
    },
    Mutation {
        name: "empty_leases_stay",
        package: "gpu-alloc-ash",
        file: "pools/asking.rs",
        find: "is_returned |= self.end_empty_leases(index);",
        replace: "is_returned |= false;",
        model: "empty_leases_are_used_before_a_block_is_made",
        says: "blocks were made",
    },
    Mutation {
        name: "a_branch_waits_with_its_lock_held",
        package: "gpu-alloc-ash",
        file: "pools/asking.rs",
        find: "                    drop(locked);\n                    self.shards[home].wait(class, ticket);",
        replace: "                    self.shards[home].wait(class, ticket);\n                    drop(locked);",
        model: "two_threads_of_one_branch_lease_once",
        says: DEADLOCK,
    },
    Mutation {
        name: "nobody_is_told_to_wait",
        package: "vk-pool",
        file: "pool.rs",
        find: "self.pending.promise(claim)",
        replace: "self.pending.promise(claim).filter(|_| false)",
        model: "one_block_is_made_for_three",
        says: "blocks were made",
    },
    Mutation {
        name: "too_much_is_promised",
        package: "vk-pool",
        file: "pending.rs",
        find: ".is_some_and(|left| left >= claim)",
        replace: ".is_some_and(|left| left >= 1 || claim == 0)",
        model: "two_blocks_are_made_if_both_are_needed",
        says: "waited for a block that is too small",
    },
    Mutation {
        name: "a_smaller_block_is_not_on_its_way",
        package: "vk-pool",
        file: "pool/blocks.rs",
        find: "        self.pending.resize(request.ticket, size);",
        replace: "        self.pending.remove(request.ticket);",
        model: "a_smaller_block_is_not_enough_for_all",
        says: "the request is this pool's, and waits",
    },
    Mutation {
        name: "a_collision_takes_the_trunk_for_a_branch",
        package: "gpu-alloc-ash",
        file: "pools.rs",
        find: "(shard_number(index), self.shards[index].lock())",
        replace: "(index.to_le_bytes()[0], self.shards[0].lock())",
        model: "the_first_try_meets_others",
        says: "is not in the books of its shard",
    },
    Mutation {
        name: "what_is_lent_is_not_put_down",
        package: "vk-pool",
        file: "pool/lease.rs",
        find: "        self.lent.insert((place.slot(), place.offset), size);",
        replace: "",
        model: "a_branch_leases_while_the_trunk_is_used",
        says: "a lease is the trunk's until it is given here",
    },
    Mutation {
        name: "who_frees_has_it_put_into_its_own_shard",
        package: "gpu-alloc-ash",
        file: "pools/freeing.rs",
        find: "        self.shards.get(usize::from(shard))",
        replace: "        self.shards.get(usize::from(shard) & 0 | crate::home::home(self.shards.len()))",
        model: "another_thread_frees",
        says: "is not in the books of its shard",
    },
    Mutation {
        name: "bytes_are_raised_in_two_steps",
        package: "vk-pool",
        file: "budgets.rs",
        find: "fn raise_bytes(counter: &AtomicU64, amount: u64, limit: u64) -> Result<u64, u64> {\n    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| {\n        value.checked_add(amount).filter(|&sum| sum <= limit)\n    })",
        replace: "fn raise_bytes(counter: &AtomicU64, amount: u64, limit: u64) -> Result<u64, u64> {\n    let value = counter.load(Ordering::Relaxed);\n    let sum = value.checked_add(amount).filter(|&sum| sum <= limit).ok_or(value)?;\n    counter.store(sum, Ordering::Relaxed);\n    Ok(value)",
        model: "a_heap_limit_holds",
        says: "the limit was passed",
    },
    Mutation {
        name: "objects_are_raised_in_two_steps",
        package: "vk-pool",
        file: "budgets.rs",
        find: "fn raise(counter: &AtomicU32, amount: u32, limit: u32) -> Result<u32, u32> {\n    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| {\n        value.checked_add(amount).filter(|&sum| sum <= limit)\n    })",
        replace: "fn raise(counter: &AtomicU32, amount: u32, limit: u32) -> Result<u32, u32> {\n    let value = counter.load(Ordering::Relaxed);\n    let sum = value.checked_add(amount).filter(|&sum| sum <= limit).ok_or(value)?;\n    counter.store(sum, Ordering::Relaxed);\n    Ok(value)",
        model: "an_object_limit_holds",
        says: "the limit was passed",
    },
    Mutation {
        name: "bytes_are_lowered_in_two_steps",
        package: "vk-pool",
        file: "budgets.rs",
        find: "        let book = &self.heaps[heap_index as usize];\n        book.in_use.fetch_sub(size, Ordering::Relaxed);",
        replace: "        let book = &self.heaps[heap_index as usize];\n        let value = book.in_use.load(Ordering::Relaxed);\n        book.in_use.store(value - size, Ordering::Relaxed);",
        model: "a_block_leaves_while_another_comes",
        says: "the books balance at the end",
    },
    Mutation {
        name: "objects_are_lowered_in_two_steps",
        package: "vk-pool",
        file: "budgets.rs",
        find: "        book.in_use.fetch_sub(size, Ordering::Relaxed);\n        self.object_count.fetch_sub(1, Ordering::Relaxed);",
        replace: "        book.in_use.fetch_sub(size, Ordering::Relaxed);\n        let value = self.object_count.load(Ordering::Relaxed);\n        self.object_count.store(value - 1, Ordering::Relaxed);",
        model: "a_block_leaves_while_another_comes",
        says: "no object is counted at the end",
    },
    Mutation {
        name: "a_touch_comes_after_the_loss",
        package: "vk-pool",
        file: "evict/word.rs",
        find: "        self.change(|word| Some(raised(word, frame))).is_some()",
        replace: "        let word = self.0.load(Ordering::Acquire);\n        if word & LOST != 0 {\n            return false;\n        }\n        self.0.store(raised(word, frame), Ordering::Release);\n        true",
        model: "it_is_touched_or_lost",
        says: "it is ",
    },
    Mutation {
        name: "what_is_pinned_is_lost",
        package: "vk-pool",
        file: "evict/word.rs",
        find: "(word & PINS == 0 && is_old(word)).then_some(word | LOST)",
        replace: "is_old(word).then_some(word | LOST)",
        model: "it_is_looked_at_or_lost",
        says: "Causality violation",
    },
    Mutation {
        name: "the_last_use_is_not_seen_by_who_loses",
        package: "vk-pool",
        file: "evict/word.rs",
        find: "self.0.0.fetch_sub(ONE_PIN, Ordering::Release);",
        replace: "self.0.0.fetch_sub(ONE_PIN, Ordering::Relaxed);",
        model: "it_is_written_or_lost",
        says: "Causality violation",
    },
    Mutation {
        name: "it_is_lost_twice",
        package: "vk-pool",
        file: "evict/word.rs",
        find: "let next = |word: u64| if word & LOST != 0 { None } else { next(word) };",
        replace: "",
        model: "it_ends_once",
        says: "Causality violation",
    },
];

impl Mutation {
    /// Whether the fault is in what loom sees only with its own atomics.
    pub(crate) fn is_atomic(&self) -> bool {
        ["budgets.rs", "evict/word.rs"].contains(&self.file)
    }

    /// The text of a file of a package, with the fault if it belongs there.
    pub(crate) fn applied(&self, package: &str, file: &str, text: &str) -> String {
        if (package, file) == (self.package, self.file) {
            text.replacen(self.find, self.replace, 1)
        } else {
            text.to_owned()
        }
    }
}
