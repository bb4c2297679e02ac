//! For those who run the service.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{AppendHeaders, IntoResponse},
};

use crate::{app::Shared, problem::Problem};

/// Whether this instance can serve: it reaches its database.
pub(crate) async fn health(State(app): Shared) -> Result<StatusCode, Problem> {
    app.store.check_health().await.map_err(|_| Problem::Busy)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn openapi() -> impl IntoResponse {
    let json = AppendHeaders([(header::CONTENT_TYPE, "application/json")]);
    (json, include_str!("../openapi.json"))
}

/// In Prometheus's text format; on an address of its own.
pub(crate) async fn metrics(State(app): Shared) -> impl IntoResponse {
    let text = AppendHeaders([(header::CONTENT_TYPE, "text/plain; version=0.0.4")]);
    (text, app.metrics.text(app.wake.count()))
}
