//! What happens before a call: a test's own function, and a delay.
//!
//! Basic design: both come before the state's lock is taken, so a call that waits here holds up no
//! other call. As long as nothing is set, a call looks at one flag.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::call::Call;

type Hook = Arc<dyn Fn(Call) + Send + Sync>;

/// What to do before which call.
#[derive(Default)]
pub(crate) struct Pace {
    is_set: AtomicBool,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    delays: BTreeMap<Call, Duration>,
    hook: Option<Hook>,
}

impl Pace {
    /// Waits as long as it was told to, with no lock held.
    pub(crate) fn before(&self, call: Call) {
        if !self.is_set.load(Ordering::Acquire) {
            return;
        }
        let (hook, delay) = {
            let plan = self.plan();
            (plan.hook.clone(), plan.delays.get(&call).copied())
        };
        if let Some(hook) = hook {
            hook(call);
        }
        if let Some(delay) = delay {
            thread::sleep(delay);
        }
    }

    pub(crate) fn set_delay(&self, call: Call, delay: Duration) {
        let mut plan = self.plan();
        if delay.is_zero() {
            plan.delays.remove(&call);
        } else {
            plan.delays.insert(call, delay);
        }
        self.note(&plan);
    }

    pub(crate) fn set_hook(&self, hook: Option<Hook>) {
        let mut plan = self.plan();
        plan.hook = hook;
        self.note(&plan);
    }

    fn note(&self, plan: &Plan) {
        let is_set = plan.hook.is_some() || !plan.delays.is_empty();
        self.is_set.store(is_set, Ordering::Release);
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock()
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan();
        f.debug_struct("Pace")
            .field("delays", &plan.delays)
            .field("has_hook", &plan.hook.is_some())
            .finish()
    }
}
