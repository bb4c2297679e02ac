//! Handlers: read, check, ask the store, answer.

pub(crate) mod devices;
pub(crate) mod group_info;
pub(crate) mod groups;
pub(crate) mod key_packages;
pub(crate) mod operations;
pub(crate) mod queue;

use axum::{
    Json,
    extract::{
        Path, Query,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{HeaderMap, header},
};
use mls_delivery_client::wire::{Bytes, JOIN_SECRET_HEADER, MLS_MEDIA_TYPE};

use crate::{auth, limits, problem::Problem};

type JsonBody<T> = Result<Json<T>, JsonRejection>;
type PathOf<T> = Result<Path<T>, PathRejection>;
type QueryOf<T> = Result<Query<T>, QueryRejection>;

/// A group's id in a path.
fn group_id(path: PathOf<Bytes>) -> Result<Bytes, Problem> {
    let Path(group) = path?;
    check_group_id(&group)?;
    Ok(group)
}

fn check_group_id(group: &Bytes) -> Result<(), Problem> {
    if group.0.is_empty() || group.0.len() > limits::GROUP_ID {
        return Err(Problem::Malformed);
    }
    Ok(())
}

/// The hash of the join secret that the request carries.
fn join_secret_hash(headers: &HeaderMap) -> Result<Option<Vec<u8>>, Problem> {
    let Some(value) = headers.get(JOIN_SECRET_HEADER) else {
        return Ok(None);
    };
    let secret = value
        .to_str()
        .ok()
        .and_then(Bytes::from_text)
        .ok_or(Problem::Malformed)?;
    Ok(Some(auth::sha256(&secret.0)))
}

fn check_hash(hash: &Bytes) -> Result<(), Problem> {
    if hash.0.len() == 32 {
        Ok(())
    } else {
        Err(Problem::Malformed)
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let found = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    match found {
        Some(found) if found.eq_ignore_ascii_case(MLS_MEDIA_TYPE) => Ok(()),
        _ => Err(Problem::WrongMediaType),
    }
}
