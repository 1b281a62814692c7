//! Each change is reported once.

use super::*;

#[test]
fn what_changed_is_reported_once() {
    let mut gate = Gate::new(usual(), vec![target("r")]);
    let mut events = Vec::new();
    let story = [
        not_visible(),
        not_visible(),
        record("RUNNING"),
        record("RUNNING"),
        unusable(),
        unusable(),
        record("RUNNING"),
        not_visible(),
        record("SUCCESS"),
    ];
    for (n, observation) in (1..).zip(story) {
        gate.observe(0, SECOND * n, plain(observation), &mut events);
    }
    let response: Vec<(u64, &str)> = events
        .iter()
        .map(|timed_event| {
            let name = match &timed_event.event {
                Event::Status { .. } => "status",
                Event::UnknownWord { .. } => "unknown word",
                Event::Repaired { .. } => "repaired",
                Event::NotVisible { .. } => "not visible",
                Event::Vanished { .. } => "vanished",
                Event::Appeared { .. } => "appeared",
                Event::OutageBegan { .. } => "outage",
                Event::OutageEnded { misses, .. } => {
                    assert_eq!(*misses, 2);
                    "outage over"
                }
                Event::Refused { .. } => "refused",
                Event::AskedToWait { .. } => "asked to wait",
                Event::Chosen { .. } => "chosen",
                Event::Started { .. } | Event::StartLost { .. } | Event::Queued { .. } | Event::Taken { .. } => {
                    "trigger"
                }
                Event::RetryWaits { .. } | Event::Retrying { .. } | Event::NotRetried { .. } => "retry",
                Event::Learned { .. } | Event::NoHistory { .. } | Event::Slow { .. } | Event::Overdue { .. } => "past",
                Event::Details { .. } | Event::PausedPipeline { .. } => "details",
                Event::Session(_) => "session",
                Event::NotFresh { .. } => "not fresh",
                Event::NoneYet { .. } => "none yet",
                Event::Skipped { .. } => "skipped",
                Event::Ended { .. } => "ended",
            };
            (timed_event.at.as_secs(), name)
        })
        .collect();
    let expected = [
        (1, "not visible"),
        (3, "appeared"),
        (3, "status"),
        (5, "outage"),
        (7, "outage over"),
        (8, "vanished"),
        (9, "appeared"),
        (9, "status"),
        (9, "ended"),
    ];
    assert_eq!(response, expected);
}
