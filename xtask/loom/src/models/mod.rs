//! The models: a few threads, a few operations each, and what must hold in every order of them.
//!
//! This module is compiled once for each variant of the sources under test, which stand beside it as
//! `facade` and `vk_pool`.

mod books;
mod budgets;
mod evictions;
mod growth;
mod leases;
mod threads;
mod world;

use crate::Model;

/// All of them.
pub(crate) const MODELS: &[Model] = &[
    Model::of_locks("one_block_is_made_for_three", growth::one_block_is_made_for_three),
    Model::of_locks("two_blocks_are_made_if_both_are_needed", growth::two_blocks_are_made),
    Model::of_locks("a_refusal_wakes_who_waits", growth::a_refusal_wakes_who_waits),
    Model::of_locks("a_refusal_wakes_all_who_wait", growth::a_refusal_wakes_all_who_wait)
        .deep("a_refusal_wakes_who_waits"),
    Model::of_locks("a_smaller_block_is_not_enough_for_all", growth::a_smaller_block),
    Model::of_locks("blocks_come_and_go", growth::blocks_come_and_go),
    Model::of_locks("one_block_of_a_custom_pool_is_made", growth::one_block_of_a_custom_pool),
    Model::of_locks("an_empty_block_is_trimmed_or_used", growth::trimmed_or_used),
    Model::of_locks("the_first_try_meets_others", growth::the_first_try_meets_others),
    Model::of_locks("a_branch_leases_while_the_trunk_is_used", leases::leases_while_used),
    Model::of_locks("two_threads_of_one_branch_lease_once", leases::two_threads_of_one_branch),
    Model::of_locks("room_is_made_for_a_branch", leases::room_is_made),
    Model::of_locks("another_thread_frees", leases::another_thread_frees),
    Model::of_locks("a_freed_lease_empties_the_trunk", leases::a_freed_lease_empties_the_trunk),
    Model::of_locks("an_empty_lease_is_ended_or_used", leases::ended_or_used),
    Model::of_locks("empty_leases_are_used_before_a_block_is_made", leases::used_before_a_block),
    Model::of_atomics("a_heap_limit_holds", budgets::a_heap_limit_holds),
    Model::of_atomics("an_object_limit_holds", budgets::an_object_limit_holds),
    Model::of_atomics("a_block_leaves_while_another_comes", budgets::leaves_while_another_comes),
    Model::of_atomics("a_reservation_goes_while_another_comes", budgets::goes_while_another_comes)
        .deep("a_block_leaves_while_another_comes"),
    Model::of_atomics("it_is_touched_or_lost", evictions::touched_or_lost),
    Model::of_atomics("it_is_looked_at_or_lost", evictions::looked_at_or_lost),
    Model::of_atomics("it_is_written_or_lost", evictions::written_or_lost),
    Model::of_atomics("it_ends_once", evictions::ended_once),
];
