//! A limit on what is written, and what is left of it.

/// How many bytes are left.
pub(super) struct Room(pub usize);

impl Room {
    /// Takes so many of them; false if there are not enough, and then none are taken.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}
