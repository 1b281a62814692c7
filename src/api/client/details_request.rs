//! A pipeline's details: checked by the doctor, and shown in reports.

use std::time::Duration;

use tokio::time::timeout;

use super::super::model;
use super::{AuthRetryState, Client};
use crate::core::{Answer, Observation, Operation, PipelineDetails, PipelineId, Untrusted};

/// For details that are only shown (docs/reference.md#limits).
const SHOWN_WITHIN: Duration = Duration::from_secs(5);
const SHOWN_BODY: usize = 1024 * 1024;

impl Client {
    /// `GET {base}/platform/pipeline/:pipeline`: whether a pipeline can be started, signed in and renewed as needed.
    pub async fn details(&self, pipeline: &PipelineId, retry_state: &mut AuthRetryState) -> Answer<PipelineDetails> {
        let segments = ["platform", "pipeline", pipeline.as_str()];
        let read = |status, body: &[u8]| model::read_details(status, body, pipeline);
        self.get(Operation::Details, &segments, retry_state, read).await
    }

    /// The same to be shown: one request beside the polls, once there is a token. It signs in for nothing, renews nothing,
    /// takes no poll's place, and changes nothing that a poll relies on. `None`, whatever went wrong.
    pub async fn details_to_show(&self, pipeline: &PipelineId) -> Option<PipelineDetails> {
        let pass = self.session.first_token().await;
        let url = self.transport.address(&["platform", "pipeline", pipeline.as_str()]);
        let body = timeout(SHOWN_WITHIN, self.transport.get_aside(url, &pass.header, SHOWN_BODY)).await.ok()??;
        let Observation::Record(found) = model::read_details(200, &body, pipeline) else { return None };
        // Redacted before it is cut: half a secret can't be recognized.
        let shorten = |text: Untrusted| self.redactor.shorten(&text);
        Some(PipelineDetails { name: found.name.map(shorten), cron: found.cron.map(shorten), ..found })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{client, password, service, target, token};
    use super::*;
    use crate::api::tests::scripted_server::{Asked, Reply, Server};
    use crate::core::{PipelineState, REQUESTS_AT_ONCE};

    const RUN: &str = r#"{"pipeline_run_id":"run_1","pipeline_id":"pipe_1","last_status":"RUNNING"}"#;
    const DETAILS: &str =
        r#"{"status":true,"data":{"id":"pipe_1","name":"Nightly load","cron":null,"status":"paused"}}"#;

    fn details(body: &str) -> Reply {
        Reply::json(200, body)
    }

    fn requests(server: &Server) -> Vec<(String, usize)> {
        let asked = server.asked().into_iter();
        asked.map(|asked| (asked.path.rsplit('/').next().unwrap_or_default().to_owned(), asked.connection)).collect()
    }

    #[tokio::test]
    async fn details_are_requested_once_with_the_first_token_and_never_sign_in() {
        let server = Server::start(|asked: &Asked| match asked.path.rsplit('/').next() {
            Some("sign-in") => Reply::json(200, r#"{"tokens":{"accessToken":"token-1"}}"#),
            Some("pipe-1") => details(DETAILS),
            _ => Reply::json(200, RUN),
        })
        .await;
        let client = client(&server, password());
        let pipeline = target().pipeline;
        // Without a poll there is never a token.
        let alone = tokio::time::timeout(Duration::from_millis(100), client.details_to_show(&pipeline)).await;
        assert!(alone.is_err() && server.asked().is_empty());
        let mut retry_state = AuthRetryState::default();
        let target = target();
        let (_, found) = tokio::join!(client.poll(&target, &mut retry_state), client.details_to_show(&pipeline));
        let found = found.expect("details");
        assert_eq!(found.name.expect("a name").raw(), "Nightly load");
        assert_eq!((found.cron, found.state), (None, PipelineState::Paused));
        let mut names: Vec<String> = requests(&server).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[0], "sign-in");
        names.sort();
        assert_eq!(names, ["pipe-1", "run-1", "sign-in"]);
    }

    #[tokio::test]
    async fn whatever_comes_in_their_place_is_nothing_and_has_no_effect_on_polls() {
        let huge = format!(r#"{{"data":{{"id":"pipe_1","name":"{}","status":"active"}}}}"#, "x".repeat(SHOWN_BODY));
        for reply in [
            Reply::json(401, "{}"),
            Reply::json(403, "{}"),
            Reply::json(404, "{}"),
            Reply::json(421, "{}"),
            Reply::json(500, DETAILS),
            Reply::with(302, &[("location", "/")], b""),
            Reply::with(200, &[("date", "Mon, 15 Jan 1990 10:45:23 GMT")], b"<html>"),
            Reply::json(200, &DETAILS.replace("pipe_1", "another")),
            Reply::json(200, &huge),
            Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"),
            Reply::raw(""),
        ] {
            let server = service([reply, Reply::json(200, RUN)]).await;
            let client = client(&server, token());
            assert_eq!(client.details_to_show(&target().pipeline).await, None);
            assert_eq!(server.asked().len(), 1, "no second request");
            assert!(client.transport.notes.borrow().is_empty(), "nor is a wrong clock remembered");
            let answer = client.poll(&target(), &mut AuthRetryState::default()).await;
            assert!(matches!(answer.observation, Observation::Record(_)));
            assert_eq!(server.sign_ins(), 0);
        }
    }

    #[tokio::test]
    async fn silence_ends_after_five_seconds() {
        let server = service([Reply::stalled("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{")]).await;
        let client = client(&server, token());
        let pipeline = target().pipeline;
        let mut request = std::pin::pin!(client.details_to_show(&pipeline));
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut request).await.is_err());
        tokio::time::pause();
        tokio::time::advance(SHOWN_WITHIN).await;
        assert_eq!(request.await, None);
    }

    /// Eight polls are under way, and all places taken: details take none.
    #[tokio::test]
    async fn details_take_no_place_of_a_poll() {
        let server = service([details(DETAILS)]).await;
        let client = client(&server, token());
        let mut permits = Vec::new();
        for _ in 0..REQUESTS_AT_ONCE {
            permits.push(client.transport.permit().await);
        }
        assert!(client.details_to_show(&target().pipeline).await.is_some());
    }
}
