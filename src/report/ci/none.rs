//! No CI system: a person at a terminal, or a container step in Tekton or Argo.

use super::{CiSystem, Folded, LogContext, PLAIN};
use crate::report::escape;

/// Argo Workflows has no mark, but a file in which it reads.
pub(super) static NONE: CiSystem = CiSystem { names: &["none"], command_files: &["ARGO_PROGRESS_FILE"], ..PLAIN };

/// A heading, and the text behind a gutter.
pub(super) fn fold(piece: &Folded, _context: &LogContext<'_>) -> String {
    let heading = escape::log_line(&format!("{}:", piece.title));
    format!("{heading}\n{}\n", escape::gutter(&piece.text).trim_end_matches('\n'))
}
