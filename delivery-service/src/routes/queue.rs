//! The queue of the device that asks.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{Query, State},
    http::StatusCode,
};
use mls_delivery_client::wire::{Acknowledge, Page};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::{JsonBody, QueryOf};
use crate::{
    app::{Caller, Device, Shared},
    limits,
    metrics::Waited,
    problem::Problem,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    /// The cursor of what is safe or was read.
    #[serde(default)]
    after: u64,
    #[serde(default = "whole_page")]
    limit: u32,
    /// Seconds to wait for a message if there is none.
    #[serde(default)]
    wait: u32,
}

fn whole_page() -> u32 {
    100
}

/// How long a wait trusts that it would be told.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

pub(crate) async fn read(
    State(app): Shared,
    Extension(Device(device)): Caller,
    query: QueryOf<Reading>,
) -> Result<Json<Page>, Problem> {
    let Query(Reading { after, limit, wait }) = query?;
    let limit = i64::from(limit);
    if !(1..=limits::PAGE_MESSAGES).contains(&limit) || wait > limits::LONGEST_WAIT {
        return Err(Problem::Malformed);
    }
    if wait == 0 {
        return Ok(Json(app.store.page(&device.0, after, limit).await?));
    }
    let end = Instant::now() + Duration::from_secs(wait.min(app.longest_wait).into());
    let waiter = app.wake.wait_for(&device).ok_or(Problem::TooManyRequests)?;
    let mut waited = None;
    loop {
        // Before looking, or what comes in between would go unnoticed.
        let rung = waiter.rung();
        let page = app.store.page(&device.0, after, limit).await?;
        let in_vain = page.deliveries.is_empty();
        if !in_vain || Instant::now() >= end {
            let waited = if in_vain { Some(Waited::InVain) } else { waited };
            waited.into_iter().for_each(|waited| app.metrics.waited(waited));
            return Ok(Json(page));
        }
        // Rung or not, the next look decides.
        let rung = timeout_at(end.min(Instant::now() + LOOK_AGAIN), rung).await;
        waited = Some(if rung.is_ok() {
            Waited::Told
        } else {
            Waited::Looked
        });
    }
}

pub(crate) async fn acknowledge(
    State(app): Shared,
    Extension(Device(device)): Caller,
    body: JsonBody<Acknowledge>,
) -> Result<StatusCode, Problem> {
    let Json(through) = body?;
    // What no queue counts to is no cursor.
    if through.cursor.max(through.missed) > i64::MAX.unsigned_abs() {
        return Err(Problem::Malformed);
    }
    app.store.acknowledge(&device.0, &through).await?;
    Ok(StatusCode::NO_CONTENT)
}
