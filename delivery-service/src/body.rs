//! Bodies: read whole, within limits of size, time and memory, before anything else is done with them.

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::Request,
    http::{HeaderValue, header},
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
        if request.body().is_end_stream() {
            return next.run(request).await;
        }
        let Some(length) = length(&request) else {
            return refuse(request, Problem::LengthRequired).await;
        };
        if length > most {
            return refuse(request, Problem::TooLarge).await;
        }
        let (parts, body) = request.into_parts();
        let kibibytes = u32::try_from(length.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let Ok(Ok(_memory)) = timeout(limits::BODY_TIME, self.0.acquire_many(kibibytes)).await else {
            return closing(Problem::Busy);
        };
        match read(body).await {
            Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Err(problem) => closing(problem),
        }
    }
}

/// Answers without having looked at the body. A small one is taken off the connection first: a client that still writes when it is
/// closed may never see the answer.
pub(crate) async fn refuse(request: Request, problem: Problem) -> Response {
    if request.body().is_end_stream() {
        return problem.into_response();
    }
    if length(&request).is_some_and(|length| length <= limits::STRANGERS_BODY) {
        let _ = timeout(limits::DRAIN_TIME, request.into_body().collect()).await;
    }
    closing(problem)
}

/// What is left of the body would be taken for the next request.
fn closing(problem: Problem) -> Response {
    let mut response = problem.into_response();
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

fn length(request: &Request) -> Option<usize> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match timeout(limits::BODY_TIME, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(_)) => Err(Problem::Malformed),
        Err(_) => Err(Problem::TooSlow),
    }
}
