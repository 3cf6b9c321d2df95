//! What a planted fault is.

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
