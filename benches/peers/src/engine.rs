//! What every engine does here.

/// An engine with its flags and its visitors, of whom it knows all before it is asked.
pub trait Engine {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Decides every flag for one visitor. How many are on.
    fn decide(&self, visitor: usize) -> usize;
}
