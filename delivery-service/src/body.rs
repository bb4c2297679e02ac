//! Bodies: read whole, within limits of size, time and memory, before anything else is done with them.

use axum::{
    body::{Body, HttpBody as _},
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

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
        match timeout(limits::BODY_TIME, self.read(body)).await {
            Ok(Ok((bytes, _memory))) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Ok(Err(problem)) => closing(problem),
            Err(_) => closing(Problem::TooSlow),
        }
    }

    /// Memory is taken as it fills: who only says that much will come takes none from others.
    async fn read(&self, mut body: Body) -> Result<(Vec<u8>, SemaphorePermit<'_>), Problem> {
        let (mut bytes, mut memory) = (Vec::new(), self.take(0)?);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Problem::Malformed)?.into_data() else {
                continue;
            };
            bytes.extend_from_slice(&data);
            let kibibytes = bytes.len().div_ceil(1 << 10);
            memory.merge(self.take(kibibytes - memory.num_permits())?);
        }
        Ok((bytes, memory))
    }

    fn take(&self, kibibytes: usize) -> Result<SemaphorePermit<'_>, Problem> {
        let kibibytes = u32::try_from(kibibytes).unwrap_or(u32::MAX);
        self.0.try_acquire_many(kibibytes).map_err(|_| Problem::Busy)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_share_their_memory_and_who_finds_none_left_is_refused_at_once() {
        let bodies = Bodies(Semaphore::new(8));
        let read = |length: usize| bodies.read(Body::from(vec![0; length]));
        let first = read(5 << 10).await.unwrap();
        assert_eq!(first.0.len(), 5 << 10);
        assert_eq!(read(4 << 10).await.unwrap_err(), Problem::Busy);
        let second = read(3 << 10).await.unwrap();
        assert_eq!(read(1).await.unwrap_err(), Problem::Busy);
        drop((first, second));
        assert!(read(8 << 10).await.is_ok(), "all of it was given back");
    }
}
