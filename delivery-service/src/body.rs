//! Bodies: read whole, within limits of size, time and memory, before anything else is done with them.

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::Request,
    http::header,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use tokio::{sync::Semaphore, time::timeout};

use crate::{limits, problem::Problem};

/// What is left of [`limits::BODIES`], in KiB.
pub(crate) struct Bodies(Semaphore);

impl Default for Bodies {
    fn default() -> Self {
        Self(Semaphore::new(limits::BODIES >> 10))
    }
}

impl Bodies {
    /// Reads the body of a request and passes the request on. Its memory counts until the answer is there.
    pub(crate) async fn collect(&self, most: usize, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        if body.is_end_stream() {
            return next.run(Request::from_parts(parts, Body::empty())).await;
        }
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let Some(length) = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok()) else {
            return Problem::LengthRequired.into_response();
        };
        if length > most {
            return Problem::TooLarge.into_response();
        }
        let kibibytes = u32::try_from(length.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let Ok(Ok(_memory)) = timeout(limits::BODY_TIME, self.0.acquire_many(kibibytes)).await else {
            return Problem::Busy.into_response();
        };
        match read(body).await {
            Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Err(problem) => problem.into_response(),
        }
    }
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match timeout(limits::BODY_TIME, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(_)) => Err(Problem::Malformed),
        Err(_) => Err(Problem::TooSlow),
    }
}
