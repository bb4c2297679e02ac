//! Groups: Commits, messages, and the list of devices that they go to.

use axum::{Extension, Json, body::Bytes as Body, extract::State, http::HeaderMap, http::StatusCode};
use mls_delivery_client::wire::{Accepted, Bytes, CreateGroup, GroupStatus, Kind, Submit};

use super::{JsonBody, PathOf, check_group_id, check_hash, check_media_type, group_id, join_secret_hash};
use crate::{
    app::{Caller, Device, Shared},
    limits,
    mls::{self, Framing},
    now,
    problem::Problem,
    store::{Commit, Outgoing},
};

pub(crate) async fn create(
    State(app): Shared,
    Extension(Device(device)): Caller,
    body: JsonBody<CreateGroup>,
) -> Result<StatusCode, Problem> {
    let Json(new) = body?;
    check_group_id(&new.group)?;
    new.join_secret_hash.as_ref().map_or(Ok(()), check_hash)?;
    // Epochs are counted in signed numbers here; no group lives so long.
    if new.epoch >= i64::MAX.unsigned_abs() {
        return Err(Problem::Malformed);
    }
    app.store.create_group(&device.0, &new).await?;
    Ok(StatusCode::CREATED)
}

pub(crate) async fn status(
    State(app): Shared,
    Extension(Device(device)): Caller,
    path: PathOf<Bytes>,
) -> Result<Json<GroupStatus>, Problem> {
    let group = group_id(path)?;
    Ok(Json(app.store.status(&device.0, &group.0).await?))
}

pub(crate) async fn leave(
    State(app): Shared,
    Extension(Device(device)): Caller,
    path: PathOf<Bytes>,
) -> Result<StatusCode, Problem> {
    let group = group_id(path)?;
    app.store.leave_group(&device.0, &group.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Application messages and proposals.
pub(crate) async fn send(
    State(app): Shared,
    Extension(Device(device)): Caller,
    path: PathOf<Bytes>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Accepted>, Problem> {
    let group = group_id(path)?;
    check_media_type(&headers)?;
    let framing = framing(&body, &group)?;
    if framing.kind == Kind::Commit {
        // Commits have a place of their own, where there is one an epoch.
        return Err(Problem::InvalidMessage);
    }
    let message = outgoing(&device, &headers, &group, &framing, &body)?;
    Ok(Json(app.store.send(&message).await?))
}

pub(crate) async fn submit(
    State(app): Shared,
    Extension(Device(device)): Caller,
    path: PathOf<Bytes>,
    headers: HeaderMap,
    body: JsonBody<Submit>,
) -> Result<Json<Accepted>, Problem> {
    let (group, Json(submit)) = (group_id(path)?, body?);
    let framing = framing(&submit.commit.0, &group)?;
    if framing.kind != Kind::Commit {
        return Err(Problem::InvalidMessage);
    }
    check_company(&submit, &framing)?;
    let message = outgoing(&device, &headers, &group, &framing, &submit.commit.0)?;
    let commit = Commit {
        added: &submit.added,
        removed: &submit.removed,
        welcome: submit.welcome.as_ref().map(|welcome| &*welcome.0),
        group_info: submit.group_info.as_ref(),
        join_secret_hash: submit.join_secret_hash.as_ref().map(|hash| &*hash.0),
    };
    Ok(Json(app.store.submit(&message, &commit).await?))
}

/// What comes with a Commit.
fn check_company(submit: &Submit, framing: &Framing) -> Result<(), Problem> {
    if submit.added.len() + submit.removed.len() > limits::DEVICES_AT_ONCE {
        return Err(Problem::TooManyDevices);
    }
    if let Some(welcome) = &submit.welcome {
        mls::check_welcome(&welcome.0)?;
    }
    if let Some(info) = &submit.group_info {
        let epoch = mls::check_group_info(info, &framing.group)?;
        if Some(epoch) != framing.epoch.checked_add(1) {
            return Err(Problem::InvalidMessage);
        }
    }
    match &submit.join_secret_hash {
        Some(hash) if !hash.0.is_empty() => check_hash(hash),
        _ => Ok(()),
    }
}

fn framing(bytes: &[u8], group: &Bytes) -> Result<Framing, Problem> {
    let framing = mls::framing(bytes)?;
    if framing.group == group.0 {
        Ok(framing)
    } else {
        Err(Problem::AnotherGroup)
    }
}

/// A join secret counts for messages by which somebody joins, and for no others.
fn outgoing<'a>(
    device: &'a Bytes,
    headers: &HeaderMap,
    group: &'a Bytes,
    framing: &Framing,
    body: &'a [u8],
) -> Result<Outgoing<'a>, Problem> {
    let join_secret_hash = join_secret_hash(headers)?;
    Ok(Outgoing {
        sender: &device.0,
        join_secret_hash: join_secret_hash.filter(|_| framing.joins),
        group: &group.0,
        epoch: framing.epoch,
        kind: framing.kind,
        body,
        now: now(),
    })
}
