//! Ids and stamps as every report shows them.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};

/// RFC 3339 has four digits for a year.
pub(super) fn is_rfc3339(stamp: &DateTime<Utc>) -> bool {
    (0..=9999).contains(&stamp.year())
}

/// RFC 3339 in UTC, whole seconds: `2024-01-13T06:00:00Z`.
pub fn stamp(stamp: DateTime<Utc>) -> String {
    stamp.to_rfc3339_opts(SecondsFormat::Secs, true)
}
