//! Key packages: published, counted, claimed.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{AppendHeaders, IntoResponse},
};
use mls_delivery_client::wire::{Bytes, MLS_MEDIA_TYPE, Publish, Stocks, device_id};

use super::{JsonBody, PathOf};
use crate::{
    Time,
    app::{Caller, Device, Shared},
    limits,
    mls::{self, Valid},
    now,
    problem::Problem,
};

pub(crate) async fn publish(
    State(app): Shared,
    Extension(Device(device)): Caller,
    body: JsonBody<Publish>,
) -> Result<Json<Stocks>, Problem> {
    let (Json(Publish { key_packages }), now) = (body?, now());
    if key_packages.len() > limits::KEY_PACKAGES_AT_ONCE {
        return Err(Problem::TooManyKeyPackages);
    }
    let owner = device.clone();
    // Hundreds of signatures would hold up the other requests of this thread.
    let valid = tokio::task::spawn_blocking(move || validate(&owner, key_packages, now))
        .await
        .map_err(|_| Problem::Internal)??;
    app.store.publish(&device.0, &valid, now).await?;
    let suites = app.store.stock(&device.0, now).await?;
    Ok(Json(Stocks { suites }))
}

fn validate(device: &Bytes, key_packages: Vec<Bytes>, now: Time) -> Result<Vec<(Valid, Bytes)>, Problem> {
    key_packages
        .into_iter()
        .map(|body| {
            let valid = mls::key_package(&body.0, now)?;
            if device_id(&valid.signature_key) != *device {
                return Err(Problem::AnothersKeyPackage);
            }
            Ok((valid, body))
        })
        .collect()
}

pub(crate) async fn stock(
    State(app): Shared,
    Extension(Device(device)): Caller,
) -> Result<Json<Stocks>, Problem> {
    let suites = app.store.stock(&device.0, now()).await?;
    Ok(Json(Stocks { suites }))
}

pub(crate) async fn withdraw(
    State(app): Shared,
    Extension(Device(device)): Caller,
) -> Result<StatusCode, Problem> {
    app.store.withdraw(&device.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn claim(
    State(app): Shared,
    path: PathOf<(Bytes, u16)>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let Path((device, ciphersuite)) = path?;
    let body = app.store.claim(&device.0, ciphersuite, now()).await?;
    Ok((AppendHeaders([(header::CONTENT_TYPE, MLS_MEDIA_TYPE)]), body))
}
