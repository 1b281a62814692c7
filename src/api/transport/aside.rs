//! A request beside the polls, for what is only shown.

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use url::Url;

use super::{Transport, body};

impl Transport {
    /// GET, outside the eight places, so that no poll waits for it. Nothing that it meets is remembered: neither a broken
    /// connection nor a wrong clock, and a redirect is not followed. `None` unless the whole body came with 200.
    pub(crate) async fn get_aside(&self, url: Url, token: &HeaderValue, limit: usize) -> Option<Vec<u8>> {
        let request = self.http.borrow().get(url).header(AUTHORIZATION, token);
        let response = request.send().await.ok().filter(|response| response.status() == StatusCode::OK)?;
        let mut body = Vec::new();
        body::read(response, &mut body::collect(&mut body, limit)).await.ok()?;
        Some(body)
    }
}
