//! Which CI is this? From the environment, pure.

/// The CI systems with reports of their own. Gitea and Forgejo speak GitHub's file protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ci {
    None,
    Github,
}
