//! GroupInfo, for those who join by themselves.

use axum::{Extension, Json, extract::State, http::HeaderMap, http::StatusCode};
use mls_delivery_client::wire::{Bytes, PublishedGroupInfo};

use super::{JsonBody, PathOf, group_id, join_secret_hash};
use crate::{
    app::{Caller, Device, Shared},
    mls,
    problem::Problem,
};

pub(crate) async fn publish(
    State(app): Shared,
    Extension(Device(device)): Caller,
    path: PathOf<Bytes>,
    body: JsonBody<PublishedGroupInfo>,
) -> Result<StatusCode, Problem> {
    let (group, Json(info)) = (group_id(path)?, body?);
    let epoch = mls::check_group_info(&info, &group.0)?;
    app.store
        .publish_group_info(&device.0, &group.0, epoch, &info)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn read(
    State(app): Shared,
    Extension(Device(device)): Caller,
    path: PathOf<Bytes>,
    headers: HeaderMap,
) -> Result<Json<PublishedGroupInfo>, Problem> {
    let (group, join_secret_hash) = (group_id(path)?, join_secret_hash(&headers)?);
    let info = app
        .store
        .group_info(&device.0, join_secret_hash.as_deref(), &group.0)
        .await?;
    Ok(Json(info))
}
