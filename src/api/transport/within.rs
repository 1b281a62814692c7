//! A limit of time that a suspended process keeps to as one that was awake.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use crate::clock::Clock;

/// To read what came while the process was suspended. A timer that is late by as much has slept.
const MOMENT: Duration = Duration::from_secs(1);

/// Waits for an answer at most `limit`. A process that was suspended meanwhile finds its time over before it has read what
/// came: it has a moment more for that.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = T>, clock: Clock) -> Option<T> {
    let mut answer = pin!(answer);
    let ends = clock.elapsed().saturating_add(limit);
    match timeout(limit, &mut answer).await {
        Ok(answer) => Some(answer),
        Err(_) if clock.elapsed() < ends.saturating_add(MOMENT) => None,
        Err(_) => timeout(MOMENT, answer).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// An answer that comes during a suspension of so long, and is read by another task when that has ended.
    async fn suspended(length: Duration) -> Option<u8> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let answer = async {
            advance(length).await;
            told.await.expect("a sender")
        };
        tokio::join!(within(LIMIT, answer, Clock::start()), async {
            // As the task of a connection, it has its turn after the timers.
            for _ in 0..3 {
                yield_now().await;
            }
            let _read = tell.send(7);
        })
        .0
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_came_during_a_suspension_is_read_after_it() {
        assert_eq!(suspended(Duration::from_secs(3600)).await, Some(7));
        assert_eq!(suspended(Duration::from_secs(5)).await, Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_was_awake_has_a_moment_more() {
        let clock = Clock::start();
        assert_eq!(within(LIMIT, std::future::pending::<u8>(), clock).await, None);
        assert!(clock.elapsed() < LIMIT + MOMENT, "{:?}", clock.elapsed());
        // And after a suspension no more than that.
        let clock = Clock::start();
        let asleep = async {
            advance(LIMIT * 10).await;
            std::future::pending::<u8>().await
        };
        assert_eq!(within(LIMIT, asleep, clock).await, None);
        assert!(clock.elapsed() < LIMIT * 10 + 2 * MOMENT, "{:?}", clock.elapsed());
    }
}
